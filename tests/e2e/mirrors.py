#!/usr/bin/env python3
"""mirrors - a device that fetches from mirrors, of which some are closed, slow, broken or false: a real server, a real agent, mirrors made here.

usage: mirrors.py --build DIR [--keep]

What comes from the server goes through a relay that counts bytes; what comes from mirrors they count themselves. Ends with `N passed, N failed`, and 1 when
any failed.
"""
import argparse, contextlib, json, pathlib, random, shutil, signal, socket, ssl, sys, threading, time

from claims import Claims
from delta import Relayed
from device_hostile import tree
from fleet import Fleet, free_port

FILES, FILE_BYTES = 6, 120_000
TALK_BYTES = 64 << 10                     # metadata, lease, reports and their TLS, of one release
WIRE = 1.15
PART_RATE = 100_000                       # bytes a second, where parts are asked for: of a file of 720,000 at least two
SPECS = ("release.yaml", "dossier.yaml")


class Mirror:
    """Listens; what it does with a request is `behave(mirror, connection, path, first)`, where `first` is the byte from which on it is asked, or None."""

    def __init__(self, store, behave, tls=None):
        self.store, self.behave, self.tls, self.asked, self.heads, self.sent, self.ends = store, behave, tls, [], [], 0, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.listener.getsockname()[1]}/some/cache"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.ends:
            with contextlib.suppress(OSError):
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError, ValueError), connection:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            while head := self.head(connection):
                lines = head.decode().split("\r\n")
                path = lines[0].split(" ")[1]
                wanted = next((line.split("=")[1] for line in lines if line.lower().startswith("range:")), None)
                self.asked.append(path)
                self.heads.append(head)
                if not self.behave(self, connection, path, wanted):
                    return

    @staticmethod
    def head(connection):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            data = connection.recv(1)
            if not data:
                return b""
            head += data
        return head

    def truth(self, path):
        digest = path.rpartition("/")[2]
        file = self.store / digest[:2] / digest
        return file.read_bytes() if path.startswith("/some/cache/v1/artifacts/") and file.is_file() else None

    def send(self, connection, status, body, headers="", length=None):
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body) if length is None else length}\r\n{headers}\r\n".encode() + body)
        self.sent += len(body)
        return True

    def close(self):
        self.ends = True
        self.listener.close()


def span(wanted, size):
    first, _, last = wanted.partition("-")
    return int(first), min(int(last) if last else size - 1, size - 1)


def partial(mirror, connection, body, wanted):
    if not wanted:
        return mirror.send(connection, "200 OK", body)
    first, last = span(wanted, len(body))
    if first >= len(body):
        return mirror.send(connection, "416 Range Not Satisfiable", b"", f"Content-Range: bytes */{len(body)}\r\n")
    return mirror.send(connection, "206 Partial Content", body[first:last + 1], f"Content-Range: bytes {first}-{last}/{len(body)}\r\n")


def good(mirror, connection, path, wanted):
    body = mirror.truth(path)
    return mirror.send(connection, "404 Not Found", b"") if body is None else partial(mirror, connection, body, wanted)


def without_ranges(mirror, connection, path, wanted):
    return mirror.send(connection, "200 OK", mirror.truth(path))


def empty_handed(mirror, connection, path, wanted):
    return mirror.send(connection, "404 Not Found", b"")


def broken(mirror, connection, path, wanted):
    return mirror.send(connection, "500 Internal Server Error", b"oops")


def empty(mirror, connection, path, wanted):
    return mirror.send(connection, "200 OK", b"")


def page(mirror, connection, path, wanted):
    return mirror.send(connection, "200 OK", b"<html>please log in</html>", "Content-Type: text/html\r\n")


def short(mirror, connection, path, wanted):
    body = mirror.truth(path)
    mirror.send(connection, "200 OK", body[:len(body) // 2], length=len(body))
    return False


def false(mirror, connection, path, wanted):
    return partial(mirror, connection, bytes(byte ^ 1 for byte in mirror.truth(path)), wanted)


def too_long(mirror, connection, path, wanted):
    return mirror.send(connection, "200 OK", mirror.truth(path) + b"x" * 100_000)


def endless(mirror, connection, path, wanted):
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)
        mirror.sent += 65536


def mute(mirror, connection, path, wanted):
    while not mirror.ends:
        time.sleep(0.2)


def dripping(mirror, connection, path, wanted):
    body = mirror.truth(path)
    connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode())
    for byte in body:
        connection.sendall(bytes([byte]))
        mirror.sent += 1
        time.sleep(0.1)


def other_protocol(mirror, connection, path, wanted):
    connection.sendall(b"220 mail.example ESMTP\r\n")


def false_in_the_end(mirror, connection, path, wanted):
    """The first half is right, and then it breaks off; who goes on gets another half."""
    body = mirror.truth(path)
    first = span(wanted, len(body))[0] if wanted else 0
    if not first:
        return short(mirror, connection, path, wanted)
    return partial(mirror, connection, body[:first] + bytes(byte ^ 1 for byte in body[first:]), wanted)


def elsewhere(mirror, connection, path, wanted):
    """Its bytes are right, but they are not those that were asked for."""
    body = mirror.truth(path)
    first = span(wanted, len(body))[0] if wanted else 0
    return mirror.send(connection, "206 Partial Content", body[:len(body) - first], f"Content-Range: bytes {first}-{len(body) - 1}/{len(body)}\r\n")


# What it is called, what it does, how it has to be named in `status`, how often it may be asked at most (each file once, until it is put aside).
FAILED, WRONG, NEITHER = "failures", "wrong", None
LIARS = (
    ("answers 404", empty_handed, FAILED, 4), ("answers 500", broken, FAILED, 1), ("has empty files", empty, FAILED, 1), ("shows a page to log in", page, FAILED, 1),
    ("breaks off", short, FAILED, 1), ("gives other bytes", false, WRONG, 1), ("gives more bytes", too_long, FAILED, 1), ("gives bytes without end", endless, FAILED, 1),
    ("says nothing", mute, FAILED, 1), ("gives a byte now and then", dripping, FAILED, 1), ("speaks another protocol", other_protocol, FAILED, 1),
    ("gives a wrong end", false_in_the_end, FAILED, 2),
)


class Play:
    def __init__(self, claims, fleet, options):
        self.claims, self.fleet, self.dice, self.counter, self.mirrors = claims, fleet, random.Random(29), 0, []
        self.folder = fleet.root / "set"
        fleet.init()
        fleet.start_server()
        self.device = Relayed(fleet, 0)
        fleet.devices.append(self.device)
        self.device.prepare(fleet.ask("token", "new", "--group", "demo", "--uses", 1, "--expires", "1h")["token"])
        self.config = self.device.root / "agent.yaml"
        self.plain = self.config.read_text()
        self.store = fleet.root / "server/artifacts"
        shutil.copytree(pathlib.Path(__file__).resolve().parent.parent.parent / "content/yara/sets/1-good", self.folder)
        (self.folder / "notes").mkdir()

    def ship(self, with_deltas, files=FILES):
        """A release of which nothing is there already; what its files, or its deltas, have in bytes."""
        self.counter += 1
        for i in range(FILES):
            (self.folder / f"notes/{i}.txt").write_text(self.dice.randbytes(FILE_BYTES * FILES // files // 2).hex() if i < files else f"{self.counter} {i}\n")
        spec = self.folder / "release.yaml"
        spec.write_text("".join(line for line in spec.read_text().splitlines(True) if not line.startswith(("version:", "counter:"))) + f"version: {self.counter}\ncounter: {self.counter}\n")
        known = set(self.store.glob("*/[0-9a-f]*.delta"))
        self.fleet.ship(self.folder, self.counter, start=False)
        made = lambda: set(self.store.glob("*/[0-9a-f]*.delta")) - known
        self.fleet.wait(lambda: len(made()) > min(3, self.counter - 1), 180, "the deltas to be made")
        for path in made():
            if not with_deltas:
                path.unlink()
        self.fleet.start_rollout(self.counter)
        return FILES * FILE_BYTES // (2 if with_deltas else 1)

    def stand_up(self, *behaviours, config="", tls=None):
        """The device starts anew, with these mirrors and no memory of others."""
        self.device.stop()
        for mirror in self.mirrors:
            mirror.close()
        self.mirrors = [Mirror(self.store, behave, tls) for behave in behaviours]
        urls = ", ".join(mirror.url for mirror in self.mirrors)
        self.config.write_text((f"mirrors: [{urls}]\n" if urls else "") + config + self.plain)
        self.device.start()
        return self.mirrors

    def sources(self):
        said = json.loads(self.fleet.run(self.fleet.build / "firebreak-agent", "status", "--config", self.config, "--json").stdout)
        return said["fetched"]["from"]

    def play(self, what, with_deltas=False, files=FILES):
        """Bytes of the release, and on the wire from the server."""
        before, size = self.device.relay.received, self.ship(with_deltas, files)
        self.fleet.wait(lambda: self.device.runs(self.counter), 120, f"release {self.counter} to be proven:\n{self.device.log()[-2000:]}")
        whole = {name: data for name, data in tree(self.folder).items() if name not in SPECS}
        self.claims.claim(f"{what}: release {self.counter} runs as it was signed, and is not blamed", tree(self.device.slot("current")) == whole and not self.device.stream()["given_up"])
        return size, self.device.relay.received - before

    def lacking(self):
        for with_deltas in (False, True):
            mirror, = self.stand_up(good)
            what = "a mirror, deltas" if with_deltas else "a mirror, files"
            size, sent = self.play(what, with_deltas)
            server, named = self.sources()
            self.claims.claim(f"{what}: {mirror.sent:,} bytes from the mirror, {sent:,} from the server", mirror.sent >= size and sent <= TALK_BYTES)
            self.claims.claim(f"{what}: status says so: {named['bytes']:,} bytes", named["source"] == mirror.url and named["bytes"] == mirror.sent and not named["failures"] and not named["wrong"])
            self.claims.claim(f"{what}: it is asked for content, and told nothing else", all("/v1/artifacts/" in path for path in mirror.asked) and not any(b"firebreak-" in head.lower().replace(b"firebreak-agent/", b"") for head in mirror.heads))

    def reason(self, mirror):
        """What the log says of why it was put aside."""
        return next((line.partition(f'what="{mirror.url}: ')[2].partition("; not asked")[0] for line in self.device.log().splitlines() if f'what="{mirror.url}: ' in line), "")

    def lying(self):
        for what, behave, named_as, most in LIARS:
            liar, honest = self.stand_up(behave, good)
            what = f"one that {what}"
            size, sent = self.play(what)
            named = self.sources()[1]
            # Of a file that is wrong nothing is asked of another mirror.
            once = FILE_BYTES * WIRE if named["wrong"] else 0
            self.claims.claim(f"{what}: the rest comes from the next, {honest.sent:,} bytes, and {sent:,} from the server", honest.sent >= size - FILE_BYTES - once and sent <= TALK_BYTES + once)
            self.claims.claim(f"{what}: it is asked {len(liar.asked)} times and named: {json.dumps(named)}", len(liar.asked) <= most and named[named_as] >= 1 and named["aside_until"])
            said = self.reason(liar)
            self.claims.claim(f"{what}: the log says so: {said}", said.startswith("other bytes" if named_as is WRONG else "failed: ") and said != "failed: ")

    def alone(self):
        """No mirror is left: what the server has comes from it, each file once."""
        for what, behave in (("a false mirror", false), ("a mirror that breaks off", short), ("a closed mirror", None)):
            liar, = self.stand_up(behave or good)
            if not behave:
                liar.close()
                self.config.write_text(self.config.read_text().replace(liar.url, f"http://127.0.0.1:{free_port()}"))
                self.device.stop()
                self.device.start()
            what = f"{what} alone"
            size, sent = self.play(what)
            self.claims.claim(f"{what}: {sent:,} bytes from the server for {size:,}", size - FILE_BYTES <= sent <= WIRE * size + TALK_BYTES)

    def in_parts(self):
        """The owner's limit holds for mirrors, too; what is cut goes on where it was."""
        for what, behave in (("in parts", good), ("a mirror without ranges, in parts", without_ranges), ("one that gives other parts than were asked for", elsewhere)):
            mirror, = self.stand_up(behave, config=f"bandwidth: {{bytes_per_s: {PART_RATE}}}\n")
            began = time.monotonic()
            size, sent = self.play(what, files=1)
            seconds, came = time.monotonic() - began, mirror.sent + sent
            self.claims.claim(f"{what}: {mirror.sent:,} bytes from the mirror and {sent:,} from the server in {seconds:.1f} s", came <= WIRE * (PART_RATE * (seconds + 4)) + TALK_BYTES)
            self.claims.claim(f"{what}: nothing comes twice", behave is elsewhere or came <= WIRE * size + TALK_BYTES)
            self.claims.claim(f"{what}: the server is asked only for what the mirror does not bring", behave is elsewhere or sent <= TALK_BYTES)

    def with_tls(self):
        tls, other = ({name: self.fleet.root / f"{who}.{name}" for name in ("key", "pem")} for who in ("cache", "stranger"))
        for who in (tls, other):
            self.fleet.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=cache", "-addext", "subjectAltName=IP:127.0.0.1",
                           "-keyout", who["key"], "-out", who["pem"])
        for what, who in (("over TLS, by its own CA", tls), ("over TLS, by another CA", other)):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(who["pem"], who["key"])
            mirror, = self.stand_up(good, tls=context, config=f"mirrors_ca: {tls['pem']}\n")
            size, sent = self.play(what)
            self.claims.claim(f"{what}: {mirror.sent:,} bytes from the mirror, {sent:,} from the server", (mirror.sent >= size and sent <= TALK_BYTES) if who is tls else (not mirror.sent and sent >= size))
            self.claims.claim(f"{what}: the log says why: {self.reason(mirror)}", not self.reason(mirror) if who is tls else "certificate" in self.reason(mirror))

        for what, context in (("over TLS, by a CA that is gone", context), ("without TLS, beside a CA that is gone", None)):
            mirror, = self.stand_up(good, tls=context, config="mirrors_ca: /no/such.pem\n")
            size, sent = self.play(what)
            self.claims.claim(f"{what}: {mirror.sent:,} bytes from the mirror, {sent:,} from the server", (not mirror.sent and sent >= size) if context else (mirror.sent >= size and sent <= TALK_BYTES))
            self.claims.claim(f"{what}: the log says why: {self.reason(mirror)}", "/no/such.pem" in self.reason(mirror) if context else not self.reason(mirror))

    def refused(self):
        bad = (("mirrors: [ftp://x]", "https://host:port/path"), ("mirrors: [https://u:p@x]", "no user"), ("mirrors: [https://x/]", "without a / at its end"), ("mirrors: [https://x?y]", "no question"),
               ("mirrors: [https://x, https://x]", "twice"), ("mirrors: []", "mirrors"), ("mirrors: [https://a, https://b, https://c, https://d, https://e]", "mirrors"), ("mirrors_ca: /x", "without mirrors"),
               ("mirrors: [https://]", "https://host:port/path"), ("mirrors: [https://cache:84433]", "no port of 1 to 65535"), ("mirrors: ['https://[::1']", "no host"))
        for line, phrase in bad:
            self.config.write_text(f"{line}\n{self.plain}")
            said = self.fleet.run(self.fleet.build / "firebreak-agent", "check", "--config", self.config, ok=range(1, 256)).stderr
            self.claims.claim(f"{line} is refused: {said.strip().removeprefix('firebreak-agent: ')}", phrase in said)
        self.config.write_text(self.plain)
        for path, said in ((self.fleet.ca, "well"), ("/no/such.pem", "No such file or directory"), ("/dev/null", "/dev/null is no file"), (self.config, "holds no certificate")):
            self.config.write_text(f"mirrors: [https://x]\nmirrors_ca: {path}\n{self.plain}")
            lines = self.fleet.run(self.fleet.build / "firebreak-agent", "check", "--config", self.config).stdout.splitlines()
            line = next(line for line in lines if line.startswith("mirrors_ca "))
            self.claims.claim(f"check says of mirrors_ca {path.name if path is self.config else path}: {line}", line.endswith(said))
        self.config.write_text(self.plain)


def play(claims, fleet, options):
    one = Play(claims, fleet, options)
    for step in (one.refused, one.lacking, one.lying, one.alone, one.in_parts, one.with_tls):
        step()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
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
