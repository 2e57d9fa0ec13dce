#!/usr/bin/env python3
"""demo - the main job on this machine: five releases to sixty real devices, and what becomes of each.

usage: demo.py --build DIR [--keep] [--devices N]

Starts firebreakd on loopback in a temporary folder, enrols the devices (each a real agent with a real engine and a folder of
this machine's files), ships five releases, prints a table, and exits 1 if any claim fails. Nothing outside the folder changes.
"""
import argparse, signal, sys, time

from claims import Claims
from fleet import Failed, Fleet

BUDGET = 5
SLOW_BAKE_S = 6            # longer than harm takes to be told, and to be done, on a busy machine: else good answers come before it, and let more in
GATHER = "15s"             # at most, for all to stand in line before the first are chosen: who comes next is chosen among those
TTY = sys.stdout.isatty()


class Demo(Claims):
    def __init__(self, fleet):
        super().__init__()
        self.fleet, self.rows = fleet, []

    def progress(self, text):
        if TTY:
            print(f"\r\x1b[K          {text}", end="", flush=True)

    def done_progress(self):
        if TTY:
            print("\r\x1b[K", end="", flush=True)

    def abort(self, failure):
        self.done_progress()
        super().abort(failure)

    def watch(self, counter, until, seconds, each=lambda: None):
        """Follow a rollout until its state is one of `until`; `each` runs at every look."""
        deadline = time.monotonic() + seconds
        while True:
            each()
            now = self.fleet.rollout(counter)
            self.progress(f"release {counter}: {now['state']}  exposed {now['exposed']}  proven {now['proven']}  hurt {now['hurt']}  window {now['window']}")
            if now["state"] in until:
                self.done_progress()
                return now
            if time.monotonic() > deadline:
                self.done_progress()
                raise Failed(f"release {counter} is {now['state']} after {seconds} s, not {' or '.join(until)}: {now['sentence']}")
            time.sleep(0.15)

    def row(self, counter, what, end, proven=None, recovered=None):
        self.rows.append((counter, what, end["exposed"], end["proven"] if proven is None else proven, end["hurt"], end["dark"],
                          end["stopped_by"] or "-", f"{end['stop_s']} s" if end["stop_s"] is not None else "-",
                          end["recovered"] if recovered is None else recovered))

    def versions(self):
        found = {}
        for device in self.fleet.devices:
            version = device.loaded().get("version", "?")
            found[version] = found.get(version, 0) + 1
        return found

    def good(self, name, counter, what):
        self.say(f"release {counter}: {what}")
        self.fleet.ship(name, counter)
        end = self.watch(counter, ("complete", "watched", "holding", "halted"), 90)
        self.row(counter, what, end)
        self.claim(f"release {counter} is complete, every device proven, none hurt",
                   end["state"] in ("complete", "watched") and end["proven"] == self.fleet.size and end["hurt"] == 0)
        self.claim(f"each of the {self.fleet.size} engines says that it runs {counter}", self.versions() == {str(counter): self.fleet.size})

    def refused(self):
        self.say("release 3: a rule that would quarantine /bin/ls")
        lab = self.fleet.ship("3-flags-ls", 3, start=False, lab_ok=(1,))
        for record in lab["records"]:
            self.say(f"  lab {record['stage']}: {record['status']}  {record.get('why', '')}")
        refusal = self.fleet.start_rollout(3, ok=(78,))
        self.say(f"  rollout start: {refusal.stderr.strip()}")
        self.claim("the lab fails it and names /bin/ls", any(r["status"] == "FAIL" and "/ls" in r.get("why", "") for r in lab["records"]))
        self.claim("the server refuses to start it, and no device ever had it", "3" not in self.versions())
        self.rows.append((3, "refused by the lab: flags /bin/ls", 0, 0, 0, 0, "lab", "-", "-"))

    def kills_old_engine(self):
        self.say("release 4: passes the lab's engine (2.1), kills the older engine (1.9) at its first match")
        lab = self.fleet.ship("4-kills-old-engine", 4, gather=GATHER, bake_s=SLOW_BAKE_S)
        self.say("  lab: " + ", ".join(f"{r['stage']} {r['status']}" for r in lab["records"]))
        end = self.watch(4, ("holding", "halted"), 60)
        self.say(f"  stopped by {end['stopped_by']}: {end['sentence']}")
        self.fleet.firebreak("rollout", "withdraw", "edr-rules/4", "--who", "demo", "--reason", "kills engine 1.9")
        self.fleet.wait(lambda: self.fleet.rollout(4)["state"] == "withdrawn" and "4" not in self.versions(), 40, "release 4 to be withdrawn everywhere")
        final = self.fleet.rollout(4)
        self.row(4, "kills the older engine", final)
        self.claim(f"hurt {final['hurt']} <= {BUDGET}, exposed {final['exposed']} <= 10", 0 < final["hurt"] <= BUDGET and final["exposed"] <= 10)
        self.claim("every hurt device went back to release 2 by itself and runs", final["recovered"] == final["hurt"])
        back = final["roll_back"]
        self.claim(f"nobody has it any more, all run release 2: {back['gone']} of {back['devices']} went back, over {back['over_s']} s",
                   self.versions() == {"2": self.fleet.size} and back["gone"] == back["devices"] and back["over_s"] == 5)

    def goes_dark(self):
        self.say("release 5: loads fine, then the device falls silent (this harness stops every process of a device that loads it)")

        def freeze():
            for device in self.fleet.devices:
                if not device.is_stopped and device.loaded().get("version") == "5":
                    device.freeze()
                    self.say(f"  harness: SIGSTOP to the whole of device {device.number:03d}, which loaded release 5")

        self.fleet.ship("5-goes-dark", 5, start=False)
        plan = self.fleet.ask("rollout", "plan", "edr-rules/5", "--budget", BUDGET, "--bake", f"{self.fleet.bake_s}s", "--gap", "4s", "--holdout", "0", "--seeds", "1")
        harm = [case["hurt"] for case in plan["cases"] if case["budget"] == BUDGET]
        self.say(f"  plan: over {plan['baseline']['control']['leases']} leases of control: a harmless release hurts {harm[0]}, any other at most {max(harm)}")
        self.claim("rollout plan knows the fleet, and that a bad release hurts no more than the budget",
                   plan["fleet"]["devices"] == self.fleet.size and harm[0] == 0 and 0 < max(harm) <= BUDGET)
        self.fleet.start_rollout(5, gather=GATHER, bake_s=SLOW_BAKE_S)
        end = self.watch(5, ("holding", "halted"), 60, each=freeze)
        self.say(f"  stopped by {end['stopped_by']}: {end['sentence']}")
        stopped = [d for d in self.fleet.devices if d.is_stopped]
        self.claim(f"dark {end['dark']} <= {BUDGET}, counted as harm without any report", 0 < end["dark"] <= BUDGET and end["hurt"] == end["dark"])
        self.fleet.firebreak("rollout", "withdraw", "edr-rules/5", "--who", "demo", "--reason", "devices fall silent")
        self.say(f"  harness: SIGCONT to the {len(stopped)} stopped devices, as if somebody had pressed their power button")
        for device in stopped:
            device.thaw()
        self.fleet.wait(lambda: self.versions() == {"2": self.fleet.size}, 40, "every device to run release 2")
        self.fleet.wait(lambda: self.fleet.rollout(5)["recovered"] == len(stopped), 40, "the stopped devices to report that they are back")
        final = self.fleet.rollout(5)
        self.row(5, "makes devices go dark", final, proven=end["proven"])
        self.claim(f"only the {len(stopped)} stopped devices ever had it, and all are back on release 2", final["exposed"] == len(stopped))

    def table(self):
        head = ("release", "what it is", "exposed", "proven", "hurt", "dark", "stopped by", "after", "recovered")
        rows = [head] + [tuple(map(str, row)) for row in self.rows]
        widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
        print()
        for row in rows:
            print("  ".join(cell.ljust(width) if i in (1, 6) else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))))
        print()


def play(demo, fleet):
    demo.say(f"server and publisher in {fleet.root}")
    fleet.init()
    fleet.start_server()
    demo.say(f"firebreakd listens on {fleet.url}")
    fleet.enrol(lambda done: demo.progress(f"enrolled {done} of {fleet.size}"))
    demo.done_progress()
    old = sum(d.is_old for d in fleet.devices)
    demo.say(f"{fleet.size} devices enrolled: {old} with os_version=11 and the older engine 1.9, {fleet.size - old} with os_version=12 and engine 2.1")
    demo.good("1-good", 1, "a good rule set")
    demo.good("2-update", 2, "a good update")
    demo.refused()
    demo.kills_old_engine()
    demo.goes_dark()


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--build", required=True)
    options.add_argument("--keep", action="store_true")
    options.add_argument("--devices", type=int, default=60)
    options = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with Fleet(options.build, options.devices) as fleet:
        demo = Demo(fleet)
        fleet.play(demo, play)
        demo.table()
        code = demo.finish()
        if options.keep:
            print(f"\nStill running. Look around, then press Ctrl-C:\n"
                  f"  export FIREBREAK_SERVER={fleet.url} FIREBREAK_CA={fleet.ca} FIREBREAK_KEY_FILE={fleet.data}/admin.key\n"
                  f"  {fleet.build}/firebreak status\n  {fleet.build}/firebreak rollout show edr-rules/4\n  {fleet.build}/firebreak device list\n"
                  f"  less {fleet.root}/devices/000/agent.log")
            signal.pause()
    return code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
