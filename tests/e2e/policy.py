#!/usr/bin/env python3
"""policy - each device's owner has his own word about what begins on it: the real server, agents and engines.

usage: policy.py --build DIR

Nine devices run release 1. Then six of them get a policy each (pin, one behind, freeze, window, battery, metered network), and their
agents are started anew. Release 2 reaches the three others; one by one the six get what their owner lets them have, and not before.
At last release 3 is withdrawn under a frozen device, which goes back all the same.
"""
import argparse, datetime, json, sys, time

from claims import Claims
from fleet import Device, Fleet
from groups import next_set

FREE = 3
NAMES = ("pin", "behind", "freeze", "window", "battery", "metered")


def other_days():
    """Days of the week that are neither today nor tomorrow in UTC, nor yesterday."""
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    today = datetime.datetime.now(datetime.timezone.utc).weekday()
    return [days[(today + ahead) % 7] for ahead in (2, 3, 4, 5)]


def set_policy(fleet, device, text):
    """The agent's configuration with this policy instead of the one before; it is read at the start."""
    device.stop()
    path = device.root / "agent.yaml"
    path.write_text(path.read_text().split("policy:")[0] + (f"policy: {text}\n" if text else ""))
    device.start()


def version(device):
    return device.loaded().get("version")


def held(fleet, device):
    status = fleet.run(fleet.build / "firebreak-agent", "status", "--config", device.root / "agent.yaml", "--json").stdout
    return json.loads(status)["streams"][0]["held"]


def log(device):
    return (device.root / "agent.log").read_text()


def start(fleet, counter):
    """Complete as soon as the devices that may have it have it."""
    fleet.firebreak("rollout", "start", f"edr-rules/{counter}", "--budget", 5, "--bake", "1s", "--gap", "4s", "--gather", "1s", "--holdout", "0",
                    "--complete", "30%", "--rollback", "1s")


def ship(fleet, counter):
    fleet.ship(next_set(fleet, counter), counter, start=False)
    start(fleet, counter)


def begin(fleet):
    fleet.init()
    fleet.start_server()
    token = fleet.ask("token", "new", "--group", "demo", "--uses", fleet.size, "--expires", "1h")["token"]
    for number in range(fleet.size):
        fleet.devices.append(Device(fleet, number))
        fleet.devices[-1].prepare(token)
        fleet.devices[-1].start()
    fleet.ship("1-good", 1)
    fleet.wait(lambda: fleet.rollout(1)["state"] == "complete", 90, "release 1 to be complete")


def give_policies(fleet, of):
    power, metered = of["battery"].root / "power", of["metered"].root / "metered"
    (power / "BAT0").mkdir(parents=True)
    for name, text in (("type", "Battery"), ("capacity", "10"), ("status", "Discharging")):
        (power / "BAT0" / name).write_text(f"{text}\n")
    metered.write_text("yes\n")
    set_policy(fleet, of["pin"], "{pin: 1}")
    set_policy(fleet, of["behind"], "{behind: 1}")
    set_policy(fleet, of["freeze"], '{freeze_until: "2099-01-01T00:00:00Z"}')
    set_policy(fleet, of["window"], f'{{windows: [{{days: [{", ".join(other_days())}], from: "00:00", to: "24:00", zone: UTC}}]}}')
    set_policy(fleet, of["battery"], f"{{battery: {{at_least: 30, folder: {power}}}}}")
    set_policy(fleet, of["metered"], f"{{metered: hold, metered_file: {metered}}}")
    return power, metered


def release_2(claims, fleet, of, power, metered):
    free = fleet.devices[:FREE]
    ship(fleet, 2)
    fleet.wait(lambda: [version(d) for d in free] == ["2"] * FREE, 90, "release 2 on the free devices")
    for name in NAMES:
        fleet.wait(lambda name=name: f"release 2: held: " in log(of[name]), 60, f"the device with `{name}` to say that it is held")
    claims.claim("six devices are held and run release 1", all(version(of[name]) == "1" for name in NAMES))
    for name in NAMES:
        claims.claim(f"the device with `{name}` says so", held(fleet, of[name])["reason"] == name)
    claims.claim("a window and a battery let it prepare the release, nothing else does",
                 [name for name in NAMES if "-> WAITING" in log(of[name]).split("release 2", 1)[-1].upper()] == ["window", "battery"])
    now = fleet.rollout(2)
    claims.claim("held devices are neither harmed nor dark", now["hurt"] == 0 and now["dark"] == 0 and now["exposed"] == FREE)
    fleet.wait(lambda: fleet.rollout(2)["held"] == dict.fromkeys(sorted(NAMES), 1), 60, "the server to know who is held and why")
    claims.claim("the server counts one for each reason, and says so to people", "by their owners" in fleet.firebreak("rollout", "show", "edr-rules/2").stdout)
    (power / "BAT0/capacity").write_text("80\n")
    fleet.wait(lambda: version(of["battery"]) == "2", 60, "release 2 on the charged device")
    metered.write_text("no\n")
    fleet.wait(lambda: version(of["metered"]) == "2", 60, "release 2 on the device whose network is cheap again")
    claims.claim("and the server counts them no more", not {"battery", "metered"} & set(fleet.rollout(2)["held"]))
    claims.claim("charged, and off the metered network, they get release 2", version(of["freeze"]) == version(of["window"]) == "1")
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=15)
    set_policy(fleet, of["freeze"], f'{{freeze_until: "{moment:%Y-%m-%dT%H:%M:%SZ}"}}')
    set_policy(fleet, of["window"], '{windows: [{from: "00:00", to: "24:00"}]}')
    fleet.wait(lambda: version(of["freeze"]) == version(of["window"]) == "2", 90, "release 2 when the freeze ends and the window opens")
    claims.claim("the freeze ended no sooner than it said", datetime.datetime.now(datetime.timezone.utc) >= moment)


def release_3(claims, fleet, of):
    fleet.wait(lambda: fleet.rollout(2)["state"] == "complete", 60, "release 2 to be complete")
    ship(fleet, 3)
    fleet.wait(lambda: version(of["behind"]) == "2", 90, "release 2 on the device that stays one behind")
    fleet.wait(lambda: version(of["battery"]) == "3", 90, "release 3 on a device without a reason against it")
    time.sleep(6)
    claims.claim("one behind runs 2 while 3 is the newest, and the pinned one still runs 1", version(of["behind"]) == "2" and version(of["pin"]) == "1")
    frozen = of["battery"]
    set_policy(fleet, frozen, "{freeze: true}")
    fleet.wait(lambda: version(frozen) == "3", 30, "the frozen device to be up")
    fleet.firebreak("rollout", "withdraw", "edr-rules/3", "--who", "anna", "--reason", "test")
    fleet.wait(lambda: version(frozen) == "2", 60, "the frozen device to go back")
    claims.claim("a withdrawal reaches a frozen device", held(fleet, frozen)["reason"] == "freeze")


def play(claims, fleet):
    begin(fleet)
    of = dict(zip(NAMES, fleet.devices[FREE:]))
    power, metered = give_policies(fleet, of)
    release_2(claims, fleet, of, power, metered)
    release_3(claims, fleet, of)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    options = options.parse_args()
    claims = Claims()
    with Fleet(options.build, FREE + len(NAMES)) as fleet:
        fleet.play(claims, play)
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
