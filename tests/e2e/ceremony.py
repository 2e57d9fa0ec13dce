#!/usr/bin/env python3
"""ceremony - from one key of everything to two of three, with the real programs: keys in files and in a token, copies of the proposal on
two machines, the server with new keys, devices that follow, a release that is signed at two places, and what is refused on the way.

usage: ceremony.py --build DIR
"""
import argparse, json, shutil, signal, subprocess, sys

from claims import Claims
from fleet import SETS, Device, Fleet

DEVICES = 3
MODULE = "/usr/lib/softhsm/libsofthsm2.so"


def enrol(fleet):
    """Devices that pin what is public now, whatever the folder says later."""
    pinned = fleet.root / "pinned"
    shutil.copytree(fleet.publisher / "public", pinned)
    token = fleet.ask("token", "new", "--group", "demo", "--uses", DEVICES, "--expires", "1h")["token"]
    for number in range(DEVICES):
        device = Device(fleet, number)
        fleet.devices.append(device)
        device.prepare(token)
        config = device.root / "agent.yaml"
        config.write_text(config.read_text().replace(f"trust: {fleet.publisher}/public", f"trust: {pinned}"))
        device.start()


def next_set(fleet, version):
    folder = fleet.root / f"set-{version}"
    shutil.copytree(SETS / "2-update", folder)
    (folder / "VERSION").write_text(f"{version}\n")
    return folder


def ship(fleet, counter, *signing):
    release = f"edr-rules/{counter}"
    fleet.firebreak("release", "pack", next_set(fleet, counter), "--publisher", fleet.publisher, "--counter", counter, "--stream", "edr-rules")
    fleet.firebreak("release", "sign", release, "--publisher", fleet.publisher, *signing)
    fleet.firebreak("release", "publish", release, "--publisher", fleet.publisher)
    fleet.firebreak("lab", "run", release, "--publisher", fleet.publisher, "--engine", fleet.build / "firebreak-yarad", "--upload")
    fleet.start_rollout(counter)


def everywhere(fleet, counter, seconds=90):
    fleet.wait(lambda: fleet.rollout(counter)["state"] == "complete", seconds, f"release {counter} to be complete")
    return [device.loaded().get("version") for device in fleet.devices] == [str(counter)] * DEVICES


class Holders:
    """Keys of people: files, and one in a token."""

    def __init__(self, fleet):
        self.fleet, self.folder = fleet, fleet.root / "people"
        self.folder.mkdir()
        fleet.environment["SOFTHSM2_CONF"] = str(self.folder / "softhsm2.conf")
        (self.folder / "tokens").mkdir()
        (self.folder / "softhsm2.conf").write_text(f"directories.tokendir = {self.folder}/tokens\n")
        (self.folder / "pin").write_text("123456\n")
        (self.folder / "pin").chmod(0o600)
        (self.folder / "passphrase").write_text("correct horse battery\n")
        fleet.run("softhsm2-util", "--init-token", "--free", "--label", "carol", "--pin", "123456", "--so-pin", "12345678")
        self.places, self.vkeys = {}, {}

    def new(self, name, token=False):
        place = f"pkcs11:token=carol;object={name}?module-path={MODULE}&pin-source={self.folder}/pin" if token else self.folder / f"{name}.pem"
        options = () if token else ("--passphrase-file", self.folder / "passphrase")
        self.places[name] = place
        self.vkeys[name] = self.fleet.ask("keys", "new", place, "--name", name, *options)["vkey"]

    def sign(self, file, *names, more=(), ok=(0,)):
        words = [word for name in names for word in ("--key", self.places[name])]
        return self.fleet.firebreak("proposal", "sign", file, "--follows", self.follows, *words, *more, "--passphrase-file", self.folder / "passphrase", "--json", ok=ok)


def refused(claims, text, done, code, *parts):
    words = done.stderr
    claims.claim(f"{text}: refused ({code}), and says why", done.returncode == code and all(part in words for part in parts) or print(done.returncode, words))


def files_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "lock"}


def stranger_folder(fleet):
    folder = fleet.root / "stranger"
    fleet.firebreak("init", folder, "--no-passphrase")
    return folder


def lost_key(claims, fleet, people):
    """A proposal that goes wrong takes no key from one that is good; without its key none is in force."""
    good, folder = fleet.root / "good", fleet.root / "trial"
    shutil.copytree(fleet.publisher, folder)
    publisher = ("--publisher", folder)
    fleet.firebreak("root", "propose", good, *publisher, "--rotate", "timestamp")
    for words in (("/nowhere/p",), (fleet.root / "typo", "--remove", "content:nobody")):
        fleet.firebreak("root", "propose", words[0], *publisher, "--rotate", "timestamp", *words[1:], ok=range(1, 256))
    people.follows = fleet.ask("root", "show", *publisher)["digest"]
    people.sign(good, "root.anna", "root.bert")
    kept = [path for path in (folder / "metadata").glob("next.timestamp.*")]
    away = fleet.root / "away"
    away.mkdir()
    for path in kept:
        shutil.move(path, away)
    refused(claims, "a new key that nobody has", fleet.firebreak("proposal", "combine", good, *publisher, ok=range(256)), 66, "--elsewhere")
    for path in kept:
        shutil.move(away / path.name, path)
    fleet.firebreak("proposal", "combine", good, *publisher)
    claims.claim("a proposal that failed took no key from one that is good", (folder / "online/timestamp.pem").read_bytes() != (fleet.publisher / "online/timestamp.pem").read_bytes())


def hand_over(claims, fleet, people):
    """The root goes to two of anna, bert and carol (a token), content to anna and bert."""
    proposal, copy = fleet.root / "proposal", fleet.root / "copy"
    for name in ("root.anna", "root.bert", "content.anna", "content.bert"):
        people.new(name)
    people.new("root.carol", token=True)
    adds = [word for name, vkey in people.vkeys.items() for word in ("--add", f"{name.split('.')[0]}:{vkey}")]
    people.follows = fleet.ask("root", "show", "--publisher", fleet.publisher)["digest"]
    before = files_of(fleet.publisher)
    proposed = json.loads(fleet.firebreak("root", "propose", proposal, "--publisher", fleet.publisher, *adds, "--remove", "root:root.acme", "--threshold", "root:2",
                                          "--remove", "content:content.acme", "--threshold", "content:2", "--json").stdout)
    claims.claim("a key that goes takes the timestamp's key with it", any(change.startswith("timestamp:") for change in proposed["changes"]))
    own = ("--key", fleet.publisher / "offline/root.pem")
    refused(claims, "to sign without knowing what is in force", fleet.firebreak("proposal", "sign", proposal, *own, ok=range(256)), 64, "--follows")
    refused(claims, "a proposal that follows something else", fleet.firebreak("proposal", "sign", proposal, *own, "--follows", "0" * 64, ok=range(256)), 78, people.follows)
    refused(claims, "a folder of somebody else", fleet.firebreak("proposal", "sign", proposal, *own, "--publisher", stranger_folder(fleet), ok=range(256)), 78, "another publisher")
    fleet.firebreak("proposal", "sign", proposal, *own, "--publisher", fleet.publisher)
    shutil.copy(proposal, copy)
    people.sign(proposal, "root.anna", "content.anna")
    people.sign(copy, "root.carol", "content.bert")
    refused(claims, "half of the signatures", fleet.firebreak("proposal", "combine", proposal, "--publisher", fleet.publisher, ok=range(256)), 77, "missing")
    stranger = fleet.root / "stranger.pem"
    fleet.firebreak("keys", "new", stranger, "--no-passphrase")
    refused(claims, "a key that has no say", fleet.firebreak("proposal", "sign", proposal, "--publisher", fleet.publisher, "--key", stranger, ok=range(256)), 77, "none of the keys")
    forged = fleet.root / "forged"
    forged.write_text(proposal.read_text().replace("root-threshold 2", "root-threshold 1"))
    refused(claims, "a text that was changed after it was signed", people.sign(forged, "root.bert", ok=range(256)), 77, "does not fit")
    now = files_of(fleet.publisher)
    aside = {path for path in now if path not in before}
    claims.claim("until then nothing is in force", {k: v for k, v in now.items() if k not in aside} == before and [p.name.rsplit(".", 2)[0] for p in aside] == ["next.timestamp"])
    combined = json.loads(fleet.firebreak("proposal", "combine", proposal, copy, "--publisher", fleet.publisher, "--json").stdout)
    claims.claim("two copies, signed on two machines, are one ceremony", combined["is_complete"])
    roles = fleet.ask("root", "show", "--publisher", fleet.publisher)["roles"]
    claims.claim("two of three hold the root, two of two content", roles["root"]["threshold"] == 2 and len(roles["root"]["keys"]) == 3 and roles["content"]["threshold"] == 2)
    after = files_of(fleet.publisher)
    fleet.firebreak("proposal", "combine", proposal, copy, "--publisher", fleet.publisher)
    claims.claim("the same once more changes nothing", files_of(fleet.publisher) == after)
    shown = fleet.firebreak("proposal", "show", proposal).stdout
    claims.claim("a proposal shows every key that shall be, whatever was before", all(vkey in shown for vkey in people.vkeys.values()) and people.follows in shown)
    claims.claim("nothing of the new online key is left aside", not list((fleet.publisher / "metadata").glob("next*")))


def restart(fleet):
    fleet.stop_server(signal.SIGTERM)
    fleet.start_server()


def wrong_server(claims, fleet, text, online, change, code, *parts):
    """What the server is given must follow what it has."""
    keys = fleet.root / f"wrong-{claims.passed}"
    shutil.copytree(online, keys)
    change(keys)
    done = subprocess.run([fleet.build / "firebreakd", "--data", fleet.data, "--listen", "127.0.0.1:0", "--keys", keys], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
    claims.claim(f"{text}: the server does not start, and says why", done.returncode == code and all(part in done.stdout for part in parts) or print(done.returncode, done.stdout))


def wrong_servers(claims, fleet):
    online = fleet.publisher / "online"
    wrong_server(claims, fleet, "a version is missing", online, lambda keys: (keys / "release.2.root.json").unlink(), 65, "release.root.json", "whole")
    wrong_server(claims, fleet, "the metadata that was signed anew is missing", online, lambda keys: (keys / "targets.json").unlink(), 78, "targets.json")
    wrong_server(claims, fleet, "the old timestamp key", online, lambda keys: shutil.copy(fleet.root / "old-online/timestamp.pem", keys), 77, "timestamp.pem")


def play(claims, fleet):
    fleet.init()
    fleet.start_server()
    enrol(fleet)
    people = Holders(fleet)
    ship(fleet, 1)
    claims.claim("release 1 reaches all, by the publisher's one key", everywhere(fleet, 1))
    shutil.copytree(fleet.publisher / "online", fleet.root / "old-online")
    hand_over(claims, fleet, people)
    fleet.stop_server(signal.SIGTERM)
    wrong_servers(claims, fleet)
    fleet.start_server()
    refused(claims, "the key that was taken out", fleet.firebreak("release", "sign", "edr-rules/1", "--publisher", fleet.publisher, ok=range(256)), 78, "signed already")
    fleet.firebreak("release", "pack", next_set(fleet, 9), "--publisher", fleet.publisher, "--counter", 9, "--stream", "edr-rules")
    refused(claims, "one of two content keys", fleet.firebreak("release", "sign", "edr-rules/9", "--publisher", fleet.publisher, ok=range(256)), 64, "it takes 2 content keys")
    both = [word for name in ("content.anna", "content.bert") for word in ("--key", people.places[name])]
    secret = ("--passphrase-file", people.folder / "passphrase")
    refused(claims, "one key twice", fleet.firebreak("release", "sign", "edr-rules/9", "--publisher", fleet.publisher, *both[:2], *both[:2], *secret, ok=range(256)), 64, "before")
    ship(fleet, 2, *both, *secret)
    claims.claim("release 2, signed by two of two, reaches the devices that pinned the old keys", everywhere(fleet, 2))
    logs = [(device.root / "agent.log").read_text() for device in fleet.devices]
    claims.claim("they followed the anchor once each", all(log.count("event=anchor_followed") == 1 for log in logs) or print(logs[0][-3000:]))
    fleet.stop_server(signal.SIGTERM)
    wrong_server(claims, fleet, "a server that followed does not go back", fleet.root / "old-online", lambda keys: None, 78, "nor one that follows it")
    fleet.start_server()
    lost_key(claims, fleet, people)
    turn_director(claims, fleet)
    ship(fleet, 3, *both, *secret)
    claims.claim("release 3 reaches all, with leases by the new director", everywhere(fleet, 3))
    fleet.devices[0].stop()
    fleet.devices[0].start()
    fleet.wait(lambda: fleet.devices[0].loaded().get("version") == "3", 30, "the device to be back")
    at_two_places(claims, fleet, people)
    claims.claim("a device that starts again goes on from what it followed", "does not count" not in (fleet.devices[0].root / "agent.log").read_text())


def at_two_places(claims, fleet, people):
    """Release 4: the lab tries it before anybody signs, then anna and bert each sign a copy."""
    proposal, copy, publisher = fleet.root / "edr-rules-4", fleet.root / "edr-rules-4-for-bert", ("--publisher", fleet.publisher)
    lab = ("lab", "run", "edr-rules/4", *publisher, "--engine", fleet.build / "firebreak-yarad")
    fleet.firebreak("release", "pack", next_set(fleet, 4), *publisher, "--counter", 4, "--stream", "edr-rules")
    target = json.loads(fleet.firebreak(*lab, "--json").stdout)["target"]
    before = files_of(fleet.publisher)
    proposed = json.loads(fleet.firebreak("release", "propose", "edr-rules/4", proposal, *publisher, "--json").stdout)
    claims.claim("what is proposed is what the lab has tried; the folder is as it was", proposed["release"]["target"] == target and files_of(fleet.publisher) == before)
    people.follows = fleet.ask("root", "show", *publisher)["digest"]
    shutil.copy(proposal, copy)
    people.sign(proposal, "content.anna", more=("--release", target))
    people.sign(copy, "content.bert", more=("--release", target))
    refused(claims, "a root key for a release", people.sign(copy, "root.carol", more=("--release", target), ok=range(256)), 77, "none of the keys")
    refused(claims, "one copy alone", fleet.firebreak("proposal", "combine", copy, *publisher, ok=range(256)), 77, "missing")
    hasty = fleet.root / "hasty"
    hasty.write_text(proposal.read_text().replace("floor 1", "floor 0"))
    refused(claims, "a note that was changed after it was signed", fleet.firebreak("proposal", "combine", hasty, copy, *publisher, ok=range(256)), 77, "does not fit")
    fleet.firebreak("proposal", "combine", proposal, copy, *publisher)
    fleet.firebreak("release", "publish", "edr-rules/4", *publisher)
    fleet.firebreak(*lab, "--upload")
    fleet.start_rollout(4)
    claims.claim("release 4, signed at two places, reaches all", everywhere(fleet, 4))
    renewal = fleet.root / "renewal"
    fleet.firebreak("release", "renew", renewal, *publisher)
    people.follows = fleet.ask("root", "show", *publisher)["digest"]
    people.sign(renewal, "content.bert")
    people.sign(renewal, "content.anna")
    fleet.firebreak("proposal", "combine", renewal, *publisher)
    versions = [next(file["version"] for file in fleet.ask("status")["metadata"] if (file["repository"], file["role"]) == ("release", "targets"))]
    versions.append(fleet.ask("release", "publish", *publisher)["targets"])
    claims.claim("and the listing is renewed, by the two of them", versions[1] == versions[0] + 1)


def turn_director(claims, fleet):
    """The director's root goes to a customer, with a new key for his server."""
    proposal = fleet.root / "director"
    customer = fleet.root / "customer.pem"
    vkey = fleet.ask("keys", "new", customer, "--no-passphrase", "--name", "root.customer")["vkey"]
    fleet.firebreak("root", "propose", proposal, "--publisher", fleet.publisher, "--add", f"director-root:{vkey}", "--remove", "director-root:root.acme", "--rotate", "director")
    fleet.firebreak("proposal", "sign", proposal, "--publisher", fleet.publisher, "--key", fleet.publisher / "offline/root.pem", "--key", customer)
    fleet.firebreak("proposal", "combine", proposal, "--publisher", fleet.publisher)
    restart(fleet)
    roles = fleet.ask("root", "show", "--publisher", fleet.publisher)["roles"]
    claims.claim("the customer holds the director's root", [key.split("+")[0] for key in roles["director-root"]["keys"]] == ["root.customer"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    claims = Claims()
    with Fleet(options.build, DEVICES) as fleet:
        fleet.keep = options.keep
        fleet.play(claims, play)
    sys.exit(claims.finish())


if __name__ == "__main__":
    main()
