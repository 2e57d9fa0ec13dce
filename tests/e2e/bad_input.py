#!/usr/bin/env python3
"""bad_input - what people, publishers and networks get wrong, given to the real programs: each is refused with a clear
error that says what to do, and changes nothing.

usage: bad_input.py --build DIR
"""
import argparse, hashlib, http.client, json, os, pathlib, shutil, signal, ssl, subprocess, sys, time

from claims import Claims
from fleet import SETS, Fleet

DOSSIER = "what: w\nwhy: w\nrisk: r\nundo: u\n"
RULE = "rule one { strings: $a = \"something-rare-enough\" condition: $a }\n"


def digest(folder):
    """Names and bytes of all below but the lock; two equal ones mean that nothing changed."""
    found = hashlib.sha256()
    for path in sorted(p for p in pathlib.Path(folder).rglob("*") if p.name != "lock"):
        found.update(str(path.relative_to(folder)).encode() + b"\0" + (path.read_bytes() if path.is_file() else b"") + b"\0")
    return found.hexdigest()


class Bad(Claims):
    def __init__(self, fleet):
        super().__init__()
        self.fleet = fleet

    def refused(self, what, words, says, watched=None, environment=None):
        """The command fails with an exit code of ours, no signal; stderr holds each of `says`; `watched` is as it was."""
        watched = watched or self.fleet.publisher
        before = digest(watched)
        done = subprocess.run([str(self.fleet.build / "firebreak"), *map(str, words)], env={**self.fleet.environment, **(environment or {})},
                              stdin=subprocess.DEVNULL, text=True, capture_output=True, timeout=60, errors="replace")
        missing = [text for text in says if text not in done.stderr]
        same = digest(watched) == before
        self.claim(f"{what}: {done.stderr.strip()[:150] or 'no words'}", done.returncode > 0 and not missing and same)
        if done.returncode <= 0 or missing or not same:
            self.say(f"    exit {done.returncode}, missing words {missing}, {'nothing' if same else 'SOMETHING'} changed: {' '.join(map(str, words))}")

    def content(self, name, files):
        folder = self.fleet.root / "content" / name
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(text if isinstance(text, bytes) else text.encode())
        return folder


def packing(bad):
    """A folder that cannot become a release."""
    good = {"dossier.yaml": DOSSIER, "release.yaml": "stream: edr-rules\nversion: v1\n", "rules/a.yar": RULE}
    cases = (("no-dossier", {"dossier.yaml": None}, ["dossier.yaml", "undo"]),
             ("unknown-key", {"dossier.yaml": DOSSIER + "whatt: x\n"}, ["dossier.yaml:5", "what"]),
             ("missing-key", {"dossier.yaml": "what: w\nwhy: w\nrisk: r\n"}, ["undo"]),
             ("wrong-type", {"dossier.yaml": DOSSIER + "new_features: [[1]]\n"}, ["dossier.yaml:5"]),
             ("bad-utf8", {"dossier.yaml": b"what: \xff\xfe\nwhy: w\nrisk: r\nundo: u\n"}, ["dossier.yaml"]),
             ("deep", {"dossier.yaml": DOSSIER + "canary: " + "[" * 5000 + "]" * 5000 + "\n"}, ["dossier.yaml"]),
             ("huge", {"dossier.yaml": DOSSIER + "canary: " + "x" * (4 << 20) + "\n"}, ["dossier.yaml"]),
             ("bomb", {"dossier.yaml": "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nwhat: *b\n"}, ["dossier.yaml"]),
             ("bad-counter", {"release.yaml": "stream: edr-rules\ncounter: -1\n"}, ["release.yaml:2"]),
             ("bad-ceiling", {"release.yaml": "stream: edr-rules\nceiling: [\"1h:200%\"]\n"}, ["ceiling"]),
             ("no-files", {"rules/a.yar": None}, ["no content"]),
             ("odd-name", {"rules/a b.yar": RULE}, ["a b.yar"]),
             ("escape-name", {"rules/-\x1b[31m.yar": RULE}, ["rules"]))
    for name, change, says in cases:
        folder = bad.content(name, {k: v for k, v in {**good, **change}.items() if v is not None})
        bad.refused(f"pack, {name}", ("release", "pack", folder, "--publisher", bad.fleet.publisher, "--stream", "edr-rules"), says)
    link = bad.content("link", good)
    (link / "rules/passwd").symlink_to("/etc/passwd")
    bad.refused("pack, a link out of the folder", ("release", "pack", link, "--publisher", bad.fleet.publisher), ["rules/passwd", "link"])
    pipe = bad.content("pipe", good)
    os.mkfifo(pipe / "rules/pipe")
    bad.refused("pack, a pipe", ("release", "pack", pipe, "--publisher", bad.fleet.publisher), ["rules/pipe"])
    bad.refused("pack, no such folder", ("release", "pack", bad.fleet.root / "nowhere", "--publisher", bad.fleet.publisher), ["nowhere"])
    bad.refused("pack, no publisher", ("release", "pack", pipe), ["--publisher"])
    bad.refused("pack, a publisher that is none", ("release", "pack", pipe, "--publisher", bad.fleet.root), ["firebreak init"])
    bad.refused("an option that nearly exists", ("release", "pack", pipe, "--publish", "x"), ["--publisher"])
    bad.refused("init over a folder that is there", ("init", bad.fleet.publisher, "--name", "acme", "--no-passphrase"), ["is there already"])


def signing(bad):
    publisher = bad.fleet.publisher
    bad.fleet.firebreak("release", "pack", SETS / "1-good", "--publisher", publisher, "--counter", 1)
    bad.refused("pack, the same counter again", ("release", "pack", SETS / "1-good", "--publisher", publisher, "--counter", 1), ["1"])
    bad.refused("publish before it is signed", ("release", "publish", "edr-rules/1", "--publisher", publisher), ["firebreak release sign"])
    bad.refused("sign what is not there", ("release", "sign", "edr-rules/7", "--publisher", publisher), ["firebreak release pack"])
    file = next(p for p in (publisher / "releases/edr-rules/1/files").rglob("*.yar"))
    kept = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(kept + b"// one line more\n")
    bad.refused("sign a file that changed since it was packed", ("release", "sign", "edr-rules/1", "--publisher", publisher), [file.name])
    file.write_bytes(kept)
    key, away = publisher / "offline/targets.pem", publisher / "offline/elsewhere.pem"
    key.rename(away)
    bad.refused("sign without the key", ("release", "sign", "edr-rules/1", "--publisher", publisher), ["offline/targets.pem"])
    key.write_bytes((publisher / "offline/root.pem").read_bytes())
    bad.refused("sign with another key", ("release", "sign", "edr-rules/1", "--publisher", publisher), ["key"])
    key.unlink()
    away.rename(key)
    locked, words = bad.fleet.root / "locked", bad.fleet.root / "words"
    words.write_text("correct horse battery\n")
    bad.fleet.firebreak("init", locked, "--name", "acme", "--passphrase-file", words)
    bad.fleet.firebreak("release", "pack", SETS / "1-good", "--publisher", locked, "--counter", 1)
    words.write_text("correct horse batteries\n")
    bad.refused("sign with a wrong passphrase", ("release", "sign", "edr-rules/1", "--publisher", locked, "--passphrase-file", words), ["passphrase"], watched=locked)
    bad.refused("sign with nobody to ask for the passphrase", ("release", "sign", "edr-rules/1", "--publisher", locked), ["--passphrase-file"], watched=locked)
    bad.fleet.firebreak("release", "sign", "edr-rules/1", "--publisher", publisher)
    bad.refused("sign twice", ("release", "sign", "edr-rules/1", "--publisher", publisher), ["signed"])
    return locked, words


def steering(bad, locked, words):
    fleet = bad.fleet
    words.write_text("correct horse battery\n")
    fleet.firebreak("release", "sign", "edr-rules/1", "--publisher", locked, "--passphrase-file", words)
    bad.refused("publish what another publisher signed", ("release", "publish", "edr-rules/1", "--publisher", locked), ["note"])
    key = fleet.root / "other.key"
    key.write_text("fbk_0000000000000000000000000000000000000000000\n")
    bad.refused("a key that the server does not know", ("status", "--key-file", key), ["does not know"])
    bad.refused("a key file that is not there", ("status", "--key-file", fleet.root / "nothing.key"), ["nothing.key"])
    other = fleet.root / "other.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", "/dev/null", "-out", str(other), "-subj", "/CN=x"], check=True,
                   stderr=subprocess.DEVNULL)
    bad.refused("a server that nobody vouches for", ("status", "--ca", other), ["certificate"])
    bad.refused("a server that is not there", ("status", "--server", "https://127.0.0.1:1"), ["127.0.0.1"])
    bad.refused("a rollout without evidence", ("rollout", "start", "edr-rules/1", "--budget", "5"), ["release"])
    fleet.firebreak("release", "publish", "edr-rules/1", "--publisher", fleet.publisher)
    bad.refused("a rollout that no lab has passed", ("rollout", "start", "edr-rules/1", "--budget", "5"), ["evidence"])
    bad.refused("a budget of nobody", ("rollout", "start", "edr-rules/1", "--budget", "0"), ["--budget"])
    bad.refused("an override by one person twice", ("rollout", "start", "edr-rules/1", "--budget", "5", "--override-by", "anna", "--override-by", "anna",
                                                    "--reason", "r"), ["two"])
    bad.refused("a rollout that is none", ("rollout", "show", "edr-rules/9"), ["edr-rules/9"])
    bad.refused("a release name that is none", ("release", "show", "edr-rules"), ["STREAM/COUNTER"])


class Api:
    def __init__(self, fleet):
        self.fleet, self.key = fleet, (fleet.data / "admin.key").read_text().strip()

    def connect(self):
        context = ssl.create_default_context(cafile=str(self.fleet.ca))
        return http.client.HTTPSConnection("127.0.0.1", self.fleet.port, context=context, timeout=20)

    def announce(self, method, path, length):
        """A request that says how long its body will be, and sends none of it."""
        connection = self.connect()
        try:
            connection.putrequest(method, path)
            for name, value in (("Authorization", f"Bearer {self.key}"), ("Content-Type", "application/json"), ("Content-Length", str(length))):
                connection.putheader(name, value)
            connection.endheaders()
            return connection.getresponse().status
        finally:
            connection.close()

    def ask(self, method, path, body, headers=None):
        connection = self.connect()
        try:
            connection.request(method, path, body=body, headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type", ""), answer.read()
        finally:
            connection.close()


BODIES = (("nothing", b""), ("no JSON", b"hello"), ("an array", b"[]"), ("a number", b"12"), ("half", b"{\"group\":"), ("bad UTF-8", b"{\"group\":\"\xff\xfe\"}"),
          ("a key twice", b"{\"group\":\"a\",\"group\":\"b\"}"), ("unknown field", b"{\"grupp\":\"a\"}"), ("deep", b"[" * 20000 + b"]" * 20000),
          ("deep objects", b"{\"a\":" * 20000 + b"1" + b"}" * 20000), ("a NUL", b"{\"group\":\"a\\u0000b\"}"), ("a lone surrogate", b"{\"group\":\"\\ud800\"}"),
          ("wrong types", b"{\"group\":1,\"uses\":\"x\",\"stream\":[],\"counter\":{},\"policy\":3,\"who\":null}"),
          ("huge number", b"{\"uses\":1e400,\"counter\":99999999999999999999999999}"), ("a comment", b"{/*x*/}"), ("two documents", b"{}{}"))
ROUTES = (("POST", "/api/v1/tokens"), ("POST", "/api/v1/releases"), ("POST", "/api/v1/releases/edr-rules/1/evidence"), ("POST", "/api/v1/rollouts"),
          ("POST", "/api/v1/rollouts/edr-rules/1/halt"), ("POST", "/v1/enrol"), ("POST", "/v1/checkin"), ("POST", "/v1/lease"), ("POST", "/v1/report"))
PATHS = ("/api/v1/releases/../tokens", "/api/v1/releases/edr-rules/%2e%2e", "/api/v1/releases/edr-rules/-1", "/api/v1/releases/edr-rules/99999999999999999999",
         "/v1/artifacts/../../etc/passwd", "/v1/artifacts/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/v1/artifacts/" + "g" * 64, "/v1/tuf/release/../../admin.key",
         "/v1/tuf/release/..%2f..%2fadmin.key", "/api/v1/devices/zz", "/api/v1/devices?limit=-1", "/api/v1/devices?limit=999999999999", "/api/v1/devices?cursor=%00", "/nothing")


def endpoints(bad):
    api, wrong = Api(bad.fleet), []
    for method, path in ROUTES:
        for name, body in BODIES:
            status, kind, text = api.ask(method, path, body)
            if not 400 <= status < 500 or "problem+json" not in kind or not json.loads(text).get("detail"):
                wrong.append((method, path, name, status, kind, text[:80]))
        status = api.announce(method, path, 80 << 20)
        if status not in (401, 413):                # who signs nothing is not listened to at all
            wrong.append((method, path, "80 MB", status))
    bad.claim(f"each of {len(BODIES)} bad bodies on {len(ROUTES)} routes gets a problem that says why {wrong[:4] or ''}", not wrong)
    wrong = [(path, status) for path in PATHS if not 400 <= (status := api.ask("GET", path, None)[0]) < 500]
    bad.claim(f"each of {len(PATHS)} bad paths is refused {wrong or ''}", not wrong)
    status = api.ask("GET", "/api/v1/status", None, {"Authorization": "Bearer x"})[0]
    bad.claim("without the key nothing is told", status == 401)
    status = api.ask("PUT", "/api/v1/artifacts/" + "0" * 64, b"not what the name says")[0]
    bad.claim("an artifact under another's digest is refused", 400 <= status < 500)
    bad.claim("the server is as well as before", api.ask("GET", "/api/v1/status", None)[0] == 200)


def fill(folder):
    """Takes all the room there is; returns the file to remove."""
    path = folder / "filler"
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass
    return path


def full_disk(bad):
    """The server's data and one device's state on disks of their own, which run full."""
    fleet, device = bad.fleet, bad.fleet.devices[0]
    before = fleet.ask("token", "new", "--group", "a", "--uses", 1, "--expires", "1h")
    filler = fill(fleet.data)
    bad.refused("a full disk of the server", ("token", "new", "--group", "b", "--uses", "1", "--expires", "1h"), ["disk"], watched=fleet.publisher)
    bad.claim("with a full disk the server still answers", fleet.ask("status")["devices"]["enrolled"] == len(fleet.devices))
    filler.unlink()
    after = fleet.ask("token", "new", "--group", "b", "--uses", 1, "--expires", "1h")
    bad.claim("with room again it works again, without a restart", before["token"] != after["token"])
    filler = fill(device.root)
    fleet.firebreak("lab", "run", "edr-rules/1", "--publisher", fleet.publisher, "--engine", fleet.build / "firebreak-yarad", "--upload")
    fleet.start_rollout(1)
    other = fleet.devices[1]
    fleet.wait(lambda: other.loaded().get("version") == "1", 60, "the device with room to have release 1")
    time.sleep(3)
    bad.claim("a device whose disk is full goes on with what it has", device.loaded().get("version") == "0" and device.process.poll() is None)
    filler.unlink()
    state = fleet.run(fleet.build / "firebreak-agent", "status", "--config", device.root / "agent.yaml", "--json").stdout
    bad.claim("and its record is whole", not json.loads(state)["streams"][0]["safe_mode"])


class SmallDisks:
    """Two small file systems for full_disk(); None where the system does not let us mount."""

    def __init__(self, folders):
        self.folders, self.mounted = folders, []               # with their size in MB

    def __enter__(self):
        for folder, size in self.folders.items():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m,mode=700", "tmpfs", str(folder)], stderr=subprocess.DEVNULL).returncode:
                return None
            self.mounted.append(folder)
        return self

    def __exit__(self, *_):
        for folder in self.mounted:
            subprocess.run(["umount", "-l", str(folder)])


def server_start(bad):
    """What stands in the way of a second server."""
    fleet = bad.fleet
    for what, words, says in (("a port in use", ("--data", fleet.root / "second", "--listen", f"127.0.0.1:{fleet.port}", "--keys", fleet.publisher / "online"), "in use"),
                              ("a data folder in use", ("--data", fleet.data, "--listen", "127.0.0.1:0", "--keys", fleet.publisher / "online"), "held by"),
                              ("no keys", ("--data", fleet.root / "third", "--listen", "127.0.0.1:0", "--keys", fleet.root / "nothing"), "nothing"),
                              ("no option of ours", ("--dta", fleet.root), "--data")):
        done = subprocess.run([str(fleet.build / "firebreakd"), *map(str, words)], stdin=subprocess.DEVNULL, text=True, capture_output=True, timeout=60)
        bad.claim(f"firebreakd, {what}: {done.stderr.strip().splitlines()[-1][:150] if done.stderr.strip() else 'no words'}", done.returncode > 0 and says in done.stderr)


def play(bad, fleet):
    fleet.init()
    packing(bad)
    locked, words = signing(bad)
    with SmallDisks({fleet.data: 96, fleet.root / "devices/000": 16}) as small:
        try:
            fleet.start_server()
            fleet.enrol()
            steering(bad, locked, words)
            endpoints(bad)
            server_start(bad)
            if small:
                full_disk(bad)
            else:
                bad.say("  left out: no right to mount a small file system, so no full disk here")
        finally:
            for device in fleet.devices:
                device.stop()
            fleet.stop_server(signal.SIGTERM)
    bad.claim(f"SIGTERM ended the server cleanly: {fleet.server.returncode}", fleet.server.returncode == 0)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    options = options.parse_args()
    with Fleet(options.build, 3) as fleet:
        bad = Bad(fleet)
        fleet.play(bad, play)
    return bad.finish()


if __name__ == "__main__":
    sys.exit(main())
