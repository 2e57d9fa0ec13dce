#!/usr/bin/env python3
"""fault_sweep - the real agent under strace, which ends it, or refuses it the disk, at its 1st, 2nd, 3rd ... call that changes the disk.

usage: fault_sweep.py --build DIR [--step N] [--jobs N] [--acts NAME,...] [--faults kill,ENOSPC,EIO,EROFS] [--calls NAME,...] [--json FILE] [--smoke]

Each act (an install, a roll-back, ...) is run again and again from the same state, with one fault in each run: N goes up until
a run meets none. Only the supervisor is hurt, or only the fetcher (act `fetch`). Whatever is on the disk after a kill is looked at
by a reader of our own: last-good must be whole, and the link must lead to something whole. Then the device starts as at a boot,
guard first, and must come to work, prove what is new or have given it up, and say so. A disk that refuses must not stop the
engine either, and the log must have the disk's own words. `recover` that was cut short is done again, and undone.

A kill before a call finds what all calls before it have left, so kills at all calls that change names or bytes find all that there
is to find; what a power cut does to bytes that were not yet flushed is swept in tests/agent/test_power.c.
With --step 7 every seventh N is tried, from another first one for each call. With --smoke one kill of each call in each act, and one refusal of each call in the
install. Ends with `N passed, N failed`.
"""
import argparse, collections, concurrent.futures, itertools, json, os, pathlib, queue, re, shutil, signal, subprocess, sys

from claims import Claims
from fleet import Failed
from stand import CRASHING, FIRST, SECOND, Stand, digest

CHANGES = ("write", "pwrite64", "writev", "pwritev", "pwritev2", "copy_file_range", "sendfile", "rename", "renameat", "renameat2", "fsync", "fdatasync", "sync_file_range",
           "syncfs", "unlink", "unlinkat", "rmdir", "mkdir", "mkdirat", "symlink", "symlinkat", "link", "linkat", "ftruncate", "truncate", "fallocate", "fchmod", "fchmodat", "mknodat")
READS = ("openat", "read")                       # a disk may refuse these as well
WORDS = {"ENOSPC": "no room on the file system", "EIO": "the device reports an error", "EROFS": "the file system is read-only"}
NOT_WITHOUT = "the lock of the state folder|opening folder"       # no supervisor without these, read once: another one might be at work
# What costs nothing: what a disk did not give once is read again, or done without where the act comes to its end all the same; what would be in the way of a new file is removed first, and whether it was is seen when that is made; and a full disk has room set aside
# for the slot record, so it takes it at the second try.
IN_THE_WAY = r'unlinkat\(\d+<[^>]*>, "\.pending-'
SPARE = r'/state/\.pending-slots>|renameat\(.*"\.pending-slots", .*"slots"\)|fsync\(\d+</[^>]*/state>\)'
MADE_GOOD = {"ENOSPC": f"{IN_THE_WAY}|{SPARE}", "EIO": IN_THE_WAY, "EROFS": IN_THE_WAY}
ENDS_S, ONCE_S, LASTING_S = 60, 8, 2.5           # until all is well again; what a device has to come to its end when its disk has refused once, and when it goes on refusing


class Act:
    """From a state, told something: a command, what ends it, and how the device must end after the next boot. Before that, what can be done `again` must end
    as if it had not been cut short; and `undone`, as if nothing had been done."""

    def __init__(self, name, state, site, is_over, is_well, words=None, is_damaged=False, is_fetcher=False, again=None, undone=None):
        self.name, self.state, self.site, self.is_over, self.is_well, self.again, self.undone = name, state, site, is_over, is_well, again, undone
        self.words = words or (lambda subject: ("run", "--config", subject.config))
        self.is_run, self.is_damaged, self.is_fetcher = words is None, is_damaged, is_fetcher


def reported(subject):
    return bool(subject.said.reports) and not subject.record().reports_waiting


def has_ended(subject):
    return not subject.is_alive()


def new_or_given_up(subject):
    record = subject.record()
    return not record.is_on_trial and ((record.running() == record.good() == SECOND and subject.told("proven", SECOND))
                                       or (record.running() == FIRST and subject.told("harmed", SECOND)))


def went_back(outcome, counter, to=FIRST):
    return lambda subject: subject.record().running() == to and bool(subject.told(outcome, counter))


def stayed_or_went_back(subject):
    record = subject.record()
    return record.running() == SECOND or (record.running() == FIRST and bool(subject.told("harmed", SECOND)))


def recover(subject):
    return "recover", "--root", subject.root, "--state", "state"


def is_down(to):
    return lambda subject: subject.record().running() == to


# One more act is one more row.
ACTS = (
    Act("install", "first", "second", reported, new_or_given_up),
    Act("roll-back", "first", "crashing", reported, went_back("harmed", CRASHING)),
    Act("withdrawal", "second", "withdrawn", reported, went_back("declined", SECOND)),
    Act("guard", "trial", "nothing", has_ended, went_back("harmed", SECOND), lambda subject: ("guard", "--config", subject.config)),
    Act("recover", "second", "nothing", has_ended, stayed_or_went_back, recover, again=is_down(FIRST), undone=is_down(SECOND)),
    Act("recover from a trial", "trial", "nothing", has_ended, went_back("harmed", SECOND), recover, again=is_down(FIRST), undone=is_down(SECOND)),
    Act("recover from a damaged record", "damaged", "nothing", has_ended, went_back("declined", 0, to=0), recover, is_damaged=True),
    Act("fetch", "first", "second", reported, new_or_given_up, is_fetcher=True),
)


class Fault:
    """One of a call, or with `+` it and all after it."""

    def __init__(self, call, error, number, is_lasting):
        self.call, self.error, self.number, self.is_lasting = call, error, number, is_lasting

    def __str__(self):
        how = "killed" if self.error == "kill" else self.error
        return f"{how} at {self.call} {self.number}{' and all after it' if self.is_lasting else ''}"

    def strace(self, subject, paths, is_fetcher):
        what = "signal=SIGKILL" if self.error == "kill" else f"error={self.error}"
        return ["strace", "-q", "-y", "-o", subject.root / "trace", *(["-f"] if is_fetcher else []), "-e", "signal=none", "-e", f"trace={self.call}",
                *itertools.chain.from_iterable(("-P", subject.root / path) for path in paths), "-e", f"inject={self.call}:{what}:when={self.number}{'+' if self.is_lasting else ''}"]


class Sweep:
    def __init__(self, claims, stand, options):
        self.claims, self.stand, self.options = claims, stand, options
        self.faults, self.subjects, self.counts = options.faults.split(","), queue.Queue(), []

    def make_states(self):
        """What the acts begin with, made by the agent itself; and a damaged record."""
        subject = self.subjects.get()
        for name, is_so in (("trial", lambda: subject.record().is_on_trial), ("second", lambda: reported(subject))):
            subject.put("first", "second")
            subject.start()
            if not subject.wait(is_so, ENDS_S):
                raise Failed(f"the state `{name}` did not come: {subject.text()[-1000:]}")
            subject.cut()
            self.stand.states[name] = self.stand.keep_state(name, subject.state)
        self.stand.states["damaged"] = self.stand.keep_state("damaged", subject.state)
        (self.stand.states["damaged"] / "slots").write_bytes(b"x" * 1000)
        self.subjects.put(subject)

    def calls(self, act):
        """Which calls change the state folder in this act, how often, and the paths that they name: an undisturbed run tells."""
        subject, found, paths = self.subjects.get(), collections.Counter(), set()
        subject.put(act.state, act.site)
        subject.start(["strace", "-q", "-y", "-o", subject.root / "trace", *(["-f"] if act.is_fetcher else []), "-e", "signal=none", "-e", f"trace=?{',?'.join(CHANGES + READS)}"],
                      subject.agent(*act.words(subject)))
        if not subject.wait(lambda: act.is_over(subject), ENDS_S):
            raise Failed(f"{act.name}, undisturbed, did not end: {subject.text()[-1000:]}")
        subject.cut()
        spool = {f"state/spool/{digest(data)}" for data in self.stand.signed[SECOND].values()}
        for line in (subject.root / "trace").read_text(errors="replace").splitlines():
            call = re.match(r"(?:\d+ +)?(\w+)\(", line)
            named = {os.path.relpath(path, subject.root) for path in re.findall(r"\d+<(/[^>]*)>", line)}
            named = {path for path in named if path == "state" or path.startswith("state/")}
            if call and (named & spool if act.is_fetcher else named):
                found[call[1]] += 1
                paths |= named
        self.subjects.put(subject)
        wanted = self.options.calls and set(self.options.calls.split(","))
        return {call: count for call, count in found.items() if not wanted or call in wanted}, sorted(spool if act.is_fetcher else paths)

    def begin(self, subject, act, fault, paths):
        subject.put(act.state, act.site)
        subject.start(fault.strace(subject, paths, act.is_fetcher), subject.agent(*act.words(subject)))

    def is_met(self, subject, fault):
        path = subject.root / "trace"
        trace = path.read_text(errors="replace") if path.exists() else ""
        return bool(re.search(r" = \?$|<unfinished", trace, flags=re.M)) if fault.error == "kill" else "(INJECTED)" in trace

    def ends_well(self, subject, act):
        """As at a boot, with a disk that works again: "" or what is wrong."""
        guard = subject.guard()
        if guard.returncode:
            return f"the guard afterwards: {guard.stderr}"
        wrong = subject.wrong()
        if wrong:
            return f"after the guard: {wrong}"
        subject.start()
        if subject.wait(lambda: subject.is_at_work() and act.is_well(subject), ENDS_S):
            return ""
        record = subject.record()
        return (f"did not end well: runs {record.running()}, trial {record.is_on_trial}, engine {subject.engine()}, {subject.wrong()}, told {subject.said.reports}, "
                f"log:\n{subject.text()[-1500:]}")

    def again(self, subject, act):
        """After a cut in its middle, on a copy: done again, unless the cut came after all was done; then undone. "" or what is wrong."""
        kept = subject.root / "cut"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(subject.state, kept, symlinks=True)
        before = (self.stand.states[act.state] / "slots").read_bytes()
        wrong, is_whole = "", (subject.state / "slots.after-recover").exists() and not (subject.state / "slots.recovering").exists()
        for words, is_so in ((act.words(subject), act.again), ((*act.words(subject), "--undo"), act.undone))[is_whole:]:
            done = subprocess.run(subject.agent(*words), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
            if done.returncode or not is_so(subject) or subject.wrong():
                wrong = wrong or f"{' '.join(map(str, words[2:]))} again: {done.returncode} {done.stderr} runs {subject.record().running()} {subject.wrong()}"
        if not wrong and (subject.state / "slots").read_bytes() != before:
            wrong = "undone, the record is not what it was before"
        shutil.rmtree(subject.state)
        kept.rename(subject.state)
        return wrong

    def kill(self, subject, act, fault, paths):
        """Returns whether it was met, and what is wrong."""
        self.begin(subject, act, fault, paths)
        if not subject.wait(lambda: not subject.is_alive() or act.is_over(subject), 6 if act.is_fetcher else ENDS_S) and not act.is_fetcher:
            return True, f"neither ended nor was killed: {subject.text()[-600:]}"
        is_at_work = not act.is_fetcher or subject.wait(subject.is_at_work, 5)
        ended = subject.cut()
        is_met = self.is_met(subject, fault) if act.is_fetcher else ended == -signal.SIGKILL
        if not is_met and act.is_run:
            return False, "" if ended is None else f"ended by itself, {ended}: {subject.text()[-600:]}"
        if not is_at_work:
            return is_met, "the engine was not at work without the fetcher"
        wrong = "" if act.is_damaged else subject.wrong()
        if act.again and is_met:
            wrong = wrong or self.again(subject, act)
        return is_met, wrong or self.ends_well(subject, act)

    def refuse(self, subject, act, fault, paths):
        self.begin(subject, act, fault, paths)
        words = WORDS[fault.error]
        subject.wait(lambda: not subject.is_alive() or act.is_over(subject) or self.is_met(subject, fault), ENDS_S)
        subject.wait(lambda: not subject.is_alive() or act.is_over(subject) or words in subject.text(), ONCE_S)
        is_over = subject.wait(lambda: not subject.is_alive() or act.is_over(subject), LASTING_S if fault.is_lasting else ONCE_S) and subject.is_alive()
        is_at_work = subject.wait(lambda: not subject.is_alive() or subject.is_at_work(by_record=not fault.is_lasting), ENDS_S) and subject.is_alive()
        ended, text = subject.cut(), subject.text()
        if not self.is_met(subject, fault):
            return False, ""
        if ended is not None and fault.call == "openat" and re.search(NOT_WITHOUT, text) and words in text:     # then its service manager starts it again
            return True, self.ends_well(subject, act)
        if not is_at_work:
            return True, f"no engine at work while the disk refuses (ended: {ended}), {subject.wrong()}, {subject.engine()}: {text[-1000:]}"
        refused = [line for line in (subject.root / "trace").read_text(errors="replace").splitlines() if "INJECTED" in line]
        is_no_loss = all(re.search(MADE_GOOD[fault.error], line) for line in refused) or (fault.call in READS and is_over)
        if words not in text and not is_no_loss:
            return True, f"the log does not say {words!r}: {refused[:2]}\n{text[-1000:]}"
        return True, self.ends_well(subject, act)

    def one(self, act, fault, paths):
        subject = self.subjects.get()
        try:
            return (self.kill if fault.error == "kill" else self.refuse)(subject, act, fault, paths)
        except (OSError, Failed, subprocess.SubprocessError) as failure:
            return True, f"{type(failure).__name__}: {failure}"
        finally:
            subject.cut()
            self.subjects.put(subject)

    def numbers(self, call, error, act):
        """Which are tried: all, or every seventh, from one that is another for each."""
        step = self.options.step
        return itertools.count(1 + sum(map(ord, call + error + act.name)) % step, step)

    def until_clean(self, pool, act, call, error, is_lasting, paths, expected):
        """Several at once; over when one, and so all after it, met no fault. Beyond as many as are expected, one after another."""
        numbers, running, met, wrong, is_clean = self.numbers(call, error, act), {}, 0, [], False
        while not is_clean or running:
            while not is_clean and len(running) < self.options.jobs and not any(fault.number > expected for fault in running.values()):
                fault = Fault(call, error, next(numbers), is_lasting)
                running[pool.submit(self.one, act, fault, paths)] = fault
            for future in concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED).done:
                fault, (is_met, text) = running.pop(future), future.result()
                met += is_met
                is_clean |= not is_met
                wrong += [f"{fault}: {text}"] if text else []
                is_clean |= len(wrong) > 20
        return met, wrong

    def sweep(self, pool, act, call, error, is_lasting, paths, expected):
        met, wrong = self.until_clean(pool, act, call, error, is_lasting, paths, expected)
        self.counts.append({"act": act.name, "call": call, "fault": error, "lasting": is_lasting, "met": met, "wrong": len(wrong)})
        for text in wrong:
            self.claims.say(f"  {act.name}, {text}")
        what = f"killed at each of {met} {call}: always a working slot" if error == "kill" else \
            f"{error} at {f'each of {met} {call}, and all after it' if is_lasting else f'each of {met} {call}'}: an engine at work, and the log says why"
        if met or wrong or self.options.step == 1:
            self.claims.claim(f"{act.name}, {what} {f'but for {len(wrong)}' if wrong else ''}".rstrip(), met and not wrong)

    def sample(self, pool, act, calls, paths):
        """One of each, all at once."""
        faults = []
        for call, count in sorted(calls.items()):
            number = 1 + sum(map(ord, call + act.name)) % max(1, count // 2)     # another run may have some fewer
            if call in CHANGES:
                faults.append(Fault(call, "kill", number, False))
            if act.name == "install" and call in CHANGES:
                faults += [Fault(call, "EROFS", number, True), Fault(call, "EIO" if number % 2 else "ENOSPC", number, False)]
        for fault, future in [(fault, pool.submit(self.one, act, fault, paths)) for fault in faults]:
            is_met, text = future.result()
            self.counts.append({"act": act.name, "call": fault.call, "fault": fault.error, "lasting": fault.is_lasting, "met": int(is_met), "wrong": int(bool(text))})
            self.claims.claim(f"{act.name}, {fault}: {text or 'a working engine'}", is_met and not text)

    def run(self):
        self.stand.prepare()
        for _ in range(self.options.jobs):
            self.subjects.put(self.stand.new_subject())
        self.make_states()
        acts = [act for act in ACTS if not self.options.acts or act.name in self.options.acts.split(",")]
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            for act in acts:
                calls, paths = self.calls(act)
                self.claims.say(f"{act.name}: undisturbed it changes the disk by {', '.join(f'{count} {call}' for call, count in sorted(calls.items()))}")
                if self.options.smoke:
                    self.sample(pool, act, calls, paths)
                    continue
                for error, call in itertools.product(self.faults, sorted(calls)):
                    if error == "kill" and call in CHANGES:
                        self.sweep(pool, act, call, error, False, paths, calls[call])
                    elif error != "kill" and act.is_run and not act.is_fetcher and (call in CHANGES or error == "EIO"):
                        for is_lasting in (False, True)[:1 + (call in CHANGES)]:
                            self.sweep(pool, act, call, error, is_lasting, paths, calls[call])
        self.say_counts()

    def say_counts(self):
        """How often which call was hit, by what."""
        total = collections.Counter()
        for row in self.counts:
            total[row["fault"] == "kill", row["call"]] += row["met"]
        for is_kill, what in ((True, "kills"), (False, "runs on a disk that refused")):
            calls = {call: count for (was_kill, call), count in sorted(total.items()) if was_kill == is_kill and count}
            if calls:
                self.claims.say(f"{sum(calls.values())} {what}: {', '.join(f'{count} at {call}' for call, count in calls.items())}")
        if self.options.json:
            pathlib.Path(self.options.json).write_text(json.dumps({"step": self.options.step, "runs": self.counts}, indent=1) + "\n")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    options.add_argument("--step", type=int, default=1)
    options.add_argument("--jobs", type=int, default=4 * (os.cpu_count() or 1))
    options.add_argument("--acts")
    options.add_argument("--calls")
    options.add_argument("--smoke", action="store_true")
    options.add_argument("--json", metavar="FILE", help="the counts, for programs")
    options.add_argument("--faults", default=",".join(("kill", *WORDS)))
    options = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    claims = Claims()
    with Stand(options.build, 1) as stand:
        stand.play(claims, lambda claims, stand: Sweep(claims, stand, options).run())
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
