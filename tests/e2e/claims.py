"""claims - what an end-to-end run asserts: said when it is looked at, counted in one last line `N passed, N failed`."""
import time


class Claims:
    def __init__(self):
        self.passed, self.broken = 0, []
        self.began = time.monotonic()

    def seconds(self):
        return time.monotonic() - self.began

    def say(self, text):
        print(f"[{self.seconds():5.1f} s] {text}", flush=True)

    def claim(self, text, holds):
        if holds:
            self.passed += 1
        else:
            self.broken.append(text)
        self.say(f"  {'holds' if holds else 'FAILS'}: {text}")
        return bool(holds)

    def abort(self, why):
        """The run cannot go on: that is a claim that does not hold."""
        self.broken.append(str(why).splitlines()[0])
        self.say(f"FAILED: {why}")

    def finish(self):
        """Prints what does not hold, and the count; returns the exit code."""
        for text in self.broken:
            print(f"FAILS: {text}")
        print(f"{self.passed} passed, {len(self.broken)} failed", flush=True)
        return 1 if self.broken or not self.passed else 0
