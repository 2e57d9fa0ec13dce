#!/usr/bin/env python3
"""server_log - a real firebreakd with a transparency log and three real witnesses, killed between and in the middle of things.

usage: server_log.py --build DIR

The anchor names the log and asks for 2 of 3 witnesses. Releases and evidence are published, the server is killed (-9) again and again; every
checkpoint that it ever showed is kept. In the end Go (tests/interop/log/served.go), which knows nothing of our code, judges what was served:
each entry, that the log only ever grew, and the proofs; and this program, what is in it.
"""
import argparse, base64, hashlib, json, pathlib, re, shutil, signal, ssl, subprocess, sys, time, urllib.error, urllib.request

import log_key
from claims import Claims
from fleet import Fleet
from log_interop import build_go, run

KILLS = 6


def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def root(hashes):
    """RFC 6962, 2.1."""
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(hashes[:half]) + root(hashes[half:])).digest()


def growth(hashes, old, is_whole=True):
    """RFC 6962, 2.1.2."""
    if old == len(hashes):
        return [] if is_whole else [root(hashes)]
    half = 1 << (len(hashes) - 1).bit_length() - 1
    if old <= half:
        return growth(hashes[:half], old, is_whole) + [root(hashes[half:])]
    return growth(hashes[half:], old - half, False) + [root(hashes[:half])]


class Witness:
    def __init__(self, build, folder, number, log):
        self.name, self.pem, self.size = f"witness.example.com/w{number}", folder / f"w{number}.pem", 0
        log_key.openssl("genpkey", "-algorithm", "ed25519", "-out", self.pem)
        self.pem.chmod(0o600)
        self.vkey, words = log_key.vkey(self.pem, self.name, log_key.WITNESS), folder / f"w{number}.log"
        with open(words, "ab") as out:
            self.process = subprocess.Popen([build / "firebreak-witness", "--key", self.pem, "--name", self.name, "--state", folder / f"w{number}", "--log", log,
                                             "--listen", "127.0.0.1:0"], stdin=subprocess.DEVNULL, stderr=out)
        for _ in range(500):
            found = re.search(r'event=started .*listen="?127\.0\.0\.1:(\d+)', words.read_text())
            if found:
                self.port = int(found[1])
                return
            time.sleep(0.02)
        raise RuntimeError(f"{self.name} does not start: {words.read_text()}")

    def cosign(self, note, hashes):
        proof = growth(hashes, self.size) if self.size else []
        body = f"old {self.size}\n".encode() + b"".join(base64.b64encode(hash_) + b"\n" for hash_ in proof) + b"\n" + note
        with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{self.port}/add-checkpoint", data=body), timeout=10) as answer:
            self.size = len(hashes)
            return answer.read()


class Log:
    """What the server shows, and all of it that was ever seen."""

    def __init__(self, fleet):
        self.fleet, self.seen = fleet, []
        self.context = None

    def get(self, path, method="GET", headers=None, data=None):
        self.context = self.context or ssl.create_default_context(cafile=self.fleet.ca)
        request = urllib.request.Request(f"https://127.0.0.1:{self.fleet.port}{path}", method=method, headers=headers or {}, data=data)
        try:
            with urllib.request.urlopen(request, timeout=20, context=self.context) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def note(self):
        status, note = self.get("/v1/log/checkpoint")
        if status == 200:
            self.seen.append(note)
            return note
        return None

    def size(self):
        note = self.note()
        return int(note.split(b"\n")[1]) if note else 0

    def wait_for(self, size, seconds=20):
        self.fleet.wait(lambda: self.size() >= size, seconds, f"a checkpoint of {size} entries")

    def files(self, size):
        """Of every tile of that tree: path, content."""
        found, level = {}, 0
        while size >> 8 * level:
            for kind in ([str(level), "entries"] if level == 0 else [str(level)]):
                count = size >> 8 * level
                for index in range((count + 255) // 256):
                    width = min(256, count - 256 * index)
                    path = f"tile/{kind}/{index:03}" + (f".p/{width}" if width < 256 else "")
                    status, found[path] = self.get(f"/v1/log/{path}")
                    if status != 200:
                        raise RuntimeError(f"{path}: {status}")
            level += 1
        return found

    def entries(self, size):
        all_, files = [], self.files(size)
        for path in sorted(path for path in files if path.startswith("tile/entries/")):
            data = files[path]
            while data:
                length = int.from_bytes(data[:2], "big")
                all_.append(data[2:2 + length])
                data = data[2 + length:]
        return all_


def cosign(log, witnesses, numbers):
    """The checkpoint as it is now, brought to these witnesses and back. -> the server's answer"""
    note = log.note()
    hashes = [leaf(entry) for entry in log.entries(int(note.split(b"\n")[1]))]
    note = note.split(b"\n\n")[0] + b"\n\n" + note.split(b"\n\n")[1].split(b"\n")[0] + b"\n"
    body = note + b"".join(witnesses[number].cosign(note, hashes) for number in numbers)
    key = (log.fleet.data / "admin.key").read_text().strip()
    status, answer = log.get("/api/v1/log/cosignatures", "POST", {"Authorization": f"Bearer {key}"}, body)
    return status, json.loads(answer)


def publish(fleet, counter):
    release = f"edr-rules/{counter}"
    fleet.firebreak("release", "pack", fleet.root / "content", "--publisher", fleet.publisher, "--stream", "edr-rules", "--version", f"1.{counter}", "--counter", counter)
    fleet.firebreak("release", "sign", release, "--publisher", fleet.publisher)
    fleet.firebreak("release", "publish", release, "--publisher", fleet.publisher)
    return hashlib.sha256((fleet.publisher / f"releases/edr-rules/{counter}/note").read_bytes().partition(b"\n\n")[0] + b"\n").hexdigest()


def entry_of(kind, name, number, digest):
    return f"firebreak log entry v1\nkind {kind}\nname {name}\nnumber {number}\ndigest {digest}\n".encode()


def restart(fleet, how):
    if how:
        fleet.server.send_signal(how)
        fleet.server.wait()
    fleet.start_server()


def content(folder):
    folder.mkdir()
    (folder / "rules").mkdir()
    (folder / "rules/main.yar").write_text("rule nothing { condition: false }\n")
    (folder / "dossier.yaml").write_text("what: a rule\nwhy: a test\nrisk: none\nundo: roll back\n")


def without_witnesses(claims, fleet, log, targets):
    first = publish(fleet, 1)
    targets.append(first)
    log.wait_for(5)
    claims.claim("a published release is under the checkpoint, after both roots and anchors", log.size() == 5 and log.entries(5)[4] == entry_of("release", "edr-rules", 1, first))
    claims.claim("without cosignatures there is no proof", log.get(f"/v1/log/proof/{first}")[0] == 404)


def with_witnesses(claims, fleet, log, witnesses, targets):
    status, answer = cosign(log, witnesses, [0])
    claims.claim("one witness of two is not enough", status == 200 and answer == {"size": 5, "witnesses": 1, "threshold": 2, "proofs": 0} and log.get(f"/v1/log/proof/{targets[0]}")[0] == 404)
    restart(fleet, signal.SIGKILL)
    status, answer = cosign(log, witnesses, [2])
    claims.claim("with the second, after a kill -9 in between, the proof is there", status == 200 and answer["witnesses"] == 2 and answer["proofs"] == 1 and log.get(f"/v1/log/proof/{targets[0]}")[0] == 200)
    claims.claim("and both stand on the checkpoint", log.note().count(b"\n\xe2\x80\x94 ") == 3)


def kills(claims, fleet, log, witnesses, targets):
    """Published, and killed at once or a little later."""
    for number in range(KILLS):
        targets.append(publish(fleet, number + 2))
        time.sleep(0.07 * number)
        restart(fleet, signal.SIGKILL)
        log.note()
    log.wait_for(5 + KILLS)
    claims.claim("what was answered is in the log, whenever the server was killed", sorted(log.entries(log.size())[4:]) == sorted(entry_of("release", "edr-rules", i + 1, t) for i, t in enumerate(targets)))
    status, answer = cosign(log, witnesses, [0, 1, 2])
    claims.claim("one cosigned head gives all of them their proof", status == 200 and answer == {"size": 5 + KILLS, "witnesses": 3, "threshold": 2, "proofs": KILLS})


def evidence(claims, fleet, log):
    """Evidence, of a lab that runs twice."""
    for _ in range(2):
        fleet.firebreak("lab", "run", "edr-rules/1", "--publisher", fleet.publisher, "--engine", fleet.build / "firebreak-yarad", "--upload", "--json", ok=(0, 1, 2))
    fleet.wait(lambda: fleet.ask("status")["log"]["waiting"] == 0, 20, "the log to have all evidence")
    size = log.size()
    found = sum(entry.startswith(b"firebreak log entry v1\nkind evidence\nname edr-rules\nnumber 1\n") for entry in log.entries(size))
    claims.claim(f"the lab's evidence is in the log too ({found})", found >= 3 and size == 5 + KILLS + found)


def status(claims, fleet, log):
    shown = fleet.ask("status")["log"]
    claims.claim("status tells of it", shown["origin"] == log.note().split(b"\n")[0].decode() and shown["size"] == log.size() and shown["threshold"] == 2 and shown["sufficient"] == 5 + KILLS and shown["unproven"] == 0)
    key = (fleet.data / "admin.key").read_text().strip()
    text = log.get("/metrics", headers={"Authorization": f"Bearer {key}"})[1].decode()
    claims.claim("and so do the metrics", f"firebreak_log_size {log.size()}\n" in text and "firebreak_log_unproven_releases 0\n" in text)


def lost_folder(claims, fleet, log):
    """All that is in DATA/log can be made anew."""
    before, size = log.note(), log.size()
    files = log.files(size)
    fleet.stop_server(signal.SIGTERM)
    shutil.rmtree(fleet.data / "log")
    restart(fleet, None)
    log.wait_for(size)
    claims.claim("DATA/log was lost, and is made anew byte for byte", log.note() == before and log.files(size) == files)


def judge(claims, log, witnesses, targets, folder):
    """Hand all of it to Go."""
    made, size = folder / "served", log.size()
    for name in ("seen", "proofs", "entries", "log"):
        (made / name).mkdir(parents=True)
    (made / "log.vkey").write_text((log.fleet.publisher / "online/log.vkey").read_text())
    (made / "witness.vkeys").write_text("".join(witness.vkey + "\n" for witness in witnesses))
    for number, note in enumerate({note.split(b"\n\n")[0]: note for note in log.seen}.values()):
        (made / f"seen/{number}").write_bytes(note)
    (made / "log/checkpoint").write_bytes(log.note())
    for path, data in log.files(size).items():
        (made / "log" / path).parent.mkdir(parents=True, exist_ok=True)
        (made / "log" / path).write_bytes(data)
    for number, target in enumerate(targets):
        (made / f"proofs/{number + 1}").write_bytes(log.get(f"/v1/log/proof/{target}")[1])
        (made / f"entries/{number + 1}").write_bytes(entry_of("release", "edr-rules", number + 1, target))
    built = build_go(folder, "served")
    if not claims.claim(f"Go's judge is built {built.stderr.strip()}", built.returncode == 0):
        return
    done = run(folder / "go-served", made)
    for line in done.stdout.splitlines():
        word, _, text = line.partition(" ")
        claims.claim(text, word == "holds")
    claims.claim(f"the judge came to its end {done.stderr.strip()}", done.returncode == 0 and len(done.stdout.splitlines()) == 4 + len(targets))


def play(claims, fleet):
    fleet.init()
    content(fleet.root / "content")
    vkey = log_key.make(fleet.publisher / "online")
    witnesses, targets = [], []
    try:
        witnesses += [Witness(fleet.build, fleet.root, number, vkey) for number in (1, 2, 3)]
        log_key.name_in_anchor(fleet.publisher, [f"log {vkey}", "witness-threshold 2", *(f"witness {witness.vkey}" for witness in witnesses)])
        fleet.start_server()
        log = Log(fleet)
        without_witnesses(claims, fleet, log, targets)
        with_witnesses(claims, fleet, log, witnesses, targets)
        kills(claims, fleet, log, witnesses, targets)
        evidence(claims, fleet, log)
        status(claims, fleet, log)
        lost_folder(claims, fleet, log)
        judge(claims, log, witnesses, targets, fleet.root)
        fleet.stop_server(signal.SIGTERM)
        claims.claim("it ends well", fleet.server.returncode == 0)
    finally:
        for witness in witnesses:
            witness.process.kill()
            witness.process.wait()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True, type=pathlib.Path)
    build = options.parse_args().build
    claims = Claims()
    with Fleet(build, 0) as fleet:
        try:
            fleet.play(claims, play)
        except Exception as error:
            claims.abort(f"{type(error).__name__}: {error}")
            fleet.keep = True
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
