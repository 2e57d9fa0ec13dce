#!/usr/bin/env python3
"""bandwidth - a device whose owner limits what it fetches: counted on the wire, between a real server and a real agent.

usage: bandwidth.py --build DIR [--kills N] [--keep]

Only bytes are held against the time that went by, and only from above: a slow machine fetches less. Ends with `N passed, N failed`, and 1 when any failed.
"""
import argparse, pathlib, random, shutil, signal, sys, time

from claims import Claims
from delta import Relayed, tree
from fleet import Fleet

RATE = 100_000                            # bytes a second, in agent.yaml
BURST_S = 4                               # allowance.h
TALK_BYTES = 64 << 10                     # metadata, lease, reports and their TLS, none of which is held
WIRE = 1.15                               # what TLS and the headers of each part add to the bytes of files
LARGE_BYTES, SMALL_BYTES, SMALL_FILES = 1_000_000, 2_000, 100
SPECS = ("release.yaml", "dossier.yaml")


class Limited(Relayed):
    def prepare(self, token):
        super().prepare(token)
        self.limit(RATE)

    def limit(self, rate):
        config = self.root / "agent.yaml"
        lines = [line for line in config.read_text().splitlines(True) if not line.startswith("bandwidth:")]
        config.write_text((f"bandwidth: {{bytes_per_s: {rate}}}\n" if rate else "") + "".join(lines))


class Play:
    def __init__(self, claims, fleet, options):
        self.claims, self.fleet, self.options, self.dice = claims, fleet, options, random.Random(27)
        self.folder, self.counter = fleet.root / "set", 0
        fleet.init()
        fleet.start_server()
        self.device = Limited(fleet, 0)
        fleet.devices.append(self.device)
        self.device.prepare(fleet.ask("token", "new", "--group", "demo", "--uses", 1, "--expires", "1h")["token"])
        shutil.copytree(pathlib.Path(__file__).resolve().parent.parent.parent / "content/yara/sets/1-good", self.folder)
        (self.folder / "notes").mkdir()

    def ship(self):
        """A release of which nothing is there already; what it has in bytes."""
        self.counter += 1
        (self.folder / "VERSION").write_text(f"{self.counter}\n")
        (self.folder / "notes/large.txt").write_text(self.dice.randbytes(LARGE_BYTES // 2).hex())
        for i in range(SMALL_FILES):
            (self.folder / f"notes/{i:03d}.txt").write_text(self.dice.randbytes(SMALL_BYTES // 2).hex())
        spec = self.folder / "release.yaml"
        spec.write_text("".join(line for line in spec.read_text().splitlines(True) if not line.startswith(("version:", "counter:"))) + f"version: {self.counter}\ncounter: {self.counter}\n")
        self.fleet.ship(self.folder, self.counter)
        return LARGE_BYTES + SMALL_FILES * SMALL_BYTES

    def fetched(self, during=lambda: None):
        """Bytes on the wire, and seconds, until the release runs; the most that came in any second or more beyond what the limit lets through."""
        began, before, size = time.monotonic(), self.device.relay.received, self.ship()
        marks = []

        def look():
            marks.append((time.monotonic(), self.device.relay.received))
            during()
            return self.device.runs(self.counter)
        self.fleet.wait(look, 180, f"release {self.counter} to be proven:\n{self.device.log()[-2000:]}")
        whole = {name: data for name, data in tree(self.folder).items() if name not in SPECS}
        self.claims.claim(f"release {self.counter} runs as it was signed, and nothing was given up", tree(self.device.slot("current")) == whole and not self.device.stream()["given_up"])
        return self.device.relay.received - before, time.monotonic() - began, size, marks

    def keeps(self, what, marks):
        """Between any two looks: never more than the limit, one burst and the talk."""
        most = max(((later - sooner) / (WIRE * (RATE * (end - start + BURST_S)) + TALK_BYTES), later - sooner, end - start)
                   for i, (start, sooner) in enumerate(marks) for end, later in marks[i + 1:])
        self.claims.claim(f"{what}: at worst {most[1]:,} bytes in {most[2]:.1f} s, {most[0]:.0%} of what the limit may let through", most[0] <= 1)

    def limited(self):
        self.device.start()
        sent, seconds, size, marks = self.fetched()
        self.keeps("one large file and many small ones", marks)
        self.claims.claim(f"nothing was fetched twice: {sent:,} bytes on the wire for {size:,} of digits, which a delta halves", size // 2 <= sent <= WIRE * size // 2 + TALK_BYTES)
        self.claims.claim(f"the limit was what it waited for: {seconds:.1f} s", seconds >= sent / (WIRE * RATE) - BURST_S)

    def killed(self):
        """An agent that starts again has no more to spend than one that did not."""
        kills, held = 0, self.device.relay.received

        def kill():
            nonlocal kills, held
            if kills < self.options.kills and self.device.relay.received - held > RATE:
                self.device.stop()
                self.device.start()
                kills, held = kills + 1, self.device.relay.received
        sent, seconds, size, marks = self.fetched(kill)
        self.keeps(f"killed {kills} times", marks)
        lost = kills * (RATE * BURST_S + TALK_BYTES)
        self.claims.claim(f"killed {kills} times: it goes on where it was, {sent:,} bytes on the wire for {size:,}", kills and sent <= WIRE * size // 2 + TALK_BYTES + lost)

    def unlimited(self):
        """The same without a limit: what the others are held against can be exceeded here."""
        self.device.stop()
        self.device.limit(None)
        self.device.start()
        sent, seconds, size, marks = self.fetched()
        fastest = max((later - sooner) / (RATE * (end - start + BURST_S)) for i, (start, sooner) in enumerate(marks) for end, later in marks[i + 1:])
        self.claims.claim(f"without a limit it comes faster: {fastest:.0%} of what one lets through", fastest > WIRE)

    def refused(self):
        config = self.device.root / "agent.yaml"
        was = config.read_text()
        config.write_text("bandwidth: {bytes_per_s: 1000}\n" + was)
        said = self.fleet.run(self.fleet.build / "firebreak-agent", "check", "--config", config, ok=range(1, 256)).stderr
        self.claims.claim(f"a limit that metadata would use up is refused: {said.strip()}", "bytes_per_s" in said)
        config.write_text(was)


def play(claims, fleet, options):
    one = Play(claims, fleet, options)
    for step in (one.refused, one.limited, one.killed, one.unlimited):
        step()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--kills", type=int, default=3)
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
