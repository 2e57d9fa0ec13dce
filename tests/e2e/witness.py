#!/usr/bin/env python3
"""witness - three firebreak-witness at work: a log that grows is cosigned, and of one that forks no side gets past 2 of 3 but one.

usage: witness.py --build DIR

What the witnesses are asked was made by tests/interop/log/maker.c with the library; how many cosignatures a checkpoint has is counted by
Go (tests/interop/log/reader.go). They are killed in between, asked by many at once, and sent what is no request. What they may still do
meanwhile is looked up in /proc; one is started on what looks like a kernel without landlock.
"""
import argparse, concurrent.futures, ctypes, errno, hashlib, http.client, pathlib, re, shutil, signal, struct, subprocess, sys, time

from claims import Claims
from log_interop import build_go, run

ORIGIN = "log.example.com/fleet"
CREATE_RULESET = 444                     # landlock's first system call, on every architecture


def without_landlock():
    """In a child that is to become a witness: its kernel has never heard of landlock."""
    steps = [(0x20, 0, 0, 0), (0x15, 0, 1, CREATE_RULESET), (0x06, 0, 0, 0x50000 | errno.ENOSYS), (0x06, 0, 0, 0x7FFF0000)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    libc = ctypes.CDLL(None, use_errno=True)
    program = ctypes.create_string_buffer(struct.pack("HP", len(steps), ctypes.addressof(code)))
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):       # no new privileges; a filter of system calls
        raise OSError(ctypes.get_errno(), "prctl")


def has_landlock():
    return ctypes.CDLL(None).syscall(CREATE_RULESET, None, 0, 1) > 0


def status(process):
    found = re.findall(r"^(CapEff|CapPrm|NoNewPrivs|Seccomp|Seccomp_filters):\s*(\w+)$", pathlib.Path(f"/proc/{process}/status").read_text(), flags=re.M)
    return {name: int(value, 16) for name, value in found}


class Witness:
    def __init__(self, build, made, root, number):
        self.made, self.number, self.state = made, number, root / f"state-{number}"
        self.program, self.log, self.process = build / "firebreak-witness", root / f"witness-{number}.log", None
        self.is_watched = b"__asan_init" in self.program.read_bytes()     # the sanitizers need what a filter takes away: see platform/confine.c
        self.words = ["--key", made / f"w{number}.pem", "--name", f"witness.example.com/w{number}"]

    def start(self, prepare=None):
        words = [*self.words, "--state", self.state, "--log", (self.made / "log.vkey").read_text().strip(), "--listen", "127.0.0.1:0"]
        before = self.log.stat().st_size if self.log.exists() else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.program, *map(str, words)], stdin=subprocess.DEVNULL, stderr=log, preexec_fn=prepare)
        for _ in range(500):
            found = re.search(r'event=started .*listen="?127\.0\.0\.1:(\d+)', self.log.read_text()[before:])
            if found:
                self.port = int(found[1])
                return
            time.sleep(0.02)
        raise RuntimeError(f"witness {self.number} does not start: {self.log.read_text()}")

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(timeout=10)

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.getheader("Content-Type")

    def add(self, body):
        return self.ask("POST", "/add-checkpoint", body)

    def last(self):
        return self.ask("GET", f"/{hashlib.sha256(ORIGIN.encode()).hexdigest()}/checkpoint")

    def is_confined(self, filters=1):
        """No capability, none to be gained, and so many filters of system calls more than we have."""
        found = status(self.process.pid)
        is_limited = found["Seccomp"] == 2 and found["Seccomp_filters"] - status("self")["Seccomp_filters"] == filters
        return found["CapEff"] == found["CapPrm"] == 0 and found["NoNewPrivs"] == 1 and (is_limited or self.is_watched)

    def says_unconfined(self):
        return "event=unconfined" in self.log.read_text()


def play_list(claims, made, witnesses):
    """What the library decided is what the programs answer; collects the cosignatures of each side."""
    notes = {}
    for line in (made / "requests/list").read_text().splitlines():
        number, witness, status, side = line.split()
        request = (made / "requests" / number).read_bytes()
        got, body, kind = witnesses[int(witness) - 1].add(request)
        size = re.search(rb"\n\n[^\n]+\n(\d+)\n", request)[1].decode()
        claims.claim(f"request {number}: witness {witness} answers {status} to {side} of {size}", got == int(status))
        note = notes.setdefault((side, size), request.split(b"\n\n", 1)[1])
        if got == 200:
            notes[side, size] = note + body
    return notes


def count(made, reader, note):
    (made / "counted").write_bytes(note)
    return run(reader, made, "counted").stdout.strip()


def ask_again(claims, made, witnesses):
    """Nothing that was refused is granted after a crash, and nothing is forgotten."""
    for line in (made / "requests/list").read_text().splitlines():
        number, witness, status, side = line.split()
        if status != "200":
            got = witnesses[int(witness) - 1].add((made / "requests" / number).read_bytes())[0]
            claims.claim(f"request {number} again, after kill -9: {status}", got == int(status))
    for witness, size in zip(witnesses, (1000, 1000, 1200)):
        status, body, kind = witness.last()
        claims.claim(f"witness {witness.number} shows what it cosigned last, {size}", status == 200 and body.startswith(f"{ORIGIN}\n{size}\n".encode()) and body.count(b"\n\xe2\x80\x94 ") == 2)
        status, body, kind = witness.add((made / "requests/1").read_bytes())
        claims.claim(f"witness {witness.number} tells its size", (status, body, kind) == (409, b"%d\n" % size, "text/x.tlog.size"))


def crowd(claims, build, made, root):
    """Many ask at once from nothing: one is first, and all others learn of it."""
    witness = Witness(build, made, root, 1)
    witness.state = root / "state-crowd"
    witness.start()
    request = (made / "requests/1").read_bytes()
    claims.claim("a witness that has cosigned nothing shows nothing", witness.last()[0] == 404)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = sorted(answer[:2] for answer in pool.map(lambda _: witness.add(request), range(60)))
    claims.claim("of 60 who ask at once one is cosigned, 59 are told the size", [a[0] for a in answers] == [200] + [409] * 59 and {a[1] for a in answers[1:]} == {b"600\n"})
    again = subprocess.run([witness.program, *map(str, witness.words), "--state", witness.state, "--log", (made / "log.vkey").read_text().strip(), "--listen", "127.0.0.1:0"],
                           text=True, stderr=subprocess.PIPE, timeout=20)
    claims.claim("a second one with the same state does not start", again.returncode == 75)
    claims.claim("told to end, it ends well", witness.stop() == 0)


def open_kernel(claims, build, made, root):
    """What the kernel does not give is said, and the rest is taken."""
    witness = Witness(build, made, root, 1)
    witness.state, witness.log = root / "state-open", root / "witness-open.log"
    witness.start(without_landlock)
    claims.claim("without landlock a witness says that it is not confined", witness.says_unconfined() or witness.is_watched)
    claims.claim("without landlock its system calls are limited all the same", witness.is_confined(2))
    claims.claim("without landlock it cosigns", witness.add((made / "requests/1").read_bytes())[0] == 200)
    claims.claim("without landlock it ends well", witness.stop() == 0)


def odd_requests(claims, made, witness):
    request = (made / "requests/1").read_bytes()
    digit = re.search(rb"\n600\n(.)", request).start(1)
    forged = request[:digit] + (b"A" if request[digit:digit + 1] != b"A" else b"B") + request[digit + 1:]
    longer = {"Content-Length": str(10 << 20)}
    cases = (("an empty body", 400, ("POST", "/add-checkpoint", b"")), ("no request", 400, ("POST", "/add-checkpoint", b"hello\n")), ("a cut one", 400, ("POST", "/add-checkpoint", request[:-1])),
             ("another root", 403, ("POST", "/add-checkpoint", forged)), ("another log", 404, ("POST", "/add-checkpoint", request.replace(b"\n\nlog.", b"\n\ngol."))),
             ("GET", 405, ("GET", "/add-checkpoint")), ("another path", 404, ("GET", "/")), ("a path that leads out", 404, ("GET", "/../../etc/passwd")), ("another hash", 404, ("GET", f"/{'0' * 64}/checkpoint")),
             ("the lock", 404, ("GET", "/lock")), ("a body too large", 413, ("POST", "/add-checkpoint", b"x", longer)))
    for what, status, words in cases:
        got = witness.ask(*words)[0]
        claims.claim(f"{what}: {status}", got == status)


def play(claims, build, made, root, reader):
    witnesses = [Witness(build, made, root, number) for number in (1, 2, 3)]
    keys = [run(witness.program, *witness.words, "--show-key").stdout.strip() for witness in witnesses]
    claims.claim("--show-key prints the verifier keys", keys == (made / "witness.vkeys").read_text().split())
    try:
        for witness in witnesses:
            witness.start()
        notes = play_list(claims, made, witnesses)
        claims.claim("all three cosigned the log of 600", count(made, reader, notes["one", "600"]) == "3")
        claims.claim("one side of the fork has 2 of 3", count(made, reader, notes["one", "1000"]) == "2")
        claims.claim("the other side has 1 of 3", count(made, reader, notes["other", "1200"]) == "1")
        for witness in witnesses:
            witness.stop(signal.SIGKILL)
            witness.start()
        ask_again(claims, made, witnesses)
        odd_requests(claims, made, witnesses[0])
        claims.claim("each has done all this with no right but its folder", all(witness.is_confined() for witness in witnesses))
        claims.claim("none says that it is not confined, where the kernel has landlock", not any(witness.says_unconfined() for witness in witnesses) or not has_landlock())
        claims.claim("each ends well", [witness.stop() for witness in witnesses] == [0, 0, 0])
    finally:
        for witness in witnesses:
            if witness.process and witness.process.poll() is None:
                witness.process.kill()
    crowd(claims, build, made, root)
    open_kernel(claims, build, made, root)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True, type=pathlib.Path)
    build = options.parse_args().build.resolve()
    claims = Claims()
    root = build / "witness-e2e"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    built, made = build_go(root, "reader"), run(build / "tests/log/log_maker", root / "made", 300)
    if claims.claim(f"what the witnesses are asked is made {built.stderr}{made.stderr}", built.returncode == 0 and made.returncode == 0):
        try:
            play(claims, build, root / "made", root, root / "go-reader")
        except Exception as error:
            claims.abort(f"{type(error).__name__}: {error}")
    code = claims.finish()
    if not code:
        shutil.rmtree(root)
    return code


if __name__ == "__main__":
    sys.exit(main())
