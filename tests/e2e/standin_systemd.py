#!/usr/bin/env python3
"""standin_systemd - a systemd of a few services, for tests on machines where another one, or none, is process 1.

usage: standin_systemd.py SOCKET VERB [OPTION...] -- UNIT        that is systemctl: show, start, restart, reload, reset-failed

In the test: with Systemd(folder) as systemd: systemd.add(unit, argv, reload_signal). It starts a service again that ends by itself, four times
within ten seconds, and counts. A systemctl that asks it is in the folder `systemd.bin`.
"""
import pathlib, signal, socket, subprocess, sys, threading, time

BURST, BURST_S = 4, 10


class Service:
    def __init__(self, argv, reload_signal, log):
        self.argv, self.reload_signal, self.log = argv, reload_signal, log
        self.process, self.restarts, self.state, self.began, self.ended = None, 0, "inactive", [], 0

    def start(self):
        self.began = [when for when in self.began if time.monotonic() - when < BURST_S] + [time.monotonic()]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.state = "active"

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.state = "inactive"

    def look(self):
        if self.state == "active" and self.process.poll() is not None:
            self.ended = self.process.returncode
            if len(self.began) >= BURST:
                self.state = "failed"
            else:
                self.restarts += 1
                self.start()

    def show(self):
        has_failed = self.state == "failed"
        kind = 0 if not has_failed else 2 if self.ended < 0 else 1
        return (f"LoadState=loaded\nActiveState={self.state}\nSubState={'running' if self.state == 'active' else 'failed'}\nResult={'exit-code' if has_failed else 'success'}\n"
                f"NRestarts={self.restarts}\nMainPID={self.process.pid if self.state == 'active' else 0}\nExecMainCode={kind}\nExecMainStatus={abs(self.ended) if kind else 0}\n")

    def do(self, verb):
        """What systemctl prints, and its exit code."""
        if verb == "show":
            return self.show(), 0
        if verb == "reload" and self.state == "active":
            self.process.send_signal(self.reload_signal)
        elif verb == "reload":
            return "unit is not active, cannot reload.\n", 1
        elif verb in ("start", "restart") and not (verb == "start" and self.state == "active"):
            self.stop()
            self.restarts, self.began = 0, []
            self.start()
        elif verb == "reset-failed":
            self.began = []
        return "", 0


class Systemd:
    def __init__(self, folder):
        self.folder, self.services, self.lock, self.is_over = pathlib.Path(folder), {}, threading.Lock(), False
        self.bin = self.folder / "bin"
        self.bin.mkdir(parents=True)
        self.path = self.folder / "socket"
        program = self.bin / "systemctl"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -S {pathlib.Path(__file__).resolve()} {self.path} "$@"\n')
        program.chmod(0o755)

    def __enter__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(self.path))
        self.path.chmod(0o777)
        self.socket.listen(16)
        self.socket.settimeout(0.05)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.thread.join()
        self.socket.close()
        for service in self.services.values():
            service.stop()

    def add(self, unit, argv, reload_signal=signal.SIGHUP):
        with self.lock:
            self.services[unit] = Service([str(word) for word in argv], reload_signal, self.folder / f"{unit}.log")
            self.services[unit].start()

    def run(self):
        while not self.is_over:
            with self.lock:
                for service in self.services.values():
                    service.look()
            try:
                asker = self.socket.accept()[0]
            except TimeoutError:
                continue
            with asker, self.lock:
                asker.settimeout(5)
                verb, unit = asker.recv(4096).decode().split("\0")
                service = self.services.get(unit)
                text, code = service.do(verb) if service else (f"Unit {unit} not found.\n", 5)
                asker.sendall(f"{code}\n{text}".encode())


def systemctl(path, verb, *words):
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(path)
        asking.sendall(f"{verb}\0{words[-1]}".encode())
        answer = b""
        while part := asking.recv(4096):
            answer += part
    code, _, text = answer.decode().partition("\n")
    print(text, end="")
    return int(code)


if __name__ == "__main__":
    sys.exit(systemctl(*sys.argv[1:]))
