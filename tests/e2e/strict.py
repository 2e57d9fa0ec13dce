#!/usr/bin/env python3
"""strict - who else has a say before a device installs a release: the log and two of three witnesses, the customer who owns the device, and the
pace that only the emergency keys lift. Real server, witnesses, agents and ceremonies.

usage: strict.py --build DIR
"""
import argparse, json, re, shutil, subprocess, sys, time

from ceremony import next_set, refused, restart
from claims import Claims
from fleet import Device, Fleet

CUSTOMERS, EARLY, PLAIN = 0, 1, (2, 3)                      # device 0 obeys its owner, device 1 is in ring early
NEVER_MS = 6000


class Witness:
    def __init__(self, fleet, number):
        self.fleet, self.number, self.folder = fleet, number, fleet.root / f"witness-{number}"
        self.folder.mkdir()
        self.key, self.name, self.process, self.port = self.folder / "key.pem", f"w{number}.example.org", None, 0
        fleet.run("openssl", "genpkey", "-algorithm", "ed25519", "-out", self.key)
        self.vkey = fleet.run(fleet.build / "firebreak-witness", "--key", self.key, "--name", self.name, "--show-key").stdout.strip()

    def start(self):
        words = ["--key", self.key, "--name", self.name, "--state", self.folder / "state", "--log", (self.fleet.publisher / "public/log.vkey").read_text().strip(), "--listen", "127.0.0.1:0"]
        log, pattern = self.folder / "log", r"event=started .*listen=\"?127\.0\.0\.1:(\d+)"
        before = len(re.findall(pattern, log.read_text())) if log.exists() else 0
        with open(log, "ab") as to:
            self.process = subprocess.Popen([self.fleet.build / "firebreak-witness", *map(str, words)], stdin=subprocess.DEVNULL, stderr=to)
        self.fleet.wait(lambda: len(re.findall(pattern, log.read_text())) > before, 10, "a witness to start")
        self.port = int(re.findall(pattern, log.read_text())[-1])

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def url(self):
        return f"http://127.0.0.1:{self.port or 9}"


def enrol(fleet, customer):
    token = fleet.ask("token", "new", "--group", "demo", "--uses", 4, "--expires", "1h")["token"]
    pinned = fleet.root / "pinned"
    shutil.copytree(fleet.publisher / "public", pinned)
    for number in range(4):
        device = Device(fleet, number)
        fleet.devices.append(device)
        device.prepare(token)
        config = device.root / "agent.yaml"
        text = config.read_text().replace(f"trust: {fleet.publisher}/public", f"trust: {pinned}")
        if number == CUSTOMERS:
            text += f"approved_by: [\"{customer}\"]\n"
        if number == EARLY:
            text = text.replace("ring: default", "ring: early")
        config.write_text(text)
        device.start()


def ship(fleet, counter):
    release = f"edr-rules/{counter}"
    fleet.firebreak("release", "pack", next_set(fleet, counter), "--publisher", fleet.publisher, "--counter", counter, "--stream", "edr-rules")
    fleet.firebreak("release", "sign", release, "--publisher", fleet.publisher)
    fleet.firebreak("release", "publish", release, "--publisher", fleet.publisher)
    fleet.firebreak("lab", "run", release, "--publisher", fleet.publisher, "--engine", fleet.build / "firebreak-yarad", "--upload")
    fleet.start_rollout(counter)
    return fleet.ask("release", "show", release)["target"]


def versions(fleet):
    return [int(device.loaded().get("version") or 0) for device in fleet.devices]


def have(fleet, counter, *numbers):
    fleet.wait(lambda: all(versions(fleet)[number] == counter for number in numbers), 120, f"devices {numbers} to have release {counter}, of {versions(fleet)}")
    return True


def log_of(fleet, number):
    return (fleet.devices[number].root / "agent.log").read_text()


def says(fleet, number, words):
    fleet.wait(lambda: words in log_of(fleet, number), 60, f"device {number} to say `{words}`")
    return True


def ceremony(fleet, name, *steps):
    proposal = fleet.root / name
    fleet.firebreak("root", "propose", proposal, "--publisher", fleet.publisher, *steps)
    fleet.firebreak("proposal", "sign", proposal, "--publisher", fleet.publisher, "--key", fleet.publisher / "offline/root.pem")
    fleet.firebreak("proposal", "combine", proposal, "--publisher", fleet.publisher)
    restart(fleet)


def cosign(fleet, witnesses, ok=(0,)):
    return fleet.firebreak("log", "cosign", *[witness.url() for witness in witnesses], "--publisher", fleet.publisher, ok=ok)


def approve(fleet, file, kind, target, *keys):
    for key in keys:
        fleet.firebreak("approval", "sign", file, "--kind", kind, "--release", target, "--key", key)
    return file


def by_the_logs_word(claims, fleet, customer):
    target = ship(fleet, 1)
    claims.claim("release 1 reaches those who ask nobody but the log", have(fleet, 1, EARLY, *PLAIN))
    claims.claim("and not the customer's device", says(fleet, CUSTOMERS, "customer has not approved") and versions(fleet)[CUSTOMERS] == 0)
    refused(claims, "an approval of a release that is not there", fleet.firebreak("approval", "upload", approve(fleet, fleet.root / "none", "customer", "ab" * 32, customer), ok=range(256)), 66, "no release")
    fleet.firebreak("approval", "upload", approve(fleet, fleet.root / "ours-1", "customer", target, customer))
    claims.claim("until he approves it", have(fleet, 1, CUSTOMERS))


def by_two_of_three(claims, fleet, customer, witnesses):
    words = [word for witness in witnesses for word in ("--add", f"witness:{witness.vkey}")]
    ceremony(fleet, "witnesses", *words, "--threshold", "witness:2")
    target = ship(fleet, 2)
    fleet.firebreak("approval", "upload", approve(fleet, fleet.root / "ours-2", "customer", target, customer))
    claims.claim("without witnesses release 2 goes nowhere", all(says(fleet, number, "no proof yet") for number in range(4)) and max(versions(fleet)) == 1)
    witnesses[0].start()
    done = cosign(fleet, witnesses, ok=range(256))
    claims.claim("one of three is too few", done.returncode != 0)
    time.sleep(NEVER_MS / 1000)
    claims.claim("and still nobody has it", max(versions(fleet)) == 1)
    witnesses[2].start()
    cosign(fleet, witnesses)
    claims.claim("with two of three it reaches all", have(fleet, 2, *range(4)))


def at_the_pace(claims, fleet, customer, witnesses):
    people = {}
    for name in ("ops.anna", "ops.bert"):
        people[name] = fleet.root / f"{name}.pem"
        people[name + "+"] = fleet.ask("keys", "new", people[name], "--no-passphrase")["vkey"]
    ceremony(fleet, "pace", "--pace", "0:0.0001%", "--pace", "6h:100%", "--add", f"emergency:{people['ops.anna+']}", "--add", f"emergency:{people['ops.bert+']}", "--threshold", "emergency:2")
    target = ship(fleet, 3)
    fleet.firebreak("approval", "upload", approve(fleet, fleet.root / "ours-3", "customer", target, customer))
    cosign(fleet, witnesses)
    claims.claim("release 3 says 100 % at once, and the pace lets ring early have it", have(fleet, 3, EARLY))
    claims.claim("and nobody else", all(says(fleet, number, "publisher's pace") for number in (CUSTOMERS, *PLAIN)) and [versions(fleet)[n] for n in (CUSTOMERS, *PLAIN)] == [2, 2, 2])
    lift = approve(fleet, fleet.root / "lift", "emergency", target, people["ops.anna"])
    refused(claims, "one of two emergency keys", fleet.firebreak("approval", "upload", lift, ok=range(256)), 77, "1")
    fleet.firebreak("approval", "upload", approve(fleet, lift, "emergency", target, people["ops.bert"]))
    claims.claim("the emergency keys let it go", have(fleet, 3, *range(4)))


def is_all_in_the_log(claims, fleet):
    entries = [json.loads(line) for line in fleet.firebreak("log", "list", "--publisher", fleet.publisher, "--json").stdout.splitlines()]
    found = {(entry.get("kind"), entry.get("name"), entry.get("number")) for entry in entries}
    wanted = {("release", "edr-rules", n) for n in (1, 2, 3)} | {("root", "release.anchor", n) for n in (1, 2, 3)}
    claims.claim("releases and anchors stand in the log", wanted <= found or print(found))
    shown = fleet.ask("release", "show", "edr-rules/3")
    claims.claim("the release tells who approved it", shown["approvals"] == [{"kind": "emergency"}, {"kind": "customer", "by": "customer"}] and shown["has_proof"] is True or print(shown))


def another_log(claims, fleet, customer, witnesses):
    """Somebody may have the log's key: a new one, of which the witnesses are told."""
    before = len(fleet.firebreak("log", "list", "--publisher", fleet.publisher, "--json").stdout.splitlines())
    ceremony(fleet, "another-log", "--rotate", "log")
    for witness in (witnesses[0], witnesses[2]):
        witness.stop()
        witness.start()
    target = ship(fleet, 4)
    fleet.firebreak("approval", "upload", approve(fleet, fleet.root / "ours-4", "customer", target, customer))
    cosign(fleet, witnesses)
    claims.claim("with a new log's key devices take the proof of the new log", have(fleet, 4, EARLY))
    claims.claim("and that log has all that the old one had", len(fleet.firebreak("log", "list", "--publisher", fleet.publisher, "--json").stdout.splitlines()) > before)


def play(claims, fleet):
    fleet.init()
    fleet.start_server()
    customer = fleet.root / "customer.pem"
    vkey = fleet.ask("keys", "new", customer, "--no-passphrase")["vkey"]
    enrol(fleet, vkey)
    witnesses = [Witness(fleet, number) for number in (1, 2, 3)]
    try:
        by_the_logs_word(claims, fleet, customer)
        by_two_of_three(claims, fleet, customer, witnesses)
        at_the_pace(claims, fleet, customer, witnesses)
        is_all_in_the_log(claims, fleet)
        another_log(claims, fleet, customer, witnesses)
    finally:
        for witness in witnesses:
            witness.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    claims = Claims()
    with Fleet(options.build, 4) as fleet:
        fleet.keep = options.keep
        fleet.play(claims, play)
    sys.exit(claims.finish())


if __name__ == "__main__":
    main()
