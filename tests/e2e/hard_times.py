#!/usr/bin/env python3
"""hard_times - a device whose disk, clock or network is bad for as long as it lasts, or that is started badly: an engine that works, and a word of what is wrong.

usage: hard_times.py --build DIR [--plays NAME,...] [--flips N] [--smoke]

With real agents and engines, before a stand-in for the server (stand.py). A full disk, a read-only state folder and a read-only `/`
are real ones, mounted where nobody else sees them; without the rights for that those plays are left out, and it is said. The network
of a megabyte a day is played with days of two seconds and 40 KB, at 64 KB/s while it is up: a release takes several of
them, as one of some megabytes would. Ends with `N passed, N failed`, and 1 when any failed.
"""
import argparse, concurrent.futures, contextlib, os, pathlib, queue, random, shutil, signal, subprocess, sys, time

from claims import Claims
from fault_sweep import reported
from fleet import Failed
from stand import FIRST, SECOND, STREAM, Link, Stand, digest

ENDS_S = 25
HAS_RIGHTS = ["unshare", "-m", "sh", "-c", "mount --make-rprivate / && mount -t tmpfs none /mnt"]


def last_line(text, phrase):
    return next((line.partition(" ")[2] for line in reversed(text.splitlines()) if phrase in line), f"nothing of {phrase!r}, but: {text[-600:]}")[:200]


class HardTimes:
    def __init__(self, claims, stand, options):
        self.claims, self.stand, self.options, self.device = claims, stand, options, stand.new_subject()

    def prepare(self):
        self.device.put("first", "second")
        self.device.start()
        if not self.device.wait(lambda: reported(self.device), ENDS_S):
            raise Failed(f"release 2 was not proven: {self.device.text()[-1000:]}")
        self.device.cut()
        self.stand.states["second"] = self.stand.keep_state("second", self.device.state)

    def says(self, what, phrase, seconds=ENDS_S):
        self.device.wait(lambda: phrase in self.device.text(), seconds)
        self.claims.claim(f"{what}: {last_line(self.device.text(), phrase)}", phrase in self.device.text())

    def works(self, what, counter, is_so=lambda: True):
        device = self.device
        is_well = device.wait(lambda: device.is_at_work() and device.record().running() == counter and is_so(), ENDS_S)
        self.claims.claim(f"{what}: the engine works on release {counter}" + ("" if is_well else f", not so: {device.wrong()} {device.engine()} {device.text()[-800:]}"), is_well)

    def told(self, what, outcome, counter, detail=""):
        device = self.device
        is_told = device.wait(lambda: any(detail in report["detail"] for report in device.told(outcome, counter)), ENDS_S)
        found = [f"{report['outcome']} {report['kind']} {report['counter']}: {report['detail']}" for report in device.said.reports]
        self.claims.claim(f"{what}: the server is told {found}", is_told)

    def has_rights(self):
        return subprocess.run(HAS_RIGHTS, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0

    def mounted(self, commands):
        """What runs the agent behind these mounts, which it takes with it when it ends."""
        return ["unshare", "-m", "sh", "-c", f"mount --make-rprivate / && {commands} && exec \"$@\"", "sh"]

    def ends_well(self, what):
        """Once all is as it should be."""
        self.device.cut()
        self.device.guard()
        self.device.start()
        self.works(f"{what}, afterwards", SECOND, lambda: reported(self.device) or not self.device.record().reports_waiting)
        self.device.cut()

    def full_disk(self):
        """A file system of our own, filled by somebody else but for what each round leaves."""
        device = self.device
        rounds = ((0, "no room on the file system"), (12, " are free"), (200, " are free"), (4000, " are free"))
        for left_kb, words in rounds[:2 if self.options.smoke else None]:
            what = f"full disk, {left_kb} KB left"
            device.put("first", "second")
            kept = device.root / "kept"
            shutil.rmtree(kept, ignore_errors=True)
            device.state.rename(kept)
            device.state.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "none", device.state], check=True)
            try:
                shutil.copytree(kept, device.state, symlinks=True, dirs_exist_ok=True)
                with contextlib.suppress(OSError), open(device.state / "filler", "wb", buffering=0) as filler:
                    while os.statvfs(device.state).f_bavail * 4096 > left_kb << 10:
                        filler.write(b"x" * 4096)
                device.start()
                self.works(what, FIRST)
                self.says(what, words)
                (device.state / "filler").unlink()
                device.cut()
                subprocess.run(["mount", "-o", "remount,size=200m", device.state], check=True)
                self.ends_well(what)
            finally:
                device.cut()
                subprocess.run(["umount", "-l", device.state], check=True)

    def full_disk_while_it_falls_back(self):
        """A release that kills the engine, and no room for the word of it: it goes back all the same, and says so when there is room."""
        device = self.device
        device.put("first", "crashing")
        device.start(["strace", "-q", "-o", device.root / "trace", "-P", device.state / ".pending-slots", "-e", "trace=write", "-e", "inject=write:error=ENOSPC:when=5+"])
        self.works("no room for the record", FIRST)
        self.says("no room for the record", "no room on the file system")
        device.cut()
        device.guard()
        device.start()
        self.works("no room for the record, afterwards", FIRST)
        device.cut()

    def read_only_state(self):
        self.device.put("first", "second")
        self.device.start(self.mounted(f"mount --bind {self.device.state} {self.device.state} && mount -o remount,bind,ro {self.device.state}"))
        self.works("read-only state folder", FIRST)
        self.says("read-only state folder", "the file system is read-only")
        self.ends_well("read-only state folder")

    def read_only_root(self):
        """All of `/`; what the engine says of itself goes to another file system, as it does on such machines."""
        device, shared = self.device, pathlib.Path(f"/dev/shm/firebreak-status-{os.getpid()}")
        kept, device.status_file = device.status_file, shared
        device.write_config()
        try:
            device.put("first", "second")
            device.start(self.mounted("mount -o remount,bind,ro /"))
            self.works("read-only /", FIRST)
            self.says("read-only /", "the file system is read-only")
            self.ends_well("read-only /")
        finally:
            device.cut()
            shared.unlink(missing_ok=True)
            device.status_file = kept
            device.write_config()

    def damages(self):
        whole = (self.stand.states["second"] / "slots").read_bytes()
        chance = random.Random(1)
        yield from ((f"cut to {length} bytes", whole[:length]) for length in (0, 1, 24, len(whole) // 2, len(whole) - 1))
        yield from (("zeros", bytes(len(whole))), ("a byte more", whole + b"\0"), ("gone", None))
        for _ in range(self.options.flips):
            at = chance.randrange(len(whole)) if chance.random() < 0.5 else chance.randrange(24 + 448)
            bit = chance.randrange(8)
            yield f"bit {bit} of byte {at} flipped", whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1:]

    def damaged_record(self):
        """Many at once: each goes to its factory copy, runs, and is heard of."""
        devices, found = queue.Queue(), []
        for _ in range(2 * (os.cpu_count() or 1)):
            devices.put(self.stand.new_subject())

        def one(name, data):
            device = devices.get()
            try:
                device.put("second", "nothing")
                (device.state / "slots").write_bytes(data) if data is not None else (device.state / "slots").unlink()
                guard = device.guard()
                wrong = device.wrong() if not guard.returncode else guard.stderr
                device.start()
                is_well = device.wait(lambda: device.is_at_work() and reported(device), ENDS_S)
                told = device.told("declined", 0)
                if wrong or not is_well or device.record().running() != 0 or "slot record damaged" not in told[0]["detail"]:
                    found.append(f"{name}: {wrong} {device.engine()} {device.said.reports} {device.text()[-300:]}")
            except (OSError, Failed, IndexError) as failure:
                found.append(f"{name}: {failure}")
            finally:
                device.cut()
                devices.put(device)

        with concurrent.futures.ThreadPoolExecutor(devices.qsize()) as pool:
            count = len([pool.submit(one, *damage) for damage in self.damages()])
        for text in found[:10]:
            self.claims.say(f"  {text}")
        self.claims.claim(f"a slot record damaged in {count} ways: the factory copy works, and the server is told so {len(found) or ''}".rstrip(), count and not found)

    def heals(self, what, counter, detail):
        """Down to `counter`, which the server is told; then release 2 comes again by itself."""
        device = self.device
        self.works(what, counter, lambda: device.told("declined", SECOND))
        self.told(what, "declined", SECOND, detail)
        device.cut()
        device.said.begin(self.stand.sites["second"])
        device.guard()
        device.start()
        self.works(f"{what}, fetched again", SECOND, lambda: device.told("proven", SECOND))
        device.cut()

    def damaged_slots(self):
        device = self.device
        rules = "rules/base.yar"

        def flip(path):
            data = path.read_bytes()
            path.write_bytes(data[:50] + bytes([data[50] ^ 1]) + data[51:])
        ways = (("a bit flipped", flip, "other bytes"), ("emptied", lambda path: path.write_bytes(b""), "0 bytes"), ("gone", lambda path: path.unlink(), "is gone"),
                ("a folder in its place", lambda path: (path.unlink(), path.mkdir()), "cannot be read"))
        for name, how, detail in ways[:1 if self.options.smoke else None]:
            device.put("second", "nothing")
            how(device.folder("b") / rules)
            device.start()
            self.heals(f"a file of what runs: {name}", FIRST, detail)
        device.put("second", "nothing")
        shutil.rmtree(device.folder("b"))
        device.start()
        self.heals("the folder of what runs: gone", FIRST, "is gone")
        self.both_slots(flip, device.folder("a") / rules, device.folder("b") / rules)
        device.put("second", "withdrawn")
        flip(device.folder("a") / rules)
        device.start()
        self.works("the slot that it goes back to: a bit flipped", 0)
        self.told("the slot that it goes back to: a bit flipped", "declined", FIRST, "other bytes")
        device.cut()

    def both_slots(self, flip, one, another):
        device = self.device
        device.put("second", "nothing")
        flip(one)
        flip(another)
        device.start()
        self.told("both slots, a bit flipped in each", "declined", FIRST, "slot a damaged")
        self.heals("both slots, a bit flipped in each", 0, "slot b damaged")
        device.put("second", "nothing")
        for path in (one, another, device.folder("factory") / "rules/factory.yar"):
            path.write_text("rule {")
        device.start()
        self.told("both slots and the factory copy", "declined", FIRST)
        self.claims.claim("both slots and the factory copy: the supervisor and the engine live", device.is_alive() and device.wait(lambda: device.engine_pid(), 5))
        device.cut()

    def clocks(self):
        device = self.device
        library = next(iter(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
        if not library:
            raise Failed("faketime is missing: tools/install-deps")
        for year, offset, runs, words in (("1970", 86400, FIRST, "the release starts in"), ("2099", 4070908800 + 86400, FIRST, "expired")):
            days = int((time.time() - offset) / 86400)
            device.put("first", "second")
            device.start(LD_PRELOAD=str(library), FAKETIME=f"{-days:+d}d", DONT_FAKE_MONOTONIC="1", FAKETIME_DONT_FAKE_MONOTONIC="1")
            self.says(f"clock in {year}", words)
            self.works(f"clock in {year}", runs)
            self.claims.claim(f"clock in {year}: its log is of that year: {device.text()[:10]}", device.text()[:4] == year)
            pids = device.session()
            device.cut()
            for pid in pids:
                for left in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
                    pathlib.Path("/dev/shm", left).unlink(missing_ok=True)
            self.ends_well(f"clock in {year}")

    def slow_network(self):
        """Up for a part of each day. What was fetched one day is not fetched again the next."""
        device = self.device
        device.write_config(change=lambda text: text.replace("poll_ms_max: 50", "poll_ms_max: 500"))
        device.put("first", "second")
        device.said.pace_ms = 500               # four times a day: who has so little does not spend it on asking
        link = device.said.link = Link(rate=64 << 10, day_s=2, a_day=40 << 10)
        device.start()
        checkins = []
        while link.day() < 40 and not device.told("proven", SECOND):
            checkins.append((link.day(), device.said.paths.count("v1/checkin")))
            time.sleep(0.2)
        self.works("a network of so many bytes a day", SECOND)
        self.told("a network of so many bytes a day", "proven", SECOND)
        files = {digest(data): len(data) for data in self.stand.signed[SECOND].values()}
        fetched = {name: device.said.sent[name] for name in files}
        twice = {name[:8]: f"{count} of {files[name]}" for name, count in fetched.items() if count > files[name] + (64 << 10) * 0.2}
        wasted = sum(fetched.values()) - sum(files.values())
        days = sorted(link.carried)
        self.claims.say(f"  over {len(days)} days: {sum(link.carried.values())} bytes, {sum(fetched.values())} of them the release's, which has {sum(files.values())}")
        self.claims.claim(f"it took {len(days)} days, and no file was begun anew: {wasted} bytes more than the release has {twice or ''}",
                          len(days) >= 4 and not twice and wasted < 0.2 * sum(files.values()))
        self.claims.claim("and no day but the first had no check-in", len({day for day, count in checkins}) >= len(days) - 1 and device.said.paths.count("v1/checkin") >= len(days))
        device.cut()
        if self.options.smoke:
            return
        device.put("first", "second")
        link = device.said.link = Link(rate=12)
        device.start()
        self.works("twelve bytes a second, all the time", FIRST)
        self.says("twelve bytes a second, all the time", "server_away", 40)
        self.claims.claim(f"twelve bytes a second, all the time: {sum(link.carried.values())} bytes, and the engine runs on", device.is_at_work())
        device.cut()

    def nothing_open(self):
        """Started without standard input, output and error: what it would say there must not go into its own files."""
        device = self.device
        device.put("first", "second")
        device.start(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"])
        self.works("nothing open at its start", SECOND, lambda: reported(device))
        device.cut()
        spoilt = [str(path) for path in device.state.rglob("*") if path.is_file() and b"level=" in path.read_bytes()]
        self.claims.claim(f"nothing open at its start: no word of the log in {spoilt or 'any file of its state'}", not spoilt)
        self.ends_well("nothing open at its start")

    PLAYS = (("full disk", full_disk, True), ("fall-back without room", full_disk_while_it_falls_back, False), ("read-only state", read_only_state, True),
             ("read-only root", read_only_root, True), ("damaged record", damaged_record, False), ("damaged slots", damaged_slots, False), ("clocks", clocks, False),
             ("slow network", slow_network, False), ("nothing open", nothing_open, False))

    def run(self):
        """The plays at the same time, each with a device of its own; each claim names what it is about."""
        self.prepare()
        has_rights, running = self.has_rights(), []
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for name, play, needs_rights in self.PLAYS:
                if self.options.plays and name not in self.options.plays.split(","):
                    continue
                if needs_rights and not has_rights:
                    self.claims.say(f"left out, for want of the right to mount: {name}")
                    continue
                running.append(pool.submit(play, HardTimes(self.claims, self.stand, self.options)))
            for future in running:
                future.result()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    options.add_argument("--plays")
    options.add_argument("--flips", type=int, default=100)
    options.add_argument("--smoke", action="store_true", help="fewer of each kind, and no slowest network")
    options = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    claims = Claims()

    def play(claims, stand):
        stand.prepare()
        HardTimes(claims, stand, options).run()

    with Stand(options.build, 1) as stand:
        stand.play(claims, play)
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
