#!/usr/bin/env python3
"""self_sweep - an agent that goes on as another version of itself is killed at its 1st, 2nd, 3rd ... system call, whichever that is.

usage: self_sweep.py --build DIR [--step N] [--dense N] [--jobs N] [--acts NAME,...] [--all] [--smoke] [--json FILE]

Each act begins with the same state, and one process is killed in each run (kill_at.py): N goes up until a run ends without. `update` counts from
the moment at which the agent says that it goes on as another one: the calls of the old supervisor, its execve(), and all calls of the new
one until it is proven and the server has heard it. After each kill everything that ran is gone, and the service is started again as systemd
would do it: after an even N the package's agent alone, after an odd one the guard before it, as at a boot; again when it ends by itself, and STARTS_MAX
times at most. Then an engine must be at work, the supervisor must be the program that the record names and call in at the server, both
copies that the record names must be whole, and the release is proven or given up, and reported. Where the watcher was killed, the update must go on without a start.

With --step 7 every seventh N is tried, with --dense 400 as well each of the first 400: those before, in and after the first execve(). --all: also an agent that hangs, at each call of its watcher (a minute for every few). With --smoke a few
points of each act. Ends with `N passed, N failed`.
"""
import argparse, concurrent.futures, contextlib, itertools, json, os, pathlib, queue, signal, subprocess, sys

from claims import Claims
from fleet import Failed
from stand import AGENT, AGENT_PROGRAM, DYING, FIRST, HANGING, NEWER, OLDER, SLOTS, AgentStand

KILL_AT = pathlib.Path(__file__).with_name("kill_at.py")
GOES_ON = "this agent goes on as"
AT = 1                                           # the agent's stream in the record
ENDS_S, SILENCE_S, STARTS_MAX, WRONG_MAX = 90, 60, 4, 20      # a busy machine may take long over what takes two seconds


def reported(subject):
    return not subject.record().reports_waiting and not subject.record(AT).is_on_trial


def is_over(counter):
    return lambda subject: reported(subject) and bool(subject.told("proven", counter) or subject.told("harmed", counter))


def runs(subject, counter):
    record = subject.record(AT)
    return not record.is_on_trial and record.running() == record.good() == counter


def new_or_given_up(counter, before=OLDER):
    return lambda subject: reported(subject) and ((runs(subject, counter) and subject.told("proven", counter)) or (runs(subject, before) and subject.told("harmed", counter)))


def proven(counter):
    return lambda subject: reported(subject) and runs(subject, counter) and subject.told("proven", counter)


def given_up(counter, before=OLDER):
    return lambda subject: reported(subject) and runs(subject, before) and subject.told("harmed", counter)


def still(counter):
    """An agent that was proven before is not blamed for being killed."""
    return lambda subject: reported(subject) and runs(subject, counter) and not subject.said.reports


def in_charge(subject):
    """Its program is the one that the record names, an engine is at work, and it calls in."""
    with contextlib.suppress(OSError, Failed, IndexError):
        slot = SLOTS[subject.record(AT).current]
        program = subject.folder(slot, AGENT) / AGENT_PROGRAM if slot in ("a", "b") else subject.stand.build / AGENT_PROGRAM
        return subject.is_at_work() and os.path.samefile(os.readlink(f"/proc/{subject.agent_pid()}/exe"), program)
    return False


class Act:
    """`over`: when a run that met no kill has come to its end; `well`: how it must be after the next starts. `whom`: words for kill_at.py. `goes_on`: what was
    killed is nothing that a start is needed for."""

    def __init__(self, name, state, site, over, well, whom=(), goes_on=None, seconds=ENDS_S, is_slow=False):
        self.name, self.state, self.site, self.over, self.well, self.whom = name, state, site, over, well, whom
        self.goes_on, self.seconds, self.is_slow = goes_on, seconds, is_slow


def is_at_work(counter):
    return lambda subject: runs(subject, counter) and in_charge(subject) and reported(subject)


# The first to be gone on as is the one that has been proven; the second is the update.
SECOND_TIME = ("--after", GOES_ON, "--times", 2)
SECOND_WATCHER = ("--of", "watcher", "--times", 2)
ACTS = (
    Act("update", "agents", f"agent {NEWER}", is_over(NEWER), new_or_given_up(NEWER), SECOND_TIME),
    Act("watcher of an update", "agents", f"agent {NEWER}", is_over(NEWER), proven(NEWER), SECOND_WATCHER, goes_on=proven(NEWER)),
    Act("update to one that dies", "agents", f"agent {DYING}", lambda subject: not subject.is_alive(), given_up(DYING), SECOND_TIME),
    Act("start on trial", "on trial", f"agent {NEWER}", is_over(NEWER), new_or_given_up(NEWER)),
    Act("fall-back", "died", f"agent {DYING}", is_over(DYING), given_up(DYING)),
    Act("start after a crash", "newer", f"agent {NEWER}", is_at_work(NEWER), still(NEWER)),
    Act("watcher of an update that hangs", "agents", f"agent {HANGING}", lambda subject: not subject.is_alive(), given_up(HANGING), SECOND_WATCHER, seconds=SILENCE_S + 30, is_slow=True),
)


class Sweep:
    def __init__(self, claims, stand, options):
        self.claims, self.stand, self.options, self.subjects, self.counts = claims, stand, options, queue.Queue(), []

    def make_state(self, name, begin, site, is_so):
        subject = self.subjects.get()
        subject.put(begin, site)
        subject.start()
        if not subject.wait(lambda: subject.record().streams > AT and is_so(subject), ENDS_S):
            raise Failed(f"the state `{name}` did not come: {subject.said.reports} {subject.text()[-2000:]}")
        subject.cut()
        self.stand.states[name] = self.stand.keep_state(name, subject.state)
        self.subjects.put(subject)

    def make_states(self):
        self.make_state("agents", "first", f"agent {OLDER}", lambda subject: proven(OLDER)(subject) and in_charge(subject))
        self.make_state("newer", "agents", f"agent {NEWER}", lambda subject: proven(NEWER)(subject) and in_charge(subject))
        self.make_state("on trial", "agents", f"agent {NEWER}", lambda subject: subject.record(AT).is_on_trial and in_charge(subject))
        self.make_state("died", "agents", f"agent {DYING}", lambda subject: not subject.is_alive())

    def wrong(self, subject):
        return subject.wrong() or subject.wrong(AT, AGENT)

    def ends_well(self, subject, act, number):
        """"" or what is wrong."""
        for start in range(STARTS_MAX):
            if number % 2:
                guard = subject.guard()
                if guard.returncode:
                    return f"the guard afterwards: {guard.stderr}"
            if self.wrong(subject):
                return f"before start {start + 1}: {self.wrong(subject)}"
            called = len(subject.said.paths)
            subject.start()
            is_well = subject.wait(lambda: not subject.is_alive() or (act.well(subject) and in_charge(subject) and "v1/checkin" in subject.said.paths[called:]), ENDS_S)
            if subject.is_alive():
                return "" if is_well else f"start {start + 1} did not end well: {self.told(subject)}"
            subject.cut()
        return f"no agent lasts after {STARTS_MAX} starts: {self.told(subject)}"

    def told(self, subject):
        record = subject.record(AT)
        return (f"runs {record.running()}, good {record.good()}, trial {record.is_on_trial}, engine {subject.engine()}, {self.wrong(subject)}, told {subject.said.reports}, "
                f"log:\n{subject.text()[-2500:]}")

    def kill(self, subject, act, number):
        """Returns whether it was met, and what is wrong."""
        note = subject.root / "killed"
        note.unlink(missing_ok=True)
        subject.put(act.state, act.site)
        subject.start([sys.executable, KILL_AT, "--number", number, "--note", note, *act.whom, "--"])
        end = act.goes_on or act.over
        ended = subject.wait(lambda: not subject.is_alive() or end(subject), act.seconds)
        is_alive = subject.is_alive()
        wrong = "" if is_alive or not act.goes_on else f"the supervisor ended with its watcher: {subject.text()[-1500:]}"
        if not ended and not (act.is_slow and note.exists()):
            wrong = f"neither ended nor was killed: {self.told(subject)}"
        subject.cut()
        return note.exists(), wrong or self.wrong(subject) or self.ends_well(subject, act, number)

    def one(self, act, number):
        subject = self.subjects.get()
        try:
            return self.kill(subject, act, number)
        except (OSError, Failed, subprocess.SubprocessError) as failure:
            return True, f"{type(failure).__name__}: {failure}"
        finally:
            subject.cut()
            self.subjects.put(subject)

    def numbers(self, act):
        first = self.options.dense + 1 + len(act.name) % self.options.step
        return itertools.chain(range(1, self.options.dense + 1), itertools.count(first, self.options.step))

    def until_clean(self, pool, act):
        """Several at once; over when one was not met."""
        numbers, running, met, wrong, is_clean = self.numbers(act), {}, 0, [], False
        while not is_clean or running:
            while not is_clean and len(running) < self.options.jobs:
                number = next(numbers)
                running[pool.submit(self.one, act, number)] = number
            for future in concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED).done:
                number, (is_met, text) = running.pop(future), future.result()
                met += is_met
                is_clean |= not is_met or len(wrong) > WRONG_MAX
                wrong += [(number, text)] if text else []
        return met, wrong

    def claim(self, act, met, wrong):
        for number, text in wrong:
            self.claims.say(f"  {act.name}, killed at call {number}: {text}")
        self.counts.append({"act": act.name, "met": met, "wrong": len(wrong)})
        self.claims.claim(f"{act.name}, killed at {met} calls: an engine at work, a working agent in charge{f', but for {len(wrong)}' if wrong else ''}", met and not wrong)

    def run(self):
        self.stand.prepare()
        for _ in range(self.options.jobs):
            self.subjects.put(self.stand.new_subject())
        self.make_states()
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            for act in ACTS:
                if act.name not in self.options.acts.split(",") if self.options.acts else act.is_slow and not self.options.all:
                    continue
                if self.options.smoke:
                    done = [(number, pool.submit(self.one, act, number)) for number in (3, 8, 14, *(() if "watcher" in act.name else (70, 220)))]
                    self.claim(act, sum(future.result()[0] for _, future in done), [(number, future.result()[1]) for number, future in done if future.result()[1]])
                else:
                    self.claim(act, *self.until_clean(pool, act))
        self.claims.say(f"{sum(row['met'] for row in self.counts)} kills: {', '.join(str(row['met']) + ' in ' + row['act'] for row in self.counts)}")
        if self.options.json:
            pathlib.Path(self.options.json).write_text(json.dumps({"step": self.options.step, "acts": self.counts}, indent=1) + "\n")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    options.add_argument("--step", type=int, default=1)
    options.add_argument("--dense", type=int, default=0)
    options.add_argument("--jobs", type=int, default=4 * (os.cpu_count() or 1))
    options.add_argument("--acts")
    options.add_argument("--all", action="store_true")
    options.add_argument("--smoke", action="store_true")
    options.add_argument("--json", metavar="FILE", help="the counts, for programs")
    options = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    claims = Claims()
    with AgentStand(options.build, 1) as stand:
        stand.play(claims, lambda claims, stand: Sweep(claims, stand, options).run())
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
