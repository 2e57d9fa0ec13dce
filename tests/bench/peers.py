"""peers - how other updaters of Debian 12 bring the same tree to a device, each in the ways that it has. Used by bench_others.py.

Each peer is prepared once (what a publisher does, not measured), reset before each run, and then started; what it needs on the device before the update is
there already. See docs/decisions/028-peers.md for what was chosen and why.
"""
import contextlib, hashlib, os, pathlib, shutil, subprocess, time

SLOT_BYTES = 32 << 20                          # more than the tree as it is


def quiet(*words, **options):
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout[-2000:]}")
    return done.stdout


def certificate(folder, use):
    key, made = folder / f"{use}.key", folder / f"{use}.crt"
    if not made.exists():
        quiet("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", made, "-days", 3650, "-subj", "/CN=bench", "-addext", f"extendedKeyUsage={use}",
              "-addext", "keyUsage=digitalSignature")
    return key, made


def tar(folder, made, what="."):
    quiet("tar", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "-C", folder, "-cf", made, what)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def is_same(one, other):
    return subprocess.run(["diff", "-rq", one, other], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


class Peer:
    """`old` and `new` are folders with the tree before and after; what is below `served` is fetched from `url`."""
    programs, beside = (), ()

    def __init__(self, root, old, new, served, url):
        self.root, self.old, self.new, self.served, self.url = root / self.name.replace(" ", "-"), old, new, served, url
        self.root.mkdir()

    def environment(self):
        return dict(os.environ)

    def begin(self):
        """What runs all the time on a device that has it; its processes count. None: nothing does."""

    def end(self):
        pass

    def target(self):
        return self.root / "target"

    def is_well(self, code, said):
        return code == 0


class Casync(Peer):
    name, programs = "casync", ("/usr/bin/casync", "/usr/lib/casync/protocols/casync-http")

    def prepare(self):
        for tree, name in ((self.old, "old.caidx"), (self.new, "new.caidx")):
            quiet("casync", "make", f"--store={self.served / 'store.castr'}", self.served / name, tree)

    def reset(self):
        shutil.rmtree(self.target(), ignore_errors=True)

    def command(self):
        return ["casync", "extract", f"--store={self.url}/store.castr", f"--seed={self.old}", f"{self.url}/new.caidx", self.target()]

    def is_done(self):
        return is_same(self.new, self.target())


class Swupdate(Peer):
    programs = ("/usr/bin/swupdate",)

    def pack(self, description, *images):
        key, self.certificate = certificate(self.root, "emailProtection")
        for image in images:
            description = description.replace(f"SHA({image.name})", digest(image))
        (self.root / "sw-description").write_text(description)
        quiet("openssl", "cms", "-sign", "-in", self.root / "sw-description", "-out", self.root / "sw-description.sig", "-signer", self.certificate, "-inkey", key, "-outform", "DER",
              "-nosmimecap", "-binary")
        names = ["sw-description", "sw-description.sig", *(image.name for image in images)]
        with open(self.served / self.update, "wb") as made:
            subprocess.run(["cpio", "-o", "-H", "crc"], input="\n".join(names).encode() + b"\n", stdout=made, stderr=subprocess.DEVNULL, cwd=self.root, check=True)
        (self.root / "hwrevision").write_text("bench 1.0\n")
        (self.root / "swupdate.cfg").write_text('globals : { loglevel = 2; };\nidentify : ();\n')

    def command(self):
        """Its own downloader (-d) ends before a delta is applied, and takes the rest with it: it is given what another has fetched."""
        fetch = f"curl -fsS -o update.swu {self.url}/{self.update} && exec swupdate -f swupdate.cfg -k {self.certificate} -H bench:1.0 -i update.swu"
        return ["sh", "-c", f"cd {self.root} && {fetch}"]

    def is_well(self, code, said):
        """When one of its children ends before the others after a success, its code is 1."""
        return "SWUPDATE successful" in said


class SwupdateWhole(Swupdate):
    name, update = "swupdate", "whole.swu"

    def prepare(self):
        tar(self.new, self.root / "rules.tar")
        self.pack(f'software = {{ version = "2"; hardware-compatibility: [ "1.0" ]; files: ( {{ filename = "rules.tar"; sha256 = "SHA(rules.tar)"; type = "archive"; '
                  f'path = "{self.target()}"; installed-directly = true; }} ); }}\n', self.root / "rules.tar")

    def reset(self):
        shutil.rmtree(self.target(), ignore_errors=True)
        self.target().mkdir()

    def is_done(self):
        return is_same(self.new, self.target())


class SwupdateDelta(Swupdate):
    name, update = "swupdate delta", "delta.swu"

    def prepare(self):
        tar(self.old, self.root / "old.tar")
        tar(self.new, self.root / "new.tar")
        quiet("zck", "-u", "-o", self.served / "new.zck", self.root / "new.tar")
        said = quiet("zck_read_header", "-v", self.served / "new.zck")
        length = int(next(text.split(":")[1] for text in said.splitlines() if text.startswith("Header size")))
        (self.root / "rules.zck").write_bytes((self.served / "new.zck").read_bytes()[:length])
        self.pack(f'software = {{ version = "2"; hardware-compatibility: [ "1.0" ]; images: ( {{ filename = "rules.zck"; sha256 = "SHA(rules.zck)"; type = "delta"; '
                  f'device = "{self.target()}"; properties: {{ url = "{self.url}/new.zck"; chain = "raw"; source = "{self.root / "old.tar"}"; zckloglevel = "error"; }} }} ); }}\n',
                  self.root / "rules.zck")

    def reset(self):
        with open(self.target(), "wb") as made:
            made.truncate(SLOT_BYTES)

    def is_done(self):
        made = (self.root / "new.tar").read_bytes()
        return self.target().read_bytes()[:len(made)] == made


class Rauc(Peer):
    """A service on a bus of its own; a slot is a file that holds a squashfs."""
    programs, packing = ("/usr/bin/rauc",), ()

    def prepare(self):
        (self.root / "bundle").mkdir()
        for tree, image in ((self.new, "bundle/rules.img"), (self.old, "old.img")):
            quiet("mksquashfs", tree, self.root / image, "-noappend", "-all-root", "-mkfs-time", "0", "-quiet", "-no-progress", *self.packing)
        (self.root / "bundle/manifest.raucm").write_text("[update]\ncompatible=bench\nversion=2\n[bundle]\nformat=plain\n[image.rootfs]\nfilename=rules.img\n")
        self.key, self.certificate = certificate(self.root, "codeSigning")
        slots = "".join(f"[slot.rootfs.{i}]\ndevice={self.root / f'slot-{name}.img'}\ntype=raw\nbootname={name.upper()}\n" for i, name in enumerate("ab"))
        (self.root / "system.conf").write_text(f"[system]\ncompatible=bench\nbootloader=noop\nstatusfile={self.root / 'status'}\n[keyring]\npath={self.certificate}\ncheck-purpose=codesign\n"
                                               f"[casync]\nstorepath={self.url}/rauc.castr\n{slots}")
        quiet("rauc", f"--cert={self.certificate}", f"--key={self.key}", "bundle", self.root / "bundle", self.root / "whole.raucb")
        self.serve()

    def reset(self):
        (self.root / "status").unlink(missing_ok=True)
        (self.root / "mount").mkdir(exist_ok=True)
        for name in "ab":
            with open(self.root / f"slot-{name}.img", "wb") as made:
                made.write((self.root / "old.img").read_bytes() if name == "a" else b"")
                made.truncate(SLOT_BYTES)

    def environment(self):
        return {**os.environ, "DBUS_STARTER_BUS_TYPE": "session", "DBUS_SESSION_BUS_ADDRESS": self.address}

    def begin(self):
        self.bus = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.address = self.bus.stdout.readline().strip()
        self.service = subprocess.Popen(["rauc", f"--conf={self.root / 'system.conf'}", f"--mount={self.root / 'mount'}", "--override-boot-slot=A", "service"], env=self.environment(),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        until = time.monotonic() + 20
        while subprocess.run(["rauc", "status"], env=self.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            if time.monotonic() > until:
                raise RuntimeError("rauc's service does not answer")
            time.sleep(0.1)
        return self.service.pid

    def end(self):
        for process in (self.service, self.bus):
            process.terminate()
            process.wait()

    def target(self):
        return self.root / "slot-b.img"

    def command(self):
        return ["rauc", "install", f"{self.url}/{self.update}"]

    def is_done(self):
        made = (self.root / "bundle/rules.img").read_bytes()
        return self.target().read_bytes()[:len(made)] == made


class RaucWhole(Rauc):
    name, update = "rauc", "whole.raucb"

    def serve(self):
        shutil.move(self.root / self.update, self.served / self.update)


class RaucCasync(Rauc):
    """The image is not compressed: its chunks are, and more of them stay the same."""
    name, update, beside, packing = "rauc casync", "chunks.raucb", Casync.programs, ("-noI", "-noD", "-noF", "-noX")

    def serve(self):
        quiet("rauc", f"--conf={self.root / 'system.conf'}", f"--keyring={self.certificate}", f"--cert={self.certificate}", f"--key={self.key}", "convert", self.root / "whole.raucb",
              self.served / self.update)
        (self.served / "chunks.castr").rename(self.served / "rauc.castr")


class Mender(Peer):
    name, programs = "mender", ("/usr/bin/mender",)

    def prepare(self):
        tar(self.new, self.root / "update.tar")
        (self.root / "dest_dir").write_text(str(self.target()))
        quiet("openssl", "genrsa", "-traditional", "-out", self.root / "sign.key", 3072)
        quiet("openssl", "rsa", "-in", self.root / "sign.key", "-pubout", "-out", self.root / "verify.key")
        quiet("mender-artifact", "write", "module-image", "-T", "directory", "-t", "bench", "-o", self.served / "new.mender", "-n", "new", "-f", "update.tar", "-f", "dest_dir", "-k", "sign.key",
              cwd=self.root)
        (self.root / "mender.conf").write_text(f'{{"ArtifactVerifyKey": "{self.root / "verify.key"}", "DeviceTypeFile": "{self.root / "device_type"}"}}\n')
        (self.root / "device_type").write_text("device_type=bench\n")

    def reset(self):
        for folder in (self.target(), self.root / "data"):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.old, self.target())
        (self.root / "data").mkdir()

    def command(self):
        # It wants to know what is installed, from a file of the machine's: a folder of its own in that place.
        prepare = "mount -t tmpfs none /etc/mender && echo artifact_name=old > /etc/mender/artifact_info && exec \"$@\""
        return ["unshare", "--mount", "sh", "-c", prepare, "sh", "mender", "-c", self.root / "mender.conf", "-d", self.root / "data", "--no-syslog", "install", f"{self.url}/new.mender"]

    def is_done(self):
        return is_same(self.new, self.target())


PEERS = (Casync, SwupdateWhole, SwupdateDelta, RaucWhole, RaucCasync, Mender)
