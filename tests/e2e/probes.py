#!/usr/bin/env python3
"""probes - a release that harms each device in another way, none of which the engine itself says: every kind of probe finds its own, the device goes
back, and the server hears what was seen. Real server and agents; the engine is this file, run as `probes.py engine`.

usage: probes.py --build DIR

Release 1 is good. Release 2 passes the lab, loads on every device and says state=ok; then one engine answers 503, another one forgets a word, changes
a file, deletes one, empties one, fails by systemd, fails a command, burns a processor, or takes memory. Release 3 is good again. systemctl is a
stand-in that says what stands in a file.
"""
import argparse, contextlib, http.server, json, os, pathlib, shutil, signal, sqlite3, subprocess, sys, tempfile, threading, time

SICK, FOR_S, ENGINE = 2, 1, pathlib.Path(__file__).resolve()
HEALTHY = "LoadState=loaded\nActiveState=active\nSubState=running\nResult=success\nNRestarts=3\n"
HASH_OF_X = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"

# What the engine does with release 2, what is probed, and what the server hears: kind, and what the detail has.
CASES = {
    "http": ("http: http://127.0.0.1:{port}/health", "probe_failed", "probe http: 503 from http://127.0.0.1:{port}/health"),
    "word": ('http: http://127.0.0.1:{port}/health\n        status: 200\n        contains: "up"', "probe_failed", "probe http: 200 from http://127.0.0.1:{port}/health, without `up`"),
    "hash": (f"hash: {{{{file: {{root}}/precious, sha256: {HASH_OF_X}}}}}", "probe_failed", "/precious has sha256 "),
    "delete": ("files: [/etc/passwd, {root}/precious]", "probe_failed", "{root}/precious is gone"),
    "empty": ("files: [{root}/precious, /usr]", "probe_failed", "{root}/precious is an empty file"),
    "unit": ("unit: engine-{port}.service", "probe_failed", "probe unit: engine-{port}.service is failed (failed, result signal)"),
    "restart": ("unit: engine-{port}.service", "probe_failed", "engine-{port}.service failed, and systemd started it again (1 times)"),
    "command": ('command: [sh, -c, "test ! -e $0 || {{ echo no connection to the engine >&2; exit 3; }}", {root}/deaf]', "probe_failed", "probe: exit 3: no connection to the engine"),
    "cpu": (f"resources: {{{{cpu: 300, for_s: {FOR_S}, cpu_least: 10}}}}", "resource", "probe resources: cpu "),
    "memory": (f"resources: {{{{memory: 200, for_s: {FOR_S}}}}}", "resource", "probe resources: memory "),
}


class Engine:
    """Loads at its start and on SIGHUP, answers over HTTP, and is sick of one release."""

    def __init__(self, case, root, content, port):
        self.case, self.root, self.content, self.port = case, pathlib.Path(root), pathlib.Path(content), port
        self.version, self.hoard = "", b""

    def run(self):
        signal.signal(signal.SIGHUP, lambda *_: self.load())
        engine = self

        class Health(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                self.send_response(503 if engine.case == "http" and engine.is_sick() else 200)
                self.end_headers()
                self.wfile.write(b"engine: " + (b"?" if engine.case == "word" and engine.is_sick() else b"up"))

        server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Health)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.load()
        while True:
            time.sleep(0.2)

    def is_sick(self):
        return self.version == str(SICK)

    def load(self):
        self.version = (self.content / "VERSION").read_text().split()[0]
        if self.is_sick():
            self.harm()
        new = self.root / "engine.status.new"
        new.write_text(f"state=ok version={self.version}\n")
        new.rename(self.root / "engine.status")

    def harm(self):
        precious, unit = self.root / "precious", self.root.parent / f"units/engine-{self.port}.service"
        if self.case == "hash":
            precious.write_text("y")
        elif self.case == "delete":
            precious.unlink()
        elif self.case == "empty":
            precious.write_text("")
        elif self.case == "unit":
            unit.write_text(HEALTHY.replace("=active", "=failed").replace("running", "failed").replace("success", "signal"))
        elif self.case == "restart":
            unit.write_text(HEALTHY.replace("=3", "=4"))
        elif self.case == "command":
            (self.root / "deaf").touch()
        elif self.case == "cpu":                                    # in children of its own: they count as well
            for _ in range(2):
                subprocess.Popen(["sh", "-c", "while :; do :; done"])
        elif self.case == "memory":
            self.hoard = os.urandom(1 << 20) * 200


def mend(device, case):
    """What somebody does on the device after the harm: going back makes no file whole."""
    (device.root / "precious").write_text("x")
    (device.root / "deaf").unlink(missing_ok=True)
    (device.root.parent / f"units/engine-{device.port}.service").write_text(HEALTHY)


def forget_probes(device):
    """Somebody edits the configuration, of which the agent hears at its next start."""
    config = device.root / "agent.yaml"
    config.write_text(config.read_text().split("    probes:\n")[0])


def prepare(fleet, free_port, Device):
    token = fleet.ask("token", "new", "--group", "demo", "--uses", len(CASES), "--expires", "1h")["token"]
    for number, (case, (probe, _, _)) in enumerate(CASES.items()):
        device = Device(fleet, number)
        device.case, device.port = case, free_port()
        fleet.devices.append(device)
        device.prepare(token)
        config = device.root / "agent.yaml"
        lines = config.read_text().splitlines()
        command = f'      command: [{sys.executable}, {ENGINE}, engine, {case}, {device.root}, "{{current}}", "{device.port}"]'
        lines = [command if line.startswith("      command:") else line for line in lines if "preflight:" not in line and "status_every" not in line and "poll_ms_max" not in line]
        lines.insert(3, "poll_ms_max: 500")
        probe = probe.format(port=device.port, root=device.root)
        config.write_text("\n".join(lines) + f"\n    probes:\n      - {probe}\n")
        (device.root.parent / "units").mkdir(exist_ok=True)
        mend(device, case)
        device.start()


def fake_systemctl(fleet):
    folder = fleet.root / "bin"
    folder.mkdir()
    (folder / "systemctl").write_text(f'#!/bin/sh\nfor unit; do :; done\nexec cat "{fleet.root}/devices/units/$unit"\n')
    (folder / "systemctl").chmod(0o755)
    os.environ["PATH"] = f"{folder}:{os.environ['PATH']}"


def heard(fleet, counter):
    """What each device told of a release: outcome, kind and detail of its last report."""
    with tempfile.TemporaryDirectory(prefix="firebreak-look-") as folder:
        for file in fleet.data.glob("firebreak.db*"):               # the server has it for itself
            shutil.copy(file, folder)
        with contextlib.closing(sqlite3.connect(f"{folder}/firebreak.db")) as database:
            rows = database.execute("SELECT d.id, r.body FROM reports r JOIN devices d ON d.number = r.device ORDER BY r.seq").fetchall()
    bodies = [(device.hex(), json.loads(body)) for device, body in rows]
    return {device: (body["outcome"], body["kind"], body["detail"]) for device, body in bodies if body["counter"] == counter}


def identity(fleet, device):
    return json.loads(fleet.run(fleet.build / "firebreak-agent", "status", "--config", device.root / "agent.yaml", "--json").stdout)["device"]


def reach_all(claims, fleet, counter):
    """Every device has told of it; what our harm stops, two people let go on."""
    def is_so():
        now = fleet.rollout(counter)
        if now["state"] in ("holding", "halted"):
            fleet.firebreak("rollout", "override", f"edr-rules/{counter}", "--who", "anna", "--second", "bert", "--reason", "the harm is wanted", ok=range(256))
        return now["proven"] + now["hurt"] == len(CASES)
    fleet.wait(is_so, 90, f"every device to tell of release {counter}")
    fleet.wait(lambda: len(heard(fleet, counter)) == len(CASES), 10, "the server to have all that was told")
    return heard(fleet, counter)


def has_past(device):
    """Version 1 of streams/NAME/past: how many windows there are, day by day."""
    with contextlib.suppress(OSError):
        record = (device.root / "state/streams/edr-rules/past").read_bytes()
        return sum(int.from_bytes(record[24 + 24 * day:32 + 24 * day], "little") for day in range(8)) >= 12
    return False


def play(claims, fleet, next_set, free_port, Device):
    fleet.init()
    fleet.start_server()
    fake_systemctl(fleet)
    prepare(fleet, free_port, Device)
    fleet.ship("1-good", 1, budget=len(CASES))
    told = reach_all(claims, fleet, 1)
    claims.claim("release 1 passes every probe", all(outcome == "proven" for outcome, _, _ in told.values()) or print(told))
    judged = [device for device in fleet.devices if device.case in ("cpu", "memory")]
    fleet.wait(lambda: all(map(has_past, judged)), 60, "the engines to have a past")
    fleet.ship("2-update", SICK, budget=len(CASES))
    told = reach_all(claims, fleet, SICK)
    for device in fleet.devices:
        _, kind, detail = CASES[device.case]
        detail = detail.format(port=device.port, root=device.root)
        outcome, told_kind, said = told[identity(fleet, device)]
        claims.claim(f"{device.case}: {told_kind}, {said}", outcome == "harmed" and told_kind == kind and detail[:60] in said)
    fleet.wait(lambda: all(device.loaded().get("version") == "1" for device in fleet.devices), 20, "all to run release 1 again")
    claims.claim("all went back to release 1", True)
    for device in fleet.devices:
        mend(device, device.case)
        forget_probes(device)
    fleet.firebreak("rollout", "withdraw", f"edr-rules/{SICK}", "--who", "anna", "--reason", "sick")
    fleet.ship(next_set(fleet, 3), 3, budget=len(CASES))
    told = reach_all(claims, fleet, 3)
    claims.claim("release 3 passes every probe, though they were taken out of the file meanwhile", all(outcome == "proven" for outcome, _, _ in told.values()) or print(told))


def main():
    from claims import Claims
    from fleet import Device, Fleet, free_port
    from groups import next_set
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    options.add_argument("--keep", action="store_true")
    options = options.parse_args()
    claims = Claims()
    with Fleet(options.build, len(CASES)) as fleet:
        fleet.keep = options.keep
        fleet.play(claims, play, next_set, free_port, Device)
    return claims.finish()


if __name__ == "__main__":
    if sys.argv[1:2] == ["engine"]:
        Engine(*sys.argv[2:5], int(sys.argv[5])).run()
    sys.exit(main())
