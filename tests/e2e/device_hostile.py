#!/usr/bin/env python3
"""device_hostile - what a device's agent is told and given by a server that lies, a network that stalls, clocks that are wrong,
and somebody who may write into its spool; with the real server, real agents and real engines.

usage: device_hostile.py --build DIR [--seed N]

A proxy stands between each device and the server. Every device runs release 1; then the proxy tells each of them another lie
about release 2, signed with the publisher's own keys, so that only what is said is wrong. The device must say why it refuses,
in its log, run on what it ran, and keep nothing of the lie. Then it hears the truth, and must come to run release 2, byte for byte
what was signed. Ends with `N passed, N failed`, and 1 when any failed.
"""
import argparse, base64, contextlib, datetime, functools, hashlib, http.client, http.server, itertools, json, mmap, multiprocessing, os, pathlib, random, re, shutil, signal, ssl
import stat, subprocess, sys, threading, time

from claims import Claims
from fleet import SETS, Device, Failed, Fleet
from tuf_hostile import DROP, canonical, put, swap

STREAM, FIRST, SECOND = "edr-rules", "1-good", "2-update"
PAST = "2020-01-01T00:00:00Z"
ROLES = ("targets", "snapshot", "timestamp")     # each is announced by the one after it
KEYS = {"release": {"root": "offline/root", "targets": "offline/targets", "snapshot": "offline/targets", "timestamp": "online/timestamp"},
        "director": {"root": "offline/root", **{role: "online/director" for role in ROLES}}}
ENDS_S, SAYS_S = 100, 40                         # no agent is waited for longer, until all is well again, and until it says why not


def digest(data):
    return hashlib.sha256(data).hexdigest()


def tree(folder):
    """Every file below, with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class Publisher:
    """What the server publishes now, told anew with its own keys; what is offered is this release."""

    def __init__(self, fleet, counter=2, stream=STREAM):
        self.folder, self.get, self.real, self.scratch = fleet.publisher, fleet.get, {}, itertools.count()
        self.stream, self.path = stream, f"{stream}/{counter}"
        for repository in KEYS:
            tuf = f"/v1/tuf/{repository}/"
            timestamp = json.loads(self.get(tuf + "timestamp.json"))
            snapshot = json.loads(self.get(f"{tuf}{timestamp['signed']['meta']['snapshot.json']['version']}.snapshot.json"))
            targets = json.loads(self.get(f"{tuf}{snapshot['signed']['meta']['targets.json']['version']}.targets.json"))
            root = json.loads((self.folder / f"public/{repository}.root.json").read_bytes())
            self.real[repository] = {"root": root, "timestamp": timestamp, "snapshot": snapshot, "targets": targets}
        self.note = self.get("/v1/notes/" + self.real["release"]["targets"]["signed"]["targets"][self.path]["hashes"]["sha256"]).decode()
        self.cohort = json.loads(self.artifact(self.real["director"]["targets"]["signed"]["targets"][stream]))

    def artifact(self, target):
        return self.get("/v1/artifacts/" + target["hashes"]["sha256"])

    @functools.cache
    def sign(self, key, text):
        path = self.folder / f"text.{next(self.scratch)}"
        path.write_bytes(text)
        signed = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.folder / f"{key}.pem", "-in", path], check=True, capture_output=True)
        path.unlink()
        return signed.stdout

    def keyid(self, repository, role):
        return self.real[repository]["root"]["signed"]["roles"][role]["keyids"][0]

    def file(self, repository, role, signed, edit, rewrite):
        """A document of a role, as it is signed; `edit` before that, `rewrite` after it."""
        name = f"{repository}/{role}"
        edit.get(name, lambda _: None)(signed)
        text = canonical(signed)
        signatures = [{"keyid": self.keyid(repository, role), "sig": self.sign(KEYS[repository][role], text).hex()}]
        return rewrite.get(name, lambda data: data)(b'{"signatures":' + canonical(signatures) + b',"signed":' + text + b"}")

    def signed_note(self, edit):
        """The same note with other lines: its text, and all of it."""
        lines, _, signatures = self.note.partition("\n\n")
        text = edit(lines + "\n").encode()
        _, name, old = signatures.splitlines()[0].split(" ")
        line = base64.b64encode(base64.b64decode(old)[:4] + self.sign(KEYS["release"]["targets"], text)).decode()
        return text, text + f"\n\u2014 {name} {line}\n".encode()

    def tell(self, edit=(), rewrite=(), note=lambda lines: lines, cohort=lambda _: None, beside=(), more=()):
        """Everything that a device asks for, by path. `beside`: cohort documents of other streams. `more` is sent whatever else is said."""
        edit, rewrite, site = dict(edit), dict(rewrite), {}
        text, signed = self.signed_note(note)
        said = {**json.loads(json.dumps(self.cohort)), "length": len(text), "sha256": digest(text), "salt": digest(text), "state": "go",
                "rules": [{"hi": "10000000000000000", "platform": "any", "ring": "all"}]}
        cohort(said)
        told = canonical(said)
        site |= {"/v1/notes/" + digest(text): signed, "/v1/artifacts/" + digest(told): told}
        for repository, path, data in (("release", self.path, text), ("director", self.stream, told)):
            document = json.loads(json.dumps(self.real[repository]))
            targets = document["targets"]["signed"]["targets"][path]
            targets.update(length=len(data), hashes={"sha256": digest(data)})
            for name, other in dict(beside if repository == "director" else ()).items():
                document["targets"]["signed"]["targets"][name].update(length=len(other), hashes={"sha256": digest(other)})
                site["/v1/artifacts/" + digest(other)] = other
            below = None
            for role in ROLES:
                if below:
                    kind, data = below
                    meta = document[role]["signed"]["meta"][f"{kind}.json"]
                    meta.update({name: {"length": len(data), "hashes": {"sha256": digest(data)}}[name] for name in ("length", "hashes") if name in meta})
                version = document[role]["signed"]["version"]
                data = self.file(repository, role, document[role]["signed"], edit, rewrite)
                site[f"/v1/tuf/{repository}/{'' if role == 'timestamp' else f'{version}.'}{role}.json"] = data
                below = role, data
            if f"{repository}/root" in edit or f"{repository}/root" in rewrite:
                document["root"]["signed"]["version"] += 1
                site[f"/v1/tuf/{repository}/2.root.json"] = self.file(repository, "root", document["root"]["signed"], edit, rewrite)
        return {**site, **dict(more)}


class View:
    """What one device is shown: by path, bytes, or what is done with a connection; nothing at all; or the truth."""

    def __init__(self):
        self.site, self.is_shut, self.epoch, self.asked = {}, False, 0, []

    def show(self, site):
        self.site, self.is_shut = site, False
        self.epoch += 1000


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm, log_message = "HTTP/1.1", True, lambda *_: None

    def handle(self):
        with contextlib.suppress(OSError, http.client.HTTPException):   # either side may end it at any time
            super().handle()

    def answer(self):
        number, _, path = self.path[1:].partition("/")
        self.view = view = self.server.views[int(number)]
        path = "/" + path
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        view.asked.append(path)
        found = view.site.get(path)
        if found is None and view.site and path.startswith("/v1/artifacts/"):
            found = view.site.get("/v1/artifacts/*")
        if view.is_shut:
            self.send(503, b"")
        elif callable(found):
            self.close_connection = True
            found(self, lambda: self.forward(path, body))
        elif found is not None:
            self.send(200, found)
        elif view.site and path.startswith("/v1/deltas/"):
            self.send(404, b"")                   # a delta would bring note and files round the lie; delta.py spoils deltas
        else:
            status, data = self.forward(path, body)
            if path == "/v1/checkin" and status == 200:
                said = json.loads(data)
                data = json.dumps({**said, "epoch": said["epoch"] + view.epoch}).encode()
            self.send(status, data)

    do_GET = do_POST = answer

    def forward(self, path, body):
        wanted = {name: value for name, value in self.headers.items() if name.startswith("Firebreak-") or name in ("Content-Type", "Range")}
        return self.server.ask(self.command, path, body, wanted)

    def send(self, status, body, length=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def flood(self):
        self.send_response(200)
        self.send_header("Content-Length", str(1 << 40))
        self.end_headers()
        while True:
            self.wfile.write(b" " * 65536)

    def drip(self):
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        site = self.view.site
        while self.view.site is site:
            self.wfile.write(b" ")
            time.sleep(1)


class Hostile(Fleet):
    """A fleet whose devices each have a proxy of their own in front of the server."""

    def start_proxy(self, count):
        self.context = ssl.create_default_context(cafile=str(self.ca))
        self.proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
        self.proxy.daemon_threads, self.proxy.ask = True, self.ask_server
        self.proxy.views = [View() for _ in range(count)]
        threading.Thread(target=self.proxy.serve_forever, daemon=True).start()

    def ask_server(self, method, path, body=None, headers=()):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=30)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def get(self, path):
        status, data = self.ask_server("GET", path)
        if status != 200:
            raise Failed(f"GET {path}: {status}")
        return data

    def enrol_all(self, cases):
        token = self.ask("token", "new", "--group", "demo", "--uses", len(cases), "--expires", "1h")["token"]
        for number, case in enumerate(cases):
            device = Victim(self, number, case)
            self.devices.append(device)
            device.prepare(token)
            device.start()


class Victim(Device):
    def __init__(self, fleet, number, case):
        super().__init__(fleet, number)
        self.case, self.is_old, self.view = case, False, fleet.proxy.views[number]
        self.state, self.log = self.root / "state", self.root / "agent.log"
        self.trust, self.spool = self.state / "trust", self.state / "spool"

    def prepare(self, token):
        super().prepare(token)
        path = self.root / "agent.yaml"
        text = path.read_text()
        text = re.sub(r"^server: .*\nca: .*\n", f"server: http://127.0.0.1:{self.fleet.proxy.server_port}/{self.number}\n", text)
        path.write_text(text)

    def start(self, clock=None):
        """`clock`: how far it is off."""
        if not clock:
            super().start()
            return
        with open(self.log, "ab") as log:
            library = str(next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1")))
            self.process = subprocess.Popen([self.fleet.build / "firebreak-agent", "run", "--config", self.root / "agent.yaml"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                            env={**os.environ, "LD_PRELOAD": library, "FAKETIME": clock, "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"})

    def status(self):
        return json.loads(self.fleet.run(self.fleet.build / "firebreak-agent", "status", "--config", self.root / "agent.yaml", "--json").stdout)["streams"][0]

    def runs(self, counter):
        """It says so, is sure of it, and so says its engine."""
        now = self.status()
        return now["current"]["counter"] == now["last_good"]["counter"] == counter and not now["on_trial"] and not now["safe_mode"] and \
            self.loaded().get("version") == str(counter)

    def stop(self):
        """What is killed under faketime leaves its shared memory, and who gets its number later could not begin."""
        pids = self.pids() if self.process and self.process.poll() is None else []
        super().stop()
        for pid in pids:
            for left in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
                pathlib.Path("/dev/shm", left).unlink(missing_ok=True)

    def proven_at(self):
        """When its last trial ended well, in seconds; 0: never."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if ' what="baked, ' in line]
        return datetime.datetime.fromisoformat(lines[-1].split()[0].replace("Z", "+00:00")).timestamp() if lines else 0

    def left(self):
        """What stands in the spool and was there when the trial ended, but for the files in which metadata arrives. Somebody may have written there since."""
        names, until = [], self.proven_at()
        for name in os.listdir(self.spool):
            with contextlib.suppress(FileNotFoundError):
                if name not in ("wanted", "anchor", "vouch") and (self.spool / name).lstat().st_ctime < until:
                    names.append(name)
        return names

    def said(self, phrase, since=0):
        return phrase in self.log.read_text(errors="replace")[since:]

    def slot(self):
        return self.state / "streams" / STREAM / os.readlink(self.state / "streams" / STREAM / "current")

    def spoilt(self, counter):
        """What is wrong with the installed files, "" for nothing: other bytes than signed, another name, another kind, or others may write."""
        found = self.slot()
        if tree(found) != self.fleet.signed[counter]:
            return f"other bytes than release {counter}"
        for path in (found, *found.rglob("*")):
            info = path.lstat()
            is_alone = stat.S_ISDIR(info.st_mode) or (stat.S_ISREG(info.st_mode) and info.st_nlink == 1)
            if not is_alone or info.st_mode & 0o022 or info.st_uid != os.getuid():
                return f"{path}: {stat.filemode(info.st_mode)}, {info.st_nlink} names"
        return ""


def line(old, new):
    """A note in which the first such line is another one."""
    def change(text):
        assert re.search(old, text, flags=re.M)
        return re.sub(old, new, text, count=1, flags=re.M)
    return change


def swap_signature(note):
    """The same note, signed by the same key, it says, and not signed by it."""
    head, _, last = note.rpartition(b" ")
    signature = bytearray(base64.b64decode(last))
    signature[-1] ^= 1
    return head + b" " + base64.b64encode(signature) + b"\n"


def here(data):
    """A target's `note` that is no JSON; a reader must say so, though it never needs it."""
    return {"edit": {"release/targets": put("note", "HERE")}, "rewrite": {"release/targets": swap(b'"HERE"', data)}}


def edits(name, place, value):
    return {"edit": {name: put(place, value)}}


# Why it is refused, and what is told; all but the last few rows are signed as they should be.
LIES = (
    ("root: threshold 0", "the threshold is not a positive integer", edits("release/root", "roles/targets/threshold", 0)),
    ("root: a key id twice", "stands twice", edits("director/root", "roles/timestamp/keyids", lambda ids: ids * 2)),
    ("root: a key twice", "has a key twice", {"rewrite": {"release/root": swap(b'"keys":{', b'"keys":{"a":{},"a":{},')}, "edit": {"release/root": lambda _: None}}),
    ("targets: a key twice", "has a key twice", {"rewrite": {"release/targets": swap(b'"_type":', b'"_type":"x","_type":')}}),
    ("targets: arrays 100,000 deep", "nested more than 32 deep", here(b"[" * 100000 + b"]" * 100000)),
    ("targets: a NUL byte", "control character", here(b'"\0"')),
    ("targets: bad UTF-8", "not UTF-8", here(b'"\xc0\xaf"')),
    ("targets: expired", "targets version", edits("release/targets", "expires", PAST)),
    ("targets: larger than may be", "1048576", edits("release/targets", "note", "x" * (2 << 20))),
    ("release: for another platform", "not for platform", {"edit": {"release/targets": lambda signed: signed["targets"][f"{STREAM}/2"]["custom"].update(platforms=["plan9-vax"])}}),
    ("snapshot: names no version of the targets", "targets.json", edits("release/snapshot", "meta/targets.json/version", DROP)),
    ("snapshot: names no targets", "targets.json", edits("director/snapshot", "meta/targets.json", DROP)),
    ("director's timestamp: expired", "expired", edits("director/timestamp", "expires", PAST)),
    ("director's timestamp: version 0", "version is not a positive integer", edits("director/timestamp", "version", 0)),
    ("director's timestamp: other bytes", "signed by 0 of its keys", {"rewrite": {"director/timestamp": swap(b'"spec_version":"1.0.', b'"spec_version":"1.1.')}}),
    ("cohort: of a stream with a path for a name", "cohort", {"cohort": put("stream", "../../x")}),
    ("cohort: expired", "the cohort document expired", {"cohort": put("expires", 1600000000)}),
    ("cohort: a release that nobody approved", "approved no release", {"cohort": put("counter", 3)}),
    ("note: a path that leads out", "path", {"note": line(r"^(file \d+ \w+) VERSION$", r"\1 ../../VERSION")}),
    ("note: an absolute path", "path", {"note": line(r"^(file \d+ \w+) VERSION$", r"\1 /etc/VERSION")}),
    ("note: another number than offered", "signed as release", {"note": line("^counter 2$", "counter 9")}),
    ("note: below the floor of its own", "note", {"note": line("^floor .*$", "floor 9")}),
)
# What is sent instead of the note, of the files of the release, or of a path: endless, a byte a second, or other bytes.
SENT = (
    ("the timestamp without end", "longer than", "/v1/tuf/director/timestamp.json", lambda to, _: to.flood()),
    ("the note without end", "longer than", "note", lambda to, _: to.flood()),
    ("the note without its signatures", "not a signed note", "note", lambda to, truth: to.send(200, truth()[1].partition(b"\n\n")[0] + b"\n")),
    ("the note with a line below that is no signature", "signature", "note", lambda to, truth: to.send(200, truth()[1] + b"hello\n")),
    ("the note with a signature that does not fit", "by the content keys", "note", lambda to, truth: to.send(200, swap_signature(truth()[1]))),
    ("the note of another release", "another text than its name says", "note", lambda to, truth: to.send(200, truth()[1].replace(b"counter 2", b"counter 3"))),
    ("files without end", "longer than", "files", lambda to, _: to.flood()),
    ("the check-in without end", "server_away", "/v1/checkin", lambda to, _: to.flood()),
    ("the check-in, a byte a second", "server_away", "/v1/checkin", lambda to, _: to.drip()),
    ("the timestamp, a byte a second", "", "/v1/tuf/director/timestamp.json", lambda to, _: to.drip()),
    ("files of other bytes", "other bytes than the note says", "files", lambda to, truth: to.send(200, b"x" * len(truth()[1]))),
    ("files that are too short", " of 2 bytes", "files", lambda to, truth: to.send(200, truth()[1][:-1])),
    ("files that are cut", "bytes remaining to read", "files", lambda to, truth: to.send(200, b"", len(truth()[1]))),
)
# How far the clock is off, what is told, and what the device says of it.
CLOCKS = (
    ("the clock 400 days ahead", "+400d", {}, "expired"),
    ("the clock before this agent was made", "-20000d", {}, "the release starts in"),
)
LAPSED = "the clock an hour back, and a server that is frozen for as long"
# Whose spool somebody is at work in, and the longest pause between two of his swaps: too short for a release to come through, and long enough.
ATTACKED = {"somebody always at work in the spool": 0.01, "somebody at times at work in the spool": 0.3}


class Attacker:
    """Busy in the spool of a device: whatever may be there is exchanged, cut, stretched, linked and written to, also what was opened before."""

    def __init__(self, spool, names, precious, chance, pause):
        self.spool, self.names, self.precious, self.chance, self.pause, self.maps = spool, names, precious, chance, pause, []
        self.ways = (self.link, self.link_folder, self.hard_link, self.pipe, self.folder, self.sparse, self.stretch, self.cut, self.rename, self.remove, self.scribble)

    def clear(self, path):
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def link(self, path):
        self.clear(path)
        path.symlink_to(self.chance.choice(list(self.precious.iterdir())))

    def link_folder(self, path):
        self.clear(path)
        path.symlink_to(self.precious)

    def hard_link(self, path):
        self.clear(path)
        path.hardlink_to(self.chance.choice(list(self.precious.iterdir())))

    def pipe(self, path):
        self.clear(path)
        os.mkfifo(path)

    def folder(self, path):
        self.clear(path)
        path.mkdir()
        (path / "x").symlink_to(self.precious)

    def sparse(self, path):
        self.clear(path)
        with open(path, "xb") as file:
            file.truncate(1 << 42)

    def is_plain(self, path):
        info = path.lstat()
        return stat.S_ISREG(info.st_mode) and info.st_nlink == 1

    def stretch(self, path):
        if self.is_plain(path):
            os.truncate(path, path.stat().st_size + 1)

    def cut(self, path):
        if self.is_plain(path):
            os.truncate(path, path.stat().st_size // 2)

    def rename(self, path):
        path.rename(self.spool / self.chance.choice(self.names))

    def remove(self, path):
        self.clear(path)

    def scribble(self, path):
        """Now, and through the same mapping at any time later."""
        if self.is_plain(path) and 0 < path.stat().st_size < 1 << 20:
            with open(path, "r+b") as file:
                self.maps = [*self.maps[-20:], mmap.mmap(file.fileno(), path.stat().st_size)]
        for view in self.maps:
            view[self.chance.randrange(len(view))] ^= 1

    def work(self, swaps, is_over):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        while not is_over.is_set():
            with contextlib.suppress(OSError, ValueError):
                self.chance.choice(self.ways)(self.spool / self.chance.choice(self.names))
                swaps.value += 1
            time.sleep(self.chance.uniform(0, self.pause))


def looks(folder):
    """All that somebody could have done to it."""
    return {str(path): (path.read_bytes() if path.is_file() else None, *(getattr(path.lstat(), name) for name in ("st_mode", "st_uid", "st_size", "st_mtime_ns")))
            for path in (folder, *folder.rglob("*"))}


class Play:
    def __init__(self, claims, fleet, options):
        self.claims, self.fleet, self.options = claims, fleet, options
        self.names = [*(row[0] for row in LIES), *(row[0] for row in SENT), *(row[0] for row in CLOCKS), LAPSED, *ATTACKED]

    def prepare(self):
        fleet = self.fleet
        third, self.precious = fleet.root / "third", fleet.root / "precious"
        shutil.copytree(SETS / SECOND, third)
        (third / "VERSION").write_text("3\n")
        self.precious.mkdir()
        for name in ("one", "two"):
            (self.precious / name).write_text("precious\n" * 10)
        self.outside = looks(self.precious)
        fleet.init()
        fleet.start_server()
        fleet.start_proxy(len(self.names))
        fleet.enrol_all(self.names)
        self.device = {device.case: device for device in fleet.devices}
        fleet.ship(FIRST, 1, budget=fleet.size)
        fleet.signed = {counter: tree(folder) for counter, folder in ((1, SETS / FIRST), (3, third))}
        for files in fleet.signed.values():
            for name in ("dossier.yaml", "release.yaml"):
                files.pop(name, None)
        fleet.wait(lambda: all(d.runs(1) for d in fleet.devices), ENDS_S, "every device to run release 1")
        self.claims.claim(f"{fleet.size} devices run release 1, and each file is as it was signed", not any(d.spoilt(1) for d in fleet.devices))

    def tell_lies(self):
        """Nobody hears anything while release 2 is made."""
        fleet = self.fleet
        for device in fleet.devices:
            device.view.is_shut = True
        fleet.ship(SECOND, 2, budget=fleet.size)
        publisher = Publisher(fleet)
        truth = publisher.tell()
        self.lies = {name: publisher.tell(**how) for name, _, how in LIES}
        note = next(path for path in truth if path.startswith("/v1/notes/"))
        for name, _, where, send in SENT:
            path = {"note": note, "files": "/v1/artifacts/*"}.get(where, where)
            self.lies[name] = {**truth, path: send}
        for name, _, how, _ in CLOCKS:
            self.lies[name] = publisher.tell(**how)
        lapsed = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
        nothing = (lambda to, _: to.send(503, b""))
        self.lies[LAPSED] = publisher.tell(**edits("director/timestamp", "expires", lapsed), note=line(r"^start \d+$", "start 1600000000"),
                                         more={"/v1/lease": nothing, "/v1/checkin": self.checkin})
        clocks = {row[0]: row[1] for row in CLOCKS}
        for name, site in self.lies.items():
            device = self.device[name]
            if name in clocks:
                device.stop()
                device.start(clocks[name])
            device.before, device.since = tree(device.trust), device.log.stat().st_size
            device.view.show(site)

    def checkin(self, to, truth):
        status, data = truth()
        said = json.loads(data) if status == 200 else {}
        to.send(status, json.dumps({**said, "epoch": 77}).encode())

    def refused(self, name, phrase):
        device = self.device[name]
        with contextlib.suppress(Failed):
            self.fleet.wait(lambda: device.said(phrase, device.since), SAYS_S, phrase)
        lines = [line for line in device.log.read_text(errors="replace")[device.since:].splitlines() if phrase in line]
        shown = re.sub(r"^\S+ level=\w+ ", "", lines[0])[:170] if lines else f"says nothing of it, but: {device.log.read_text(errors='replace')[device.since:][-600:]}"
        self.claims.claim(f"{name}: {shown}", bool(lines))
        self.intact(name)

    def intact(self, name):
        """It runs what it ran; what it trusts is what it trusted, or what it was told above the lie, which was good itself."""
        device = self.device[name]
        how = next((row[2] for row in LIES if row[0] == name and not name.startswith("release:")), None)
        if how:
            lie = {f"trust/{place.replace('/', '.')}" for part in ("edit", "rewrite") for place in how.get(part, ())}
            kept = {f"trust/{path}" for path, data in tree(device.trust).items() if device.before.get(path) != data}
            self.claims.claim(f"{name}: nothing of it is kept", not kept & lie)
        self.claims.claim(f"{name}: runs release 1 as it was signed", device.runs(1) and not device.spoilt(1))

    def engine(self, device):
        for pid in device.pids()[1:]:
            with contextlib.suppress(OSError):
                if b"yarad" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]:
                    return pid
        return None

    def stays_awake(self, name):
        """Whatever the network does, an engine that dies is started again."""
        device, pid = self.device[name], self.engine(self.device[name])
        os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(Failed):
            self.fleet.wait(lambda: self.engine(device) not in (None, pid), 30, "the engine's next start")
        self.claims.claim(f"{name}: meanwhile an engine that dies is started again", self.engine(device) not in (None, pid))

    def lapses(self):
        """It is refused, and a clock that is set back does not make it good again: the device remembers when it last was."""
        self.refused(LAPSED, "expired")
        device = self.device[LAPSED]
        device.stop()
        device.since = device.log.stat().st_size
        device.start("-1h")
        self.refused(LAPSED, "expired")

    def attack(self, names, name):
        """Begins; what it returns looks on until there was enough of it, and ends it."""
        device, found, seen = self.device[name], [], set()
        swaps, is_over = multiprocessing.Value("L"), multiprocessing.Event()
        attacker = Attacker(device.spool, names, self.precious, random.Random(self.options.seed), ATTACKED[name])
        process = multiprocessing.Process(target=attacker.work, args=(swaps, is_over), daemon=True)
        process.start()

        def finish(is_enough):
            until = time.monotonic() + ENDS_S
            while process.is_alive() and time.monotonic() < until and not is_enough(device, swaps.value):
                counter = device.status()["current"]["counter"]
                seen.add(counter)
                wrong = device.spoilt(counter)
                if wrong and counter == device.status()["current"]["counter"]:
                    found.append(wrong)
                time.sleep(0.1)
            is_enough_now = process.is_alive() and is_enough(device, swaps.value)
            is_over.set()
            process.join(10)
            self.claims.claim(f"{name}: {swaps.value} swaps, and what ran was release {sorted(seen)}, as it was signed {found[:3] or ''}",
                              is_enough_now and seen <= {1, 3} and not found)
            self.claims.claim(f"{name}: what is outside is as it was", looks(self.precious) == self.outside)
        return finish

    def attack_all(self):
        """While release 3 comes. What is installed is what was signed, or nothing is; and nothing outside is touched."""
        listed = Publisher(self.fleet).real["release"]["targets"]["signed"]["targets"][f"{STREAM}/3"]
        names = ["wanted", listed["hashes"]["sha256"], *(digest(data) for data in self.fleet.signed[3].values())]
        always, at_times = (self.attack(names, name) for name in ATTACKED)
        meanwhile = threading.Thread(target=at_times, args=(lambda device, swaps: swaps >= 30 and device.runs(3),))
        meanwhile.start()
        always(lambda _, swaps: swaps >= 1000)
        meanwhile.join()

    def tell_truth(self):
        fleet = self.fleet
        fleet.firebreak("rollout", "cancel", f"{STREAM}/2", "--reason", "a newer one comes")
        for device in fleet.devices:
            if device.case in (LAPSED, *(row[0] for row in CLOCKS)):
                device.stop()
                device.start()
            device.view.show({})
        fleet.ship(fleet.root / "third", 3, budget=fleet.size)
        self.attack_all()
        with contextlib.suppress(Failed):
            fleet.wait(lambda: all(d.runs(3) for d in fleet.devices), ENDS_S, "every device to run release 3")
        for device in fleet.devices:
            wrong = device.spoilt(3) if device.runs(3) else f"runs {device.status()['current']}"
            self.claims.claim(f"{device.case}: afterwards release 3 is installed as it was signed {wrong}", not wrong)
        self.claims.claim("what is outside is as it was, also after the release was installed", looks(self.precious) == self.outside)
        device = self.device[next(iter(ATTACKED))]
        with contextlib.suppress(Failed):
            fleet.wait(lambda: device.runs(3) and not device.left(), 60, "a trial that is over, and a tidy spool")
        left = device.left()
        self.claims.claim(f"and of what was in the spool when the trial was over, nothing is left {left or ''}", device.runs(3) and not left)

    def run(self):
        self.prepare()
        self.tell_lies()
        self.stays_awake("the timestamp, a byte a second")
        for name, phrase, *_ in LIES:
            self.refused(name, phrase)
        for name, _, _, phrase in CLOCKS:
            self.refused(name, phrase)
        for name, phrase, *_ in SENT:
            self.refused(name, phrase) if phrase else self.intact(name)
        self.lapses()
        self.tell_truth()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    options.add_argument("--seed", type=int, default=int(time.time()))
    options = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    claims = Claims()
    claims.say(f"seed {options.seed}")
    with Hostile(options.build, len(LIES) + len(SENT) + len(CLOCKS) + 1 + len(ATTACKED)) as fleet:
        fleet.play(claims, lambda *all_of_it: Play(*all_of_it).run(), options)
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
