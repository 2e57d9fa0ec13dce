#!/usr/bin/env python3
"""kill_agent - kill -9 whole devices at random moments while releases reach them, and look whether they recover by themselves.

usage: kill_agent.py --build DIR [--kills N] [--devices N] [--seed N]

A kill ends the agent, its children and the engine at once, as a power cut would (the disk's part of a power cut is swept in
tests/agent/test_slot.c). The device is started again a moment later. After every kill the device's slot record must name a
release that is whole on the disk. At the end every device runs the newest release, or was killed while it tried it: then it
has given it up, said so, and runs what worked before. None is in safe mode.

Power cuts on trial are harm to the server: by bad luck enough of them, and it rightly gives the release to nobody else.
Two people then do what the product asks of them: they say that it was a power cut.
"""
import json, random, sys, time

import killing

RELEASES = (("1-good", 1), ("2-update", 2))


def state_of(fleet, device):
    return json.loads(fleet.run(fleet.build / "firebreak-agent", "status", "--config", device.root / "agent.yaml", "--json").stdout)["streams"][0]


def is_bootable(device, state):
    """What would be started now: a folder with a version in it, the one that the record says."""
    slot = state["current"]
    folder = device.fleet.factory if slot["slot"] == "factory" else device.root / "state/streams/edr-rules" / slot["slot"]
    try:
        return (folder / "VERSION").read_text().strip() == str(slot["counter"])
    except OSError:
        return False


def is_settled(fleet, device, counter):
    if device.loaded().get("version") == str(counter):
        return not state_of(fleet, device)["on_trial"]
    return counter in state_of(fleet, device)["given_up"]


def kill_one(fleet, device, found):
    device.stop()
    state = state_of(fleet, device)
    if state["safe_mode"] or not is_bootable(device, state):
        found.append((device.number, state))
    device.start()


def go_on(claims, fleet, counter):
    """Overrides what our kills stopped."""
    now = fleet.rollout(counter)
    if now["state"] in ("holding", "halted"):
        claims.say(f"release {counter} is {now['state']}: {now['sentence']}")
        fleet.firebreak("rollout", "override", f"edr-rules/{counter}", "--who", "anna", "--second", "bert", "--reason", "the harm was a power cut")


def have_all_settled(claims, fleet, counter):
    go_on(claims, fleet, counter)
    return all(is_settled(fleet, d, counter) for d in fleet.devices)


def play(claims, fleet, options):
    chance, found, kills = random.Random(options.seed), [], 0
    fleet.init()
    fleet.start_server()
    fleet.enrol()
    for name, counter in RELEASES:
        fleet.ship(name, counter, budget=fleet.size)      # a device that is killed on trial is hurt
        for _ in range(options.kills // len(RELEASES)):
            time.sleep(chance.uniform(0.02, 0.4))
            kill_one(fleet, chance.choice(fleet.devices), found)
            kills += 1
        fleet.wait(lambda: have_all_settled(claims, fleet, counter), 120, f"every device to run release {counter}, or to give it up")
        now = fleet.rollout(counter)
        claims.say(f"release {counter}: {now['state']}, proven {now['proven']}, hurt {now['hurt']}, exposed {now['exposed']}")
    claims.claim(f"after each of {kills} kills the slot record named a whole release {found or ''}", kills and not found)
    newest = RELEASES[-1][1]
    states = [state_of(fleet, d) for d in fleet.devices]
    gave_up = [s for s in states if newest in s["given_up"]]
    claims.claim(f"{len(states) - len(gave_up)} devices run the newest release; {len(gave_up)}, killed while they tried it, run what worked before",
                 all((s["current"]["counter"] == newest) != (s in gave_up) for s in states) and len(gave_up) < len(states))
    claims.claim("none is in safe mode, and each engine says that it runs what the record names",
                 all(not s["safe_mode"] and d.loaded().get("version") == str(s["current"]["counter"]) for s, d in zip(states, fleet.devices)))
    fleet.wait(lambda: fleet.rollout(newest)["unanswered"] == 0, 60, "an answer, or a passed deadline, of every device")
    hurt = fleet.rollout(newest)["hurt"]
    claims.claim(f"the server counts {hurt} as hurt, among them all that gave up", hurt >= len(gave_up))


if __name__ == "__main__":
    sys.exit(killing.main(__doc__, play, kills=60, devices=12))
