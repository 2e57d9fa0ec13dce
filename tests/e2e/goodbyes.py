#!/usr/bin/env python3
"""goodbyes - machines that say that they are about to be silent: the real server, agents and engines.

usage: goodbyes.py --build DIR

Three devices. One says goodbye and sleeps, one starts anew and comes late, one says goodbye while a release is on trial on it, again and again, and is dark
like any other. A server that hangs, or is gone, holds nobody up. At last systemd, a stand-in for it, is asked whether the machine goes down.
"""
import argparse, os, signal, sys, time

from claims import Claims
from fleet import Device, Fleet
from groups import next_set

SETTLE_S = 10                    # LIMIT_GOODBYE_SETTLE_S
TARGETS = ("reboot.target", "kexec.target", "soft-reboot.target", "poweroff.target", "halt.target")


def goodbye(fleet, device, *words, ok=(0,)):
    return fleet.run(fleet.build / "firebreak-agent", "goodbye", "--config", device.root / "agent.yaml", *words, ok=ok)


def name(device):
    return (device.root / "id").read_text()


def said(fleet, device):
    return fleet.ask("device", "show", name(device))["goodbye"]


def row(fleet, device):
    return next(line for line in fleet.firebreak("device", "list").stdout.splitlines() if line.startswith(name(device)))


def begin(fleet):
    fleet.init()
    fleet.start_server()
    token = fleet.ask("token", "new", "--group", "demo", "--uses", fleet.size, "--expires", "1h")["token"]
    known = set()
    for number in range(fleet.size):
        fleet.devices.append(Device(fleet, number))
        fleet.devices[-1].prepare(token)
        ids = {item["device"] for item in fleet.ask("device", "list")}
        (fleet.devices[-1].root / "id").write_text((ids - known).pop())
        known = ids
        fleet.devices[-1].start()
    fleet.ship("1-good", 1)
    fleet.wait(lambda: fleet.rollout(1)["state"] == "complete", 90, "release 1 to be complete")


def sleep(claims, fleet, device):
    claims.claim("nobody said goodbye yet", said(fleet, device) is None and "goodbye" not in fleet.firebreak("device", "show", name(device)).stdout)
    answer = goodbye(fleet, device, "--suspend")
    claims.claim("the server is told, by a process of its own", "the server knows that this machine is suspended" in answer.stdout)
    device.freeze()
    now = said(fleet, device)
    claims.claim("it is away, and no time of return is known", now["kind"] == "suspend" and now["is_away"] and now["back_at"] is None)
    time.sleep(SETTLE_S + 1)
    claims.claim("the list says so", " suspend " in row(fleet, device) and "goodbye        suspend" in fleet.firebreak("device", "show", name(device)).stdout)
    device.thaw()
    fleet.wait(lambda: not said(fleet, device)["is_away"], 60, "the device to be back")
    claims.claim("what is heard of it next ends it", " suspend " not in row(fleet, device) and ", and back" in fleet.firebreak("device", "show", name(device)).stdout)


def start_anew(claims, fleet, device):
    goodbye(fleet, device, "--reboot", "--back-in", "3")
    device.stop()
    now = said(fleet, device)
    claims.claim("a reboot says when it is back", now["kind"] == "reboot" and now["back_at"] == now["said_at"] + 3)
    fleet.wait(lambda: "overdue since" in row(fleet, device), 30, "the reboot to be overdue")
    claims.claim("one that is not back by then is overdue", said(fleet, device)["is_away"])
    time.sleep(SETTLE_S)
    device.start()
    fleet.wait(lambda: not said(fleet, device)["is_away"], 60, "the machine to be back")
    claims.claim("and no more when it is back", "overdue" not in row(fleet, device))
    goodbye(fleet, device, "--reboot")
    now = said(fleet, device)
    claims.claim("a reboot that is not told when takes ten minutes at most", now["back_at"] == now["said_at"] + 600)


def tried(fleet):
    """Who has the release, and not a reload of what it had, as control does."""
    for device in fleet.devices:
        status = fleet.run(fleet.build / "firebreak-agent", "status", "--config", device.root / "agent.yaml", "--json").stdout
        if '"on_trial": true' in status and fleet.ask("device", "show", name(device))["leases"][0]["kind"] == "exposure":
            return device
    return None


def on_trial(claims, fleet):
    fleet.ship(next_set(fleet, 2), 2, bake_s=6)
    found = []
    fleet.wait(lambda: found.append(tried(fleet)) or found[-1], 90, "release 2 to be on trial")
    device = found[-1]
    device.freeze()
    lease = fleet.ask("device", "show", name(device))["leases"][0]
    goodbye(fleet, device, "--suspend")
    counted = fleet.rollout(2)["goodbyes"]
    claims.claim(f"who is on trial and said goodbye is counted: {counted}", counted == {"unanswered": 1, "dark": 0})
    count = 0
    while fleet.rollout(2)["dark"] == 0 and count < 90:
        goodbye(fleet, device, "--reboot", "--back-in", "86400")
        count += 1
        time.sleep(1)
    now = fleet.rollout(2)
    claims.claim(f"it is dark like any other, though it said goodbye {count} times", now["dark"] == 1 and count > 1)
    again = fleet.ask("device", "show", name(device))["leases"][0]
    claims.claim("its deadline did not move", again["nonce"] == lease["nonce"] and again["deadline"] == lease["deadline"])
    shown = " ".join(fleet.firebreak("rollout", "show", "edr-rules/2").stdout.split())
    claims.claim("people see that it was told", "goodbyes 0 of the unanswered and 1 of the dark have said goodbye since" in shown)
    device.thaw()


def away(claims, fleet, device):
    before = said(fleet, device)
    fleet.server.send_signal(signal.SIGSTOP)
    children = [int(pid) for pid in open(f"/proc/{fleet.server.pid}/task/{fleet.server.pid}/children").read().split()]
    for child in children:
        os.kill(child, signal.SIGSTOP)
    answer = goodbye(fleet, device, "--shutdown", ok=range(1, 126))
    claims.claim("a server that hangs holds nobody up", "the server was not told: nobody answered in time" in answer.stderr)
    for child in children:
        os.kill(child, signal.SIGCONT)
    fleet.server.send_signal(signal.SIGCONT)
    fleet.stop_server(signal.SIGTERM)
    answer = goodbye(fleet, device, "--shutdown", ok=range(1, 126))
    claims.claim("nor does one that is gone", "the server was not told" in answer.stderr)
    fleet.start_server()
    claims.claim("the row is as it was, also after a restart of the server", {**said(fleet, device), "is_away": 0} == {**before, "is_away": 0})


def tell_systemctl(fleet, text):
    folder = fleet.root / "bin"
    folder.mkdir(exist_ok=True)
    program = folder / "systemctl"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    fleet.environment["PATH"] = f"{folder}:{os.environ['PATH']}"


def shows(target):
    return "printf '" + "\\n".join(f"Id={each}\\n" + ("Job=812\\n" if each == target else "") for each in TARGETS) + "'"


def ask_systemd(claims, fleet, device):
    before = said(fleet, device)
    tell_systemctl(fleet, shows(None))
    answer = goodbye(fleet, device, "--stopping")
    claims.claim("a service that is stopped by hand is no goodbye", "nothing is said" in answer.stdout and said(fleet, device)["said_at"] == before["said_at"])
    for target, kind in (("poweroff.target", "shutdown"), ("reboot.target", "reboot")):
        tell_systemctl(fleet, shows(target))
        goodbye(fleet, device, "--stopping")
        claims.claim(f"a machine on its way to {target} says {kind}", said(fleet, device)["kind"] == kind)
        time.sleep(1)            # the second of a date counts once
    before = said(fleet, device)
    tell_systemctl(fleet, "exec sleep 1000")
    answer = goodbye(fleet, device, "--stopping", ok=range(1, 126))
    claims.claim("a systemd that hangs holds nobody up", "systemctl does not answer" in answer.stderr and said(fleet, device)["said_at"] == before["said_at"])
    tell_systemctl(fleet, "echo Failed to connect to bus >&2; exit 1")
    answer = goodbye(fleet, device, "--stopping", ok=range(1, 126))
    claims.claim("and one that is not there is said", "Failed to connect to bus" in answer.stderr)


def refuse(claims, fleet, device):
    before = said(fleet, device)
    for words in ((), ("--suspend", "--reboot"), ("--reboot", "--back-in", "0"), ("--reboot", "--back-in", "9999999"), ("--suspend", "--back-in", "5m"), ("--hibernate",)):
        goodbye(fleet, device, *words, ok=(64,))
    claims.claim("what is no goodbye is refused and changes nothing", said(fleet, device)["said_at"] == before["said_at"])
    stranger = Device(fleet, 99)
    stranger.root.mkdir(parents=True)
    (stranger.root / "agent.yaml").write_text((device.root / "agent.yaml").read_text().replace(str(device.root / "state"), str(stranger.root / "state")))
    answer = goodbye(fleet, stranger, "--suspend", ok=range(1, 126))
    claims.claim("who is not enrolled says nothing, and nothing is made for him", "this device is not enrolled" in answer.stderr and not (stranger.root / "state").exists())


def before_it_ran(claims, fleet):
    """Enrolled, and shut down before the agent was ever started."""
    device = Device(fleet, 98)
    known = {item["device"] for item in fleet.ask("device", "list")}
    device.prepare(fleet.ask("token", "new", "--group", "demo", "--uses", 1, "--expires", "1h")["token"])
    (device.root / "id").write_text(({item["device"] for item in fleet.ask("device", "list")} - known).pop())
    goodbye(fleet, device, "--shutdown")
    claims.claim("the supervisor need not have run", said(fleet, device)["kind"] == "shutdown")


def play(claims, fleet):
    begin(fleet)
    sleeper, starter, _ = fleet.devices
    sleep(claims, fleet, sleeper)
    start_anew(claims, fleet, starter)
    refuse(claims, fleet, sleeper)
    ask_systemd(claims, fleet, sleeper)
    away(claims, fleet, sleeper)
    on_trial(claims, fleet)
    before_it_ran(claims, fleet)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    options = options.parse_args()
    claims = Claims()
    with Fleet(options.build, 3) as fleet:
        fleet.play(claims, play)
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
