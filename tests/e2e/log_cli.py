#!/usr/bin/env python3
"""log_cli - the commands about the transparency log, against a server that lies about it and witnesses that are there, away or hostile.

usage: log_cli.py --build DIR [--count N]

The logs and their forks were made by tests/interop/log/maker.c; a small server of static files hands them out, and takes cosignatures as
firebreakd does, each checked by openssl. The witnesses are real ones, two of three; the hostile ones are here.
"""
import argparse, base64, contextlib, http.server, json, os, pathlib, re, shutil, signal, ssl, subprocess, sys, tempfile, threading, time

from claims import Claims
from log_interop import run
from witness import Witness

KEY = "key-of-the-operator"
DASH = "\u2014 ".encode()
DER = bytes.fromhex("302a300506032b6570032100")      # SubjectPublicKeyInfo of an Ed25519 key
NOT_ONE_LOG, TOO_FEW = 3, 4


def vkey(text):
    """NAME+HEX+BASE64: name, id, key."""
    name, number, key = text.strip().split("+", 2)
    return name, bytes.fromhex(number), base64.b64decode(key)[1:]


def fits(key, message, signature):
    with tempfile.TemporaryDirectory() as folder:
        for name, data in (("key", DER + key), ("message", message), ("signature", signature)):
            (pathlib.Path(folder) / name).write_bytes(data)
        words = ("openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER", "-inkey", "key", "-in", "message", "-sigfile", "signature")
        return subprocess.run(words, cwd=folder, capture_output=True).returncode == 0


def lines_of(note):
    """Text, and (name, id, signature) of each line below it."""
    text, _, rest = note.partition(b"\n\n")
    signatures = []
    for line in rest.splitlines():
        name, _, blob = line.removeprefix(DASH).partition(b" ")
        blob = base64.b64decode(blob)
        signatures.append((name.decode(), blob[:4], blob[4:]))
    return text + b"\n", signatures


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version, wbufsize = "HTTP/1.1", -1          # head and body leave as one

    def log_message(self, *words):
        pass

    def give(self, status, body=b"", kind="text/plain; charset=utf-8", **headers):
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": len(body), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def problem(self, status, code, detail):
        self.give(status, json.dumps({"status": status, "code": code, "detail": detail}).encode(), "application/problem+json")


class LogHandler(Handler):
    def do_GET(self):
        server = self.server
        path = self.path.removeprefix("/v1/log/")
        server.asked.append(path)
        if "Authorization" in self.headers:
            server.leaked = True
        if path in server.lies:
            return server.lies[path](self)
        if path == "checkpoint" and server.note:
            return self.give(200, server.note)
        file = server.folder / path
        if path.startswith("tile/") and ".." not in path and file.is_file():
            return self.give(200, file.read_bytes(), "application/octet-stream")
        return self.problem(404, "NOT_FOUND", "this server has no log" if path == "checkpoint" else "no such file of the log")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/api/v1/log/cosignatures":
            return self.problem(404, "NOT_FOUND", "no such route")
        if self.headers["Authorization"] != f"Bearer {KEY}":
            return self.problem(401, "UNAUTHORIZED", "who are you?")
        answer = self.server.take(body)
        return self.give(200, json.dumps(answer).encode(), "application/json") if answer else self.problem(403, "UNTRUSTED", "not what was signed")


class LogServer(http.server.ThreadingHTTPServer):
    """firebreakd as far as the log goes: static files, and the cosignatures of the anchor's witnesses."""
    daemon_threads = True

    def __init__(self, root, made):
        super().__init__(("127.0.0.1", 0), LogHandler)
        self.made, self.lies, self.asked, self.posts, self.strange, self.leaked = made, {}, [], [], 0, False
        self.log = vkey((made / "log.vkey").read_text())
        self.witnesses = [vkey(line) for line in (made / "witness.vkeys").read_text().splitlines()]
        self.certificate = root / "server.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=log", "-addext",
                        "subjectAltName=IP:127.0.0.1", "-keyout", root / "server.key", "-out", self.certificate], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, root / "server.key")
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, address):
        pass

    def show(self, name, size):
        """This log, at this size."""
        self.folder, self.note, self.lies = self.made / name, (self.made / f"{name}.{size}").read_bytes(), {}

    def take(self, body):
        """What the route of the server does; None: refused."""
        text, signatures = lines_of(body)
        if text != lines_of(self.note)[0] or not any(name == self.log[0] and fits(self.log[2], text, signature) for name, _, signature in signatures):
            return None
        for name, number, signature in signatures[1:]:
            known = [witness for witness in self.witnesses if witness[:2] == (name, number)]
            self.strange += not known
            if known and not fits(known[0][2], b"cosignature/v1\ntime %d\n" % int.from_bytes(signature[:8], "big") + text, signature[8:]):
                return None
        self.posts.append([name for name, _, _ in signatures[1:]])
        self.note += body.partition(b"\n\n")[2].split(b"\n", 1)[1]
        return {"size": int(text.split(b"\n")[1]), "witnesses": len(self.cosigned()), "threshold": 2, "proofs": 0}

    def cosigned(self):
        return {name for name, _, _ in lines_of(self.note)[1][1:]}


def last_checkpoint(made):
    data, at = (made / "checkpoints").read_bytes(), 0
    while at < len(data):
        length = int.from_bytes(data[at:at + 4], "big")
        note, at = data[at + 4:at + 4 + length], at + 4 + length
    return note


class Hostile(http.server.ThreadingHTTPServer):
    """A witness whose answer is `answer(handler, request)`."""
    daemon_threads = True

    def __init__(self, answer):
        class HostileHandler(Handler):
            def do_POST(self):
                self.server.count += 1
                self.server.leaked = self.server.leaked or "Authorization" in self.headers
                with contextlib.suppress(OSError):
                    answer(self, self.rfile.read(int(self.headers["Content-Length"])))
        super().__init__(("127.0.0.1", 0), HostileHandler)
        self.count, self.leaked, self.url = 0, False, f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, address):
        pass


def endless(handler, request=None):
    handler.send_response(200)
    handler.send_header("Content-Type", "text/plain")
    handler.send_header("Connection", "close")
    handler.end_headers()
    for _ in range(100000):
        handler.wfile.write(b"x" * 65536)


def dripping(handler, request=None):
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in range(60):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(1)


class Bench:
    """The program, the server and the three witnesses."""

    def __init__(self, claims, build, root):
        self.claims, self.build, self.root, self.made = claims, build, root, root / "made"
        self.server = LogServer(root, self.made)
        self.witnesses = [Witness(build, self.made, root, number) for number in (1, 2, 3)]
        (root / "api.key").write_text(KEY + "\n")
        self.environment = {**os.environ, "FIREBREAK_SERVER": self.server.url, "FIREBREAK_CA": str(self.server.certificate), "XDG_CONFIG_HOME": str(root), "no_proxy": "127.0.0.1"}
        self.environment["FIREBREAK_KEY_FILE"] = str(root / "api.key")
        self.publisher = ("--publisher", self.made / "publisher")
        self.key = ("--log", (self.made / "log.vkey").read_text().strip())

    def words(self, *words):
        return [str(word) for word in (self.build / "firebreak", "log", *words)]

    def run(self, *words, timeout=60):
        return subprocess.run(self.words(*words), env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout)

    def cosign(self, *urls, more=()):
        return self.run("cosign", *urls, *self.publisher, *more)

    def claim(self, text, done, code, *parts, out=None):
        """It ends with this code, and says these parts on standard error."""
        said = done.stderr.decode(errors="replace")
        good = done.returncode == code and all(part in said for part in parts) and (out is None or done.stdout == out)
        self.claims.claim(text if good else f"{text} (code {done.returncode}, {done.stdout[-300:]!r}, {said[-500:]!r})", good)
        return good


# ---- show ----

def show(bench):
    server = bench.server
    server.show("fleet", 300)
    done = bench.run("show", *bench.publisher)
    bench.claim("the folder's log is shown, without a key for the API", done, 0)
    bench.claims.claim("its origin, size and root, and that nobody cosigned", all(part in done.stdout.decode() for part in (
        "log.example.com/fleet", "300\n", base64.b64decode(server.note.split(b"\n")[2]).hex(), "by 0 of 3 witnesses, and it takes 2", "witness.example.com/w3")))
    facts = json.loads(bench.run("show", *bench.publisher, "--json").stdout)
    bench.claims.claim("the same as JSON", (facts["size"], facts["cosigned"], facts["threshold"], [w["cosigned"] for w in facts["witnesses"]]) == (300, 0, 2, [None] * 3))
    bench.claim("by the key alone it is shown, too", bench.run("show", *bench.key), 0)
    other = (bench.made / "witness.vkeys").read_text().split()[0]
    bench.claim("a witness's key is no log's", bench.run("show", "--log", other), 64, "key of a witness")
    bench.claim("without a log named it says what to give", bench.run("show"), 64, "--publisher DIR", "--log VKEY")
    bench.claim("two logs are one too many", bench.run("show", *bench.key, *bench.publisher), 64, "one of them")
    server.note = server.note.replace(b"\n300\n", b"\n301\n")
    bench.claim("a checkpoint that the log did not sign is refused", bench.run("show", *bench.publisher), 77, "does not fit")
    server.note = None
    bench.claim("a server without a log says so", bench.run("show", *bench.publisher), 66, "has no log")
    for what, lie, code in (("an endless checkpoint", endless, 65), ("a checkpoint elsewhere", lambda h: h.give(302, Location=server.url + "/v1/log/tile"), 78), ("no checkpoint", lambda h: h.give(200, b"\0" * 300), 65)):
        server.lies = {"checkpoint": lie}
        bench.claim(f"{what} is refused", bench.run("show", *bench.publisher), code)


# ---- list ----

def plain_lines(bench):
    server = bench.server
    server.show("fleet", 0)
    bench.claim("an empty log lists nothing", bench.run("list", *bench.publisher), 0, out=b"")
    server.show("fleet", 5)
    done = bench.run("list", *bench.publisher)
    bench.claim("five entries are listed", done, 0)
    lines = done.stdout.decode().splitlines()
    bench.claims.claim("a release is its stream, counter and digest", len(lines) == 5 and lines[2].split() == ["2", "release", "edr-rules/3", "02" * 32])
    bench.claims.claim("an entry of a later version is listed as unknown", "unknown" in lines[3] and "firebreak log entry v2?kind party" in lines[3])
    bench.claims.claim("nothing in an entry commands the terminal", not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", done.stdout.decode()) and "[2J" in lines[4] and "hidden" in lines[4])
    facts = [json.loads(line) for line in bench.run("list", *bench.publisher, "--json").stdout.decode().splitlines()]
    bench.claims.claim("the same as JSON, a line each", [fact["kind"] for fact in facts] == ["release"] * 3 + [None] * 2 and facts[0]["number"] == 1 and facts[1]["digest"] == "01" * 32)


def indexes(done):
    return [int(line.split()[0]) for line in done.stdout.decode(errors="replace").splitlines()]


def with_state(bench):
    server, state = bench.server, bench.root / "monitor"
    words = ("list", *bench.publisher, "--state", state)
    for size, new in ((5, range(5)), (300, range(5, 300)), (300, ()), (700, range(300, 700))):
        server.show("fleet", size)
        server.asked.clear()
        done = bench.run(*words)
        bench.claim(f"with a state, of {size} entries the {len(new)} new ones are listed", done, 0)
        bench.claims.claim(f"and no other, at {size}; the state is the newest checkpoint", indexes(done) == list(new) and state.read_bytes() == server.note)
    bench.claims.claim("of the first bundle nothing was read again", "tile/entries/000" not in server.asked)
    for what, name, size, says in (("that shrank", "fleet", 512, "it had 700 entries, and now has 512"), ("that forked", "fleet-forked", 700, "it forked")):
        server.show(name, size)
        before = state.read_bytes()
        bench.claim(f"a log {what} is reported", bench.run(*words), NOT_ONE_LOG, says, "is kept as", out=b"")
        kept = [path for path in bench.root.glob("monitor.other-*") if path.read_bytes() == server.note]
        bench.claims.claim(f"of a log {what} both checkpoints are kept", state.read_bytes() == before and len(kept) == 1)
    bench.claim("again, and it is reported again", bench.run(*words), NOT_ONE_LOG, "it forked", out=b"")
    bench.claims.claim("each other checkpoint is kept once", len(list(bench.root.glob("monitor.other-*"))) == 2)
    state.write_bytes((bench.made / "fleet.512").read_bytes())
    bench.claim("a log that grew on another side of its fork is reported", bench.run(*words), NOT_ONE_LOG, "it forked: its first 512 entries", out=b"")
    server.show("fleet", 700)
    bench.claim("the true log goes on from there", bench.run(*words), 0)


def changed(bench):
    """What the server hands out is not what it signed."""
    server, state = bench.server, bench.root / "changed"
    state.write_bytes((bench.made / "fleet.300").read_bytes())
    before = state.read_bytes()
    bundle = (bench.made / "fleet/tile/entries/001").read_bytes()
    cases = (("an entry is another", "tile/entries/001", bundle.replace(b"edr-rules", b"edr-fools", 1)), ("a bundle is cut", "tile/entries/001", bundle[:-1]), ("a bundle is empty", "tile/entries/001", b""),
             ("a hash is another", "tile/1/000.p/2", bytes(64)), ("a tile is cut", "tile/1/000.p/2", bytes(31)), ("the last bundle is another's", "tile/entries/002.p/188", (bench.made / "fleet-forked/tile/entries/002.p/188").read_bytes()))
    for what, path, lie in cases:
        server.show("fleet", 700)
        server.lies = {path: lambda handler, lie=lie: handler.give(200, lie)}
        done = bench.run("list", *bench.publisher, "--state", state)
        bench.claim(f"{what}: reported", done, NOT_ONE_LOG, "this is not one log")
        bench.claims.claim(f"{what}: nothing of it is printed, the state stays", state.read_bytes() == before and set(indexes(done)) <= set(range(300, 512)) and b"fools" not in done.stdout)
        bench.claim(f"{what}: without a state, too", bench.run("list", *bench.publisher), NOT_ONE_LOG, "this is not one log")
    cases = (("a file is missing", lambda h: h.problem(404, "NOT_FOUND", "no such file of the log"), 66), ("the server is ill", lambda h: h.problem(503, "BUSY", "later"), 75), ("a file is elsewhere", lambda h: h.give(302, Location="/"), 78),
             ("a server says what only a proof can", lambda h: h.problem(422, "CONTENT", "x"), 69))
    for what, lie, code in cases:
        server.show("fleet", 700)
        server.lies = {"tile/entries/001": lie}
        bench.claim(f"{what}: no alarm of a fork", bench.run("list", *bench.publisher, "--state", state), code)
        bench.claims.claim(f"{what}: the state stays", state.read_bytes() == before)
    server.show("fleet", 300)
    gone = lambda handler: handler.problem(404, "NOT_FOUND", "no longer")
    server.lies = {"tile/entries/001.p/44": gone}
    done = bench.run("list", *bench.publisher)
    bench.claim("where a partial bundle is gone, the full one is read", done, 0)
    bench.claims.claim("and no more of it than the checkpoint has", indexes(done) == list(range(300)))


def odd_states(bench):
    server = bench.server
    server.show("fleet", 300)
    for what, data in (("an empty file", b""), ("another text", b"hello\n"), ("a checkpoint that nobody signed", server.note.replace(b"\n300\n", b"\n200\n")), ("too long a file", b"x" * (1 << 20))):
        state = bench.root / "odd"
        state.write_bytes(data)
        bench.claim(f"a state that is {what} is refused", bench.run("list", *bench.publisher, "--state", state), 65, "odd")
        bench.claims.claim(f"a state that is {what} stays", state.read_bytes() == data)
    bench.claim("a state that is a folder is refused", bench.run("list", *bench.publisher, "--state", bench.root), 78)
    bench.claim("a state where no folder is cannot be kept", bench.run("list", *bench.publisher, "--state", bench.root / "nowhere/state"), 66, "nowhere")


def memory_of(bench, *words):
    """Its lines, its end, and the most memory that it had when it printed, in KB."""
    process = subprocess.Popen(bench.words(*words), env=bench.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    lines = most = 0
    while part := process.stdout.read1():
        lines += part.count(b"\n")
        found = re.search(r"VmHWM:\s*(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text())
        most = max(most, int(found[1]) if found else 0)
    return lines, process.wait(timeout=60), most


def large(bench, count):
    bench.server.show("fleet", 700)
    small = memory_of(bench, "list", *bench.publisher)
    bench.server.folder, bench.server.note = bench.made / "log", last_checkpoint(bench.made)
    bench.server.asked.clear()
    lines, code, kilobytes = memory_of(bench, "list", *bench.key)
    bench.claims.claim(f"{count} entries are listed", (lines, code) == (count, 0))
    bench.claims.claim(f"in {kilobytes} KB, where 700 need {small[2]} KB", 0 < kilobytes < small[2] + 2048)
    bench.claims.claim(f"of {len(bench.server.asked)} files that were asked for, none was asked for twice", len(bench.server.asked) == len(set(bench.server.asked)))


# ---- cosign ----

def url_of(witness):
    return f"http://127.0.0.1:{witness.port}"


def two_of_three(bench):
    server, (one, two, three) = bench.server, bench.witnesses
    for witness in bench.witnesses:
        witness.start()
    three.stop()
    urls = [url_of(witness) for witness in bench.witnesses]
    server.show("fleet", 300)
    done = bench.cosign(*urls[2:], urls[0])
    bench.claim("one of three cosigns: too few", done, TOO_FEW, "1 of the anchor's witnesses", "it takes 2")
    bench.claims.claim("what was gathered is handed over all the same", server.posts == [["witness.example.com/w1"]])
    bench.claims.claim("a line a witness", [re.split("  |: ", line)[1] for line in done.stdout.decode().splitlines()] == ["unreachable", "cosigned the log of 300 entries as witness.example.com/w1"])
    bench.earlier = server.note.splitlines(keepends=True)[-1]
    bench.claim("the second one completes it, with what the server has", bench.cosign(urls[1]), 0)
    facts = json.loads(bench.run("show", *bench.publisher, "--json").stdout)
    now = time.time()
    bench.claims.claim("show says when each cosigned", facts["cosigned"] == 2 and all(w["cosigned"] is None if w["name"].endswith("3") else now - 60 < w["cosigned"] <= now + 1 for w in facts["witnesses"]))
    bench.claims.claim("and says it to people", b"s ago" in bench.run("show", *bench.publisher).stdout)
    for size in (512, 700):
        server.show("fleet", size)
        server.posts.clear()
        bench.claim(f"of {size}, two of three are enough", bench.cosign(*urls), 0)
        bench.claims.claim(f"both stand below {size}, and fit", server.posts == [["witness.example.com/w1", "witness.example.com/w2"]] and len(server.cosigned()) == 2)
    done = bench.cosign(*urls, more=("--json",))
    facts = json.loads(done.stdout)
    bench.claims.claim("as JSON", (facts["size"], facts["cosigned"], facts["threshold"], [w["outcome"] for w in facts["witnesses"]]) == (700, 2, 2, ["cosigned", "cosigned", "unreachable"]))
    (bench.root / "wrong.key").write_text("key-of-nobody\n")
    bench.claim("a server that does not know our key is said", bench.run("cosign", *urls[:2], *bench.publisher, "--key-file", bench.root / "wrong.key"), 77, "does not know the key")
    for words, says in (((), "URL..."), (("ftp://127.0.0.1",), "no address of a witness"), (("http://me:secret@127.0.0.1",), "no address"), (("http:///",), "no address")):
        bench.claim(f"used wrongly: {words}", bench.cosign(*words), 64, says)
    bench.claim("used wrongly: without the folder", bench.run("cosign", urls[0]), 64, "--publisher")


def forks(bench):
    server, urls = bench.server, [url_of(witness) for witness in bench.witnesses[:2]]
    for name, size, says in (("fleet-forked", 700, "is this a fork"), ("fleet", 300, "it cosigned a log of 700 entries, and this one has 300")):
        server.show(name, size)
        server.posts.clear()
        done = bench.cosign(*urls)
        bench.claim(f"{name} of {size} is cosigned by none", done, TOO_FEW, "0 of the anchor's witnesses")
        bench.claims.claim(f"{name} of {size}: each says why, and nothing is handed over", done.stdout.decode().count(says) == 2 and not server.posts)


def hostile_answers(bench):
    """`other` is a line of w1, under another checkpoint."""
    one, other = bench.witnesses[0], bench.earlier
    line = (DASH + b"witness.example.com/w3 " + base64.b64encode(bench.server.witnesses[2][1] + bytes(72)) + b"\n")
    half = iter(range(100, 1000))
    text = lambda status, body: lambda handler, request: handler.give(status, body)
    return {
        "an endless body": endless, "one that drips": dripping, "a huge one": text(200, line * 1000), "a redirect to a real witness": lambda h, r: h.give(307, Location=url_of(one) + "/add-checkpoint"),
        "a signature that does not fit": text(200, line), "another log's line": text(200, other), "another log's line below a text": text(200, b"\n" + other), "nothing": text(200, b""), "what is no line": text(200, b"hello\n"),
        "a line that is not ended": text(200, line[:-1]), "a size that is none": text(409, b"-1\n"), "two sizes": text(409, b"5\n6\n"), "a size beyond the log": text(409, b"100000\n"), "always another size": lambda h, r: h.give(409, b"%d\n" % next(half)),
        "words that command the terminal": text(500, b"\x1b[2J\xff\xe2\x80\xaehidden"), "a long refusal": text(422, b"no " * 100000), "no HTTP": lambda h, r: h.wfile.write(b"\0" * 1000), "an end": lambda h, r: h.connection.shutdown(2),
    }


def hostile(bench):
    server, real = bench.server, [url_of(witness) for witness in bench.witnesses[:2]]
    answers = list(hostile_answers(bench).items())
    for at in range(0, len(answers), 6):
        some = answers[at:at + 6]
        enemies = [Hostile(answer) for _, answer in some]
        server.show("fleet", 700)
        server.posts.clear()
        began = time.monotonic()
        done = bench.cosign(*(enemy.url for enemy in enemies), *real, more=("--json",))
        bench.claim(f"two of three are enough among {len(some)} enemies, after {time.monotonic() - began:.0f} s", done, 0)
        bench.claims.claim("and only the two are handed over", server.posts == [["witness.example.com/w1", "witness.example.com/w2"]] and not server.strange)
        facts = json.loads(done.stdout)["witnesses"]
        for (what, _), enemy, fact in zip(some, enemies, facts):
            bench.claims.claim(f"{what}: {fact['outcome']}, {fact['why'][:100]!r}", fact["url"] == enemy.url and fact["outcome"] in ("refused", "unreachable") and 1 <= enemy.count <= 3 and not enemy.leaked)
        people = bench.cosign(*(enemy.url for enemy, (what, _) in zip(enemies, some) if "drips" not in what and "endless" not in what), *real)
        bench.claims.claim("nothing that they say commands the terminal", not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", people.stdout.decode()))
        for enemy in enemies:
            enemy.shutdown()


def stranger(bench):
    """A real witness of the same log that the anchor does not name."""
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", bench.made / "w4.pem"], check=True, capture_output=True)
    (bench.made / "w4.pem").chmod(0o600)
    fourth = Witness(bench.build, bench.made, bench.root, 4)
    fourth.start()
    try:
        bench.server.show("fleet", 700)
        bench.server.posts.clear()
        done = bench.cosign(url_of(fourth), *(url_of(witness) for witness in bench.witnesses[:2]))
        bench.claim("a witness that is not in the anchor does no harm", done, 0)
        bench.claims.claim("it is said, and its line is not handed over", "not in the anchor: witness.example.com/w4" in done.stdout.decode() and not bench.server.strange and bench.server.posts == [["witness.example.com/w1", "witness.example.com/w2"]])
    finally:
        fourth.stop()


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def every(bench):
    """As a unit of systemd runs it."""
    server, counted = bench.server, Hostile(lambda handler, request: handler.give(404, b"no\n"))
    server.show("fleet", 300)
    for witness in bench.witnesses[:2]:
        witness.stop()
        witness.state = bench.root / f"state-every-{witness.number}"
        witness.start()
    server.posts.clear()
    urls = [url_of(witness) for witness in bench.witnesses[:2]]
    process = subprocess.Popen(bench.words("cosign", *urls, counted.url, *bench.publisher, "--every", "1"), env=bench.environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        bench.claims.claim("--every: the first checkpoint is cosigned", wait_for(lambda: len(server.posts) == 1))
        looks = len(server.asked)
        wait_for(lambda: server.asked[looks:].count("checkpoint") >= 3)
        bench.claims.claim("--every: it is looked at again, and nobody asked", server.asked[looks:].count("checkpoint") >= 3 and counted.count == 1 and len(server.posts) == 1)
        server.show("fleet", 700)
        bench.claims.claim("--every: a new checkpoint is cosigned", wait_for(lambda: len(server.posts) == 2) and counted.count == 2)
        bench.witnesses[1].stop()
        server.note = None
        time.sleep(2.5)
        server.show("fleet", 512)
        server.folder, server.note = bench.made / "fleet", (bench.made / "fleet.700").read_bytes()
        bench.claims.claim("--every: after trouble it goes on, and asks while there are too few", wait_for(lambda: len(server.posts) >= 4))
        process.send_signal(signal.SIGTERM)
        out, said = process.communicate(timeout=40)
        bench.claims.claim(f"--every: SIGTERM ends it well {said.decode()!r}", process.returncode == 0)
        bench.claims.claim("--every: each trouble is said once", said.count(b"has no log") == 1 and said.count(b"it takes 2") == 1 and out.count(b"unreachable") == 1 and out.count(counted.url.encode()) == 1)
    finally:
        if process.poll() is None:
            process.kill()
        counted.shutdown()


def play(claims, build, root, count):
    bench = Bench(claims, build, root)
    try:
        show(bench)
        plain_lines(bench)
        with_state(bench)
        changed(bench)
        odd_states(bench)
        large(bench, count)
        claims.claim("who only reads sends no API key", not bench.server.leaked)
        two_of_three(bench)
        forks(bench)
        hostile(bench)
        stranger(bench)
        every(bench)
    finally:
        for witness in bench.witnesses:
            if witness.process and witness.process.poll() is None:
                witness.process.kill()
        bench.server.shutdown()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True, type=pathlib.Path)
    options.add_argument("--count", type=int, default=70000, help="entries of the large log, 1001 at least")
    options = options.parse_args()
    build = options.build.resolve()
    claims = Claims()
    root = build / "log-cli-e2e"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    made = run(build / "tests/log/log_maker", root / "made", options.count)
    if claims.claim(f"the logs are made {made.stderr}", made.returncode == 0):
        try:
            play(claims, build, root, options.count)
        except Exception as error:
            claims.abort(f"{type(error).__name__}: {error}")
    code = claims.finish()
    if not code:
        shutil.rmtree(root)
    return code


if __name__ == "__main__":
    sys.exit(main())
