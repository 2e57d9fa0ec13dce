#!/usr/bin/env python3
"""bench_idle - what an agent costs that has nothing to do: private memory of all its processes, and how often they wake.

usage: bench_idle.py --build DIR [--seconds N] [--streams N]... [--smoke]

A real agent and a real server. Measured twice for each number of streams: without a breaker and with one for each stream. Its timer is set to an hour by the
server's pace, so that nothing has to happen while it is looked at: each voluntary switch of a thread is a wake-up. Engines do not count.
private_kb has the pages of programs and libraries in it that nobody else on this machine has mapped, and the system can take back; written_kb has not.
Prints one JSON object.
"""
import argparse, contextlib, json, pathlib, sys, time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from bench_others import descent
from claims import Claims
from fleet import Device, Fleet

QUIET_S = 30                                     # after its start: it has asked the server all that it wants


def private_kb(pid, kind="Private_"):
    with contextlib.suppress(OSError):
        return sum(int(line.split()[1]) for line in open(f"/proc/{pid}/smaps_rollup") if line.startswith(kind))
    return 0


def wakes(pid):
    total = 0
    with contextlib.suppress(OSError):
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            total += sum(int(line.split()[1]) for line in open(task / "status") if line.startswith("voluntary_ctxt_switches"))
    return total


class Idle(Device):
    """As many streams as are asked for, each the same engine over the factory copy."""

    def __init__(self, fleet, number, streams, has_breaker):
        super().__init__(fleet, number)
        self.streams, self.has_breaker = streams, has_breaker

    def prepare(self, token):
        super().prepare(token)
        config = self.root / "agent.yaml"
        head, _, block = config.read_text().partition("  - name: edr-rules\n")
        head = head.replace("poll_ms_max: 2000\n", "poll_ms_max: 3600000\n")
        breaker = f"    breaker:\n      socket: {self.root}/breaker-%d\n      window_s: 60\n      actions_max: 5\n" if self.has_breaker else ""
        config.write_text(head + "".join(f"  - name: {'edr-rules' if not i else f'more-{i}'}\n" + block.replace("engine.status", f"engine-{i}.status") +
                                         (breaker % i if breaker else "") for i in range(self.streams)))


def measure_one(fleet, number, streams, has_breaker, quiet, seconds):
    device = Idle(fleet, number, streams, has_breaker)
    fleet.devices.append(device)
    device.prepare(fleet.ask("token", "new", "--group", "demo", "--uses", 1, "--expires", "1h")["token"])
    device.start()
    time.sleep(quiet)
    pids = descent([device.process.pid], b"yarad")
    before = {pid: wakes(pid) for pid in pids}
    time.sleep(seconds)
    after = descent([device.process.pid], b"yarad")
    row = {"streams": streams, "breaker": has_breaker, "processes": len(after), "private_kb": sum(map(private_kb, after)),
           "written_kb": sum(private_kb(pid, "Private_Dirty") for pid in after), "seconds": seconds,
           "wakes": sum(wakes(pid) - before.get(pid, 0) for pid in after), "came_or_went": len(set(pids) ^ set(after))}
    device.stop()
    print(row, file=sys.stderr)
    return row


def measure(claims, fleet, options):
    fleet.init()
    fleet.start_server()
    rows, number = [], 0
    for streams in options.streams or ([1] if options.smoke else [1, 3]):
        for has_breaker in (False, True):
            rows.append(measure_one(fleet, number, streams, has_breaker, 3 if options.smoke else QUIET_S, 1 if options.smoke else options.seconds))
            number += 1
    print(json.dumps({"bench": "idle", "rows": rows}))
    claims.claim("each agent ran as a process, and one more for each breaker", all(row["processes"] >= 1 + row["streams"] * row["breaker"] and row["private_kb"] for row in rows))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--streams", type=int, action="append")
    options.add_argument("--smoke", action="store_true")
    options = options.parse_args()
    claims = Claims()
    with Fleet(options.build, 1) as fleet:
        fleet.play(claims, measure, options)
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
