#!/usr/bin/env python3
"""self_update - the agent is a stream of its own: good versions of it, and versions that die, hang, or are no program at all, on real devices.

usage: self_update.py --build DIR [--keep] [--all]

A loop stands in for the service manager: it starts the package's agent whenever the process ends. What must hold all along: the engine's process is
the same before and after a good update, and there is an engine again at once after a bad one.
"""
import argparse, contextlib, json, os, pathlib, shutil, signal, subprocess, sys, time

from claims import Claims
from fleet import Device, Failed, Fleet

STREAM = "agent"
SILENCE_S, CRASHES_MAX = 60, 3            # SELF_SILENCE_MS and the like


class Kept(Device):
    """A device whose agent is content, too, and is started again whenever it ends."""

    def prepare(self, token):
        super().prepare(token)
        with open(self.root / "agent.yaml", "a") as file:
            file.write(f"  - name: {STREAM}\n    engine:\n      self: true\n    bake_s: {self.fleet.bake_s}\n")

    def start(self):
        agent = [self.fleet.build / "firebreak-agent", "run", "--config", self.root / "agent.yaml"]
        log = open(self.root / "agent.log", "ab")
        loop = 'trap "" TERM; while :; do "$@" & echo $! > "$PID"; wait $!; sleep 0.2; done'
        self.process = subprocess.Popen(["sh", "-c", loop, "sh", *map(str, agent)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        start_new_session=True, env={**os.environ, "PID": str(self.root / "pid")})
        log.close()

    def pid(self):
        """Of the supervisor; 0 while there is none."""
        return int((self.root / "pid").read_text() or 0)

    def program(self):
        """Where the program of the supervisor is; what stands there may be gone at this moment."""
        with contextlib.suppress(OSError):
            return os.readlink(f"/proc/{self.pid()}/exe")
        return ""

    def slot(self):
        program = pathlib.Path(self.program())
        return program.parent.name if program.is_relative_to(self.root / "state") else "package"

    def engine_pid(self):
        for pid in self.pids():
            with contextlib.suppress(OSError):
                if "yarad" in os.readlink(f"/proc/{pid}/exe"):
                    return pid
        return 0

    def stream(self, name=STREAM):
        said = json.loads(self.fleet.run(self.fleet.build / "firebreak-agent", "status", "--config", self.root / "agent.yaml", "--json").stdout)
        return next(s for s in said["streams"] if s["stream"] == name)

    def log(self):
        return (self.root / "agent.log").read_text()


def pack(fleet, counter, write, stream=STREAM):
    folder = fleet.root / f"{stream}-{counter}"
    folder.mkdir()
    (folder / "VERSION").write_text(f"{counter}\n")
    write(folder / "firebreak-agent")
    (folder / "release.yaml").write_text(f"stream: {stream}\nversion: {counter}\ncounter: {counter}\nplatforms: [linux-amd64]\n")
    (folder / "dossier.yaml").write_text("what: the agent\nwhy: a test\nrisk: none\nundo: the one before\n")
    return folder


def ship(fleet, counter, write, keys=()):
    ship_folder(fleet, counter, pack(fleet, counter, write), keys)


def ship_folder(fleet, counter, folder, keys=()):
    release = f"{STREAM}/{counter}"
    fleet.firebreak("release", "pack", folder, "--publisher", fleet.publisher)
    fleet.firebreak("release", "sign", release, "--publisher", fleet.publisher, *(word for key in keys for word in ("--key", key)))
    fleet.firebreak("release", "publish", release, "--publisher", fleet.publisher)
    fleet.firebreak("rollout", "start", release, "--budget", 5, "--bake", f"{fleet.bake_s}s", "--gap", "4s", "--gather", "1s", "--holdout", "0", "--complete", "100%",
                    "--rollback", "0", "--override-by", "anna", "--override-by", "bert", "--reason", "a program, not rules")


def agent(fleet, mark):
    """The real one, which another one differs from by what follows its end."""
    def write(path):
        shutil.copy(fleet.build / "firebreak-agent", path)
        with open(path, "ab") as file:
            file.write(mark.encode())
        path.chmod(0o755)
    return write


def script(body):
    """What passes its check, and then runs this instead."""
    def write(path):
        path.write_text(f'#!/bin/sh\n[ "$1" = check ] && exit 0\n{body}\n')
        path.chmod(0o755)
    return write


def not_a_program(path):
    path.write_bytes(b"\x7fELF" + b"no" * 500)
    path.chmod(0o755)


def harm_of(fleet, counter):
    found = []
    for device in fleet.devices:
        name = json.loads(fleet.run(fleet.build / "firebreak-agent", "status", "--config", device.root / "agent.yaml", "--json").stdout)["device"]
        shown = json.loads(fleet.firebreak("device", "show", name, "--json").stdout)
        found += [lease["harm"] for lease in shown["leases"] if lease["stream"] == STREAM and lease["counter"] == counter and lease["harm"]]
    return found


def good(claims, fleet, counter, slot, keys=()):
    before = [(d.pid(), d.engine_pid()) for d in fleet.devices]
    ship(fleet, counter, agent(fleet, f"version {counter}"), keys)
    fleet.wait(lambda: all(d.stream()["current"]["counter"] == counter and not d.stream()["on_trial"] for d in fleet.devices), 60, f"agent {counter} to be proven")
    claims.claim(f"agent {counter} is proven, and runs from slot {slot} as the same process", all(d.slot() == slot for d in fleet.devices)
                 and [d.pid() for d in fleet.devices] == [b[0] for b in before])
    claims.claim("no engine was started anew for it", [d.engine_pid() for d in fleet.devices] == [b[1] for b in before] and all(b[1] for b in before))
    fleet.wait(lambda: fleet.ask("rollout", "show", f"{STREAM}/{counter}")["proven"] == fleet.size, 20, "the server to hear it")


def alive(pid):
    return pid and os.path.exists(f"/proc/{pid}/exe")


def watchers(device):
    """Processes that run an agent's code and were not told to do anything else."""
    told = {pid: pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode() for pid in device.pids() if alive(pid)}
    return [pid for pid, words in told.items() if pid != device.pid() and "firebreak-agent" in words and "\0run\0" in words and "sh" != words[:2]]


def bad(claims, fleet, counter, write, what, kinds, seconds, slot):
    ship(fleet, counter, write)
    fleet.wait(lambda: any(counter in d.stream()["given_up"] for d in fleet.devices) and not any(d.stream()["on_trial"] for d in fleet.devices), seconds, f"agent {counter}, which {what}, to be given up")
    fleet.wait(lambda: all(d.engine_pid() for d in fleet.devices), 20, "an engine on every device")
    hit = [d for d in fleet.devices if counter in d.stream()["given_up"]]
    fleet.wait(lambda: all(d.slot() == slot for d in fleet.devices), 20, f"the agent of slot {slot} everywhere")
    claims.claim(f"agent {counter}, which {what}, is given up by {len(hit)}, and the one in slot {slot} runs everywhere", len(hit) > 0)
    if kinds:
        fleet.wait(lambda: harm_of(fleet, counter), 20, "the server to hear of the harm")
        claims.claim(f"the server has it as {' or '.join(kinds)}: {harm_of(fleet, counter)[0]}", set(harm_of(fleet, counter)) <= set(kinds))
    fleet.firebreak("rollout", "withdraw", f"{STREAM}/{counter}", "--who", "anna", "--reason", "a drill", ok=range(256))


def killed(claims, fleet, counter):
    """One that was proven, and that somebody ends again and again: a level down."""
    device = fleet.devices[0]
    for _ in range(CRASHES_MAX):
        was = device.pid()
        fleet.wait(lambda: device.slot() != "package", 20, "the agent to run from its slot")
        os.kill(was, signal.SIGKILL)
        fleet.wait(lambda: device.pid() != was and alive(device.pid()), 20, "the agent to be started again")
    fleet.wait(lambda: device.stream()["current"]["counter"] != counter, 20, "the device to go a level down")
    fleet.wait(lambda: device.engine_pid(), 20, "an engine")
    claims.claim(f"killed {CRASHES_MAX} times in a row, agent {counter} makes way for {device.stream()['current']['counter']}", counter in device.stream()["given_up"])


def rots(claims, fleet, counter, body, what, seconds):
    """What was proven is another file after a planned stop: the first to run it is whoever would have to notice."""
    device = fleet.devices[1]
    program = device.root / "state/streams" / STREAM / device.slot() / "firebreak-agent"
    fresh = program.with_suffix(".new")
    fresh.write_text(body)
    fresh.chmod(0o755)
    fresh.rename(program)
    os.kill(device.pid(), signal.SIGTERM)
    fleet.wait(lambda: device.stream()["current"]["counter"] != counter and device.engine_pid(), seconds, f"an engine, after agent {counter} {what}")
    claims.claim(f"agent {counter}, which {what} since it was proven, makes way for {device.stream()['current']['counter']}", True)


def wrapped(path, build):
    """A script that leads to the real one, which lies somewhere else."""
    path.write_text('#!/bin/sh\nexec "$(dirname "$0")/real" "$@"\n')
    path.chmod(0o755)
    shutil.copy(build / "firebreak-agent", path.with_name("real"))


def begin(claims, fleet):
    fleet.init()
    fleet.start_server()
    token = fleet.ask("token", "new", "--group", "demo", "--uses", fleet.size, "--expires", "1h")["token"]
    for number in range(fleet.size):
        device = Kept(fleet, number)
        device.is_old = False
        fleet.devices.append(device)
        device.prepare(token)
        device.start()
    fleet.wait(lambda: all((d.root / "pid").exists() and d.engine_pid() for d in fleet.devices), 20, "the engines")
    claims.claim("at first the package's agent runs", all(d.slot() == "package" for d in fleet.devices))


def play(claims, fleet, options):
    begin(claims, fleet)
    good(claims, fleet, 1, "a")
    good(claims, fleet, 2, "b")
    bad(claims, fleet, 3, not_a_program, "is no program", [], 40, "b")
    bad(claims, fleet, 4, script("exit 3"), "dies at once", ["boot_loop"], 40, "b")
    bad(claims, fleet, 5, script("exec sleep 600"), "hangs", ["boot_loop", "silent"], SILENCE_S + 60, "b")
    good(claims, fleet, 6, "a")
    killed(claims, fleet, 6)
    rots(claims, fleet, 6, "#!/bin/sh\nexit 127\n", "dies before its first line", 40)
    ship(fleet, 7, lambda path: wrapped(path, fleet.build))
    fleet.wait(lambda: all(7 == d.stream()["current"]["counter"] and not d.stream()["on_trial"] for d in fleet.devices), 60, "agent 7 to be proven")
    claims.claim("one that is behind a script is proven, too, and is not started again and again", all(d.log().count("goes on as the one in") < 30 for d in fleet.devices))
    if not options.all:
        return
    rots(claims, fleet, 7, "#!/bin/sh\nexec sleep 600\n", "hangs", CRASHES_MAX * (SILENCE_S + 20))
    claims.claim("nobody is watched who has run for a minute", not watchers(fleet.devices[0]))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    options.add_argument("--keep", action="store_true")
    options.add_argument("--all", action="store_true", help="also what takes three minutes more: one that hangs after it was proven")
    options = options.parse_args()
    claims = Claims()
    with Fleet(options.build, 2) as fleet:
        fleet.keep = options.keep
        fleet.play(claims, play, options)
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
