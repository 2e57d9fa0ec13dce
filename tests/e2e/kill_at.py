#!/usr/bin/env python3
"""kill_at - runs a command and kills one of its processes at its Nth system call, whichever call that is.

usage: kill_at.py [--of first|watcher] [--after TEXT] [--times N] [--note FILE] --number N -- COMMAND...

`first`: the process that the command begins as, also when it goes on as another program. Its calls count from the one that names TEXT for the
--times-th time; with no TEXT, from its start. That a program was replaced counts, too: it is killed between its old and its new one.
`watcher`: the --times-th child that puts itself beside its parent as src/platform/handover.c does; its calls count from the first by which it does
so. strace can count calls of one name, or hurt all children alike; neither is this. Ends as the command ends. Once somebody was killed, FILE says
`killed`.
"""
import argparse, contextlib, ctypes, os, pathlib, signal, sys

TRACEME, CONT, SETOPTIONS, SYSCALL, DETACH, GETEVENTMSG, SYSCALL_INFO = 0, 7, 0x4200, 24, 17, 0x4201, 0x420e
SYSGOOD, ON_FORK, ON_VFORK, ON_CLONE, ON_EXEC, EXITKILL = 1, 2, 4, 8, 16, 0x100000
EVENT_EXEC, ENTRY, WALL, DUPFD = 4, 1, 0x40000000, 0
WATCHER_BEAT, KNOWN_BY_CALLS = 3, 120            # the file that a watcher reads from; and how soon it begins to make room for it
NAMED_BYTES = 512

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes, libc.ptrace.restype = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p), ctypes.c_long


class Call(ctypes.Structure):
    """struct ptrace_syscall_info, as the kernel fills it when a call begins."""
    _fields_ = [("op", ctypes.c_uint8), ("pad", ctypes.c_uint8 * 3), ("arch", ctypes.c_uint32), ("ip", ctypes.c_uint64), ("sp", ctypes.c_uint64),
                ("number", ctypes.c_uint64), ("args", ctypes.c_uint64 * 6)]


def trace(request, pid, address=0, data=0):
    if libc.ptrace(request, pid, address, data) < 0 and ctypes.get_errno() != 3:       # ESRCH: somebody has killed it meanwhile
        raise OSError(ctypes.get_errno(), f"ptrace {request}")


class Process:
    """One that is followed."""

    def __init__(self, is_known):
        self.calls, self.is_known, self.seen = 0, is_known, 0


class Killer:
    def __init__(self, options):
        self.options, self.named, self.watchers, self.is_killed = options, 0 if options.after else options.times, 0, False
        self.is_watcher = options.of == "watcher"
        self.followed, self.first = {}, 0

    def begin(self):
        pid = os.fork()
        if pid == 0:
            trace(TRACEME, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
            os.execvp(self.options.command[0], self.options.command)
        os.waitpid(pid, 0)
        trace(SETOPTIONS, pid, 0, SYSGOOD | EXITKILL | ON_EXEC | (ON_FORK | ON_VFORK | ON_CLONE if self.is_watcher else 0))
        self.first = pid
        if not self.is_watcher:
            self.followed[pid] = Process(True)
        self.go(pid)

    def go(self, pid, signal_number=0):
        trace(SYSCALL if pid in self.followed and not self.is_killed else CONT, pid, 0, signal_number)

    def names(self, pid, call):
        """Does the call's second argument lead to the text? A path, or what is written."""
        with contextlib.suppress(OSError, OverflowError, ValueError):
            with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
                for length in (NAMED_BYTES, 64):                           # a page may end there
                    with contextlib.suppress(OSError):
                        return self.options.after.encode() in os.pread(memory.fileno(), length, call.args[1])
        return False

    def counts(self, pid, process):
        """A call begins, or a program has begun."""
        process.calls += 1
        if process.calls < self.options.number or self.is_killed:
            return
        os.kill(pid, signal.SIGKILL)
        self.is_killed = True
        if self.options.note:
            pathlib.Path(self.options.note).write_text("killed\n")

    def is_watchers(self, pid, process, call):
        """Known by the first file that it moves; any other child is let go."""
        process.seen += 1
        is_one = call.args[1] == DUPFD and call.args[2] == WATCHER_BEAT + 1
        self.watchers += is_one
        process.is_known = is_one and self.watchers == self.options.times
        if process.is_known:
            return True
        if is_one or process.seen == KNOWN_BY_CALLS or self.watchers >= self.options.times:
            del self.followed[pid]
            trace(DETACH, pid)
        else:
            self.go(pid)
        return False

    def at_call(self, pid):
        process, call = self.followed[pid], Call()
        trace(SYSCALL_INFO, pid, ctypes.sizeof(call), ctypes.addressof(call))
        if call.op != ENTRY:
            self.go(pid)
            return
        if not process.is_known and not self.is_watchers(pid, process, call):
            return
        if not self.is_watcher and self.named < self.options.times:
            self.named += self.names(pid, call)
        if self.is_watcher or self.named >= self.options.times:
            self.counts(pid, process)
        self.go(pid)

    def at_event(self, pid, event):
        if event == EVENT_EXEC:
            process = self.followed.get(pid)
            if process and not self.is_watcher and self.named >= self.options.times:
                self.counts(pid, process)
            self.go(pid)
        else:
            self.go(pid)                                                   # a child was born: it stops by itself

    def run(self):
        self.begin()
        while True:
            pid, status = os.waitpid(-1, WALL)
            if not os.WIFSTOPPED(status):
                if pid == self.first:
                    return status
                continue
            what, event = os.WSTOPSIG(status), status >> 16
            if what == signal.SIGTRAP | 0x80:
                if pid in self.followed:
                    self.at_call(pid)
                else:
                    self.go(pid)
            elif event:
                self.at_event(pid, event)
            elif what == signal.SIGSTOP and pid != self.first and pid not in self.followed:
                self.followed[pid] = Process(False)
                if self.is_killed or self.watchers >= self.options.times:
                    del self.followed[pid]
                    trace(DETACH, pid)
                else:
                    trace(SETOPTIONS, pid, 0, SYSGOOD | EXITKILL)
                    self.go(pid)
            else:
                self.go(pid, what)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--of", choices=("first", "watcher"), default="first")
    options.add_argument("--after", metavar="TEXT")
    options.add_argument("--times", type=int, default=1)
    options.add_argument("--number", type=int, required=True)
    options.add_argument("--note", metavar="FILE")
    options.add_argument("command", nargs="+")
    status = Killer(options.parse_args()).run()
    if os.WIFSIGNALED(status):
        if os.WTERMSIG(status) != signal.SIGKILL:
            signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    return os.WEXITSTATUS(status)


if __name__ == "__main__":
    sys.exit(main())
