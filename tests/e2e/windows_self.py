#!/usr/bin/env python3
"""windows_self - the agent for Windows is a stream of its own, under wine64: good versions of it, and versions that die, hang, or are no program at all; by hand and as a service.

usage: windows_self.py --build DIR --agent DIR [--keep]     DIR: the ordinary build, and the one for Windows

A keeper stands above the supervisor (docs/decisions/025-windows.md). What must hold all along: it is the same process, and there is an engine again soon after whatever happens.
"""
import argparse, contextlib, os, pathlib, shutil, signal, sys, time

from claims import Claims
from fleet import Fleet
from self_update import CRASHES_MAX, SILENCE_S, STREAM, ship_folder
from windows import WINE, WindowsDevice, set_up, windows_path

CUTS_S = (0, 0.05, 0.2, 0.5)                     # into a hand-over, which takes about half a second


class KeptWindows(WindowsDevice):
    """A device of wine's whose agent is content, too."""

    def configure(self, **words):
        super().configure(**words)
        with open(self.config, "a") as file:
            file.write(f"  - name: {STREAM}\n    engine:\n      self: true\n    bake_s: 1\n")

    def agents(self):
        """Processes that run an agent's supervisor or keeper: number and words."""
        found = {}
        for name in os.listdir("/proc"):
            with contextlib.suppress(OSError):
                words = pathlib.Path(f"/proc/{name}/cmdline").read_bytes().decode(errors="replace").split("\0") if name.isdigit() else []
                if windows_path(self.config) in words and "run" in words:
                    found[int(name)] = words
        return found

    def keeper(self):
        return next((pid for pid, words in self.agents().items() if "--handed" not in words), 0)

    def supervisor(self):
        return next((pid for pid, words in self.agents().items() if "--handed" in words), 0)

    def slot(self):
        """Whose program the supervisor runs; what comes is not there before what goes has gone."""
        words = next((words for words in self.agents().values() if "--handed" in words), [""])
        return pathlib.PurePosixPath(words[0].replace("\\", "/")).parent.name if "/streams/" in words[0].replace("\\", "/") else "package" if words[0] else "none"

    def stream(self, name=STREAM):
        return next(stream for stream in self.streams() if stream["stream"] == name)

    def is_at(self, counter, slot, rules):
        stream = self.stream()
        return stream["current"]["counter"] == counter and not stream["on_trial"] and self.slot() == slot and self.runs(rules)


def pack(fleet, counter, program, *, does="", mark=""):
    folder = fleet.root / f"{STREAM}-{counter}"
    folder.mkdir()
    if isinstance(program, bytes):
        (folder / "firebreak-agent.exe").write_bytes(program)
    else:
        shutil.copy(program, folder / "firebreak-agent.exe")
    with open(folder / "firebreak-agent.exe", "ab") as file:
        file.write(mark.encode())
    for name, text in (("VERSION", f"{counter}\n"), ("does", does), ("release.yaml", f"stream: {STREAM}\nversion: {counter}\ncounter: {counter}\nplatforms: [windows-amd64]\n"),
                       ("dossier.yaml", "what: the agent\nwhy: a test\nrisk: none\nundo: the one before\n")):
        (folder / name).write_text(text)
    return folder


def harms(fleet, counter):
    leases = fleet.ask("device", "show", fleet.ask("device", "list")[0]["device"])["leases"]
    return [lease["harm"] for lease in leases if lease["stream"] == STREAM and lease["counter"] == counter and lease["harm"]]


def begin(claims, fleet, device):
    token = fleet.ask("token", "new", "--group", "demo", "--uses", 1, "--expires", "1h")["token"]
    device.configure()
    device.agent("enrol", "--config", windows_path(device.config), "--token", token)
    device.start()
    fleet.wait(lambda: device.runs(0) and device.supervisor(), 60, "the engine to run the factory copy")
    claims.claim("at first the package's agent runs, below a keeper", device.slot() == "package" and device.keeper())


def good(claims, fleet, device, counter, slot):
    keeper = device.keeper()
    ship_folder(fleet, counter, pack(fleet, counter, device.program, mark=f"version {counter}"))
    fleet.wait(lambda: device.is_at(counter, slot, 0), 120, f"agent {counter} to be proven, and an engine")
    claims.claim(f"agent {counter} is proven, and runs from slot {slot} below the same keeper, with an engine", device.keeper() == keeper and len(device.agents()) == 2)
    fleet.wait(lambda: fleet.ask("rollout", "show", f"{STREAM}/{counter}")["proven"] == 1, 30, "the server to hear it")


def bad(claims, fleet, device, counter, folder, what, kinds, seconds, back):
    keeper, before = device.keeper(), len(device.text())
    ship_folder(fleet, counter, folder)
    fleet.wait(lambda: counter in device.stream()["given_up"] and device.is_at(*back, 0), seconds, f"agent {counter}, which {what}, to be given up")
    began = "this agent goes on as the one in" in device.text()[before:]
    claims.claim(f"agent {counter}, which {what}, is given up{'' if kinds else ' before anything went on as it'}; agent {back[0]} runs in slot {back[1]}, with an engine",
                 device.keeper() == keeper and began == bool(kinds))
    if kinds:
        fleet.wait(lambda: harms(fleet, counter), 30, "the server to hear of the harm")
        claims.claim(f"the server has it as {' or '.join(kinds)}: {harms(fleet, counter)}", set(harms(fleet, counter)) <= set(kinds))
    fleet.firebreak("rollout", "withdraw", f"{STREAM}/{counter}", "--who", "anna", "--reason", "a drill", ok=range(256))


def killed(claims, fleet, device, counter, back):
    """One that was proven, and that somebody ends again and again: a level down."""
    keeper = device.keeper()
    for _ in range(CRASHES_MAX):
        fleet.wait(lambda: device.slot() == "a", 60, "the agent to run from its slot")
        was = device.supervisor()
        os.kill(was, signal.SIGKILL)
        fleet.wait(lambda: device.supervisor() not in (0, was), 60, "the keeper to start the agent again")
    fleet.wait(lambda: device.is_at(*back, 0), 60, "the device to go a level down")
    claims.claim(f"killed {CRASHES_MAX} times in a row, agent {counter} makes way for {back[0]}, with an engine, below the same keeper",
                 counter in device.stream()["given_up"] and device.keeper() == keeper)


def keeper_gone(claims, fleet, device, back):
    device.kill()
    fleet.wait(lambda: not device.agents() and not device.engines(), 30, "everything to go with the keeper")
    claims.claim("kill -9 of the keeper takes the agent and its engine with it", not device.engines())
    device.status_file.unlink(missing_ok=True)
    device.start()
    fleet.wait(lambda: device.is_at(*back, 0), 60, "the agent of the slot to run again")
    claims.claim("started again, the package's program goes on as the agent that was proven", not device.stream()["on_trial"])


def service(claims, fleet, device, back):
    device.kill()
    device.agent("service", "remove", ok=range(256))                           # of a run that was cut short
    device.agent("service", "install", "--config", windows_path(device.config))
    device.log = device.root / "state/agent.log"
    device.status_file.unlink(missing_ok=True)
    fleet.run(WINE, "net", "start", "firebreak-agent")
    fleet.wait(lambda: device.supervisor() and device.is_at(*back, 0), 60, "the service to run the agent of the slot")
    claims.claim("the service keeps the agent that was proven", device.keeper())
    keeper = device.keeper()
    ship_folder(fleet, 9, pack(fleet, 9, device.program, mark="version 9"))
    fleet.wait(lambda: device.is_at(9, "a", 0), 120, "agent 9 to be proven below the service")
    claims.claim("the agent updates itself below the service, which stays the same process", device.keeper() == keeper)
    fleet.run(WINE, "net", "stop", "firebreak-agent")
    fleet.wait(lambda: not device.engines() and not device.agents(), 30, "all to end with the service")
    claims.claim("net stop ends the agent of the slot and its engine, as planned", not (device.root / "state/running").exists())
    device.agent("service", "remove", "--config", windows_path(device.config))


def rots(claims, fleet, device, counter, back):
    """What was proven is another file after a planned stop, and none that could be run."""
    program = device.root / "state/streams" / STREAM / "a" / "firebreak-agent.exe"
    program.unlink()
    program.write_bytes(b"no" * 500)
    device.log = device.root / "agent.log"
    device.status_file.unlink(missing_ok=True)
    device.start()
    fleet.wait(lambda: device.is_at(*back, 0), 60, f"an engine, after agent {counter} cannot be executed")
    claims.claim(f"agent {counter}, which cannot be executed since it was proven, makes way for {back[0]} at once: {device.stream()['given_up']}", counter in device.stream()["given_up"])


def is_whole(device):
    """Nothing is on trial, the supervisor is the program that the record names, and an engine is at work."""
    stream = device.stream()
    slot = stream["current"]["slot"]
    return not stream["on_trial"] and device.slot() == (slot if slot in ("a", "b") else "package") and device.runs(0)


def cut(claims, fleet, device, counter, whom, seconds):
    """Killed so long after it said that it goes on as another one."""
    before, said = device.stream()["current"]["counter"], len(device.text())
    ship_folder(fleet, counter, pack(fleet, counter, device.program, mark=f"version {counter}"))
    fleet.wait(lambda: "this agent goes on as" in device.text()[said:], 90, f"the agent to go on as {counter}")
    time.sleep(seconds)
    if whom == "keeper":
        device.kill()
        device.status_file.unlink(missing_ok=True)
        device.start()
    else:
        with contextlib.suppress(OSError):
            os.kill(device.supervisor() or sys.maxsize, signal.SIGKILL)
    fleet.wait(lambda: is_whole(device) and (device.stream()["current"]["counter"] == counter or counter in device.stream()["given_up"]), 90, f"an agent and an engine, after the {whom} was killed")
    stream = device.stream()
    now = stream["current"]["counter"]
    claims.claim(f"the {whom} killed {seconds} s into the hand-over to {counter}: agent {now} is in charge, with an engine", now == counter or (now == before and counter in stream["given_up"]))
    fleet.wait(lambda: sum(fleet.ask("rollout", "show", f"{STREAM}/{counter}")[word] for word in ("proven", "hurt")) == 1, 30, f"the server to hear how agent {counter} did")


def play(claims, fleet, options):
    agent = pathlib.Path(options.agent).resolve()
    device = KeptWindows(fleet, agent)
    heir = agent / "tests/windows/windows-heir.exe"
    fleet.devices.append(device)
    fleet.init()
    fleet.start_server()
    begin(claims, fleet, device)
    good(claims, fleet, device, 1, "a")
    good(claims, fleet, device, 2, "b")
    bad(claims, fleet, device, 3, pack(fleet, 3, b"no" * 500), "is no program", [], 90, (2, "b"))
    bad(claims, fleet, device, 4, pack(fleet, 4, heir, does="3"), "dies at once", ["boot_loop"], 90, (2, "b"))
    bad(claims, fleet, device, 5, pack(fleet, 5, heir, does="hangs"), "hangs", ["boot_loop", "silent"], SILENCE_S + 90, (2, "b"))
    good(claims, fleet, device, 6, "a")
    killed(claims, fleet, device, 6, (2, "b"))
    keeper_gone(claims, fleet, device, (2, "b"))
    service(claims, fleet, device, (2, "b"))
    rots(claims, fleet, device, 9, (2, "b"))
    for number, (whom, seconds) in enumerate((whom, seconds) for seconds in CUTS_S for whom in ("supervisor", "keeper")):
        cut(claims, fleet, device, 10 + number, whom, seconds)


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
