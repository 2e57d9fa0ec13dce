#!/usr/bin/env python3
"""http_strict - what smuggling, abuse and bad luck look like, sent over TLS to a real firebreakd; and how its processes end.

usage: http_strict.py BUILD_DIR

Every case says which status it must get; an answer to a bad request is application/problem+json, comes alone and is the last of
its connection; after each case a good request is answered. Ends with `N passed, N failed`, and 1 when any failed.
"""
import contextlib, hashlib, json, os, pathlib, shutil, signal, socket, sqlite3, ssl, subprocess, sys, tempfile, threading, time, traceback, warnings

import log_key

WAIT_S = 60                 # for what must come; nothing is claimed about how long it takes
GOOD = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
EVIL = b"GET /v1/evil HTTP/1.1\r\nHost: a\r\n\r\n"           # what a smuggler hides; it would be answered with 404


class Claims:
    def __init__(self):
        self.passed, self.failed = 0, 0

    def claim(self, text, holds, found=""):
        self.passed, self.failed = self.passed + bool(holds), self.failed + (not holds)
        print(f"{'ok    ' if holds else 'NOT SO'} {text}" + ("" if holds else f"   [{found}]"), flush=True)
        return bool(holds)


class Server:
    """One firebreakd on a free port, its words in a file."""

    running = []                # to be ended also when a run breaks off

    def __init__(self, build, folder, data="data", keys="publisher/online", port=0, options=()):
        self.folder, self.data = folder, folder / data
        self.log = tempfile.TemporaryFile(dir=folder)
        self.process = subprocess.Popen(
            [build / "firebreakd", "--data", self.data, "--keys", folder / keys, "--listen", f"127.0.0.1:{port}", "--log", "json", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log)
        self.running.append(self.process)
        line = self.process.stdout.readline().decode().strip()
        self.address = line.removeprefix("ready ") if line.startswith("ready ") else None
        self.port = int(line.rsplit(":", 1)[1]) if self.address else None

    def words(self):
        return os.pread(self.log.fileno(), 1 << 20, 0).decode()

    def events(self, name):
        lines = [json.loads(line) for line in self.words().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == name]

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(WAIT_S)
        self.process.stdout.close()
        return code

    def children(self):
        """Role -> number, told by what each holds open: the api its port, the store its database, the signer neither (or it shows nobody), nor who sees to deltas and was started after it."""
        found, others = {}, []
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                stat = path.read_text().rsplit(")", 1)[1].split()
                if int(stat[1]) == self.process.pid:
                    held = []
                    with contextlib.suppress(PermissionError):
                        held = [os.readlink(fd) for fd in (path.parent / "fd").iterdir()]
                    is_store = any(name.endswith("firebreak.db") for name in held)
                    is_api = any(name in self.listening() for name in held)
                    if is_api or is_store:
                        found["api" if is_api else "store"] = int(path.parent.name)
                    else:
                        others.append((int(stat[19]), int(path.parent.name)))
        return found | {role: number for role, (_, number) in zip(("signer", "deltas"), sorted(others))}

    def listening(self):
        rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return {f"socket:[{row[9]}]" for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) == self.port}

    def tls(self, receive_bytes=None, **settings):
        context = ssl.create_default_context(cafile=self.data / "tls/cert.pem")
        for name, value in settings.items():
            context.set_alpn_protocols(value) if name == "alpn" else setattr(context, name, value)
        raw = socket.socket()
        raw.settimeout(WAIT_S)
        if receive_bytes:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        try:
            raw.connect(("127.0.0.1", self.port))
            return context.wrap_socket(raw, server_hostname="localhost")
        except Exception:
            raw.close()
            raise

    def is_well(self):
        try:
            return [answer.status for answer in talk(self, GOOD, answers=1)[0]] == [200]
        except OSError:
            return False


class Answer:
    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        self.headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
        self.body = body

    def is_problem(self):
        """As RFC 9457 has it, and the same status inside and outside."""
        if self.headers.get("content-type") != "application/problem+json":
            return False
        document = json.loads(self.body)
        return document["status"] == self.status and all(isinstance(document[key], str) and document[key] for key in ("title", "detail", "code"))


def cut_answers(data, heads=()):
    """The answers in `data`; `heads` numbers those to HEAD. Bytes that are left are given back."""
    answers = []
    while b"\r\n\r\n" in data:
        head, rest = data.split(b"\r\n\r\n", 1)
        answer = Answer(head, b"")
        length = 0 if len(answers) in heads or answer.status < 200 else int(answer.headers.get("content-length", 0))
        if len(rest) < length:
            break
        answer.body, data = rest[:length], rest[length:]
        answers.append(answer)
    return answers, data


def receive(connection, answers=None, heads=()):
    """Until there are so many answers, or one that does not say that it is the last, or the server has closed or says nothing.
    -> answers, what is left, closed"""
    data = b""
    while True:
        found, rest = cut_answers(data, heads)
        if answers is None and found and found[-1].headers.get("connection") != "close" or answers is not None and len(found) >= answers:
            return found, rest, False
        try:
            more = connection.recv(65536)
        except TimeoutError:
            return found, rest, False
        except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
            more = b""
        if not more:
            return found, rest, True
        data += more


def talk(server, *pieces, answers=None, heads=()):
    with server.tls() as connection:
        for piece in pieces:
            try:
                connection.sendall(piece)
            except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
                break               # it has answered already
        return receive(connection, answers, heads)


def get(path="/healthz", *headers, method="GET", host="Host: a", version="HTTP/1.1"):
    lines = [f"{method} {path} {version}", *([host] if host else []), *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def post(*headers, body=b"", path="/v1/enrol"):
    return get(path, *headers, method="POST") + body


CHUNKED = "Transfer-Encoding: chunked"
MANY = [f"X-{number}: 1" for number in range(100)]

# What is sent; the status that it gets. Whatever follows a request that cannot be read is never taken for another one.
BAD = (
    # how long is the body
    ("two different Content-Length", post("Content-Length: 5", "Content-Length: 6", body=b"{\"a\":1}"), 400),
    ("twice the same Content-Length", post("Content-Length: 2", "Content-Length: 2", body=b"{}"), 400),
    ("a list as Content-Length", post("Content-Length: 2, 2", body=b"{}"), 400),
    ("Content-Length with chunked", post("Content-Length: 5", CHUNKED, body=b"0\r\n\r\n" + EVIL), 400),
    ("chunked with Content-Length", post(CHUNKED, "Content-Length: 5", body=b"0\r\n\r\n" + EVIL), 400),
    ("a negative Content-Length", post("Content-Length: -1", body=EVIL), 400),
    ("a signed Content-Length", post("Content-Length: +2", body=b"{}"), 400),
    ("a hexadecimal Content-Length", post("Content-Length: 0x10", body=EVIL), 400),
    ("an empty Content-Length", post("Content-Length:", body=EVIL), 400),
    ("a Content-Length of 2^64 and 2", post("Content-Length: 18446744073709551618", body=b"{}"), 400),
    ("a Content-Length of 40 digits", post("Content-Length: " + "9" * 40), 400),
    ("a space inside Content-Length", post("Content-Length: 1 0", body=EVIL), 400),
    ("chunked twice, in two headers", post(CHUNKED, CHUNKED, body=b"0\r\n\r\n" + EVIL), 400),
    ("chunked twice, in one header", post("Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n" + EVIL), 501),
    ("chunked and something after it", post("Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n" + EVIL), 501),
    ("gzip and chunked", post("Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n" + EVIL), 501),
    ("almost chunked", post("Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + EVIL), 501),
    ("chunked behind a vertical tab", post("Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n" + EVIL), 400),
    ("chunked in quotes", post("Transfer-Encoding: \"chunked\"", body=b"0\r\n\r\n" + EVIL), 501),
    # chunks
    ("a chunk of 2^64 and 2", post(CHUNKED, body=b"10000000000000002\r\n{}\r\n0\r\n\r\n" + EVIL), 400),
    ("a chunk of 60 digits", post(CHUNKED, body=b"f" * 60 + b"\r\n{}\r\n0\r\n\r\n"), 400),
    ("a chunk of negative size", post(CHUNKED, body=b"-2\r\n{}\r\n0\r\n\r\n" + EVIL), 400),
    ("a chunk size with 0x", post(CHUNKED, body=b"0x2\r\n{}\r\n0\r\n\r\n" + EVIL), 400),
    ("a chunk without size", post(CHUNKED, body=b"\r\n{}\r\n0\r\n\r\n" + EVIL), 400),
    ("a chunk size and a space", post(CHUNKED, body=b"2 \r\n{}\r\n0\r\n\r\n" + EVIL), 400),
    ("a chunk longer than its size", post(CHUNKED, body=b"1\r\n{}\r\n0\r\n\r\n" + EVIL), 400),
    ("a chunk size that ends with LF", post(CHUNKED, body=b"2\n{}\r\n0\r\n\r\n" + EVIL), 400),
    ("a chunk that ends with LF", post(CHUNKED, body=b"2\r\n{}\n0\r\n\r\n" + EVIL), 400),
    ("a chunk extension", post(CHUNKED, body=b"2;a=b\r\n{}\r\n0\r\n\r\n" + EVIL), 400),
    ("a header after the chunks", post(CHUNKED, body=b"2\r\n{}\r\n0\r\nHost: b\r\n\r\n" + EVIL), 400),
    # lines and headers
    ("bare LF after the first line", b"GET /healthz HTTP/1.1\nHost: a\r\n\r\n" + EVIL, 400),
    ("bare LF after a header", b"GET /healthz HTTP/1.1\r\nHost: a\n\r\n" + EVIL, 400),
    ("bare LF at the end of the head", b"GET /healthz HTTP/1.1\r\nHost: a\r\n\n" + EVIL, 400),
    ("bare CR in a header", get("/healthz", "A: b\rContent-Length: 3"), 400),
    ("a header that goes on in the next line", get("/healthz", "A: b", " c"), 400),
    ("Transfer-Encoding folded", post("Transfer-Encoding:", " chunked", body=b"0\r\n\r\n" + EVIL), 400),
    ("a space before the first header", b"GET /healthz HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    ("a space before the colon", post("Content-Length : 2", body=b"{}"), 400),
    ("a tab before the colon", post("Transfer-Encoding\t: chunked", body=b"0\r\n\r\n" + EVIL), 400),
    ("a header without colon", get("/healthz", "Content-Length"), 400),
    ("a header without name", get("/healthz", ": b"), 400),
    ("NUL in a header's name", get("/healthz", "A\0B: c"), 400),
    ("NUL in a header's value", get("/healthz", "A: b\0c"), 400),
    ("NUL in Content-Length", post("Content-Length: 2\0", body=b"{}"), 400),
    ("NUL in the path", get("/health\0z"), 400),
    ("DEL in a header", get("/healthz", "A: b\x7f"), 400),
    ("one header larger than all may be", get("/healthz", "A: " + "b" * 20000), 431),
    ("headers that together are too large", get("/healthz", *[f"A{n}: " + "b" * 1000 for n in range(20)]), 431),
    ("a header without end", b"GET /healthz HTTP/1.1\r\nHost: a\r\nA: " + b"b" * 40000, 431),
    ("too many headers", get("/healthz", *MANY), 431),
    ("Authorization twice", get("/api/v1/status", "Authorization: Bearer a", "Authorization: Bearer b"), 400),
    ("a wish that nobody knows", post("Content-Length: 2", "Expect: magic", body=b"{}"), 417),
    # the first line
    ("no Host", get(host=None), 400),
    ("an empty Host", get(host="Host:"), 400),
    ("two Hosts", get("/healthz", "Host: b"), 400),
    ("a Host with a space", get(host="Host: a b"), 400),
    ("a Host with a path", get(host="Host: a/b"), 400),
    ("a Host with a user", get(host="Host: me@a"), 400),
    ("two names in one Host", get(host="Host: a, b"), 400),
    ("a whole address with a user", get("https://me:secret@a/healthz"), 400),
    ("a whole address", get("http://a/healthz"), 400),
    ("CONNECT", get("a:443", method="CONNECT"), 400),
    ("OPTIONS of everything", get("*", method="OPTIONS"), 400),
    ("a fragment", get("/healthz#a"), 400),
    ("a path that begins in nothing", get("healthz"), 400),
    ("a byte beyond ASCII in the path", get("/health\xff"), 400),
    ("a path that is too long", get("/" + "a" * 3000), 414),
    ("a first line without end", b"GET /" + b"a" * 40000, 431),
    ("HTTP/0.9", b"GET /healthz\r\n\r\n", 400),
    ("HTTP/0.9 with a Host", b"GET /healthz\r\nHost: a\r\n\r\n", 400),
    ("HTTP/1.0", get(version="HTTP/1.0"), 505),
    ("HTTP/1.2", get(version="HTTP/1.2"), 505),
    ("HTTP/2.0", get(version="HTTP/2.0"), 505),
    ("HTTP/2's preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("HTTP/11", get(version="HTTP/11"), 505),
    ("a protocol in small letters", get(version="http/1.1"), 400),
    ("no protocol at all", b"GET /healthz \r\nHost: a\r\n\r\n", 400),
    ("two spaces in the first line", b"GET  /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("a space after the first line", b"GET /healthz HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
    ("a tab in the first line", b"GET\t/healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("an empty line first", b"\r\n" + GOOD, 400),
    ("a method that nobody knows", get(method="BREW"), 501),
    ("a method in small letters", get(method="get"), 501),
    ("no method", b" /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("a method of NULs", b"\0\0\0 /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("bytes that are nothing", bytes(range(256)) * 20, 400),
    # more than the path takes
    ("a body that says it is too large", post("Content-Length: 5000", body=b"{" * 5000), 413),
    ("a body that says it is of 100 TB", post("Content-Length: 100000000000000"), 413),
    ("chunks that become too large", post(CHUNKED, body=b"1000\r\n" + b"{" * 4096 + b"\r\n1000\r\n" + b"{" * 4096 + b"\r\n0\r\n\r\n"), 413),
    ("a body where none belongs", get("/healthz", "Content-Length: 2") + b"{}", 413),
    ("chunks where no body belongs", get("/healthz", CHUNKED) + b"2\r\n{}\r\n0\r\n\r\n", 413),
)

# The request is well formed: it gets its status, and the connection goes on.
REFUSED = (
    ("a method that the path has not", get(method="DELETE"), 405),
    ("a path that is none", get("/v1/nothing"), 404),
    ("a path with dots", get("/v1/tuf/release/../../../../etc/passwd"), 404),
    ("a path with written dots", get("/v1/tuf/release/%2e%2e%2fkey.pem"), 404),
    ("a path with a backslash", get("/v1/tuf/release/..\\key.pem"), 404),
    ("a path with two slashes", get("//healthz"), 404),
    ("an artifact whose name is none", get("/v1/artifacts/" + "z" * 64), 404),
    ("a note whose name is none", get("/v1/notes/" + "z" * 64), 404),
    ("a note of no release", get("/v1/notes/" + "0" * 64), 404),
    ("a note by the name of its file", get("/v1/artifacts/" + "0" * 64 + ".note"), 404),
    *((f"a tile that is none, {path}", get(f"/v1/log/tile/{path}"), 404) for path in (
        "0/0", "0/00", "0/000.p/0", "0/000.p/256", "0/000.p/05", "0/000.p", "0/000.p/", "0/x000/001", "0/x001", "00/000", "6/000", "-1/000", "data/000", "entries/x999/x999/x999/x999/x999/000",
        "entries/../0/000", "../checkpoint", "../../firebreak.db", "../../../etc/passwd", "0/%30%30%30", "0//000", "0/000/", "entries", "0/999")),
    ("a tile of nothing", get("/v1/log/tile/"), 404),
    ("the folder of the tiles", get("/v1/log/tile"), 404),
    ("a path out of the log", get("/v1/log/../admin.key"), 404),
    ("the log's folder", get("/v1/log/"), 404),
    ("a file beside the checkpoint", get("/v1/log/checkpoint/x"), 404),
    ("a pending checkpoint", get("/v1/log/.pending-checkpoint"), 404),
    ("a proof whose name is none", get("/v1/log/proof/" + "z" * 64), 404),
    ("a proof whose name is in large letters", get("/v1/log/proof/" + "A" * 64), 404),
    ("a proof of nothing", get("/v1/log/proof/" + "0" * 64), 404),
    ("a proof with a short name", get("/v1/log/proof/00"), 404),
    *((f"an approval that is none, {path[:20]}", get(f"/v1/approvals/{path}"), 404) for path in (
        "", "x", "0" * 64, "0" * 64 + "/", "0" * 64 + "/bank", "0" * 64 + "/EMERGENCY", "0" * 64 + "/0123456G", "0" * 64 + "/01234567", "0" * 64 + "/" + "g" * 64, "0" * 63 + "/emergency", "A" * 64 + "/emergency", "0" * 64 + "/emergency/x",
        "0" * 64 + "/..", "../proof/" + "0" * 64)),
    ("an approval that nobody gave", get("/v1/approvals/" + "0" * 64 + "/emergency"), 404),
    ("an approval without a key", get("/api/v1/approvals", "Content-Length: 0", method="POST"), 401),
    ("a checkpoint that is put", get("/v1/log/checkpoint", method="PUT"), 405),
    ("cosignatures without a key", get("/api/v1/log/cosignatures", "Content-Length: 0", method="POST"), 401),
    ("no key", get("/api/v1/status"), 401),
    ("a wrong key", get("/api/v1/status", "Authorization: Bearer fba_" + "0" * 64), 401),
    ("a body that is no JSON", post("Content-Length: 2", body=b"{]"), 400),
)


def bad_requests(claims, server):
    for text, bytes_, status in BAD:
        found, rest, closed = talk(server, bytes_)
        got = [answer.status for answer in found]
        holds = got == [status] and found[0].is_problem() and found[0].headers.get("connection") == "close" and not rest and closed
        claims.claim(f"{text}: {status}, and the end", holds and server.is_well(), f"got {got}, left {rest[:60]!r}, {found[0].body[:200] if found else ''}")
    for text, bytes_, status in REFUSED:
        found, rest, _ = talk(server, bytes_ + GOOD, answers=2)
        got = [answer.status for answer in found]
        holds = got == [status, 200] and found[0].is_problem() and not rest
        claims.claim(f"{text}: {status}, and it goes on", holds, f"got {got} {found[0].body[:200] if found else ''}")
    found, _, _ = talk(server, get(method="DELETE"), answers=1)
    claims.claim("405 says what is allowed", found[0].headers.get("allow") == "GET, HEAD", found[0].headers)
    found, _, _ = talk(server, get(method="HEAD") + GOOD, answers=2, heads=(0,))
    claims.claim("HEAD gets the head alone", [a.status for a in found] == [200, 200] and found[0].headers["content-length"] == "3", found)


def rhythm(claims, server):
    """Good requests, however they come."""
    with server.tls() as connection:
        for byte in GOOD:
            connection.sendall(bytes([byte]))
        body = b"".join(b"1\r\n" + bytes([byte]) + b"\r\n" for byte in b"{]") + b"0\r\n\r\n"
        for byte in post(CHUNKED, body=body):
            connection.sendall(bytes([byte]))
        found, rest, _ = receive(connection, 2)
    claims.claim("a byte at a time is as good", [a.status for a in found] == [200, 400] and not rest, found)

    paths = [("/healthz", 200), ("/v1/tuf/release/1.root.json", 200), ("/v1/tuf/release/9.root.json", 404), ("/v1/nothing", 404)] * 50
    found, rest, _ = talk(server, b"".join(get(path) for path, _ in paths), answers=len(paths))
    root = (server.folder / "publisher/online/release.root.json").read_bytes()
    ordered = [a.status for a in found] == [status for _, status in paths] and not rest
    whole = all(answer.body == (b"ok\n" if path == "/healthz" else root) for (path, status), answer in zip(paths, found) if status == 200)
    claims.claim("200 requests sent ahead are answered in order", ordered and whole, [a.status for a in found][:8])

    mixed = post("Content-Length: 2", body=b"{]") + GOOD + post(CHUNKED, body=b"2\r\n{]\r\n0\r\n\r\n") + GOOD
    found, rest, _ = talk(server, mixed, answers=4)
    claims.claim("bodies of either kind end where they say", [a.status for a in found] == [400, 200, 400, 200] and not rest, [a.status for a in found])

    with server.tls() as connection:
        connection.sendall(post("Content-Length: 2", "Expect: 100-continue"))
        first, _, _ = receive(connection, 1)
        connection.sendall(b"{]")
        second, _, _ = receive(connection, 1)
    claims.claim("who asks is told to go on", [a.status for a in first + second] == [100, 400], first + second)
    found, rest, closed = talk(server, get("/healthz", "Connection: close") + EVIL)
    claims.claim("who wants to end gets one answer and the end", [a.status for a in found] == [200] and closed and not rest, found)


def until_there(server, path):
    until = time.monotonic() + WAIT_S
    found = talk(server, get(path), answers=1)[0]
    while found[0].status == 404 and time.monotonic() < until:
        time.sleep(0.05)
        found = talk(server, get(path), answers=1)[0]
    return found[0]


def log_files(claims, server):
    """Checkpoint, tiles and bundles: as they are, in part, or not again."""
    key = f"Authorization: Bearer {(server.data / 'admin.key').read_text().strip()}"
    note = until_there(server, "/v1/log/checkpoint")
    claims.claim("the checkpoint is text, and to be asked for again", note.status == 200 and note.headers["content-type"].startswith("text/plain") and note.headers["cache-control"] == "no-cache", note.headers)
    size = int(note.body.split(b"\n")[1])
    for path, cache in (("checkpoint", "no-cache"), (f"tile/0/000.p/{size}", "public, max-age=31536000, immutable"), (f"tile/entries/000.p/{size}", "public, max-age=31536000, immutable")):
        path = f"/v1/log/{path}"
        whole = talk(server, get(path), answers=1)[0][0]
        etag = whole.headers.get("etag", "")
        claims.claim(f"{path}: whole", whole.status == 200 and whole.headers["cache-control"] == cache and len(whole.body) > 100 and whole.body == (server.data / path.removeprefix("/v1/")).read_bytes(), whole.headers)
        found, rest, _ = talk(server, get(path, method="HEAD") + GOOD, answers=2, heads=(0,))
        claims.claim(f"{path}: HEAD gets the head alone", [a.status for a in found] == [200, 200] and found[0].headers["content-length"] == str(len(whole.body)) and not rest, found)
        found, rest, _ = talk(server, get(path, f"If-None-Match: {etag}") + GOOD, answers=2)
        claims.claim(f"{path}: who has it gets 304", [a.status for a in found] == [304, 200] and not found[0].body and not rest, found)
        found = talk(server, get(path, "Range: bytes=10-19", f"If-Range: {etag}") + get(path, "Range: bytes=10-19", 'If-Range: "other"') + get(path, "Range: bytes=99999-"), answers=3)[0]
        claims.claim(f"{path}: ranges", [a.status for a in found] == [206, 200, 416] and found[0].body == whole.body[10:20] and found[1].body == whole.body, found)
    for text, body, status in (("the checkpoint itself", note.body, 200), ("no checkpoint", b"nonsense", 400), ("one byte of it changed", note.body.replace(b"\n", b"\n1", 1), 403)):
        found = talk(server, post(key, f"Content-Length: {len(body)}", body=body, path="/api/v1/log/cosignatures"), answers=1)[0]
        claims.claim(f"as cosignatures, {text}: {status}", found[0].status == status, found[0].body)
    found = talk(server, post(key, "Content-Length: 200000", path="/api/v1/log/cosignatures"), answers=1)[0]
    claims.claim("as cosignatures, too much: 413", found[0].status == 413, found[0].body)


def cut_short(claims, server):
    for text, bytes_ in (("in the head", GOOD[:20]), ("in the body", post("Content-Length: 100", body=b"{\"a\"")),
                         ("in a chunk", post(CHUNKED, body=b"50\r\n{")), ("between chunks", post(CHUNKED, body=b"2\r\n{}\r\n"))):
        for how in ("closed", "half closed", "reset"):
            connection = server.tls()
            connection.sendall(bytes_)
            if how == "half closed":
                connection.shutdown(socket.SHUT_WR)
                found = receive(connection)[0]
            if how == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()
            claims.claim(f"a client that is {how} {text} gets no success, and harms nobody",
                         server.is_well() and (how != "half closed" or not [a for a in found if a.status < 400]))
    for text, alpn in (("http/1.1", ["http/1.1"]), ("either", ["h2", "http/1.1"])):
        with server.tls(alpn=alpn) as connection:
            claims.claim(f"a client that speaks {text} gets HTTP/1.1", connection.selected_alpn_protocol() == "http/1.1")


def other_protocols(claims, server):
    def raw(bytes_):
        with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as connection:
            connection.sendall(bytes_)
            return receive(connection)

    found, _, closed = raw(GOOD)
    claims.claim("HTTP on the HTTPS port is told so", [a.status for a in found] == [400] and b"https://" in found[0].body and closed, found)
    for text, bytes_ in (("nothing that is TLS", b"\xff" * 4096), ("SSH", b"SSH-2.0-OpenSSH_9.2\r\n"), ("a TLS record without sense", b"\x16\x03\x01\x40\x00" + b"\0" * 16384)):
        found, rest, closed = raw(bytes_)
        claims.claim(f"{text} ends", not found and closed and server.is_well(), rest[:60])
    for text, settings in (("HTTP/2 alone", {"alpn": ["h2"]}), ("TLS 1.1", {"maximum_version": ssl.TLSVersion.TLSv1_1, "minimum_version": ssl.TLSVersion.TLSv1})):
        try:
            server.tls(**settings).close()
            holds = False
        except (ssl.SSLError, ConnectionError):
            holds = True
        claims.claim(f"{text} is refused in the handshake", holds and server.is_well())


def large(claims, server):
    """An upload cut short leaves nothing, and a reader who takes his time gets every byte."""
    key = (server.data / "admin.key").read_text().strip()
    content = os.urandom(1 << 20) * 8
    name = hashlib.sha256(content).hexdigest()
    head = get(f"/api/v1/artifacts/{name}", f"Authorization: Bearer {key}", f"Content-Length: {len(content)}", method="PUT")
    connection = server.tls()
    connection.sendall(head + content[: 3 << 20])
    connection.close()
    until = time.monotonic() + WAIT_S
    while [path for path in (server.data / "artifacts").rglob("*") if path.is_file()] and time.monotonic() < until:
        time.sleep(0.05)
    left = [str(path) for path in (server.data / "artifacts").rglob("*") if path.is_file()]
    claims.claim("an upload that is cut short leaves no file", not left and server.is_well(), left)
    found, _, _ = talk(server, head, content[:-1] + bytes([content[-1] ^ 1]), answers=1)
    claims.claim("bytes that are not those of the name are refused", found[0].status == 400 and found[0].is_problem(), found[0].body)
    found, _, _ = talk(server, head, content, answers=1)
    claims.claim("the whole upload is taken", found[0].status in (200, 201, 204), found[0].body)
    with server.tls(receive_bytes=4096) as slow:
        slow.sendall(get(f"/v1/artifacts/{name}"))
        data, wells = slow.recv(1000), 0
        for _ in range(20):
            wells += server.is_well()
            data += slow.recv(1000)
        while data.find(b"\r\n\r\n") < 0 or len(data) - data.find(b"\r\n\r\n") - 4 < len(content):
            more = slow.recv(1 << 20)
            if not more:
                break
            data += more
    claims.claim("a slow reader keeps nobody waiting", wells == 20, wells)
    claims.claim("a slow reader gets every byte", data.split(b"\r\n\r\n", 1)[1] == content, len(data))
    for text, wanted, status in (("a range beyond the end", "bytes=99999999-", 416), ("a range that is none", "bytes=b-a", 200), ("the last byte", "bytes=-1", 206)):
        found, _, _ = talk(server, get(f"/v1/artifacts/{name}", f"Range: {wanted}"), answers=1)
        claims.claim(f"{text}: {status}", found[0].status == status and (status != 206 or found[0].body == content[-1:]), found[0].status)


class Late(threading.Thread):
    """A client that stops in the middle and waits for what the server says."""

    def __init__(self, server, text, bytes_):
        super().__init__(daemon=True)
        self.server, self.text, self.bytes, self.found = server, text, bytes_, ([], b"", False)
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            self.found = talk(self.server, self.bytes)

    def claim(self, claims):
        self.join(2 * WAIT_S)
        answers, rest, closed = self.found
        holds = [a.status for a in answers] == [408] and answers[0].is_problem() and closed and not rest
        claims.claim(f"{self.text}: 408, and the end", holds, [a.status for a in answers])


def requests(claims, build, folder):
    server = Server(build, folder)
    if not claims.claim("the server says where it is ready", server.address and server.address.startswith("https://127.0.0.1:"), server.words()):
        return
    late = [Late(server, "half a head, and then nothing", GOOD[:20]), Late(server, "half a body, and then nothing", post("Content-Length: 100", body=b"{")),
            Late(server, "half a chunk, and then nothing", post(CHUNKED, body=b"50\r\n{"))]
    before = server.children()
    bad_requests(claims, server)
    rhythm(claims, server)
    log_files(claims, server)
    cut_short(claims, server)
    other_protocols(claims, server)
    large(claims, server)
    for one in late:
        one.claim(claims)
    claims.claim("after all that the same processes are at work", len(before) == 4 and server.children() == before and server.is_well(), before)
    claims.claim("and it ends cleanly", server.end() == 0 and server.events("stopped") and not server.events("failed"), server.words()[-400:])


# ---- processes ----

def refused(claims, text, server, code, *says):
    """It never was ready, ended with `code`, and its words hold each of `says`."""
    got = server.end() if server.address else server.process.wait(WAIT_S)
    words = server.words()
    claims.claim(f"{text}: {code}", not server.address and got == code and all(say in words for say in says) and "Sanitizer" not in words, f"{got} {words[-400:]}")


def is_gone(number):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    return True


def all_gone(numbers):
    until = time.monotonic() + WAIT_S
    while not all(map(is_gone, numbers)) and time.monotonic() < until:
        time.sleep(0.02)
    return all(map(is_gone, numbers))


def in_use(claims, build, folder):
    first = Server(build, folder)
    refused(claims, "a port in use", Server(build, folder, data="other", port=first.port), 75, f"127.0.0.1:{first.port}", "--listen")
    claims.claim("and no folder is made for it", not (folder / "other").exists())
    refused(claims, "a data folder in use", Server(build, folder), 75, str(first.data), str(first.process.pid))
    claims.claim("the first goes on", first.is_well())
    claims.claim("SIGINT ends it cleanly", first.end(signal.SIGINT) == 0 and first.events("stopped"), first.words())
    again = Server(build, folder, port=first.port)
    claims.claim("its port and folder are free again at once", again.address, again.words())
    again.end()


def finishes(claims, build, folder):
    """SIGTERM in the middle of a request: what was begun is finished, nothing new is taken. A service manager tells every process."""
    for who in ("the supervisor", "every process"):
        server = Server(build, folder)
        told = [server.process.pid] if who == "the supervisor" else [*server.children().values(), server.process.pid]
        with server.tls() as idle, server.tls() as busy:
            idle.sendall(GOOD)
            receive(idle, 1)
            busy.sendall(post("Content-Length: 2", "Expect: 100-continue"))
            receive(busy, 1)                                    # 100: it waits for the body
            for number in told:
                os.kill(number, signal.SIGTERM)
            closed = receive(idle)[2]                           # so it has seen the signal
            busy.sendall(b"{]")
            found, _, ended = receive(busy)
        claims.claim(f"SIGTERM to {who}: who idles is closed", closed)
        claims.claim(f"SIGTERM to {who}: what was begun is answered", [a.status for a in found] == [400] and ended, found)
        claims.claim(f"SIGTERM to {who}: then it ends with 0", server.end() == 0 and server.events("stopping") and server.events("stopped"), server.words())


def killed(claims, build, folder):
    for role in ("api", "store", "signer", "deltas", "supervisor"):
        server = Server(build, folder)
        children = server.children()
        victim = server.process.pid if role == "supervisor" else children.get(role)
        if not claims.claim(f"the {role} is there", len(children) == 4 and victim, children):
            server.end()
            continue
        os.kill(victim, signal.SIGKILL)
        code = server.process.wait(WAIT_S)
        if role == "supervisor":
            claims.claim("without its supervisor nobody stays", all_gone(children.values()), children)
        else:
            died = [(event["process"], event["how"]) for event in server.events("child_died")]
            claims.claim(f"kill -9 of the {role}: the server ends with 69 and says who died, not who followed", code == 69 and [who for who, _ in died] == [role], f"{code} {server.words()[-400:]}")
            claims.claim(f"kill -9 of the {role}: nobody else stays", all_gone(children.values()), children)
        server.process.stdout.close()
        again = Server(build, folder, port=server.port or 0)
        claims.claim(f"kill -9 of the {role}: the next start is a good one", again.address and again.is_well(), again.words()[-400:])
        claims.claim(f"kill -9 of the {role}: and it ends cleanly", again.end() == 0)


def wrong_keys(claims, build, folder):
    def keys(name, change):
        online = folder / name
        shutil.copytree(folder / "publisher/online", online)
        change(online)
        return Server(build, folder, data=f"data-{name}", keys=name)

    def bare(at):
        (at / "log.pem").unlink()
        (at / "log.vkey").unlink()

    other = folder / "stranger/online"
    refused(claims, "no keys folder", Server(build, folder, keys="nowhere"), 66, "firebreak init", "nowhere")
    for name in ("timestamp.pem", "director.pem", "release.anchor", "director.anchor", "release.root.json", "director.root.json"):
        refused(claims, f"{name} missing", keys(f"no-{name}", lambda at, name=name: (at / name).unlink()), 66, name)
        refused(claims, f"{name} empty", keys(f"empty-{name}", lambda at, name=name: (at / name).write_bytes(b"")), 65, name)
        refused(claims, f"{name} damaged", keys(f"bad-{name}", lambda at, name=name: (at / name).write_bytes(b"\0nonsense\n")), 65, name)
        refused(claims, f"{name} of another publisher", keys(f"strange-{name}", lambda at, name=name: shutil.copy(other / name, at / name)), 77, name)
    for name, left in (("log.pem", "log.vkey"), ("log.vkey", "log.pem")):
        refused(claims, f"{name} missing", keys(f"no-{name}", lambda at, name=name: (at / name).unlink()), 78, f"{left} is there without {name}")
        refused(claims, f"{name} empty", keys(f"empty-{name}", lambda at, name=name: (at / name).write_bytes(b"")), 65, name)
        refused(claims, f"{name} damaged", keys(f"bad-{name}", lambda at, name=name: (at / name).write_bytes(b"\0nonsense\n")), 65, name)
        refused(claims, f"{name} of another publisher", keys(f"strange-{name}", lambda at, name=name: shutil.copy(other / name, at / name)), 77, name)
    refused(claims, "the folder of another publisher", Server(build, folder, keys="stranger/online"), 78, "--keys")
    claims.claim("no folder is made for wrong keys", not list(folder.glob("data-*")))
    none = keys("logless", bare)
    if b"\nlog " in (folder / "publisher/online/release.anchor").read_bytes():
        refused(claims, "no log, and an anchor that names one", none, 77, "release.anchor names the log")
    else:
        found, _, _ = talk(none, get("/v1/log/checkpoint") + get("/v1/log/tile/0/000"), answers=2)
        claims.claim("without a log its files are not there, and the answer says why", [a.status for a in found] == [404, 404] and all(b"no transparency log" in a.body for a in found), found)
        none.end()
    again = Server(build, folder, data="data-strange-release.anchor")
    claims.claim("the right ones can have it after them", again.address and again.is_well() and again.end() == 0, again.words())


def wrong_data(claims, build, folder):
    def data(name, change):
        shutil.copytree(folder / "data", folder / name)
        change(folder / name)
        return Server(build, folder, data=name)

    def schema(at, step):
        with contextlib.closing(sqlite3.connect(at / "firebreak.db")) as database:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            database.execute(f"PRAGMA user_version = {version + step}")
            database.commit()

    def foreign(at):
        at.mkdir()
        (at / "letters.txt").write_text("dear")
        return Server(build, folder, data=at.name)

    refused(claims, "a data folder of a newer firebreakd", data("newer", lambda at: schema(at, 1)), 78, "newer")
    refused(claims, "a database that is none", data("broken", lambda at: (at / "firebreak.db").write_bytes(b"nonsense" * 4096)), 74, "firebreak.db")
    refused(claims, "the server's secret missing", data("secretless", lambda at: (at / "server.secret").unlink()), 78, "server.secret", "backup")
    refused(claims, "the server's secret damaged", data("damaged", lambda at: (at / "server.secret").write_text("abc\n")), 65, "server.secret", "backup")
    refused(claims, "an admin key that is none", data("keyless", lambda at: (at / "admin.key").write_text("a b\n")), 65, "admin.key")
    refused(claims, "a certificate without its key", data("half", lambda at: (at / "tls/key.pem").unlink()), 65, "key.pem", "No such file")
    refused(claims, "a certificate's key that is none", data("odd", lambda at: (at / "tls/key.pem").write_text("nonsense")), 65, "key.pem")
    refused(claims, "a folder of something else", foreign(folder / "foreign"), 78, "letters.txt", "--data")
    claims.claim("and nothing is left in it", sorted(path.name for path in (folder / "foreign").iterdir()) == ["letters.txt"])
    (folder / "file").write_text("a")
    refused(claims, "a file as data folder", Server(build, folder, data="file"), 66, "file")
    if os.geteuid() == 0:
        print("skipped a data folder that cannot be written: root may write everything")
        return
    closed = folder / "closed"
    shutil.copytree(folder / "data", closed)
    for path in [closed, *closed.rglob("*")]:
        path.chmod(0o500 if path.is_dir() else 0o400)
    refused(claims, "a data folder that cannot be written", Server(build, folder, data="closed"), 78, "closed", "permission denied")
    for path in [closed, *closed.rglob("*")]:
        path.chmod(0o700)


def play(claims, build, folder):
    for name in ("publisher", "stranger"):
        subprocess.run([build / "firebreak", "init", folder / name, "--name", name, "--no-passphrase"], check=True, stdout=subprocess.DEVNULL)
        log_key.make(folder / name / "online")
    for part in (requests, in_use, finishes, killed, wrong_keys, wrong_data):
        print(f"# {part.__name__}", flush=True)
        part(claims, build, folder)


def main():
    if len(sys.argv) != 2 or not pathlib.Path(sys.argv[1], "firebreakd").exists():
        sys.exit(__doc__ + "\nhttp_strict: BUILD_DIR must have firebreakd and firebreak in it")
    warnings.simplefilter("ignore", DeprecationWarning)         # of old TLS, which is what we try
    claims = Claims()
    with tempfile.TemporaryDirectory(prefix="firebreak-http-") as folder:
        try:
            play(claims, pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(folder))
        except (Exception, KeyboardInterrupt) as error:
            claims.claim(f"the run itself: {type(error).__name__}: {error}", False)
            traceback.print_exc()
        finally:
            for process in Server.running:
                if process.poll() is None:
                    process.kill()                              # which takes its other processes along
                    process.wait()
    print(f"{claims.passed} passed, {claims.failed} failed")
    sys.exit(claims.failed > 0)


if __name__ == "__main__":
    main()
