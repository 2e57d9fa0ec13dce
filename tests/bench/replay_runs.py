"""replay_runs.py - many runs of `firebreak replay` side by side. Each is written into a journal as it ends and is not run again, so
that a bench that was broken off goes on where it was.

A run is known by all that it depends on: the program's bytes, the scenario's text, the options, the seed. What another program ran stays in
the journal and is not looked at.
"""
import concurrent.futures, hashlib, json, os, pathlib, subprocess, tempfile, threading


def digest(*parts):
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class Replays:
    """As a context: at the end what has not begun is dropped."""

    def __init__(self, firebreak, jobs, journal):
        self.firebreak, self.journal = firebreak, journal
        self.program = hashlib.sha256(firebreak.read_bytes()).hexdigest()
        self.folder = tempfile.TemporaryDirectory(prefix="bench_replay.")
        self.pool = concurrent.futures.ThreadPoolExecutor(jobs)
        self.lock = threading.Lock()
        self.known = self.read_journal()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pool.shutdown(cancel_futures=True)
        self.folder.cleanup()

    def read_journal(self):
        """A last line that was cut off is no run. Opened for writing, too: who waits for an hour wants it kept."""
        known = {}
        if not self.journal:
            return known
        with self.journal.open("a+") as file:
            file.seek(0)
            lines = file.read().splitlines()
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            known[entry["key"]] = entry["run"]
        return known

    def write_journal(self, entry):
        if not self.journal:
            return
        with self.lock, self.journal.open("a+b") as file:
            file.seek(0, os.SEEK_END)
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(b"\n")
            file.write(json.dumps(entry).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def ask(self, name, text, options, seeds):
        """The runs from seed 1 on, as futures: begun now, in the order in which they were asked for."""
        file = pathlib.Path(self.folder.name, digest(text), name + ".yaml")
        if not file.exists():                                              # another run may read it by now
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        return [self.pool.submit(self.run, file, [str(option) for option in options], seed) for seed in range(1, seeds + 1)]

    def run(self, file, options, seed):
        key = digest(self.program, file.read_text(), options, seed)
        if key not in self.known:
            self.known[key] = self.replay(file, options, seed)
            self.write_journal({"key": key, "scenario": file.stem, "options": options, "seed": seed, "run": self.known[key]})
        return self.known[key]

    def replay(self, file, options, seed):
        """What it prints, and what it took: of this child alone, so not from getrusage()."""
        words = [str(self.firebreak), "replay", str(file), *options, "--seed", str(seed), "--json"]
        with subprocess.Popen(words, text=True, stdout=subprocess.PIPE) as child:
            out = child.stdout.read()
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise subprocess.CalledProcessError(child.returncode, words)
        return json.loads(out) | {"cpu_s": round(used.ru_utime + used.ru_stime, 1), "peak_mib": used.ru_maxrss // 1024}
