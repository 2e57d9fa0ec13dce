#!/usr/bin/env python3
"""windows - the agent for Windows, under wine64, against the ordinary server: enrolled, updated, crashed, rolled back, killed, guarded, recovered, and as a service.

usage: windows.py --build DIR --agent DIR [--keep]     DIR: the ordinary build, and the one for Windows

What wine cannot show is not claimed: integrity levels, access lists, what NTFS does when the power goes (docs/decisions/025-windows.md).
"""
import argparse, contextlib, json, os, pathlib, random, shutil, signal, subprocess, sys, time

from claims import Claims
from fleet import Failed, Fleet, SETS
from relay import Relay

WINE = "/usr/lib/wine/wine64"
STREAM = "edr-rules"
TABLE_BYTES = 1_500_000
ACTIONS_MAX = 5
PIPE = f"//./pipe/firebreak-{os.getpid()}.ask"


def windows_path(path):
    return f"Z:{path}"


class WindowsDevice:
    """A folder of this machine as wine sees it."""

    def __init__(self, fleet, agent, number=0):
        self.fleet, self.number = fleet, number
        self.root = fleet.root / "windows"
        self.program, self.engine = agent / "firebreak-agent.exe", agent / "tests/windows/windows-engine.exe"
        self.config, self.log, self.status_file = self.root / "agent.yaml", self.root / "agent.log", self.root / "engine.status"
        self.process, self.relay = None, Relay(fleet.port)
        self.root.mkdir()

    def configure(self, bake_s=1, boots_max=1, breaker=""):
        self.config.write_text(f"""\
server: https://127.0.0.1:{self.relay.port}
ca: {windows_path(self.fleet.ca)}
state_dir: {windows_path(self.root / 'state')}
trust: {windows_path(self.fleet.publisher / 'public')}
attributes: os=windows,os_version=10,arch=amd64
poll_ms_max: 1000
busy_poll_ms: 200
streams:
  - name: {STREAM}
    factory: {windows_path(self.fleet.factory)}
    engine:
      command: ["{windows_path(self.engine)}", "{{current}}", "{windows_path(self.status_file)}"]
      reload_signal: restart
      status_file: {windows_path(self.status_file)}
    preflight: ["{windows_path(self.engine)}", --check, "{{candidate}}"]
    bake_s: {bake_s}
    probe_every_ms: 250
    crashes_max: 1
    boots_max: {boots_max}
{breaker}""")

    def agent(self, *words, ok=(0,)):
        return self.fleet.run(WINE, self.program, *words, ok=ok)

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([WINE, str(self.program), "run", "--config", windows_path(self.config)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=self.fleet.environment, start_new_session=True)

    def kill(self):
        """kill -9 of the supervisor alone: what it started has to go by itself."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.process = None

    stop = kill

    def engines(self):
        """Processes of this machine that run the engine, by their command line."""
        found = []
        for name in os.listdir("/proc"):
            with contextlib.suppress(OSError):
                if name.isdigit() and b"windows-engine" in pathlib.Path(f"/proc/{name}/cmdline").read_bytes() and str(self.root).encode() in pathlib.Path(f"/proc/{name}/cmdline").read_bytes():
                    found.append(int(name))
        return found

    def says(self):
        with contextlib.suppress(OSError):
            return dict(pair.split("=", 1) for pair in self.status_file.read_text().split() if "=" in pair)
        return {}

    def runs(self, version):
        return self.says().get("version") == str(version) and len(self.engines()) == 1

    def streams(self):
        return json.loads(self.agent("status", "--config", windows_path(self.config), "--json").stdout)["streams"]

    def status(self):
        return self.streams()[0]

    def is_settled(self, counter):
        status = self.status()
        return status["current"]["counter"] == counter and not status["on_trial"]

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def make_sets(fleet):
    """Content that the lab's engine loads; what hurts the engine on Windows hurts that one alone."""
    sets, dice = {}, random.Random(7)
    table = bytearray(dice.randbytes(TABLE_BYTES // 2).hex().encode())
    for counter, name in ((1, None), (2, None), (3, "crash"), (4, "refuse"), (5, None), (6, None), (7, "storm"), (8, "storm")):
        folder = sets[counter] = fleet.root / "sets" / str(counter)
        shutil.copytree(SETS / "1-good", folder)
        (folder / "VERSION").write_text(f"{counter}\n")
        at = dice.randrange(TABLE_BYTES - 5000)
        table[at:at + 5000] = dice.randbytes(2500).hex().encode()
        (folder / "table").write_bytes(table)
        if name:
            (folder / name).write_text("for windows-engine\n")
    return sets


def storm_in(folder, paths):
    (folder / "storm").write_text("".join(f"{line}\n" for line in (PIPE, *paths)))


def ship(fleet, sets, counter, start=True, bake_s=1):
    release = f"{STREAM}/{counter}"
    fleet.firebreak("release", "pack", sets[counter], "--publisher", fleet.publisher, "--counter", counter)
    for verb in ("sign", "publish"):
        fleet.firebreak("release", verb, release, "--publisher", fleet.publisher)
    fleet.firebreak("lab", "run", release, "--publisher", fleet.publisher, "--engine", fleet.build / "firebreak-yarad", "--upload", "--json")
    if start:
        fleet.start_rollout(counter, bake_s=bake_s)


def begin(claims, fleet, device):
    token = fleet.ask("token", "new", "--group", "demo", "--uses", 1, "--expires", "1h")["token"]
    device.configure()
    refused = device.root / "refused.yaml"
    refused.write_text(device.config.read_text().replace("reload_signal: restart", "reload_signal: HUP"))
    said = device.agent("status", "--config", windows_path(refused), ok=range(256))
    claims.claim("a configuration that wants a signal is refused, and told what to write", said.returncode != 0 and "reload_signal: restart" in said.stderr)
    device.agent("enrol", "--config", windows_path(device.config), "--token", token)
    device.start()
    fleet.wait(lambda: device.runs(0), 60, "the engine to run the factory copy")


def update(claims, fleet, device, sets):
    for counter in (1, 2):
        before = device.relay.received
        ship(fleet, sets, counter, start=False)
        fleet.wait(lambda: len(list(fleet.root.glob("server/artifacts/*/[0-9a-f]*.delta"))) >= 2 * counter - 1, 180, "the deltas to be made")
        fleet.start_rollout(counter)
        fleet.wait(lambda: device.runs(counter), 90, f"the engine to run release {counter}")
        fleet.wait(lambda: fleet.rollout(counter)["proven"] == 1, 60, f"release {counter} to be proven")
        claims.claim(f"release {counter} is installed, on probation, proven, and the server knows", device.runs(counter) and device.is_settled(counter))
    table, received = device.root / "state/streams" / STREAM / device.status()["current"]["slot"] / "table", device.relay.received - before
    claims.claim(f"of a file of {TABLE_BYTES:,} bytes that changed in 5,000 came {received:,} bytes, talk and all, and it is as it was signed",
                 received < TABLE_BYTES / 10 and table.read_bytes() == (sets[2] / "table").read_bytes() and "no delta" not in device.text())


def crash(claims, fleet, device, sets):
    ship(fleet, sets, 3)
    fleet.wait(lambda: fleet.rollout(3)["hurt"] == 1, 90, "the harm of release 3 to be told")
    fleet.wait(lambda: device.runs(2), 60, "release 2 to be back")
    status = device.status()
    claims.claim("release 3 kills the engine: release 2 is back by itself, release 3 is given up, and the server has the harm", device.is_settled(2) and 3 in status["given_up"])
    claims.claim("the report names the exception", "exception 0xc0000005" in device.text())


def refuse(claims, fleet, device, sets):
    ship(fleet, sets, 4)
    fleet.wait(lambda: 4 in device.status()["given_up"], 90, "release 4 to be refused")
    claims.claim("release 4 does not pass preflight: the engine never had it", device.runs(2) and "version 4" not in device.text())


def kill(claims, fleet, device):
    device.kill()
    fleet.wait(lambda: not device.engines(), 20, "the engine to go with its supervisor")
    claims.claim("kill -9 of the supervisor takes its engine with it", not device.engines())
    device.start()
    fleet.wait(lambda: device.runs(2), 60, "release 2 to run again")
    claims.claim("started again, it runs what was proven", device.is_settled(2))


def guard(claims, fleet, device, sets):
    """Killed on trial: a start that was cut short."""
    device.kill()
    device.configure(bake_s=20)                # as a control, which it may be first, it waits for as long
    device.start()
    fleet.wait(lambda: device.runs(2), 60, "release 2 to run")
    ship(fleet, sets, 5)
    fleet.wait(lambda: device.runs(5), 90, "release 5 to be on trial")
    claims.claim("release 5 is on trial", device.status()["on_trial"])
    device.kill()
    said = device.agent("guard", "--config", windows_path(device.config)).stdout
    claims.claim(f"killed on trial, the guard goes back before an engine starts: {said.strip()}", device.is_settled(2) and 5 in device.status()["given_up"])


def recover(claims, fleet, device):
    where = ("--root", windows_path(device.root), "--state", "state")
    before = (device.root / "state/slots").read_bytes()
    dry = device.agent("recover", *where, "--to", "factory", "--dry-run").stdout
    claims.claim("recover --dry-run says what it would do and changes nothing", "factory" in dry and (device.root / "state/slots").read_bytes() == before)
    device.agent("recover", *where, "--to", "factory")
    claims.claim("recover goes to the factory copy", device.status()["current"]["slot"] == "factory")
    device.agent("recover", *where, "--undo")
    claims.claim("recover --undo puts it back", device.is_settled(2))
    device.agent("recover", *where, "--to", "factory")
    device.status_file.unlink(missing_ok=True)
    device.start()
    fleet.wait(lambda: device.runs(0), 60, "the engine to run the factory copy after the recovery")
    claims.claim("and the engine runs it", device.runs(0))


def goodbye(claims, fleet, device):
    """What the service runs when the machine goes; wine's manager sends no such order (tests/platform/windows/test_leave.c)."""
    config = windows_path(device.config)
    said = device.agent("goodbye", "--suspend", "--config", config).stdout
    told = next(item for item in fleet.ask("device", "list") if item["platform"] == "windows-amd64")["goodbye"]
    claims.claim(f"beside the service that runs, a goodbye is said: {said.strip()}", "suspended" in said and told["kind"] == "suspend")
    refused = device.agent("goodbye", "--stopping", "--config", config, ok=range(256))
    claims.claim(f"nobody is asked who is not there: {refused.stderr.strip()}", refused.returncode != 0 and "no systemd here" in refused.stderr)


def service(claims, fleet, device, sets):
    """Under the service manager of wine: what it does not do (start again what failed) is not claimed."""
    config, log = windows_path(device.config), device.root / "state/agent.log"
    device.kill()
    device.agent("service", "remove", ok=range(256))                           # of a run that was cut short
    refused = device.agent("service", "install", ok=range(256))
    claims.claim(f"a service without a configuration is refused: {refused.stderr.strip()}", refused.returncode != 0 and "--config" in refused.stderr)
    by_hand = device.agent("service", "run", "--config", config, "--log", windows_path(log), ok=range(256))
    claims.claim(f"`service run` by hand says what to do: {by_hand.stderr.strip()}", by_hand.returncode != 0 and "`run`" in by_hand.stderr)
    device.configure()
    said = device.agent("service", "install", "--config", config).stdout
    claims.claim(f"installed, and told how to start it: {said.splitlines()[0]}", "net start firebreak-agent" in said)
    device.agent("service", "install", "--config", config)                     # again: changed, not refused
    device.status_file.unlink(missing_ok=True)
    fleet.run(WINE, "net", "start", "firebreak-agent")
    fleet.wait(lambda: device.runs(0), 60, "the engine to run below the service")
    ship(fleet, sets, 6)
    fleet.wait(lambda: device.runs(6), 90, "the engine to run release 6 below the service")
    fleet.wait(lambda: fleet.rollout(6)["proven"] == 1, 60, "release 6 to be proven below the service")
    claims.claim("the service installs a release and proves it", device.is_settled(6))
    goodbye(claims, fleet, device)
    said = log.read_text(errors="replace")
    claims.claim("its log stands in its state folder: the guard's words and the supervisor's", "no release was on trial" in said and "baked, probation -> idle" in said)
    fleet.run(WINE, "net", "stop", "firebreak-agent")
    fleet.wait(lambda: not device.engines(), 30, "the engine to end with the service")
    claims.claim("net stop ends it, and its engine", not device.engines())
    fleet.run(WINE, "net", "start", "firebreak-agent")
    device.status_file.unlink(missing_ok=True)
    fleet.wait(lambda: device.runs(6), 60, "the engine to run again")
    device.agent("service", "remove", "--config", config)
    fleet.wait(lambda: not device.engines(), 30, "the engine to end with the service that is removed")
    gone = device.agent("service", "remove", ok=range(256))
    claims.claim(f"removed while it ran: it has ended, and is no service any more: {gone.stderr.strip()}", gone.returncode != 0 and "there is no service" in gone.stderr)


def breaker(claims, fleet, device, sets):
    """Two releases with rules that flag too much: files of nobody's, and files of Windows. Under one that is proven the breaker denies, and blames nobody."""
    device.kill()
    device.configure(breaker=f"    breaker: {{socket: {PIPE}, actions_max: {ACTIONS_MAX}}}\n")
    refused = device.root / "refused.yaml"
    refused.write_text(device.config.read_text().replace(PIPE, "C:/ask"))
    said = device.agent("status", "--config", windows_path(refused), ok=range(256))
    claims.claim(f"a breaker that is no pipe is refused: {said.stderr.strip()[-110:]}", said.returncode != 0 and "//./pipe/NAME" in said.stderr)
    crowd = device.root / "files"
    crowd.mkdir()
    for i in range(40):
        (crowd / f"{i}.txt").write_text("of nobody's\n")
    acted = pathlib.Path(f"{device.status_file}.acted")
    device.status_file.unlink(missing_ok=True)
    device.start()
    fleet.wait(lambda: device.runs(6), 60, "release 6 to run")

    def ask(path):
        return device.agent("ask", "quarantine", path, "--config", windows_path(device.config), "--json", ok=range(256))
    fleet.wait(lambda: json.loads(ask(windows_path(crowd / "0.txt")).stdout)["answer"] == "allow", 30, "somebody to answer at the pipe")
    for what, path in (("of Windows", "C:/windows/system32/kernel32.dll"), ("of Windows, by another name", "\\\\?\\C:\\WINDOWS\\System32\\..\\system32\\KERNEL32.DLL"),
                       ("of the agent's state", windows_path(device.root / "state/slots"))):
        answer = json.loads(ask(path).stdout)
        claims.claim(f"a file {what} is not for an engine to take: {answer['reason']}", answer["answer"] == "deny")
    counts = device.status()["breaker"]
    claims.claim(f"status counts the questions: {counts}", counts and counts["denied"] >= 3 and counts["allowed"] >= 1)
    for counter, paths in ((7, [windows_path(path) for path in sorted(crowd.iterdir())]), (8, ["C:/windows/system32/kernel32.dll", *(f"C:/windows/system32/{i}.dll" for i in range(20))])):
        before = acted.read_text().splitlines() if acted.exists() else []
        storm_in(sets[counter], paths)
        ship(fleet, sets, counter)
        fleet.wait(lambda: fleet.rollout(counter)["hurt"] == 1, 90, f"the harm of release {counter} to be told")
        fleet.wait(lambda: device.runs(6), 60, "release 6 to be back")
        done = acted.read_text().splitlines()[len(before):]
        claims.claim(f"release {counter} flags {len(paths)} files: {len(done)} actions, at most {ACTIONS_MAX}, none on a file of Windows; release 6 is back",
                     len(done) <= ACTIONS_MAX and not any("windows/system32" in path for path in done) and device.is_settled(6) and counter in device.status()["given_up"])
        harms = [lease["harm"] for lease in fleet.ask("device", "show", fleet.ask("device", "list")[0]["device"])["leases"] if lease["counter"] == counter and lease["harm"]]
        claims.claim(f"the server has it as {harms}", harms == ["action_storm"])


def play(claims, fleet, options):
    device = WindowsDevice(fleet, pathlib.Path(options.agent).resolve())
    fleet.devices.append(device)
    fleet.init()
    fleet.start_server()
    sets = make_sets(fleet)
    begin(claims, fleet, device)
    update(claims, fleet, device, sets)
    crash(claims, fleet, device, sets)
    refuse(claims, fleet, device, sets)
    kill(claims, fleet, device)
    guard(claims, fleet, device, sets)
    recover(claims, fleet, device)
    service(claims, fleet, device, sets)
    breaker(claims, fleet, device, sets)


def set_up(fleet, options):
    fleet.keep = options.keep
    fleet.environment.update(WINEDEBUG="-all", WINEDLLOVERRIDES="mscoree,mshtml=", WINEPREFIX=os.environ.get("WINEPREFIX", str(pathlib.Path(options.agent).resolve().parent / "wine")))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    options.add_argument("--agent", required=True)
    options.add_argument("--keep", action="store_true")
    options = options.parse_args()
    claims = Claims()
    with Fleet(options.build, 1) as fleet:
        set_up(fleet, options)
        fleet.play(claims, play, options)
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
