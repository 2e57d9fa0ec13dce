#!/usr/bin/env python3
"""kill_server - kill -9 the server at random moments during a rollout, and look whether its promises hold.

usage: kill_server.py --build DIR [--kills N] [--devices N] [--seed N]

After every kill, with the server dead, a copy of its files is compared with what the devices are and believe:
  * it has no more exposures than the limit that follows from what it had made durable,
  * no device runs the release without an exposure that is durable,
  * each report that an agent holds an acknowledgement for is there.
At the end the rollout completes with every device proven.
"""
import json, pathlib, random, shutil, signal, sqlite3, sys, tempfile, time

import killing

STREAM, COUNTER = "edr-rules", 1
LOOKED_AT = 12                                 # devices asked for their state after each kill; all of them after the last


def durable(fleet):
    """What the dead server's files say: its tables, and what another server makes of a copy that no device knows of."""
    with tempfile.TemporaryDirectory(prefix="firebreak-look-") as folder:
        copy = pathlib.Path(folder) / "server"
        shutil.copytree(fleet.data, copy)
        view = fleet.ask_copy(copy, "rollout", "show", f"{STREAM}/{COUNTER}")
        database = sqlite3.connect(copy / "firebreak.db")
        try:
            exposed = {row[0].hex() for row in database.execute(
                "SELECT d.id FROM leases l JOIN devices d ON d.number = l.device WHERE l.kind = 'exposure' AND l.note IS NOT NULL")}
            reports = {row[0].hex(): row[1] for row in database.execute(
                "SELECT d.id, count(*) FROM reports r JOIN devices d ON d.number = r.device GROUP BY d.id")}
        finally:
            database.close()
    return view, exposed, reports


def state_of(fleet, device):
    return json.loads(fleet.run(fleet.build / "firebreak-agent", "status", "--config", device.root / "agent.yaml", "--json").stdout)


class Look:
    """All that was found wrong; nothing, if the promises hold."""

    def __init__(self, fleet):
        self.fleet, self.over, self.unknown, self.lost, self.acknowledged = fleet, [], [], [], 0

    def at(self, devices):
        running = [d.identity for d in self.fleet.devices if d.loaded().get("version") == str(COUNTER)]
        states = [state_of(self.fleet, d) for d in devices]
        view, exposed, reports = durable(self.fleet)
        if len(exposed) > view["limit"]:
            self.over.append((len(exposed), view["limit"]))
        self.unknown += [identity for identity in running if identity not in exposed]
        for state in states:
            proven = state["streams"][0]["proven"]
            if proven and not state["reports_waiting"]:
                self.acknowledged += 1
                if reports.get(state["device"], 0) < proven:
                    self.lost.append(state["device"])
        return view, len(exposed), len(running)


def kill_often(claims, fleet, kills, chance):
    look, during = Look(fleet), 0
    for kill in range(1, kills + 1):
        time.sleep(chance.uniform(0.05, 0.9))
        fleet.server.send_signal(signal.SIGKILL)
        fleet.server.wait()
        time.sleep(0.1)                        # its children end with it
        view, exposed, running = look.at(chance.sample(fleet.devices, min(LOOKED_AT, len(fleet.devices))))
        during += view["state"] not in ("complete", "watched")
        claims.say(f"kill {kill}: {view['state']}, {exposed} exposures durable of limit {view['limit']}, {running} run it, proven {view['proven']}")
        fleet.start_server()
    return look, during


def play(claims, fleet, options):
    fleet.init()
    fleet.start_server()
    fleet.enrol()
    for device in fleet.devices:
        device.identity = state_of(fleet, device)["device"]
    fleet.ship("1-good", COUNTER)
    look, during = kill_often(claims, fleet, options.kills, random.Random(options.seed))
    fleet.wait(lambda: fleet.rollout(COUNTER)["state"] in ("complete", "watched"), 180, "the rollout to complete")
    fleet.wait(lambda: fleet.rollout(COUNTER)["proven"] == fleet.size, 60, "every device to be proven")
    look.at(fleet.devices)
    end = fleet.rollout(COUNTER)
    claims.claim(f"never more exposures than the durable limit {look.over or ''}", not look.over)
    claims.claim(f"no device runs the release without a durable exposure {look.unknown or ''}", not look.unknown)
    claims.claim(f"none of the {look.acknowledged} acknowledged reports that were looked for is lost {look.lost or ''}", not look.lost and look.acknowledged)
    claims.claim(f"{during} of {options.kills} kills came while the rollout ran", during)
    claims.claim(f"the rollout completes: proven {end['proven']} of {fleet.size}, hurt {end['hurt']}", end["proven"] == fleet.size and end["hurt"] == 0)


if __name__ == "__main__":
    sys.exit(killing.main(__doc__, play, kills=50, devices=60))
