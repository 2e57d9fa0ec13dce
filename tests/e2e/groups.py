#!/usr/bin/env python3
"""groups - a group of devices stays one release behind, is pinned, and is let go: the real server, agents and engines.

usage: groups.py --build DIR

Three office devices get each release as it comes; three tills stay one behind, also over a restart of the server. A fourth
till that enrols later is brought to the release on which tills are pinned by then, and an office device to the newest that was
completed, although the newest of all is halted. At last all run the newest that was completed.
"""
import argparse, shutil, signal, sys

from claims import Claims
from fleet import SETS, Device, Fleet

OFFICE, TILLS = 3, 3


def enrol(fleet, group, count):
    token = fleet.ask("token", "new", "--group", group, "--uses", count, "--expires", "1h")["token"]
    for _ in range(count):
        device = Device(fleet, len(fleet.devices))
        fleet.devices.append(device)
        device.prepare(token)
        device.start()


def versions(devices):
    return [device.loaded().get("version") for device in devices]


def next_set(fleet, version):
    folder = fleet.root / f"set-{version}"
    shutil.copytree(SETS / "2-update", folder)
    (folder / "VERSION").write_text(f"{version}\n")
    return folder


def halt_next(fleet):
    """Release 4 is halted before anybody has it."""
    fleet.ship(next_set(fleet, 4), 4, gather="60s")
    fleet.firebreak("rollout", "halt", "edr-rules/4")


def until_complete(fleet, counter):
    fleet.wait(lambda: fleet.rollout(counter)["state"] == "complete", 60, f"release {counter} to be complete")
    return fleet.rollout(counter)


def play(claims, fleet):
    fleet.init()
    fleet.start_server()
    enrol(fleet, "office", OFFICE)
    enrol(fleet, "tills", TILLS)
    office, tills = fleet.devices[:OFFICE], fleet.devices[OFFICE:]
    fleet.ship("1-good", 1)
    claims.claim("release 1 reaches all", until_complete(fleet, 1)["proven"] == OFFICE + TILLS)
    fleet.firebreak("group", "set", "tills", "--behind", "1", "--reason", "office goes first")
    fleet.ship("2-update", 2)
    now = until_complete(fleet, 2)
    claims.claim(f"release 2 is complete without the {TILLS} tills", now["kept_back"] == TILLS and now["proven"] == OFFICE == now["eligible"])
    claims.claim(f"office runs 2, the tills run 1 ({versions(tills)})", versions(office) == ["2"] * OFFICE and versions(tills) == ["1"] * TILLS)
    fleet.stop_server(signal.SIGKILL)
    fleet.start_server()
    fleet.ship(next_set(fleet, 3), 3)
    fleet.wait(lambda: versions(tills) == ["2"] * TILLS, 60, "the tills to get release 2")
    claims.claim("when release 3 is complete the tills get 2, through its own rollout",
                 until_complete(fleet, 3)["kept_back"] == TILLS and versions(office) == ["3"] * OFFICE)
    fleet.wait(lambda: fleet.rollout(2)["proven"] == OFFICE + TILLS, 30, "the tills to prove release 2")
    fleet.firebreak("group", "set", "tills", "--pin", "2")
    halt_next(fleet)
    enrol(fleet, "tills", 1)
    enrol(fleet, "office", 1)
    late, later = fleet.devices[-2:-1], fleet.devices[-1:]
    fleet.wait(lambda: versions(late) == ["2"], 60, "the late till to get release 2")
    claims.claim("a till that enrols later is brought to release 2 while 4 is halted", fleet.rollout(3)["exposed"] == OFFICE)
    fleet.wait(lambda: versions(later) == ["3"], 60, "the late office device to get release 3")
    claims.claim("an office device that enrols later is brought to release 3", fleet.rollout(4)["exposed"] == 0)
    fleet.firebreak("group", "set", "tills", "--latest")
    fleet.wait(lambda: versions(tills + late) == ["3"] * (TILLS + 1), 60, "the tills to get release 3")
    claims.claim("let go, all run the newest", fleet.rollout(3)["kept_back"] == 0)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    options = options.parse_args()
    claims = Claims()
    with Fleet(options.build, OFFICE + TILLS) as fleet:
        fleet.play(claims, play)
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
