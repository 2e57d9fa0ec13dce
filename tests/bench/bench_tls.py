#!/usr/bin/env python3
"""bench_tls - what a request costs the server when its connection is new, resumed or open already; docs/decisions/004-http.md.

usage: bench_tls.py BUILD_DIR [ROUNDS [REQUESTS]]

One client, one request at a time, GET /healthz of a real firebreakd. Counted is the processor time of all processes of the server
(/proc/PID/schedstat), so a slow client does not show. The ways take turns within a round; prints JSON: for each way the median over
the rounds in microseconds a request and as a ratio to the full TLS 1.3 handshake of the same round.
"""
import json, pathlib, socket, ssl, statistics, subprocess, sys, tempfile

GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
END = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


class Server:
    def __init__(self, build, folder, name, *options):
        self.data = folder / name
        self.process = subprocess.Popen([build / "firebreakd", "--data", self.data, "--keys", folder / "publisher/online", "--listen", "127.0.0.1:0", "--log", "error", *options],
                                        stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline().decode().rsplit(":", 1)[1])
        parent = str(self.process.pid)
        stats = (path for path in pathlib.Path("/proc").glob("[0-9]*/stat"))
        self.all = [parent] + [path.parent.name for path in stats if path.read_text().rsplit(")", 1)[1].split()[1] == parent]

    def busy_us(self):
        return sum(int(pathlib.Path("/proc", number, "schedstat").read_text().split()[0]) for number in self.all) / 1000

    def connect(self, context=None, session=None):
        raw = socket.create_connection(("127.0.0.1", self.port), 60)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return context.wrap_socket(raw, server_hostname="localhost", session=session) if context else raw

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


def ask(connection, request=GET):
    connection.sendall(request)
    answer = b""
    while not answer.endswith(b"\r\n\r\nok\n"):
        more = connection.recv(4096)
        if not more:
            sys.exit(f"bench_tls: unexpected answer {answer!r}")
        answer += more


def client(server, version):
    context = ssl.create_default_context(cafile=server.data / "tls/cert.pem")
    context.minimum_version = context.maximum_version = version
    return context


def kept(server, context, count):
    with server.connect(context) as connection:
        ask(connection)
        before = server.busy_us()
        for _ in range(count):
            ask(connection)
        return (server.busy_us() - before) / count


def fresh(server, context, count, resumes=False):
    """A connection for each request; `resumes`: with the newest ticket, and every one of them must have been taken."""
    session = None
    if resumes:
        with server.connect(context) as first:
            ask(first)
            session = first.session
    before = server.busy_us()
    for _ in range(count):
        with server.connect(context, session) as connection:
            ask(connection, END)
            if resumes and not connection.session_reused:
                sys.exit("bench_tls: a ticket was not taken")
            if resumes:
                session = connection.session
            while connection.recv(4096):
                pass
    return (server.busy_us() - before) / count


def main():
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[1]).resolve()
    rounds, count = [int(word) for word in sys.argv[2:]] + [5, 600][len(sys.argv) - 2:]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([build / "firebreak", "init", folder / "publisher", "--name", "bench", "--no-passphrase"], check=True, stdout=subprocess.DEVNULL)
        secure, plain = Server(build, folder, "secure"), Server(build, folder, "plain", "--plain")
        new, old = client(secure, TLS13), client(secure, TLS12)
        ways = {
            "TLS 1.3, full handshake": lambda: fresh(secure, new, count), "TLS 1.3, resumed": lambda: fresh(secure, new, count, True),
            "TLS 1.2, full handshake": lambda: fresh(secure, old, count), "TLS 1.2, resumed": lambda: fresh(secure, old, count, True),
            "no TLS, new connection": lambda: fresh(plain, None, count),
            "TLS 1.3, open connection": lambda: kept(secure, new, 4 * count), "no TLS, open connection": lambda: kept(plain, None, 4 * count),
        }
        found = {way: [] for way in ways}
        for _ in range(rounds):
            for way, measure in ways.items():
                found[way].append(measure())
        secure.stop()
        plain.stop()
    base = found["TLS 1.3, full handshake"]
    print(json.dumps({way: {"us": round(statistics.median(us), 1), "ratio": round(statistics.median(a / b for a, b in zip(us, base)), 3),
                            "ratio_least": round(min(a / b for a, b in zip(us, base)), 3), "ratio_most": round(max(a / b for a, b in zip(us, base)), 3)}
                      for way, us in found.items()}, indent=1))


if __name__ == "__main__":
    main()
