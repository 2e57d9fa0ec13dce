"""fleet - a real server, a publisher's folder and real agents on this machine, for the demo and the end-to-end tests.

Everything lives in one temporary folder; every process is in our own group of groups and is gone when the fleet is closed,
also after an exception or a signal.
"""
import contextlib, json, os, pathlib, shutil, signal, socket, subprocess, sys, tempfile, time

SETS = pathlib.Path(__file__).resolve().parent.parent.parent / "content/yara/sets"
LOCALES = ("en_US", "de_DE", "ja_JP")
GROUPS = ("office", "plant", "clinic")


class Failed(Exception):
    """A claim does not hold, or a part did not do what it must."""


def free_port(host="127.0.0.1"):
    with socket.socket() as s:
        s.bind((host, 0))
        return s.getsockname()[1]


class Device:
    """One device: a folder with its agent's state, its engine and the files that the engine watches."""

    def __init__(self, fleet, number):
        self.fleet, self.number = fleet, number
        self.root = fleet.root / "devices" / f"{number:03d}"
        self.is_old = number % 3 == 1                       # every third device still has the older engine
        self.attributes = {"os": "debian", "os_version": "11" if self.is_old else "12", "locale": LOCALES[number // 3 % 3],
                           "group": GROUPS[number // 9 % 3], "arch": "amd64"}
        self.process = None
        self.inside = []                                    # words before those of the agent: in which network it runs
        self.is_stopped = False

    def prepare(self, token):
        watch = self.root / "watched"
        watch.mkdir(parents=True)
        for source in self.fleet.sample_files:
            shutil.copy(source, watch / source.name)
        engine = self.fleet.build / ("firebreak-yarad-1" if self.is_old else "firebreak-yarad")
        trust = self.fleet.publisher / "public"
        attributes = ",".join(f"{k}={v}" for k, v in self.attributes.items())
        (self.root / "agent.yaml").write_text(f"""\
server: {self.fleet.url}
ca: {self.fleet.ca}
state_dir: {self.root}/state
trust: {trust}
platform: linux-amd64
ring: default
attributes: {attributes}
poll_ms_max: 2000
busy_poll_ms: 300
streams:
  - name: edr-rules
    factory: {self.fleet.factory}
    engine:
      command: [{engine}, --rules, "{{current}}", --watch, {watch}, --status, {self.root}/engine.status, --interval-ms, "1000"]
      reload_signal: HUP
      status_file: {self.root}/engine.status
      status_every_ms: 5000
    preflight: [{engine}, --check, --rules, "{{candidate}}"]
    bake_s: {self.fleet.bake_s}
    probe_every_ms: 250
    crashes_max: 1
""")
        self.fleet.run(self.fleet.build / "firebreak-agent", "enrol", "--config", self.root / "agent.yaml", "--token", token)

    def start(self):
        log = open(self.root / "agent.log", "ab")
        self.process = subprocess.Popen([*self.inside, self.fleet.build / "firebreak-agent", "run", "--config", self.root / "agent.yaml"],
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        log.close()

    def pids(self):
        """The agent and all that it started: on this machine that is "the whole device"."""
        found, frontier = [], [self.process.pid]
        while frontier:
            pid = frontier.pop()
            found.append(pid)
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):
                    frontier += map(int, pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split())
        return found

    def freeze(self):
        self.is_stopped = True
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def thaw(self):
        self.is_stopped = False
        for pid in reversed(self.pids()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def stop(self):
        if self.process and self.process.poll() is None:
            pids = self.pids()
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()

    def loaded(self):
        """What the engine itself says it has loaded: {"version": "3", "state": "ok", ...}."""
        with contextlib.suppress(OSError):
            return dict(pair.split("=", 1) for pair in (self.root / "engine.status").read_text().split() if "=" in pair)
        return {}


class Fleet:
    def __init__(self, build, size, bake_s=1, say=lambda text: None, host="127.0.0.1"):
        self.build = pathlib.Path(build).resolve()
        self.size, self.bake_s, self.say = size, bake_s, say
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="firebreak-"))
        self.publisher, self.data = self.root / "publisher", self.root / "server"
        self.factory = self.root / "factory"
        self.host, self.port = host, free_port(host)
        self.url, self.ca = f"https://{host}:{self.port}", self.data / "tls/cert.pem"
        self.server, self.devices, self.keep = None, [], False
        names = ("Apache-2.0", "Artistic", "BSD", "GPL-2", "GPL-3", "LGPL-2.1", "MPL-2.0")
        self.sample_files = [p for n in names if (p := pathlib.Path("/usr/share/common-licenses") / n).exists()] + \
            [p for n in ("/etc/os-release", "/etc/services", "/etc/protocols", "/etc/debian_version") if (p := pathlib.Path(n)).exists()]
        self.environment = {**os.environ, "FIREBREAK_SERVER": self.url, "FIREBREAK_CA": str(self.ca), "FIREBREAK_KEY_FILE": str(self.data / "admin.key"),
                            "NO_COLOR": "1"}

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.keep |= kind is not None and not issubclass(kind, (KeyboardInterrupt, SystemExit))
        self.close()

    def play(self, claims, play, *rest):
        """play(claims, fleet, ...); what fails is a claim that does not hold, and everything stays to be looked at."""
        try:
            play(claims, self, *rest)
        except Failed as failure:
            claims.abort(failure)
            self.keep = True

    def close(self):
        for device in self.devices:
            device.stop()
        self.stop_server(signal.SIGTERM)
        if self.keep:
            print(f"the folder is kept for a look: {self.root}", file=sys.stderr)
        else:
            shutil.rmtree(self.root, ignore_errors=True)

    def run(self, *command, ok=(0,)):
        done = subprocess.run([str(c) for c in command], env=self.environment, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        if done.returncode not in ok:
            raise Failed(f"{pathlib.Path(str(command[0])).name} {' '.join(map(str, command[1:]))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def firebreak(self, *words, ok=(0,)):
        return self.run(self.build / "firebreak", *words, ok=ok)

    def ask(self, *words):
        return json.loads(self.firebreak(*words, "--json").stdout)

    def publish_factory(self):
        self.factory.mkdir()
        (self.factory / "VERSION").write_text("0\n")
        (self.factory / "rules").mkdir()
        (self.factory / "rules/factory.yar").write_text("rule factory_canary { strings: $a = \"FIREBREAK-FACTORY-CANARY\" condition: $a }\n")

    def init(self):
        self.firebreak("init", self.publisher, "--name", "acme", "--no-passphrase")
        self.publish_factory()

    def spawn_server(self, data, port):
        log = open(self.root / "server.log", "ab")
        server = subprocess.Popen([self.build / "firebreakd", "--data", data, "--listen", f"{self.host}:{port}", "--keys", self.publisher / "online"],
                                  stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        log.close()
        return server

    def start_server(self):
        self.server = self.spawn_server(self.data, self.port)
        self.wait(self.is_ready, 20, "the server to be ready")

    def ask_copy(self, data, *words):
        """A server of its own on a copy of the data folder, asked one question."""
        port = free_port(self.host)
        server = self.spawn_server(data, port)
        try:
            asked = ("--server", f"https://{self.host}:{port}", "--ca", data / "tls/cert.pem", "--key-file", data / "admin.key")
            self.wait(lambda: self.firebreak("status", "--json", *asked, ok=range(256)).returncode == 0, 20, "the copy's server to be ready")
            return self.ask(*words, *asked)
        finally:
            server.kill()
            server.wait()

    def is_ready(self):
        if self.server.poll() is not None:
            raise Failed(f"the server ended with {self.server.returncode}:\n{(self.root / 'server.log').read_text()[-2000:]}")
        return subprocess.run([self.build / "firebreak", "status", "--json"], env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def stop_server(self, how):
        if self.server and self.server.poll() is None:
            self.server.send_signal(how)
            try:
                self.server.wait(10)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()

    def enrol(self, progress=lambda done: None):
        token = self.ask("token", "new", "--group", "demo", "--uses", self.size, "--expires", "1h")["token"]
        for number in range(self.size):
            device = Device(self, number)
            self.devices.append(device)
            device.prepare(token)
            device.start()
            progress(number + 1)

    def ship(self, name, counter, start=True, budget=5, gather="1s", bake_s=None, lab_ok=(0,)):
        """Pack, sign, publish and prove a set; start its rollout. Returns the lab's result."""
        release = f"edr-rules/{counter}"
        self.firebreak("release", "pack", SETS / name, "--publisher", self.publisher, "--counter", counter)
        self.firebreak("release", "sign", release, "--publisher", self.publisher)
        self.firebreak("release", "publish", release, "--publisher", self.publisher)
        lab = self.firebreak("lab", "run", release, "--publisher", self.publisher, "--engine", self.build / "firebreak-yarad",
                             "--upload", "--json", ok=lab_ok)
        if start:
            self.start_rollout(counter, budget, gather, bake_s)
        return json.loads(lab.stdout)

    def start_rollout(self, counter, budget=5, gather="1s", bake_s=None, gap="4s", ok=(0,)):
        return self.firebreak("rollout", "start", f"edr-rules/{counter}", "--budget", budget, "--bake", f"{bake_s or self.bake_s}s", "--gap", gap, "--gather", gather,
                              "--holdout", "0", "--complete", "100%", "--rollback", "5s", ok=ok)

    def rollout(self, counter):
        return self.ask("rollout", "show", f"edr-rules/{counter}")

    def wait(self, is_so, seconds, what):
        deadline = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > deadline:
                raise Failed(f"waited {seconds} s for {what}")
            time.sleep(0.2)
