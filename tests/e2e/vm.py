"""vm - a machine of its own for a real agent: Debian's kernel under QEMU, a disk that outlives its boots, power that is cut at a marker.

A machine is a disk and what all have in common, the kit. Each boot is one QEMU: a panic ends it, and so does a cut, which is SIGKILL as
soon as the guest has printed the marker: what it had not handed to its disk is lost, what it had is kept. A boot that is needed no longer
ends by a cut, too. The guest's console is our only way to look in.
Emulated (TCG) on purpose: the same on every machine, with /dev/kvm or without.

QEMU hangs now and then between its BIOS and the end of the kernel's start, in one boot of about forty. That boot is a MISS: it is counted and
started again, and the disk is as it was, because nobody has mounted it. On a host that stands still for a while, QEMU's disk may lose an
answer, and the guest says so: where nobody outside has seen that boot, it is a MISS too, and begins again with the disk as it was before. A
guest that hangs otherwise is a failure like any other.
"""
import os, pathlib, re, shutil, signal, subprocess, threading, time

from fleet import Failed

GUEST = pathlib.Path(__file__).resolve().parent / "guest"
BUSYBOX = "/bin/busybox"
MKE2FS = shutil.which("mke2fs", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or "mke2fs"
FIRST_LINE, FIRST_LINE_S, MISSES_MAX = "vm: begins", 60, 5
MEMORY_MB, DISK_MB = 192, 96
PANIC = "Kernel panic"
LOST = re.compile(r"nvme nvme0: I/O \d+ .*timeout")


def libraries(program):
    """What a program needs to be loaded, by the loader's own word."""
    listed = subprocess.run(["ldd", program], check=True, text=True, stdout=subprocess.PIPE).stdout
    return re.findall(r"(/\S+) \(0x", listed)


class Kit:
    """The kernel and an initramfs: busybox, init, and programs with their libraries."""

    def __init__(self, kernel, folder):
        self.kernel, self.root, self.initramfs = pathlib.Path(kernel).resolve(), folder / "initramfs", folder / "initramfs.cpio"
        if not (self.kernel / "vmlinuz").exists():
            raise Failed(f"no {self.kernel}/vmlinuz; run tools/vm-kernel {kernel}")
        for name in ("bin", "dev", "proc", "sys", "run", "tmp", "state", "etc", "watched"):
            (self.root / name).mkdir(parents=True)
        self.add(BUSYBOX, "bin/busybox")
        for name in subprocess.run([BUSYBOX, "--list"], check=True, text=True, stdout=subprocess.PIPE).stdout.split():
            if name != "busybox":
                (self.root / "bin" / name).symlink_to("busybox")
        self.add(GUEST / "init", "init")
        shutil.copytree(self.kernel / "modules", self.root / "modules")

    def add(self, source, path):
        into = self.root / path
        into.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, into)

    def add_program(self, program):
        self.add(program, f"bin/{program.name}")
        for library in libraries(program):
            self.add(library, library.lstrip("/"))

    def pack(self):
        names = sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*"))
        with open(self.initramfs, "wb") as out:
            subprocess.run(["cpio", "--create", "--format=newc", "--quiet", "--owner=0:0"], cwd=self.root, input="\n".join(names).encode(), stdout=out, check=True)


class Boot:
    """One QEMU, from its start to a panic, a cut or the end of its use."""

    def __init__(self, command, log):
        self.log = open(log, "a")
        self.console, self.cut_at, self.cut_from, self.cut_after_s, self.was_cut = "", None, 0, 0, False
        self.changed = threading.Condition()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while part := os.read(self.process.stdout.fileno(), 65536):
            with self.changed:
                text = part.decode(errors="replace").replace("\r", "")
                self.console += text
                self.log.write(text)
                self.log.flush()
                self.changed.notify_all()
                if self.cut_at and self.console.find(self.cut_at, self.cut_from) >= 0:
                    time.sleep(self.cut_after_s)
                    self.was_cut = self.process.poll() is None
                    self.process.send_signal(signal.SIGKILL)
                    self.cut_at = None

    def arm_cut(self, marker, after_s):
        """Before the guest can have printed it; what was printed before does not count."""
        with self.changed:
            self.cut_at, self.cut_from, self.cut_after_s = marker, len(self.console), after_s

    def waits_until(self, looks, seconds):
        """What `looks` finds on the console, or None: not within that time, or never because it ended."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while not (found := looks(self.console)) and self.reader.is_alive() and time.monotonic() < deadline:
                self.changed.wait(0.1)
            return found or looks(self.console)

    def waits_for(self, text, seconds):
        return self.waits_until(lambda console: text in console, seconds)

    def ends(self, seconds):
        """By itself, or by the cut that waits for its marker."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self.reader.join()
        return True

    def cut(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.log.write("\n=== off ===\n")
        self.log.close()

    def panicked(self):
        return PANIC in self.console

    def lost_its_disk(self):
        return bool(LOST.search(self.console))

    def number(self):
        """As the guest counts its boots, on its own disk; 0: it did not come so far."""
        found = re.search(r"^vm: boot (\d+)$", self.console, re.M)
        return int(found[1]) if found else 0


class Machine:
    """A disk, and the boots that it has seen. Closing it takes the power away."""

    def __init__(self, kit, folder):
        self.kit, self.disk, self.log = kit, folder / "disk.img", folder / "console.log"
        self.boots, self.misses, self.running, self.memory_mb = 0, 0, None, MEMORY_MB
        subprocess.run([MKE2FS, "-q", "-t", "ext4", self.disk, f"{DISK_MB}M"], check=True, stdout=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.off()

    def command(self, words, has_network):
        network = ["-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="] if has_network else ["-nic", "none"]
        return ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "qemu64,+rdrand", "-m", str(self.memory_mb), "-nographic", "-no-reboot", *network,
                "-drive", f"file={self.disk},if=none,id=disk,format=raw", "-device", "nvme,drive=disk,serial=1",
                "-kernel", self.kit.kernel / "vmlinuz", "-initrd", self.kit.initramfs,
                "-append", " ".join(("console=ttyS0 loglevel=6 panic=-1 nokaslr cryptomgr.notests", *words, *(["net"] if has_network else [])))]

    def on(self, *words, has_network=False, cut_at=None, cut_after_s=0):
        """A boot that has come to its disk."""
        self.off()
        for _ in range(MISSES_MAX):
            self.running = boot = Boot(self.command(words, has_network), self.log)
            boot.arm_cut(cut_at, cut_after_s)
            if boot.waits_for(FIRST_LINE, FIRST_LINE_S):
                self.boots += 1
                return boot
            if boot.process.poll() is not None:
                raise Failed(f"QEMU ended with {boot.process.returncode}:\n{boot.console[-2000:]}")
            self.misses += 1
            self.off()
        raise Failed(f"QEMU hung before the disk was there {MISSES_MAX} times in a row")

    def alone(self, *words, looks, seconds, cut_at=None, cut_after_s=0):
        """A boot without a network, until `looks` finds something or it ends: the boot, and what was found."""
        self.off()
        before = self.disk.with_suffix(".before")
        subprocess.run(["cp", "--sparse=always", self.disk, before], check=True)
        for _ in range(MISSES_MAX):
            boot = self.on(*words, cut_at=cut_at, cut_after_s=cut_after_s)
            found = boot.waits_until(lambda console: looks(console) or LOST.search(console), seconds)
            if not boot.lost_its_disk():
                return boot, found
            self.misses, self.boots = self.misses + 1, self.boots - 1
            self.off()
            subprocess.run(["cp", "--sparse=always", before, self.disk], check=True)
        raise Failed(f"QEMU lost an answer of its disk {MISSES_MAX} times in a row")

    def off(self):
        if self.running:
            self.running.cut()
            self.running = None
