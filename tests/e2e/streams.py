#!/usr/bin/env python3
"""streams - the ready streams of content/streams with the real programs: yara, clamd, nft, a service and plain files.

usage: streams.py --build DIR [--keep]

Five devices, each with one of the blocks as it is installed, but for paths, ports and the stream's name. Release 1 is good; 2 does not load, each in its own
way, and is stopped in preflight; 3 loads and does harm: a rule without end, a signature that kills clamd when it matches, an error page, a service
that dies, and rules of the firewall that drop everything; 4 is good again. Then firebreak-nft alone, with whoever takes part killed or stopped.

Everything runs in a network of its own; the device with the firewall in another one, joined to it by a pair of veth. What stands for systemd is
standin_systemd.py; nginx is a server of a few lines. No database of ClamAV is fetched: it has two signatures of ours.
"""
import argparse, contextlib, http.server, os, pathlib, random, shutil, signal, socket, subprocess, sys, threading, time

HERE = pathlib.Path(__file__).resolve()
BLOCKS = HERE.parent.parent.parent / "content/streams"
PROGRAMS = ("yara", "clamd", "clamscan", "clamdscan", "nft", "ip", "nsenter", "unshare")
SERVER, DEVICE, WITHIN_S, SLACK_S = "10.77.0.1", "10.77.0.2", 4, 2.5
CANARY, NEVER = "FIREBREAK-CANARY-7f3a9c51", "FIREBREAK-NEVER-2b61"


def hexed(text):
    return text.encode().hex()


# What each release has for each device.
RULE = 'rule canary {{ strings: $a = "%s" condition: $a }}\n{more}' % CANARY
ENDLESS = 'rule slow { strings: $a = "slow" condition: $a and for all i in (1..4000000000) : (i > 0) }\n'
GOOD_TABLE = "table inet acme {{\n  chain input {{\n    type filter hook input priority 0; policy drop;\n    ct state established,related accept\n    iif lo accept\n    tcp dport {port} accept\n  }}\n}}\n"
DROP_TABLE = "table inet acme {{\n  chain input {{\n    type filter hook input priority 0; policy drop;\n  }}\n  chain output {{\n    type filter hook output priority 0; policy drop;\n  }}\n}}\n"
GOOD, UNFIT, HARM = "good", "unfit", "harm"


def content(folder, kind, version):
    """A folder of content; its rules/ are for the lab."""
    for name in ("plain", "canary", "db", "bin"):
        (folder / name).mkdir(exist_ok=True)
    unfit, harm = kind == UNFIT, kind == HARM
    (folder / "canary/file").write_text(f"{CANARY}\n")
    (folder / "plain/a.rules").write_text("rule broken {" if unfit else RULE.format(more=ENDLESS if harm else ""))
    (folder / "db/a.ndb").write_text("garbage:::\n" if unfit else f"Acme.Canary.{version}:0:*:{hexed(CANARY)}\n")
    if harm:                                                        # loads, and kills clamd when it matches: a name that is no UTF-8
        (folder / "db/b.ndb").write_bytes(b"Acme.\xff\xfe:0:*:" + hexed("root:x:0:0").encode() + b"\n")
    (folder / "site.conf").write_text("nothing\n" if unfit else f"server_name acme; return {500 if harm else 200};\n")
    (folder / "bin/acmed").write_text("import\n" if unfit else f"VERSION, IS_SICK = {version!r}, {harm}\n" + ACMED)
    table = GOOD_TABLE.replace("hook input", "hok input") if unfit else DROP_TABLE if harm else GOOD_TABLE
    (folder / "rules.nft").write_text(table.format(port=21 + int(version)))


ACMED = '''\
import http.server, sys, threading, time
if "--version" in sys.argv:
    sys.exit(print(VERSION))
class Health(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(VERSION.encode())
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Health)
threading.Thread(target=server.serve_forever, daemon=True).start()
time.sleep(0.5 if IS_SICK else 1 << 20)
sys.exit(3)
'''


class Site(http.server.BaseHTTPRequestHandler):
    """In place of nginx: answers with what site.conf says, as it was at the last reload."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.send_response(self.server.status)
        self.end_headers()

    @staticmethod
    def run(port, file):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Site)

        def load(*_):
            with contextlib.suppress(OSError):
                server.status = 500 if "500" in pathlib.Path(file).read_text() else 200

        server.status = 200
        signal.signal(signal.SIGHUP, load)
        load()
        server.serve_forever()


class Network:
    """The device's own network, joined to this one."""

    def __init__(self):
        run("ip", "link", "set", "lo", "up")
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"], stdin=subprocess.DEVNULL)
        ours = os.readlink("/proc/self/ns/net")
        deadline = time.monotonic() + 5
        while os.readlink(f"/proc/{self.holder.pid}/ns/net") == ours and time.monotonic() < deadline:
            time.sleep(0.02)
        self.inside = ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net"]
        run("ip", "link", "add", "fb0", "type", "veth", "peer", "name", "fb1")
        run("ip", "link", "set", "fb1", "netns", str(self.holder.pid))
        run("ip", "address", "add", f"{SERVER}/24", "dev", "fb0")
        run("ip", "link", "set", "fb0", "up")
        for words in (("address", "add", f"{DEVICE}/24", "dev", "fb1"), ("link", "set", "fb1", "up"), ("link", "set", "lo", "up")):
            run(*self.inside, "ip", *words)

    def close(self):
        self.holder.kill()
        self.holder.wait()

    def rules(self):
        return run(*self.inside, "nft", "list", "ruleset").stdout

    def reaches(self, port):
        return subprocess.run([*self.inside, sys.executable, "-S", "-c", f"import socket; socket.create_connection(('{SERVER}', {port}), 0.3)"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def run(*words, ok=(0,)):
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    if done.returncode not in ok:
        raise SystemExit(f"{' '.join(map(str, words))}: exit {done.returncode}: {done.stdout}\n0 passed, 1 failed")
    return done


def block(device, name, places):
    """The ready stream, for this device: only paths, ports and the name differ."""
    text = (BLOCKS / f"{name}.yaml").read_text()
    stream = next(line.split()[-1] for line in text.splitlines() if line.startswith("  - name:"))
    text = text.replace(f"  - name: {stream}\n", "  - name: edr-rules\n").replace(f"/var/lib/firebreak/streams/{stream}", str(device.root / "state/streams/edr-rules"))
    for old, new in {"/usr/local/bin": str(device.fleet.build), "/etc/firebreak/ca.pem": str(device.fleet.ca), **places}.items():
        if old not in text and not old.startswith("/"):
            raise SystemExit(f"{name}.yaml has no {old}\n0 passed, 1 failed")
        text = text.replace(old, new)
    return "\n".join("    probe_every_ms: 300" if line.startswith("    probe_every_ms:") else line for line in text.splitlines()) + "\n"


def prepare(fleet, systemd, network, Device, free_port):
    site, health = free_port(), free_port()
    conf = fleet.root / "clamd.conf"
    watched = fleet.root / "watched"
    watched.mkdir()
    (watched / "sample").write_text("slow\n")
    wraps = {"clamdscan": f'#!/bin/sh\nexec {shutil.which("clamdscan")} --config-file={conf} "$@"\n', "nginx": "#!/bin/sh\nexit 0\n"}
    for name, script in wraps.items():
        (systemd.bin / name).write_text(script)
        (systemd.bin / name).chmod(0o755)
    cases = {
        "yara": {"/rules/*.yar": "/plain/*.rules", "/srv": str(watched), "sleep 300": "sleep 1"},
        "clamav": {},
        "files": {"http://127.0.0.1/": f"http://127.0.0.1:{site}/"},
        "service": {'/lib64/ld-linux-x86-64.so.2, "{candidate}/bin/acmed"': f'{sys.executable}, "{{candidate}}/bin/acmed"', "127.0.0.1:8080": f"127.0.0.1:{health}"},
        "nftables": {"https://firebreak.example:8443/": f"{fleet.url}/", '--within, "10"': f'--within, "{WITHIN_S}", --state, {fleet.root}/nft'},
    }
    token = fleet.ask("token", "new", "--group", "demo", "--uses", len(cases), "--expires", "1h")["token"]
    for number, (name, places) in enumerate(cases.items()):
        device = Device(fleet, number)
        device.case = name
        fleet.devices.append(device)
        device.prepare(token)
        config = device.root / "agent.yaml"
        head = config.read_text().split("streams:\n")[0].replace("poll_ms_max: 2000", "poll_ms_max: 500")
        config.write_text(f"{head}streams:\n{block(device, name, places)}")
        current = device.root / "state/streams/edr-rules/current"
        if name == "clamav":                     # it needs a database to start with: what the package of the system brings, here one signature
            factory = fleet.root / "clamav-factory"
            (factory / "db").mkdir(parents=True)
            (factory / "db/a.ndb").write_text(f"Acme.Never:0:*:{hexed(NEVER)}\n")
            config.write_text(config.read_text().replace("    engine:\n", f"    factory: {factory}\n    engine:\n", 1))
            conf.write_text(f"DatabaseDirectory {current}/db\nLocalSocket {fleet.root}/clamd.sock\nForeground yes\nSelfCheck 0\n")
            systemd.add("clamav-daemon.service", ["sh", "-c", f"while ! test -e {current}/db; do sleep 0.1; done; exec clamd -c {conf}"], signal.SIGUSR2)
        elif name == "files":
            systemd.add("nginx.service", [sys.executable, "-S", HERE, "site", str(site), current / "site.conf"])
        elif name == "service":
            systemd.add("acmed.service", ["sh", "-c", f"test -e {current}/bin/acmed || exec sleep infinity; exec {sys.executable} -S {current}/bin/acmed {health}"])
        elif name == "nftables":
            device.inside = network.inside
        device.start()


def ship(fleet, sets, version, kind):
    from fleet import SETS
    folder = sets / f"set-{version}"
    shutil.copytree(SETS / "2-update", folder)
    (folder / "VERSION").write_text(f"{version}\n")
    content(folder, kind, str(version))
    fleet.ship(folder, version, budget=fleet.size, bake_s=3)


def versions(fleet):
    return {device.case: (device.root / "state/streams/edr-rules/current/VERSION").read_text().strip() for device in fleet.devices}


def wait_back(network, port, seconds):
    """How long until a connection comes about again; None: not in time."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if network.reaches(port):
            return time.monotonic() - began
    return None


class Watch:
    """Connects from the device to the server all the time, from one process, as each start of one takes time: the longest time that it could not."""

    LOOP = """
import select, socket, sys, time
last, longest, is_cut = time.monotonic(), 0.0, False
while not select.select([sys.stdin], [], [], 0.02)[0]:
    try:
        socket.create_connection((sys.argv[1], int(sys.argv[2])), 0.1).close()
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    except OSError:
        is_cut = True
print(int(is_cut), max(longest, time.monotonic() - last))
"""

    def __init__(self, network, port):
        self.process = subprocess.Popen([*network.inside, sys.executable, "-S", "-c", self.LOOP, SERVER, str(port)], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def finish(self):
        """Whether it was cut at all, and for how long."""
        is_cut, longest = self.process.communicate("\n", timeout=10)[0].split()
        return is_cut == "1", float(longest)


def play(claims, fleet, systemd, network):
    from fleet import Device, free_port
    from probes import heard, identity
    fleet.init()
    fleet.start_server()
    os.environ["PATH"] = f"{systemd.bin}:{os.environ['PATH']}"
    prepare(fleet, systemd, network, Device, free_port)

    def reach_all(counter, seconds=70):
        def is_so():
            if fleet.rollout(counter)["state"] in ("holding", "halted"):
                fleet.firebreak("rollout", "override", f"edr-rules/{counter}", "--who", "anna", "--second", "bert", "--reason", "the harm is wanted", ok=range(256))
            return len(heard(fleet, counter)) == fleet.size
        fleet.wait(is_so, seconds, f"every device to tell of release {counter}: {[d.case for d in fleet.devices if identity(fleet, d) not in heard(fleet, counter)]}")
        told = heard(fleet, counter)
        return {device.case: told[identity(fleet, device)] for device in fleet.devices}

    def judge(counter, outcome, what, details):
        for case, (got, kind, detail) in reach_all(counter).items():
            claims.claim(f"{case}: release {counter}, {what}: {got} {kind} {detail}", got == outcome and details.get(case, "") in detail)

    def all_run(version, seconds=20):
        fleet.wait(lambda: set(versions(fleet).values()) == {version}, seconds, f"all to run release {version}")

    sets = fleet.root / "sets"
    sets.mkdir()
    ship(fleet, sets, 1, GOOD)
    judge(1, "proven", "good", {})
    ship(fleet, sets, 2, UNFIT)
    judge(2, "preflight_failed", "does not load", {})
    claims.claim(f"no device has release 2: {versions(fleet)}", set(versions(fleet).values()) == {"1"})
    fleet.firebreak("rollout", "withdraw", "edr-rules/2", "--who", "anna", "--reason", "broken")
    watch = Watch(network, fleet.port)
    ship(fleet, sets, 3, HARM)
    judge(3, "harmed", "loads and does harm", {"yara": "probe: exit 1", "files": "500 from", "nftables": "the rules of before stand again: no answer from"})
    all_run("1")
    is_cut, longest = watch.finish()
    claims.claim(f"the management path was cut for {longest:.1f} s; the switch has {WITHIN_S}", is_cut and longest < WITHIN_S + SLACK_S)
    claims.claim("the rules of release 1 stand again", "tcp dport 22 accept" in network.rules() and "hook output" not in network.rules())
    fleet.firebreak("rollout", "withdraw", "edr-rules/3", "--who", "anna", "--reason", "sick")
    ship(fleet, sets, 4, GOOD)
    judge(4, "proven", "good", {})
    all_run("4")


class Alone:
    """firebreak-nft without an agent: a change that cuts the path, and something that happens meanwhile."""

    def __init__(self, claims, fleet, network):
        self.claims, self.network, self.folder = claims, network, fleet.root / "alone"
        self.program, self.listener = fleet.build / "firebreak-nft", socket.create_server((SERVER, 0))
        self.port = self.listener.getsockname()[1]
        for name in ("good", "bad"):
            (self.folder / name).mkdir(parents=True)
            (self.folder / name / "rules.nft").write_text((GOOD_TABLE if name == "good" else DROP_TABLE).format(port=22))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                self.listener.accept()[0].close()

    def start(self, name):
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "status").unlink()
        return subprocess.Popen([*self.network.inside, self.program, "run", "--rules", self.folder / name / "rules.nft", "--owns", "inet acme", "--answer",
                                 f"tcp://{SERVER}:{self.port}", "--within", "2", "--status", self.folder / "status", "--state", self.folder / "state"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def status(self, seconds=15):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                return (self.folder / "status").read_text()
            time.sleep(0.02)
        return "silent"

    def switches(self):
        """The processes that keep watch over this folder."""
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                words = entry.read_bytes().split(b"\0")
                if b"switch" in words and str(self.folder / "state").encode() in words:
                    found.append(int(entry.parent.name))
        return found

    def wait_for_cut(self):
        deadline = time.monotonic() + 10
        while "hook output" not in self.network.rules():
            if time.monotonic() > deadline:
                raise SystemExit("the bad rules never stood\n0 passed, 1 failed")
            time.sleep(0.01)

    def end(self, one, how=signal.SIGTERM):
        one.send_signal(how)
        one.wait(10)

    def is_old(self):
        return "tcp dport 22 accept" in self.network.rules() and self.network.reaches(self.port)

    def case(self, text, harm, restarts=False):
        one = self.start("bad")
        self.wait_for_cut()
        began = time.monotonic()
        harm(one)
        other = self.start("bad") if restarts else None
        took = wait_back(self.network, self.port, 6)
        took = took and time.monotonic() - began
        self.claims.claim(f"{text}: back after {f'{took:.1f} s' if took else 'more than 6 s'}", took and took < 2 + SLACK_S)
        for process in (one, other):
            if process and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                self.status()
                self.end(process)
        self.claims.claim(f"{text}: the rules of before stand", self.is_old() and not (self.folder / "state/armed").exists())

    def kill_switches(self, _=None):
        for pid in self.switches():
            os.kill(pid, signal.SIGKILL)

    def play(self):
        one = self.start("good")
        self.claims.claim(f"alone: rules that answer stand: {self.status().split()[0]}", self.is_old())
        self.end(one)
        self.case("nobody is killed", lambda one: None)
        self.case("kill -9 of who applies", lambda one: self.end(one, signal.SIGKILL))
        self.case("kill -9 of the switch", self.kill_switches)
        self.case("who applies is stopped", lambda one: one.send_signal(signal.SIGSTOP))
        self.case("kill -9 of both, and the next start", lambda one: (one.send_signal(signal.SIGSTOP), self.kill_switches(), self.end(one, signal.SIGKILL)), restarts=True)
        self.at_any_moment()
        self.boot()

    def at_any_moment(self, rounds=10):
        """Whenever it is killed: when nobody is left, the path answers."""
        dice, seed = random.Random(7), 7
        for _ in range(rounds):
            one = self.start("bad")
            time.sleep(dice.uniform(0, 0.4))
            self.end(one, signal.SIGKILL)
            if wait_back(self.network, self.port, 6) is None:
                break
        deadline = time.monotonic() + 6
        while self.switches() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.claims.claim(f"kill -9 at {rounds} moments (seed {seed}): the path answers each time, and no switch is left", self.is_old() and not self.switches())

    def boot(self):
        """After a power cut nothing stands, and what waited for its answer is on disk."""
        state = self.folder / "state"
        script = (state / "good").read_text()
        (state / "armed").write_text(f"# firebreak-nft: brings back what stood. until_ms=5 boot=another\n{script.replace('22', '23')}")
        run(*self.network.inside, "nft", "flush", "ruleset")
        run(*self.network.inside, self.program, "boot", "--state", state)
        self.claims.claim("after a power cut the rules that answered last are in force", self.is_old() and not (state / "armed").exists())
        other = self.folder / "docker.nft"
        other.write_text("table ip docker {\n chain c {\n  type nat hook postrouting priority 100;\n }\n}\n")
        run(*self.network.inside, "nft", "-f", other)
        one = self.start("good")
        self.claims.claim(f"another program's table is left alone: {self.status().split()[0]}", "table ip docker" in self.network.rules() and self.is_old())
        self.end(one)


def isolate(*programs):
    """Run again in a network of our own, with mounts that nobody else sees."""
    missing = [program for program in programs or PROGRAMS if not shutil.which(program)]
    if missing:
        raise SystemExit(f"missing: {' '.join(missing)}: run tools/install-deps --streams\n0 passed, 1 failed")
    if not os.environ.get("STREAMS_INSIDE"):
        sys.exit(subprocess.run(["unshare", "--net", "--mount", sys.executable, *sys.argv], env={**os.environ, "STREAMS_INSIDE": "yes"}).returncode)
    run("nft", "add", "table", "inet", "firebreak_probe")           # fails loudly where the kernel has no nf_tables
    run("nft", "delete", "table", "inet", "firebreak_probe")


def main():
    from claims import Claims
    from fleet import Fleet
    from standin_systemd import Systemd
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    options.add_argument("--keep", action="store_true")
    options = options.parse_args()
    isolate()
    claims, network = Claims(), Network()
    try:
        with Fleet(options.build, 5, host=SERVER) as fleet:
            fleet.keep = options.keep
            with Systemd(fleet.root / "systemd") as systemd:
                fleet.play(claims, lambda *_: Alone(claims, fleet, network).play())
                run(*network.inside, "nft", "flush", "ruleset")
                fleet.play(claims, play, systemd, network)
                for device in fleet.devices:
                    device.stop()
    finally:
        network.close()
    return claims.finish()


if __name__ == "__main__":
    if sys.argv[1:2] == ["site"]:
        Site.run(*sys.argv[2:4])
    sys.exit(main())
