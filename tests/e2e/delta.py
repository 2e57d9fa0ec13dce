#!/usr/bin/env python3
"""delta - what a device fetches of a release that has much in common with what it has: counted on the wire, between a real server and a real agent.

usage: delta.py --build DIR [--files N] [--kills N] [--keep]

The device speaks with the server through a relay that counts bytes. Ends with `N passed, N failed`, and 1 when any failed.
"""
import argparse, contextlib, hashlib, json, os, pathlib, random, shutil, signal, sys, time

from claims import Claims
from device_hostile import tree
from fleet import Device, Fleet
from relay import Relay

STREAM = "edr-rules"
FILE_BYTES = 10 << 10
TALK_BYTES = 64 << 10                     # metadata, lease, reports, and what TLS adds
DELTA_TALK_BYTES = 16 << 10
NOISE_BYTES = 8 << 20
NOTE_LINE_BYTES = 110                     # of a file of these names
SPECS = ("release.yaml", "dossier.yaml")


def grandchildren(pid):
    def children(parent):
        with contextlib.suppress(OSError):
            return [int(child) for child in pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
        return []
    return [grandchild for child in children(pid) for grandchild in children(child)]


class Relayed(Device):
    def prepare(self, token):
        super().prepare(token)
        self.relay = Relay(self.fleet.port)
        config = self.root / "agent.yaml"
        config.write_text(config.read_text().replace(self.fleet.url, f"https://127.0.0.1:{self.relay.port}").replace("    crashes_max: 1\n", "    crashes_max: 1\n    boots_max: 50\n"))

    def stream(self):
        said = self.fleet.run(self.fleet.build / "firebreak-agent", "status", "--config", self.root / "agent.yaml", "--json").stdout
        return next(s for s in json.loads(said)["streams"] if s["stream"] == STREAM)

    def runs(self, counter):
        shown = self.stream()
        return shown["current"]["counter"] == counter and not shown["on_trial"]

    def slot(self, name):
        return self.root / "state/streams" / STREAM / name

    def other(self):
        return self.slot("b" if os.readlink(self.slot("current")) == "a" else "a")

    def log(self):
        return (self.root / "agent.log").read_text(errors="replace")


class Delta:
    def __init__(self, claims, fleet, options):
        self.claims, self.fleet, self.options, self.dice = claims, fleet, options, random.Random(20)
        self.folder, self.counter = fleet.root / "set", 0
        fleet.init()
        fleet.start_server()
        self.device = Relayed(fleet, 0)
        fleet.devices.append(self.device)
        self.device.prepare(fleet.ask("token", "new", "--group", "demo", "--uses", 1, "--expires", "1h")["token"])
        self.device.start()

    def text(self, length):
        """What compresses about as well as rules do."""
        words = ("strings", "condition", "ascii", "wide", "nocase", "any", "of", "them", "and")
        made = bytearray()
        while len(made) < length:
            made += f"    $s{self.dice.randrange(99)} = {{ {self.dice.randbytes(6).hex(' ')} }} {self.dice.choice(words)}\n".encode()
        return bytes(made[:length])

    def make(self):
        shutil.copytree(pathlib.Path(__file__).resolve().parent.parent.parent / "content/yara/sets/1-good", self.folder)
        for i in range(self.options.files):
            path = self.folder / f"notes/{i // 40:03d}/{i:05d}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.text(FILE_BYTES))

    def files(self):
        return {name: data for name, data in tree(self.folder).items() if name not in SPECS}

    def next(self):
        self.counter += 1
        (self.folder / "VERSION").write_text(f"{self.counter}\n")
        spec = self.folder / "release.yaml"
        spec.write_text("".join(line for line in spec.read_text().splitlines(True) if not line.startswith(("version:", "counter:"))) + f"version: {self.counter}\ncounter: {self.counter}\n")

    def deltas(self):
        """What the server tells of deltas, by the name of the file that tells it."""
        return {path.name: path for path in self.fleet.root.glob("server/artifacts/*/[0-9a-f]*.delta")}

    def ship(self, spoil=None):
        """Bytes that the device was sent from the offer until the release was proven. Deltas are made before it hears of it, and are spoiled then, if they are to be."""
        self.next()
        before, known = self.device.relay.received, self.deltas()
        self.fleet.ship(self.folder, self.counter, start=False)
        self.fleet.wait(lambda: len(self.deltas()) > len(known) + min(3, self.counter - 1), 180, "the deltas to be made")
        if spoil:
            for path in (path for name, path in self.deltas().items() if name not in known):
                spoil(path)
        self.fleet.start_rollout(self.counter)
        return before

    def proven(self, before, seconds=90):
        self.fleet.wait(lambda: self.device.runs(self.counter), seconds, f"release {self.counter} to be proven:\n{self.device.log()[-2000:]}")
        return self.device.relay.received - before

    def whole(self, what):
        self.claims.claim(f"{what}: release {self.counter} runs as it was signed", tree(self.device.slot("current")) == self.files())
        self.claims.claim(f"{what}: nothing was given up", not self.device.stream()["given_up"])

    def most(self, changed):
        """Without a delta: the changed files, talk, and the release note: twice, for a device that is a control before its turn comes is offered the release twice."""
        return sum(map(len, changed)) + 2 * NOTE_LINE_BYTES * len(self.files()) + TALK_BYTES

    def least(self, changed):
        """By a delta: what is new of these files, which compress to a third, of each note line that changed its digest, and talk; twice again."""
        return sum(map(len, changed)) // 2 + 2 * 64 * len(changed) + 2 * DELTA_TALK_BYTES

    def change(self, count):
        names = [name for name in self.files() if name.startswith("notes/")]
        changed = []
        for name in self.dice.sample(names, count):
            changed.append(self.text(FILE_BYTES))
            (self.folder / name).write_bytes(changed[-1])
        return changed

    def first(self):
        self.make()
        sent = self.proven(self.ship())
        whole = sum(map(len, self.files().values()))
        self.claims.claim(f"a first release of {whole:,} bytes in {len(self.files()):,} files is {sent:,} bytes on the wire, in one piece", sent < whole // 2)
        self.whole("the first")

    def one_percent(self):
        for what in ("one in a hundred files changed", "again, where the slot that is emptied has most of it"):
            changed = self.change(max(1, self.options.files // 100))
            sent = self.proven(self.ship())
            self.claims.claim(f"{what}: {sent:,} bytes on the wire, of {sum(map(len, changed)):,} changed", sent <= self.least(changed))
            self.whole(what)

    def moved(self):
        folders = sorted((self.folder / "notes").iterdir())
        for folder in folders[:len(folders) // 2]:
            folder.rename(folder.with_name(f"moved-{folder.name}"))
        sent = self.proven(self.ship())
        self.claims.claim(f"folders were renamed: {sent:,} bytes on the wire", sent <= NOTE_LINE_BYTES * len(self.files()) + 2 * DELTA_TALK_BYTES)
        self.whole("folders were renamed")

    def damaged(self):
        """A file goes bad that the device was to keep."""
        held = [name for name in self.files() if name.startswith("notes/") and (self.device.other() / name).exists()]
        victim = self.device.other() / self.dice.choice(held)
        data = bytearray(victim.read_bytes())
        data[100] ^= 1
        victim.write_bytes(data)
        changed = self.change(1)
        sent = self.proven(self.ship())
        self.claims.claim(f"a file here had gone bad: {sent:,} bytes on the wire", sent <= self.most([*changed, data]))
        self.claims.claim("the log says which", victim.name in self.device.log() and "other bytes than the note says" in self.device.log())
        self.whole("a file here had gone bad")

    def large(self):
        """One word of one large file, and of one to which something is added in front."""
        path = self.folder / "notes/large.txt"
        path.write_bytes(self.text(5 << 20))
        sent = self.proven(self.ship())
        self.claims.claim(f"a file of 5 MB came: {sent:,} bytes on the wire", sent <= 3 << 20)
        data = bytearray(path.read_bytes())
        data[3 << 20:(3 << 20) + 4] = b"WORD"
        path.write_bytes(data)
        sent = self.proven(self.ship())
        self.claims.claim(f"one word of a file of 5 MB changed: {sent:,} bytes on the wire", sent <= self.least([]))
        self.whole("one word of a large file")
        path.write_bytes(self.text(1000) + data)
        sent = self.proven(self.ship())
        self.claims.claim(f"a kilobyte was added in front of it: {sent:,} bytes on the wire", sent <= self.least([]))
        self.whole("a large file that moved")
        path.unlink()

    def maker_killed(self):
        """By whoever lacked memory, say: the delta is made all the same."""
        path, log = self.folder / "notes/killed.txt", self.fleet.root / "server.log"
        path.write_bytes(self.text(3 << 20))
        self.next()
        known = len(self.deltas())
        self.fleet.ship(self.folder, self.counter, start=False)
        found = []
        self.fleet.wait(lambda: found.extend(grandchildren(self.fleet.server.pid)) or found, 30, "a delta in the making")
        os.kill(found[0], signal.SIGKILL)
        self.fleet.wait(lambda: len(self.deltas()) >= known + 1 + min(3, self.counter - 1), 120, "the deltas to be made after all")
        said = [line for line in log.read_text().splitlines() if "delta_failed" in line]
        self.claims.claim(f"who makes a delta is killed; it is said, and begun once more: {said[-1][:200] if said else ''}", len(said) == 1 and "signal 9; it is begun once more" in said[0])
        path.unlink()

    def lies(self):
        """A server, or whoever stands before it, whose deltas are none. The release is not at fault, and comes file by file."""
        def artifact(path):
            digest = json.loads(path.read_text())["sha256"]
            return path.parent.parent / digest[:2] / digest

        def flip(path):
            data = bytearray(artifact(path).read_bytes())
            data[len(data) * 3 // 4] ^= 1
            artifact(path).write_bytes(data)

        def other(path):                          # that of another release, of the right form
            first = min(self.first_deltas.values(), key=lambda of: json.loads(of.read_text())["bytes"])
            path.write_text(first.read_text())

        def noise(path):
            data = self.dice.randbytes(NOISE_BYTES)
            digest = hashlib.sha256(data).hexdigest()
            (self.fleet.root / "server/artifacts" / digest[:2]).mkdir(exist_ok=True)
            (self.fleet.root / "server/artifacts" / digest[:2] / digest).write_bytes(data)
            path.write_text(json.dumps({"sha256": digest, "bytes": NOISE_BYTES}))

        def cut(path):
            data = artifact(path).read_bytes()
            artifact(path).write_bytes(data[:len(data) // 2])

        spoilt = (("a byte of each was changed", flip, True), ("they are those of another release", other, True), ("they are shorter than they are said to be", cut, False),
                  ("they are said to be a gigabyte", lambda path: path.write_text(json.dumps({"sha256": json.loads(path.read_text())["sha256"], "bytes": 1 << 30})), False),
                  ("they are gone", lambda path: artifact(path).unlink(), False), ("what tells of them is no document", lambda path: path.write_text("<html>"), False),
                  ("there are none, as at an older server", lambda path: path.unlink(), False), ("they are noise, and longer than the release", noise, False))
        self.first_deltas = self.deltas()
        for what, spoil, is_said in spoilt:
            changed, seen = self.change(3), len(self.device.log())
            sent = self.proven(self.ship(spoil))
            self.claims.claim(f"{what}: {sent:,} bytes on the wire", sent <= 2 * self.most(changed))
            said = self.device.log()[seen:].count("no delta: ")
            self.claims.claim(f"{what}: " + (f"it is said, once for each time ({said})" if is_said else "nothing has to be said"), (1 if is_said else 0) <= said <= 2)
            self.whole(what)

    def killed(self):
        """Everything ends at once, in the middle of it: at other moments each time, until there is nothing left to end."""
        changed, device, kills = self.change(max(1, self.options.files // 100)), self.device, 0
        before = self.ship()
        device.relay.pause_s = 0.04
        while kills < self.options.kills:
            seen = len(device.log())
            self.fleet.wait(lambda: "event=release" in device.log()[seen:] or device.runs(self.counter), 60, "the release to be offered")
            time.sleep(0.02 * kills)
            if "unpacked" in device.log()[seen:] or device.runs(self.counter):
                break
            device.stop()
            device.start()
            kills += 1
        device.relay.pause_s = 0
        sent = self.proven(before)
        self.claims.claim(f"killed {kills} times: {sent:,} bytes on the wire", kills and sent <= self.most(changed) + kills * self.most([]))
        self.whole(f"killed {kills} times")


def play(claims, fleet, options):
    delta = Delta(claims, fleet, options)
    for step in (delta.first, delta.one_percent, delta.moved, delta.damaged, delta.large, delta.lies, delta.killed, delta.maker_killed):
        step()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    claims = Claims()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with Fleet(options.build, 1) as fleet:
        fleet.keep = options.keep
        fleet.play(claims, play, options)
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
