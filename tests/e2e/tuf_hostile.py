#!/usr/bin/env python3
"""tuf_hostile - repositories that lie, servers that misbehave and folders that were spoiled, given to the real firebreak-tuf.

usage: tuf_hostile.py --build DIR

Each case begins with a folder that trusts a good older publication. The hostile one must be refused with exit 1 and a reason that
says what is wrong; what lies on the disk is then byte for byte as before, but for files above the hostile one, which were good
themselves; and once a good repository is served again, all is well. Ends with `N passed, N failed`, and 1 when any failed.
"""
import argparse, contextlib, functools, hashlib, http.server, json, os, pathlib, shutil, subprocess, sys, tempfile, threading, time
from urllib.parse import quote

from claims import Claims

OLD, NEW, GOOD = 4, 5, 6        # versions: what is trusted, what the hostile publication has, what comes after it
ORDER = ("root", "timestamp", "snapshot", "targets", "dev")      # each is trusted because of those before it
BOTH, ALL = ("one.txt", "d/two.txt"), (*ORDER, "target")
TARGET_BYTES = 64000            # of one.txt; no run may write a larger file, whoever sends one
ENDS_S = 100                    # whatever the server does, it is over by then
LIMITS = ("nice", "timeout", str(ENDS_S), "prlimit", f"--fsize={TARGET_BYTES}", f"--data={96 << 20}")
DROP = object()


def canonical(value):
    """OLPC's form of JSON, for whoever has no control characters: it escapes nothing but the quote and the backslash."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def put(path, value):
    """What sets one thing in a document; a function gets what was there."""
    def change(at):
        *folders, last = (int(part) if part.isdigit() else part for part in path.split("/"))
        for folder in folders:
            at = at[folder]
        at[last] = value(at[last]) if callable(value) else value
        if value is DROP:
            del at[last]
    return change


def swap(old, new):
    """What changes a file after it was signed."""
    return lambda data: data.replace(old, new, 1) if old in data else 1 / 0


def by(*pairs):
    """Signatures by these keys, each under the id of that."""
    return lambda keys, text: [{**keys.sign(key, text), "keyid": keys.id.get(of, of)} for key, of in pairs]


def sends(status, data=lambda body: body, length=lambda body: None, **headers):
    return lambda to, body: to.send(status, data(body), length(body), **headers)


class Keys:
    def __init__(self, folder):
        self.folder, self.public, self.id = folder, {}, {}
        for name in (*ORDER, "other"):
            self.openssl("genpkey", "-algorithm", "ed25519", "-out", name)
            der = self.openssl("pkey", "-in", name, "-pubout", "-outform", "DER")
            self.public[name] = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": der[-32:].hex()}}
            self.id[name] = hashlib.sha256(canonical(self.public[name])).hexdigest()

    def openssl(self, *words):
        return subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True).stdout

    @functools.cache
    def sign(self, name, text):
        (self.folder / "text").write_bytes(text)
        return {"keyid": self.id[name], "sig": self.openssl("pkeyutl", "-sign", "-rawin", "-inkey", name, "-in", "text").hex()}

    def ring(self, name):
        return {"keyids": [self.id[name]], "threshold": 1}


class Publication:
    """All files of one version. By role: `edit` changes what is signed, `sign` makes the signatures, `rewrite` changes the bytes.
    `more`: roles that the targets delegate to beside dev, each with the path of its target; `names`: targets beside one.txt."""

    def __init__(self, keys, version, roots=1, consistent=True, edit=(), sign=(), rewrite=(), more=(), names=()):
        self.keys, self.version, self.consistent = keys, version, consistent
        self.edit, self.sign, self.rewrite = dict(edit), dict(sign), dict(rewrite)
        self.file, self.path, self.site, roles = {}, {}, {}, {"dev": BOTH[1], **dict(more)}
        self.content = {name: f"{name} {version}\n".encode() for name in (*roles.values(), *names)}
        self.content["one.txt"] = f"{version:<15}\n".encode() * (TARGET_BYTES // 16)
        for role, name in roles.items():
            self.add(role, "targets", "dev", {"targets": self.listed(name)})
        delegations = [{"name": role, "paths": [name.split("/")[0] + "/*"], "terminating": False, **keys.ring("dev")} for role, name in roles.items()]
        self.add("targets", "targets", "targets", {"targets": self.listed("one.txt", *names),
                                                   "delegations": {"keys": {keys.id["dev"]: keys.public["dev"]}, "roles": delegations}})
        self.add("snapshot", "snapshot", "snapshot", {"meta": {f"{role}.json": {"version": version} for role in ("targets", *roles)}})
        snapshot = self.file["snapshot"]
        of_snapshot = {"version": version, "length": len(snapshot), "hashes": {"sha256": hashlib.sha256(snapshot).hexdigest()}}
        self.add("timestamp", "timestamp", "timestamp", {"meta": {"snapshot.json": of_snapshot}})
        for number in range(1, roots + 1):
            self.add("root", "root", "root", {"expires": "2098-01-01T00:00:00Z", "consistent_snapshot": consistent,
                                              "keys": {keys.id[role]: keys.public[role] for role in ORDER[:4]},
                                              "roles": {role: keys.ring(role) for role in ORDER[:4]}}, number, number == roots)
        self.path["target"] = self.path["one.txt"]

    def files(self, roles, names):
        """Where they are stored."""
        return {**{f"metadata/{quote(role, safe='')}.json": self.file[role] for role in roles},
                **{"targets/" + quote(name, safe=""): self.content[name] for name in names}}

    def listed(self, *names):
        found = {}
        for name in names:
            sha256, (folder, slash, last) = hashlib.sha256(self.content[name]).hexdigest(), name.rpartition("/")
            found[name] = {"length": len(self.content[name]), "hashes": {"sha256": sha256}}
            self.path[name] = "targets/" + quote(folder + slash) + (sha256 + "." if self.consistent else "") + quote(last)
            self.site[self.path[name]] = self.content[name]
        return found

    def add(self, role, kind, key, body, version=None, is_changed=True):
        signed = {"_type": kind, "spec_version": "1.0.31", "version": version or self.version, "expires": "2090-01-01T00:00:00Z", **body}
        edit, sign, rewrite = ((how.get(role) if is_changed else None) for how in (self.edit, self.sign, self.rewrite))
        if edit:
            edit(signed)
        text = canonical(signed)
        signatures = sign(self.keys, text) if sign else [self.keys.sign(key, text)]
        data = b'{"signatures":' + canonical(signatures) + b',"signed":' + text + b"}"
        has_version = role == "root" or (self.consistent and role != "timestamp")
        self.path[role] = f"metadata/{f'{version or self.version}.' if has_version else ''}{quote(role, safe='')}.json"
        self.site[self.path[role]] = self.file[role] = rewrite(data) if rewrite else data


class Answer(http.server.BaseHTTPRequestHandler):
    """`sites`: for each trial, by path, bytes, or a function and the bytes that it is to send or not. `*`: whatever is asked for besides."""
    protocol_version, disable_nagle_algorithm, log_message = "HTTP/1.1", True, lambda *_: None

    def handle(self):
        with contextlib.suppress(OSError):       # the other side may end it at any time
            super().handle()

    def do_GET(self):
        name, _, path = self.path[1:].partition("/")
        site = self.server.sites.get(name, {})
        found = site.get(path, None if path.startswith("metadata/") else site.get("*"))
        if isinstance(found, tuple):
            self.close_connection = True
            found[0](self, found[1])
        else:
            self.send(404 if found is None else 200, found or b"", len(found or b""))

    def send(self, status, body, length, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": length, **headers}.items():
            if value is not None:
                self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def flood(self, first, again):
        self.wfile.write(first)
        while True:
            self.wfile.write(again)

    def drip(self, text):
        for byte in text:
            self.wfile.write(bytes([byte]))
            time.sleep(1)


class Trial:
    """One folder to be spoiled, and the site that it follows."""

    def __init__(self, world, site):
        world.trials += 1
        self.world, self.name = world, str(world.trials)
        self.folder = world.root / self.name
        shutil.copytree(world.base, self.folder)
        self.metadata, self.targets = self.folder / "metadata", self.folder / "targets"
        self.serve(site)

    def serve(self, site):
        self.world.server.sites[self.name] = site

    def begin(self, *names, prefix=(), words=()):
        """download of these targets, refresh when there are none"""
        url = f"http://127.0.0.1:{self.world.server.server_port}/{self.name}"
        places = {"metadata-dir": self.metadata, "metadata-url": f"{url}/metadata"}
        if names:
            places |= {"target-dir": self.targets, "target-base-url": f"{url}/targets/"}
        options = [f"--{name}={value}" for name, value in (*places.items(), *(("target-name", name) for name in names))]
        return subprocess.Popen([*LIMITS, *prefix, self.world.program, *options, *(words or ["download" if names else "refresh"])],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                                env={"PATH": os.environ["PATH"], "DONT_FAKE_MONOTONIC": "1"})

    def end(self, process):
        process.stdout, process.stderr = process.communicate(timeout=ENDS_S + 20)
        return process

    def run(self, *names, prefix=()):
        return self.end(self.begin(*names, prefix=prefix))

    def init(self, root):
        (self.folder / "root").write_bytes(root)
        return self.end(self.begin(words=("init", self.folder / "root")))

    def listing(self):
        """Everything below, with its bytes."""
        return {str(path.relative_to(self.folder)): os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
                for path in self.folder.rglob("*")}

    def whole(self, publication):
        """What is here after an undisturbed run."""
        return {**publication.files(ORDER, BOTH), "metadata": None, "targets": None, "elsewhere": None,
                "metadata/lock": b"", "elsewhere/precious": b"precious\n", "root": b"root"}


PAST, POSITIVE = "2020-01-01T00:00:00Z", "version is not a positive integer"
# What a publication says, signed as it should be: whose file, where in it, what instead, and why that is refused.
EDITS = (
    ("root", "roles/root/threshold", (0, "role root: the threshold is"), ("1", "the threshold is"), (2, "signed by 1 of its keys, and it takes 2")),
    ("root", "roles/snapshot/threshold", (0, "role snapshot: the threshold is not a positive"), (-1, "role snapshot: the threshold")),
    ("root", "version", (1, "root version 1 does not follow version 1"), (3, "root version 3 does not follow version 1")),
    ("timestamp", "version", (0, POSITIVE), (-5, POSITIVE), ("5", POSITIVE), (5.5, "only whole numbers"), (OLD - 1, "version 4 was trusted before")),
    *((role, "version", (1 << 63, "does not fit 64 bits"), ((1 << 64) + NEW, "does not fit 64 bits")) for role in ORDER),
    *((role, "expires", (PAST, f"{role} version 5 expired"), ("2090-02-30T00:00:00Z", "expires is not a time")) for role in ORDER[1:]),
    ("timestamp", "meta/snapshot.json/version", (OLD - 1, "snapshot.json version 3, and version 4 was trusted before")),
    ("timestamp", "_type", ("snapshot", "_type is not timestamp")), ("timestamp", "spec_version", ("2.0.0", "spec_version is not 1.x")),
    ("timestamp", "note", ("x" * (1 << 20), "16384")), ("root", "note", ("x" * (2 << 20), "1048576")),
    *((role, "version", (OLD, f"{role} is version 4, announced is version 5"), ("5", POSITIVE)) for role in ORDER[2:]),
    *(("snapshot", f"meta/{role}.json/version", (OLD - 1, f"{role}.json version 3, and version 4 was trusted before")) for role in ORDER[3:]),
    ("snapshot", "meta/targets.json/length", (2 << 20, "targets.json is announced with 2097152 bytes"), (-1, "meta of targets.json")),
    ("snapshot", "meta/targets.json", (DROP, "targets.json")), ("snapshot", "meta/dev.json", (DROP, "dev.json")),
    ("targets", "delegations/roles/0/threshold", (0, "role dev: the threshold is not a positive")),
    *((role, f"{at}/keyids", (lambda ids: ids * 2, "stands twice")) for role, at in (("root", "roles/snapshot"), ("targets", "delegations/roles/0"))),
    ("targets", "delegations/roles/0/name", ("root", "a delegated role is named root"), ("x" * 81, "more than 80 bytes")),
    ("targets", "delegations/roles", (lambda roles: roles * 2, "role dev is delegated to twice")),
    ("targets", "note", ("x" * (2 << 20), "1048576"), ([0] * 200001, "more than 200000 values")),
    ("target", "targets/one.txt", ({"length": -1, "hashes": {}}, "target one.txt: length"), ({"length": 1, "hashes": {}}, "target one.txt: hashes")),
)
# Instead of "HERE" in the targets, a text that nobody reads.
TEXTS = (
    ("arrays 100,000 deep", b"[" * 100000 + b"]" * 100000, "nested more than 32 deep"),
    ("objects 100,000 deep", b'{"a":' * 100000 + b"1" + b"}" * 100000, "nested more than 32 deep"),
    ("a NUL byte", b'"\0"', "control character"), ("an escaped NUL", b'"\\u0000"', "a NUL character is not allowed"),
    *((f"bad UTF-8 {data}", b'"' + data + b'"', "not UTF-8") for data in (b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"\xe2\x82")),
    ("a lone surrogate", b'"\\ud800"', "surrogates come in pairs"), ("surrogates the wrong way", b'"\\udc00\\ud800"', "surrogates come in pairs"),
)
# What is done to a file that was good.
REWRITES = (
    ("a key twice in signed", "timestamp", swap(b'"version":5}', b'"version":4,"version":5}'), "has a key twice"),
    ("a key twice, once escaped", "timestamp", swap(b'"version":5}', b'"v\\u0065rsion":4,"version":5}'), "has a key twice"),
    *((f"a key twice in keys of {role}", role, swap(b'"keys":{"', b'"keys":{"a":1,"a":{},"'), "has a key twice") for role in ("root", "targets")),
    ("signatures twice", "timestamp", swap(b'{"', b'{"signatures":[],"'), "has a key twice"),
    ("a byte order mark", "timestamp", lambda data: b"\xef\xbb\xbf" + data, "not JSON"),
    *((f"a file of {data}", "timestamp", lambda _, data=data: data, "timestamp: line 1") for data in (b"", b"{\0}\0", b"<html>")),
    *((f"{more} after the end", "timestamp", lambda data, more=more: data + more, "timestamp: line 1") for more in (b"{}", b"\0", b"]")),
    ("another byte", "snapshot", swap(b"1.0.31", b"1.0.32"), "signed by 0 of its keys"),
)
OTHERS = (
    ("two signatures with one key id", "snapshot", "two signatures have the same key id", {"sign": {"snapshot": by(*[["snapshot"] * 2] * 2)}}),
    ("no signature", "timestamp", "signed by 0 of its keys, and it takes 1", {"sign": {"timestamp": by()}}),
    ("another role's signature", "snapshot", "signed by 0 of its keys", {"sign": {"snapshot": by(("targets", "targets"))}}),
    *((f"a forged {role}", role, "signed by 0 of its keys", {"sign": {role: by(("other", role))}}) for role in ORDER),
    ("one key under two ids", "timestamp", "signed by 1 of its keys, and it takes 2",
     {"roots": 2, "sign": {"timestamp": by(("timestamp", "timestamp"), ("timestamp", "f" * 64))},
      "edit": {"root": lambda root: (root["keys"].update({"f" * 64: root["keys"][root["roles"]["timestamp"]["keyids"][0]]}),
                                     root["roles"]["timestamp"]["keyids"].append("f" * 64), root["roles"]["timestamp"].update(threshold=2))}}),
    ("an expired root", "timestamp", "root version 2 expired", {"roots": 2, "edit": {"root": put("expires", PAST)}}),
    ("a role that delegates to itself", "target", "vouches for none of this name", {"stored": 5, "targets": ["d/none"], "edit": {"dev": put(
        "delegations", {"keys": {}, "roles": [{"name": "dev", "terminating": False, "paths": ["*/*"], "keyids": [], "threshold": 1}]})}}),
    ("a target of a long name", "target", "longer than that of a file may be", {"targets": ["x" * 256], "names": ["x" * 256], "stored": 4}),
)
# What a server sends, instead of the good file of a role or a target.
SHORT, PAGE, HALF = (lambda _: b"nothing"), (lambda _: b"<p>Sorry.</p>" * 5000), (lambda body: body[:len(body) // 2])
ANSWERS = (
    *((f"endless {role}", role, "longer than" if role == "target" else "the answer: more than",
       lambda to, body: (to.send(200, body, None), to.flood(b"", b" " * 16384))) for role in ALL),
    *((f"{role} cut in the middle", role, "bytes remaining", sends(200, HALF, len)) for role in ALL),
    *((f"{role} with a Content-Length too small", role, "other bytes" if role in ("snapshot", "target") else "this string has no end",
       sends(200, length=lambda _: 10)) for role in ALL),
    *((f"Content-Length {value}", "timestamp", "timestamp.json", sends(200, **{"Content-Length": value})) for value in (-1, "many", "10, 11")),
    *((f"half a {role}, of any length", role, phrase, sends(200, HALF)) for role, phrase in (("timestamp", "line 1"), ("target", "other bytes"))),
    *((f"{status} for {role}", role, f"the server answered {status}", sends(status, SHORT, Location="*"))
      for role in ("root", "timestamp", "target") for status in (500, 503, 302, 307, 206, 204, 304)),
    *((f"404 for {role}", role, "no such file" if role in ("timestamp", "target") else "has no file of role", sends(404, SHORT)) for role in ALL[1:]),
    *((f"{status} and a long page for {role}", role, phrase, sends(status, PAGE)) for role in ("snapshot", "target")
      for status, phrase in ((404, "no such file" if role in ("timestamp", "target") else "has no file of role"), (500, "the server answered 500"))),
    ("other bytes of the same length", "target", "other bytes than", sends(200, lambda body: b"x" * len(body), len)),
    ("a shorter target", "target", "other bytes than", sends(200, HALF, lambda body: len(body) // 2)),
    ("a longer target", "target", "longer than", sends(200, lambda body: body + b"x", lambda body: len(body) + 1)),
    ("an empty target", "target", "other bytes than", sends(200, lambda body: b"", lambda body: 0)),
    *((f"no HTTP: {data}", "timestamp", "timestamp.json", lambda to, _, data=data: to.wfile.write(data)) for data in (b"", b"SSH-2\r\n", b"\0" * 9)),
)
# Those that take their time: they run beside all others.
SLOW = (
    *((f"{role} that comes a byte a second", role, name, lambda to, body: (to.send(200, b"", len(body)), to.drip(body)))
      for role, name in (("root", "root.json"), ("timestamp", "timestamp.json"), ("target", "one.txt"))),
    *((f"no word for {role}", role, name, lambda to, _: to.rfile.read(1)) for role, name in (("timestamp", "timestamp.json"), ("target", "one.txt"))),
    ("headers that come a byte a second", "timestamp", "timestamp.json", lambda to, body: to.drip(b"HTTP/1.1 200 OK\r\n\r\n" + body)),
    ("headers without end", "timestamp", "timestamp.json", lambda to, _: to.flood(b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"x" * 8000 + b"\r\n")),
)
# What is found in the folder: where, what (bytes, where a link leads, or how to make it), and why that ends it, if it does.
PRECIOUS, LINK = "../elsewhere/precious", "a symbolic link is in the way"
SPOILT = (
    *((f"metadata/{role}.json", data, None) for role in ORDER[1:] for data in (b"garbage", b"", b"\0" * 500, b'{"signatures":[', b" " * (5 << 20))),
    ("metadata/root.json", b"garbage", "root.json"), ("metadata/root.json", b"", "root.json"),
    ("metadata/root.json", b" " * (5 << 20), "root.json: more than 1048576 bytes"),
    ("metadata/root.json", DROP, "has no trusted root; begin with `firebreak-tuf"), ("metadata/root.json", PRECIOUS, "root.json: " + LINK),
    ("metadata/timestamp.json", PRECIOUS, "timestamp.json: " + LINK), ("metadata/timestamp.json", os.mkdir, "timestamp.json: not a regular file"),
    ("metadata/timestamp.json", os.mkfifo, "timestamp.json: not a regular file"), ("metadata/lock", PRECIOUS, LINK),
    ("metadata/.pending-timestamp.json", PRECIOUS, None),
    # A link gives way to the file, and what it leads to stays.
    ("targets/one.txt", PRECIOUS, None), ("targets/one.txt", "../elsewhere/new", None), ("targets/one.txt", os.mkfifo, None),
    ("targets/one.txt", os.mkdir, "a folder is in its place"), ("targets/+part", b"part" * 100000, None),
    ("targets/+part", PRECIOUS, "symbolic link"), ("targets/+part", os.mkfifo, "regular file"),
)


class World(Claims):
    def __init__(self, build, root):
        super().__init__()
        self.program, self.root, self.trials, self.base = build / "firebreak-tuf", root, 0, root / "base"
        for folder in ("keys", "base", "base/elsewhere"):
            (root / folder).mkdir()
        (self.base / "elsewhere/precious").write_bytes(b"precious\n")
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.server.daemon_threads, self.server.sites = True, {}
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.keys = Keys(root / "keys")
        self.old, self.good = Publication(self.keys, OLD), Publication(self.keys, GOOD, roots=3)
        first = Trial(self, self.old.site)
        done = [first.init(self.old.file["root"]), first.run(*BOTH)]
        (first.folder / "root").write_bytes(b"root")
        self.claim("a good repository is followed", not any(d.returncode or d.stderr for d in done) and first.listing() == first.whole(self.old))
        self.base = first.folder

    def refused(self, name, done, phrase, is_same):
        is_said = phrase in done.stderr and done.stderr.startswith("firebreak-tuf: ") and done.stderr.count("\n") == 1
        text = done.stderr.strip().removeprefix("firebreak-tuf: ").replace(str(self.root), "")
        if not self.claim(f"{name}: {text[:190]}", done.returncode == 1 and is_said and is_same):
            self.say(f"    exit {done.returncode}, wanted `{phrase}`, {'nothing' if is_same else 'SOMETHING'} changed: {text}")

    def taken(self, name, trial, publication=None, besides=(), names=(), prefix=()):
        """A good publication, and what must lie there besides when it was."""
        publication = publication or self.good
        trial.serve(publication.site)
        done = trial.run(*BOTH, *names, prefix=prefix)
        self.claim(f"{name} {done.stderr}", done.returncode == 0 and trial.listing() == {**trial.whole(publication), **dict(besides)})

    def attempt(self, name, role, phrase, hook=None, at=None, roots=None, stored=None, targets=(), **how):
        """A publication whose file of `role` is hostile, or what is sent for it, or `at` a place; the first `stored` roles are good."""
        publication = Publication(self.keys, NEW, roots=roots or (2 if role == "root" else 1), **how)
        path = at or publication.path[role]
        trial = Trial(self, {**publication.site, **({path: (hook, publication.site.get(path))} if hook else {})})
        stored = stored or ORDER.index("dev" if role == "target" else role)
        wanted = {**trial.listing(), **publication.files(ORDER[:stored], ())}
        process = trial.begin(*(targets or {"dev": BOTH[1:], "target": BOTH[:1]}.get(role, ())))

        def finish():
            self.refused(name, trial.end(process), phrase, trial.listing() == wanted)
            self.taken(f"{name}: a good one afterwards", trial)
        return finish

    def works(self):
        """What must work, or the rest says nothing."""
        trial, new, plain = Trial(self, {}), Publication(self.keys, NEW, roots=2), Publication(self.keys, NEW, consistent=False)
        self.taken("a good newer publication", trial, new)
        trial.serve(self.old.site)
        self.refused("and the older one no more", trial.run(), "version 4, and version 5 was trusted before", trial.listing() == trial.whole(new))
        trial = Trial(self, plain.site)
        shutil.rmtree(trial.metadata)
        trial.init(plain.file["root"])
        self.taken("files without versions, of a repository without consistent snapshots", trial, plain, {"root": plain.file["root"]})
        self.refused("a second init", trial.init(plain.file["root"]), "there is a trusted root already", True)

    def lies(self):
        for role, place, *cases in EDITS:
            for value, phrase in cases:
                shown = "gone" if value is DROP else "twice" if callable(value) else repr(value)[:40]
                edit = {"targets" if role == "target" else role: put(place, value)}
                self.attempt(f"{role}: {place} {shown}", role, phrase, edit=edit)()
        for name, text, phrase in TEXTS:
            self.attempt(name, "targets", phrase, edit={"targets": put("note", "HERE")}, rewrite={"targets": swap(b'"HERE"', text)})()
        for name, role, rewrite, phrase in REWRITES:
            self.attempt(name, role, phrase, rewrite={role: rewrite})()
        for name, role, phrase, how in OTHERS:
            self.attempt(name, role, phrase, **how)()
        for row in ANSWERS:
            self.attempt(*row)()
        for role, phrase in (("snapshot", "has other bytes"), ("targets", "is version 4, announced is"), ("dev", "is version 4, announced is")):
            self.attempt(f"a new publication with the {role} of the old one", role, phrase, lambda to, _: to.send(200, self.old.file[role], None))()

    def fast_forward(self):
        """Stolen keys sign a version that nothing good will ever exceed; a root with another key in their place cures it."""
        far, other = 1 << 53, self.keys.id["other"]
        for roles, edit, phrase in ((["timestamp"], {"timestamp": put("version", far)}, None),
                                    (["timestamp", "snapshot"], {"snapshot": put("meta/targets.json/version", far)}, "has no file of role targets")):
            trial = Trial(self, Publication(self.keys, NEW, edit=edit).site)
            done = trial.run()
            self.claim(f"fast-forward by {roles} {done.stderr.strip()}", done.returncode == bool(phrase) and (phrase or "") in done.stderr)
            trial.serve(Publication(self.keys, GOOD).site)
            self.refused("a good one afterwards", trial.run(), f"version {far} was trusted before", True)
            rings = {role: {"keyids": [other], "threshold": 1} for role in roles}
            self.taken("cured by a root with another key", trial, Publication(
                self.keys, GOOD, roots=2, sign={role: by(("other", "other")) for role in roles},
                edit={"root": lambda root: (root["keys"].update({other: self.keys.public["other"]}), root["roles"].update(rings))}))

    def names(self):
        """What is outside stays outside."""
        for name in ("../x", "/etc/x", "a/../../x", "..", ".", "", "a//x", "./x", "x/", "../../metadata/root.json"):
            asked, says = [], "a path with an empty part, `.` or `..`"
            self.attempt(f"target `{name}`", "target", says, lambda to, _: asked.append(to), at="*", targets=[name], names=[name])()
            self.claim(f"`{name}` is not even asked for", not asked)
        roles = ("../../evil", "/etc/evil", "a/b", "..", ".", "a\\b", "\u00e9" * 40, "%2e%2e%2fx", ".pending-root", "lock", "2.root", " ")
        more = {role: f"e{number}/x" for number, role in enumerate(roles)}
        trial, new = Trial(self, {}), Publication(self.keys, NEW, more=more)
        files = new.files(roles, more.values())
        self.taken(f"{len(roles)} delegated roles with names that lead out, each in a file of its own", trial, new, files, more.values())
        self.taken("delegated roles: a good one afterwards", trial, Publication(self.keys, GOOD, more=more), files)

    def same_names(self):
        """A target named as the program's own part, and one with a role's name, in the same folder: it never takes the role's place."""
        for name, folder in (("+part", "targets"), ("root.json", "metadata")):
            new = Publication(self.keys, NEW, names=[name])
            trial = Trial(self, new.site)
            trial.targets = trial.folder / folder
            done, found = trial.run(name, "one.txt"), trial.listing()
            is_kept = done.returncode == 1 or {**found, **new.files((), [name])} == found
            self.claim(f"a target named {name}, to {folder} {done.stderr.strip()}", is_kept and found["metadata/root.json"] == new.file["root"])

    def spoilt(self):
        for place, what, phrase in SPOILT:
            trial = Trial(self, self.old.site)
            path = trial.folder / place
            name = f"{place} {'gone' if what is DROP else what.__name__ if callable(what) else repr(what[:30])}"
            (trial.targets / "one.txt").unlink()                # so that it is fetched again
            path.unlink(missing_ok=True)
            if callable(what):
                what(path)
            elif what is not DROP:
                path.symlink_to(what) if isinstance(what, str) else path.write_bytes(what)
            if phrase:
                before = trial.listing()
                done = trial.run("one.txt")
                self.refused(name, done, phrase, {**trial.listing(), **({place: before[place]} if "+part" in place else {})} == before)
                path.rmdir() if what is os.mkdir else path.unlink(missing_ok=True)
                if (self.base / place).exists():
                    shutil.copy(self.base / place, path)
            self.taken(f"{name}: a good one afterwards", trial)

    def clocks(self):
        for when, phrase in (("2095-01-01 00:00:00", "timestamp version 4 expired"), ("2099-01-01 00:00:00", "root version 1 expired")):
            trial = Trial(self, self.old.site)
            self.refused(f"the clock says {when}", trial.run(prefix=("faketime", when)), phrase, trial.listing() == trial.whole(self.old))
            self.taken("the clock is right again", trial)
        back, expired = ("faketime", "2010-01-01 00:00:00"), Publication(self.keys, NEW, edit={"timestamp": put("expires", PAST)})
        trial = Trial(self, {})
        self.taken("with the clock in 2010 a timestamp that expired in 2020 is taken: nobody could know", trial, expired, prefix=back)
        for name, site, prefix, phrase in (("but not an older version", self.old.site, back, "and version 5 was trusted before"),
                                           ("and with the right clock it is refused", expired.site, (), "timestamp version 5 expired")):
            trial.serve(site)
            self.refused(name, trial.run(prefix=prefix), phrase, trial.listing() == trial.whole(expired))
        self.taken("the clock is right again", trial)

    def at_once(self):
        trial, asked, goes_on = Trial(self, {}), threading.Event(), threading.Event()
        hold = (lambda to, body: (asked.set(), goes_on.wait(ENDS_S), to.send(200, body, None)))
        trial.serve({**self.good.site, "metadata/timestamp.json": (hold, self.good.file["timestamp"])})
        first = trial.begin(*BOTH)
        asked.wait(ENDS_S)
        self.refused("two at once on one folder", trial.run(*BOTH), "in use by another process", True)
        goes_on.set()
        self.claim("and the first of them goes on", trial.end(first).returncode == 0 and trial.listing() == trial.whole(self.good))

    def at_once_into_one_folder(self):
        """Each with trusted metadata of its own: nobody writes into a file that another one has verified."""
        one, other, asked, goes_on = Trial(self, {}), Trial(self, self.good.site), threading.Event(), threading.Event()
        name = next(name for name in self.good.site if name.endswith("one.txt"))
        evil = (lambda to, body: (to.send(200, body[:100], len(body)), asked.set(), goes_on.wait(ENDS_S), to.wfile.write(b"x" * (len(body) - 100))))
        one.serve({**self.good.site, name: (evil, self.good.site[name])})
        one.targets, before = other.targets, (other.targets / "one.txt").read_bytes()
        first = one.begin("one.txt")
        asked.wait(ENDS_S)
        self.claim("two into one folder: the second waits for another day", "another process is downloading" in other.run("one.txt").stderr)
        goes_on.set()
        self.claim("two into one folder: the first brings nothing that is not right", one.end(first).returncode == 1 and (other.targets / "one.txt").read_bytes() == before)
        self.taken("two into one folder: a good one afterwards", other)

    def kills(self):
        """kill -9 before the first, the second, ... of each call that changes the disk."""
        known = {*Trial(self, {}).listing().values(), *self.good.site.values()}
        for call in ("renameat", "fsync", "write", "pwrite64", "ftruncate", "unlinkat"):
            wrong, number, code = [], 0, None
            while code != 0 and not wrong:
                number, trial = number + 1, Trial(self, self.good.site)
                strace = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}")
                code = trial.run(*BOTH, prefix=strace).returncode
                torn = [name for name, data in trial.listing().items() if data not in known and "/.pending-" not in name and name != "targets/+part"]
                again = trial.run(*BOTH)
                if code not in (0, -9, 137) or torn or again.returncode or trial.listing() != trial.whole(self.good):
                    wrong = [number, code, torn, again.stderr]
            self.claim(f"kill -9 before each of {number - 1} {call}: files are old or new, the next run goes on {wrong}", number > 1 and not wrong)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", type=pathlib.Path, required=True)
    with tempfile.TemporaryDirectory() as folder:
        run = World(options.parse_args().build.resolve(), pathlib.Path(folder))
        slow = [run.attempt(*row) for row in SLOW]
        for part in (run.works, run.lies, run.fast_forward, run.names, run.same_names, run.spoilt, run.clocks, run.at_once, run.at_once_into_one_folder, run.kills, *slow):
            part()
    return run.finish()


if __name__ == "__main__":
    sys.exit(main())
