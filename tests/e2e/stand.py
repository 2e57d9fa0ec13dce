"""stand - devices in known states, put back as often as a play wants, before a server that says what the play wants.

The states are made once, by a real server, a publisher and a real agent, and kept as folders. After that a stand-in for the server
tells each device the same every time, signed with the publisher's and the director's own keys, so that a run from the offer to the
proof takes two seconds, and the same device can begin it hundreds of times. On a stand of agents their program is a stream of its own.
"""
import base64, collections, contextlib, http.server, json, os, pathlib, re, shutil, signal, struct, subprocess, threading, time, zlib

from device_hostile import STREAM, Hostile, Publisher, Victim, digest, tree
from fleet import SETS, Failed
from tuf_hostile import canonical

FIRST, SECOND, CRASHING = 1, 2, 3                # releases: runs well, runs well too, kills the engine of these devices
AGENT, AGENTS = "agent", (11, 12, 13, 14)        # the stream of the agent itself, and its releases:
OLDER, NEWER, DYING, HANGING = AGENTS            # run well, run well too, end at once, say nothing
AGENT_PROGRAM = "firebreak-agent"
SLOTS = ("a", "b", "factory", "none")
FACTORY, NONE, GOOD = 2, 3, 3                   # slots, and what a slot can be
PIECE_BYTES, PIECES = 512, 128
OUTCOMES = ("proven", "harmed", "declined", "preflight_failed")
RECORD_BYTES, STREAM_BYTES, REPORT_BYTES, STREAMS_MAX = 24 + 16 * 448 + 32 * 264, 448, 264, 16
REPORTS_AT = 24 + STREAMS_MAX * STREAM_BYTES


class Record:
    """The slot record, read without a line of the agent's: src/agent/slot_record.h. Raises Failed for what is none."""

    def __init__(self, data, stream=0):
        if len(data) != RECORD_BYTES or data[:4] != b"FBSR":
            raise Failed(f"a slot record of {len(data)} bytes")
        if struct.unpack_from("<I", data, 4)[0] != zlib.crc32(data[8:]):
            raise Failed("the slot record's checksum is wrong")
        self.streams, self.reports_waiting = struct.unpack_from("<HH", data, 12)
        if stream >= self.streams:
            raise Failed(f"a slot record of {self.streams} streams")
        at = 24 + STREAM_BYTES * stream
        self.current, self.last_good, *self.state = struct.unpack_from("<4B", data, at + 72)
        self.counters = [struct.unpack_from("<Q", data, at + 80 + 64 * slot)[0] for slot in range(2)] + [0, 0]
        self.is_on_trial = data[at + 208 + 48] != 0
        self.reports = [self.report(data, REPORTS_AT + REPORT_BYTES * i) for i in range(self.reports_waiting)]

    @staticmethod
    def report(data, at):
        counter, running = struct.unpack_from("<QQ", data, at + 80)
        return {"counter": counter, "running": running, "outcome": OUTCOMES[data[at + 160]], "detail": data[at + 168:at + 264].split(b"\0")[0].decode(errors="replace")}

    def running(self):
        return self.counters[self.current]

    def good(self):
        return self.counters[self.last_good]


class Link:
    """What lies between: so many bytes a second, and so many a day, after which it is down until the next. Counts what it carried."""

    def __init__(self, rate, day_s=0, a_day=0):
        self.rate, self.day_s, self.a_day, self.began, self.carried = rate, day_s, a_day, time.monotonic(), collections.Counter()
        self.lock = threading.Lock()

    def day(self):
        return int((time.monotonic() - self.began) / self.day_s) if self.day_s else 0

    def take(self, length):
        """Waits as long as it takes; False: not today."""
        time.sleep(length / self.rate)
        with self.lock:
            if self.a_day and self.carried[self.day()] + length > self.a_day:
                return False
            self.carried[self.day()] += length
            return True


class Said:
    """What one device is told, and what it told us."""

    def __init__(self):
        self.begin({})

    def begin(self, site):
        self.site, self.reports, self.paths, self.sent, self.link, self.pace_ms = site, [], [], collections.Counter(), None, 50


class StandIn(http.server.BaseHTTPRequestHandler):
    """The device API, as far as a device needs it; who asks is known by the first part of the path."""
    protocol_version, disable_nagle_algorithm, log_message = "HTTP/1.1", True, lambda *_: None

    def handle(self):
        with contextlib.suppress(OSError):
            super().handle()

    def answer(self):
        number, _, path = self.path[1:].partition("/")
        said = self.server.stand.said[int(number)]
        self.link, self.counted = said.link, None
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.link and not self.link.take(len(body) + 400):           # and its headers
            self.close_connection = True
            return
        said.paths.append(path)
        if abs(int(self.headers.get("Firebreak-Date") or time.time()) - time.time()) > 300:
            self.send(401, b"{}")
        elif path == "v1/checkin":
            self.send(200, json.dumps({"epoch": 7, "pace_ms": said.pace_ms, "now": int(time.time())}).encode())
        elif path == "v1/lease":
            self.send(200, self.server.stand.lease(self.headers["Firebreak-Device"], json.loads(body)), "text/plain")
        elif path == "v1/report":
            said.reports.append(json.loads(body))
            self.send(200, json.dumps({"ack": said.reports[-1]["seq"]}).encode())
        else:
            found = said.site.get("/" + path)
            self.give(found, said) if found is not None else self.send(404, b"{}")

    do_GET = do_POST = answer

    def give(self, data, said):
        """From where the device has it already."""
        begins = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        first = int(begins[1]) if begins else 0
        self.counted = (said.sent, self.path.rpartition("/")[2])
        more = (("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}"),) if begins else ()
        self.send(206 if begins else 200, data[first:], "application/octet-stream", more)

    def send(self, status, body, kind="application/json", more=()):
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *more):
            self.send_header(name, value)
        self.end_headers()
        size = max(PIECE_BYTES, len(body) // PIECES)
        for at in range(0, len(body), size):
            piece = body[at:at + size]
            if self.link and not self.link.take(len(piece)):
                self.close_connection = True
                return
            self.wfile.write(piece)
            if self.counted:
                self.counted[0][self.counted[1]] += len(piece)


class Stand(Hostile):
    """States by name (`states`), and what can be told by name (`sites`)."""

    def prepare(self):
        """Ends with the real server stopped; from then on the stand-in speaks."""
        self.init()
        self.start_server()
        self.start_proxy(1)
        self.make_sets()
        token = self.ask("token", "new", "--group", "demo", "--uses", 1, "--expires", "1h")["token"]
        self.first = Victim(self, 0, "")
        self.first.is_old = True
        self.devices.append(self.first)
        self.first.prepare(token)
        self.first.start()
        self.ship(self.sets[FIRST], FIRST)
        self.wait(lambda: self.first.runs(FIRST) and not self.record(self.first.state).reports_waiting, 60, "the first device to run release 1")
        self.first.stop()
        for counter in (SECOND, CRASHING):
            for verb, what in (("pack", (self.sets[counter], "--counter", counter)), ("sign", (f"{STREAM}/{counter}",)), ("publish", (f"{STREAM}/{counter}",))):
                self.firebreak("release", verb, *what, "--publisher", self.publisher)
        self.make_sites()
        self.stop_server(signal.SIGTERM)
        self.states = {"first": self.keep_state("first", self.first.state)}
        self.start_stand_in()

    def make_sets(self):
        """More than a block of content, in folders, so that there is something to be cut."""
        self.sets = {FIRST: SETS / "1-good", SECOND: self.root / "second", CRASHING: self.root / "crashing"}
        shutil.copytree(SETS / "2-update", self.sets[SECOND])
        (self.sets[SECOND] / "notes/deep").mkdir(parents=True)
        (self.sets[SECOND] / "notes/deep/why.txt").write_text("why it is so\n")
        (self.sets[SECOND] / "rules/long.yar").write_text("// a rule set is seldom short\n" * 6000 + "rule long { condition: false }\n")
        shutil.copytree(SETS / "4-kills-old-engine", self.sets[CRASHING])
        (self.sets[CRASHING] / "VERSION").write_text(f"{CRASHING}\n")
        self.signed = {0: tree(self.factory), **{counter: tree(folder) for counter, folder in self.sets.items()}}
        for files in self.signed.values():
            for name in ("dossier.yaml", "release.yaml"):
                files.pop(name, None)

    def site(self, counter, newer=1, stream=STREAM, beside=(), **cohort):
        """All that is published about one release; `newer` than what a device may have heard before."""
        publisher = Publisher(self, counter, stream)
        for documents in publisher.real.values():
            for role, below in (("targets", None), ("snapshot", "targets"), ("timestamp", "snapshot")):
                documents[role]["signed"]["version"] += newer
                if below:
                    documents[role]["signed"]["meta"][f"{below}.json"]["version"] += newer
        for artifact in self.signed[counter].values():
            self.artifacts[f"/v1/artifacts/{digest(artifact)}"] = artifact
        proof = "/v1/log/proof/" + publisher.real["release"]["targets"]["signed"]["targets"][publisher.path]["hashes"]["sha256"]
        self.wait(lambda: self.ask_server("GET", proof)[0] == 200, 20, f"the log to have release {counter}")
        self.artifacts[proof] = self.get(proof)
        return publisher.tell(cohort=lambda said: said.update({"counter": counter, "expires": int(time.time()) + 86400, **cohort}), beside=beside, more=self.artifacts)

    def make_sites(self):
        self.artifacts = {}
        self.sites = {"second": self.site(SECOND), "crashing": self.site(CRASHING), "withdrawn": self.site(SECOND, newer=2, state="withdraw", fallback=FIRST)}
        self.sites["nothing"] = self.site(SECOND, newer=2, state="hold")

    def start_stand_in(self):
        self.said = []
        self.stand_in = http.server.ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
        self.stand_in.daemon_threads, self.stand_in.stand = True, self
        threading.Thread(target=self.stand_in.serve_forever, daemon=True).start()
        line = next(line for line in (self.publisher / "public/director.anchor").read_text().splitlines() if line.startswith("director "))
        self.director, key_id, _ = line.split(" ")[1].split("+", 2)
        self.director_id = bytes.fromhex(key_id)

    def lease(self, device, asked):
        """A note as the director signs it: docs/guide/formats.md, 1.3."""
        now = int(time.time())
        text = (f"firebreak lease v1\nkind exposure\ndevice {device}\nstream {asked['stream']}\ncounter {asked['counter']}\ntarget {asked['target']}\n"
                f"nonce {asked['nonce']}\ngranted {now}\ndeadline {now + 600}\nbake 1\n").encode()
        path = self.root / f"lease.{asked['nonce']}.{threading.get_ident()}"
        path.write_bytes(text)
        signed = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.publisher / "online/director.pem", "-in", path], check=True, capture_output=True)
        path.unlink()
        return text + f"\n\u2014 {self.director} {base64.b64encode(self.director_id + signed.stdout).decode()}\n".encode()

    @staticmethod
    def record(state, stream=0):
        return Record((state / "slots").read_bytes(), stream)

    def keep_state(self, name, state):
        kept = self.root / "states" / name
        shutil.copytree(state, kept, symlinks=True)
        return kept

    def new_subject(self):
        subject = Subject(self, len(self.said))
        self.said.append(Said())
        self.devices.append(subject)
        return subject


class AgentStand(Stand):
    """Devices run release 1 of their rules all along, and their agent is told to be another one."""

    def make_sites(self):
        super().make_sites()
        programs = {OLDER: self.program(OLDER), NEWER: self.program(NEWER), DYING: b'#!/bin/sh\n[ "$1" = check ] || exit 3\n',
                    HANGING: b'#!/bin/sh\n[ "$1" = check ] || exec sleep 600\n'}
        for counter in AGENTS:
            folder = self.root / f"{AGENT}-{counter}"
            folder.mkdir()
            for name, text in (("VERSION", f"{counter}\n"), ("release.yaml", f"stream: {AGENT}\nversion: {counter}\ncounter: {counter}\nplatforms: [linux-amd64]\n"),
                               ("dossier.yaml", "what: the agent\nwhy: a test\nrisk: none\nundo: the one before\n")):
                (folder / name).write_text(text)
            (folder / AGENT_PROGRAM).write_bytes(programs[counter])
            (folder / AGENT_PROGRAM).chmod(0o755)
            for verb, what in (("pack", folder), ("sign", f"{AGENT}/{counter}"), ("publish", f"{AGENT}/{counter}")):
                self.firebreak("release", verb, what, "--publisher", self.publisher)
            self.signed[counter] = {"VERSION": f"{counter}\n".encode(), AGENT_PROGRAM: programs[counter]}
        self.firebreak("rollout", "start", f"{AGENT}/{OLDER}", "--override-by", "anna", "--override-by", "bert", "--reason", "a program, not rules")
        self.wait(self.is_led, 20, "the director to speak of the agent")
        rules = Publisher(self, FIRST)
        beside = {STREAM: canonical({**rules.cohort, "expires": int(time.time()) + 86400})}
        self.artifacts["/v1/notes/" + digest(rules.note.partition("\n\n")[0].encode() + b"\n")] = rules.note.encode()
        for counter in AGENTS:
            self.sites[f"agent {counter}"] = self.site(counter, 1 if counter == OLDER else 2, AGENT, beside)

    def is_led(self):
        with contextlib.suppress(KeyError):
            return bool(Publisher(self, OLDER, AGENT).cohort)
        return False

    def program(self, counter):
        """The real one, small, and each another one by what follows its end."""
        path = self.root / "program"
        subprocess.run(["strip", "-o", path, self.build / AGENT_PROGRAM], check=True)
        return path.read_bytes() + f"agent {counter}".encode()

    def new_subject(self):
        subject = super().new_subject()
        subject.write_config(change=lambda text: f"{text}  - name: {AGENT}\n    engine:\n      self: true\n    bake_s: 1\n")
        return subject


class Subject:
    """A device that is put into a state, run, hurt, and looked at."""

    def __init__(self, stand, number):
        self.stand, self.number = stand, number
        self.root = stand.root / "subjects" / f"{number:02d}"
        self.state, self.log, self.status_file, self.config = self.root / "state", self.root / "agent.log", self.root / "engine.status", self.root / "agent.yaml"
        self.process = None
        self.root.mkdir(parents=True)
        self.write_config()

    def write_config(self, server=None, change=lambda text: text):
        """As fleet.py's, but quick; and the stand-in's address, or another one."""
        text = (self.stand.first.root / "agent.yaml").read_text()
        text = re.sub(r"^server: .*$", f"server: {server or f'http://127.0.0.1:{self.stand.stand_in.server_port}'}/{self.number}", text, flags=re.M)
        text = text.replace(f"{self.stand.first.root}/state", str(self.state)).replace(f"{self.stand.first.root}/engine.status", str(self.status_file))
        text = re.sub(r"poll_ms_max: \d+", "poll_ms_max: 50", text)
        text = re.sub(r"busy_poll_ms: \d+", "busy_poll_ms: 50", text)
        text = re.sub(r'"--interval-ms", "1000"|--interval-ms, "1000"', '--interval-ms, "50"', text)
        text = re.sub(r"\n +status_every_ms: \d+", "", text)
        self.config.write_text(change(text))

    @property
    def said(self):
        return self.stand.said[self.number]

    def put(self, state, site):
        """Into this state, told this."""
        shutil.rmtree(self.state, ignore_errors=True)
        shutil.copytree(self.stand.states[state], self.state, symlinks=True)
        for path in (self.status_file, self.log, self.root / "trace"):
            path.unlink(missing_ok=True)
        self.said.begin(self.stand.sites[site])

    def agent(self, *words):
        return [str(self.stand.build / "firebreak-agent"), *map(str, words)]

    def start(self, before=(), command=None, **environment):
        """`before`: what runs it, such as strace."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([*map(str, before), *(command or self.agent("run", "--config", self.config))], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, env={**os.environ, "NO_COLOR": "1", **environment})

    def session(self):
        """All that was started with it: it keeps the session whatever its group is."""
        found = []
        for name in os.listdir("/proc"):
            with contextlib.suppress(OSError, ValueError):
                if name.isdigit() and int(pathlib.Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[3]) == self.process.pid:
                    found.append(int(name))
        return found

    def cut(self):
        """Everything ends at once, as when the power goes; returns how the first process had ended before, None: it had not."""
        if not self.process:
            return None
        ended = self.process.poll()
        for _ in range(100):
            pids = [pid for pid in self.session() if pid != self.process.pid or ended is None]
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if ended is None:
                self.process.wait()
            if not self.session():
                break
            time.sleep(0.01)
        self.process = None
        return ended

    stop = cut

    def guard(self, before=()):
        return subprocess.run([*map(str, before), *self.agent("guard", "--config", self.config)], stdin=subprocess.DEVNULL, text=True, capture_output=True, timeout=30)

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def engine(self):
        """What the engine says, while it lives: {"version": "2", "state": "ok"}."""
        with contextlib.suppress(OSError):
            return dict(pair.split("=", 1) for pair in self.status_file.read_text().split() if "=" in pair)
        return {}

    def agent_pid(self):
        """Of the supervisor, also when it is the child of what runs it."""
        pid = self.process.pid
        if os.path.basename(os.readlink(f"/proc/{pid}/exe")) == AGENT_PROGRAM:
            return pid
        return int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def engine_pid(self):
        for pid in self.session() if self.process else ():
            with contextlib.suppress(OSError):
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if b"yarad" in words[0] and b"--watch" in words:
                    return pid
        return None

    def record(self, stream=0):
        return self.stand.record(self.state, stream)

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def folder(self, slot, name=STREAM):
        return self.state / "streams" / name / slot

    def is_whole(self, slot, counter, name=STREAM):
        return tree(self.folder(slot, name)) == self.stand.signed.get(counter)

    def wrong(self, stream=0, name=STREAM):
        """What no moment may show: "" when last-good is whole and the link leads to something whole."""
        try:
            record = self.record(stream)
        except (OSError, Failed) as failure:
            return f"slot record: {failure}"
        good = SLOTS[record.last_good]
        if not self.is_whole(good, record.good(), name):
            return f"last good is {good}, which is not release {record.good()} as it was signed"
        try:
            link = os.readlink(self.folder("current", name))
        except OSError as failure:
            return f"the link: {failure}"
        if link not in SLOTS[:3] or not self.is_whole(link, record.counters[SLOTS.index(link)], name):
            return f"the link leads to {link}, which is not release {record.counters[SLOTS.index(link)] if link in SLOTS else '?'} as it was signed"
        return ""

    def is_at_work(self, by_record=True):
        """Supervisor and engine live, and the engine says that it has loaded what the record names, which is whole; or, where the disk may not have taken
        the last change of the record or of the link, what the link leads to, or what has proven itself, from its folder itself."""
        with contextlib.suppress(OSError, Failed):
            record, says = self.record(), self.engine()
            slots = (record.current,) if by_record else (SLOTS.index(os.readlink(self.folder("current"))), record.last_good, *(slot for slot in (0, 1) if record.state[slot] == GOOD))
            is_loaded = says.get("state") == "ok" and says.get("version") in [str(record.counters[slot]) for slot in slots]
            return self.is_alive() and is_loaded and self.engine_pid() is not None and not self.wrong()
        return False

    def told(self, outcome, counter):
        return [report for report in self.said.reports if report["outcome"] == outcome and report["counter"] == counter]

    def wait(self, is_so, seconds):
        until = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True
