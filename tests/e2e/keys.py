#!/usr/bin/env python3
"""keys - `firebreak keys` as people use it, on files and on a token of SoftHSM's: what is made signs and is found again, what is wrong
is refused with a word that helps, and a key is never lost, whenever the process is killed.

usage: keys.py --build DIR
"""
import argparse, json, os, pathlib, pty, shutil, subprocess, sys, tempfile

from claims import Claims

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
PIN, OLD, NEW = "1234", "correct horse", "staple battery"
CALLS = ("openat", "write", "fsync", "rename", "renameat2", "unlink", "close", "flock")       # of the kernel, that a cut could fall before


class Keys(Claims):
    def __init__(self, build, root):
        super().__init__()
        self.build, self.root = pathlib.Path(build).resolve(), root
        self.environment = {**os.environ, "SOFTHSM2_CONF": str(root / "softhsm2.conf"), "FIREBREAK_FAULT": ""}
        self.module = next((path for path in MODULES if os.path.exists(path)), None)
        self.faulty = self.build / "tests/faulty_token.so"

    def write(self, name, text, mode=0o600):
        path = self.root / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def run(self, *words, prefix=(), **environment):
        return subprocess.run([*prefix, str(self.build / "firebreak"), "keys", *map(str, words)], env={**self.environment, **environment}, stdin=subprocess.DEVNULL,
                              start_new_session=True, text=True, capture_output=True, timeout=60)

    def works(self, what, *words):
        done = self.run(*words)
        self.claim(f"{what} {done.stderr.strip()}", done.returncode == 0 and not done.stderr)
        return done.stdout

    def refused(self, what, code, says, *words, **environment):
        done = self.run(*words, **environment)
        self.claim(f"{what}: {done.returncode}, {done.stderr.strip()[:170]}", done.returncode == code and says in done.stderr and not done.stdout)

    def typed(self, answers, *words):
        """With a terminal of its own: each prompt that is waited for is answered. What was shown, and the exit code."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(self.build / "firebreak", ["firebreak", "keys", *map(str, words)], self.environment)
        shown, answers = "", list(answers)
        while True:
            try:
                part = os.read(terminal, 4096).decode()
            except OSError:
                break
            shown += part
            if answers and answers[0][0] in shown:
                os.write(terminal, answers.pop(0)[1].encode() + b"\n")
        os.close(terminal)
        return shown, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def uri(self, label="", pin=None, module=None):
        label = f";object={label}" if label else ""
        return f"pkcs11:token=acme{label}?module-path={module or self.module}" + (f"&pin-source={pin}" if pin else "")

    def make_token(self):
        (self.root / "tokens").mkdir()
        self.write("softhsm2.conf", f"directories.tokendir = {self.root}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
        subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "acme", "--pin", PIN, "--so-pin", "12345678"], env=self.environment, check=True, stdout=subprocess.DEVNULL)


def leftovers(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def files(keys):
    folder = keys.root / "medium"
    folder.mkdir()
    plain, locked = folder / "plain.pem", folder / "locked.pem"
    old, wrong = keys.write("old", OLD + "\n"), keys.write("wrong", "tired horse\n")
    made = json.loads(keys.works("a key is made in a file", "new", plain, "--no-passphrase", "--name", "root.acme", "--json"))
    keys.claim("it is nobody else's, and nothing lies beside it", plain.stat().st_mode & 0o777 == 0o600 and not leftovers(folder))
    shown = json.loads(keys.works("it is shown", "show", plain, "--name", "root.acme", "--json"))
    keys.claim("as it was made", shown == made and made["vkey"].startswith("root.acme+") and made["held"] == "file" and len(made["key_id"]) == 64)
    openssl = subprocess.run(["openssl", "pkey", "-in", plain, "-pubout", "-outform", "DER"], capture_output=True)
    vkey = subprocess.run(["openssl", "base64", "-d", "-A"], input=made["vkey"].split("+", 2)[2].encode(), capture_output=True).stdout
    keys.claim("openssl reads it, and finds the same public key", openssl.returncode == 0 and openssl.stdout[-32:] == vkey[1:] and len(vkey) == 33)
    keys.works("a key is made in an encrypted file", "new", locked, "--passphrase-file", old)
    keys.works("its passphrase shows it", "show", locked, "--passphrase-file", old)
    keys.refused("another passphrase does not", 77, "wrong passphrase", "show", locked, "--passphrase-file", wrong)
    keys.refused("nobody is asked where there is no terminal", 64, "--passphrase-file FILE", "show", locked)
    asked = [("Passphrase of the offline keys: ", OLD), ("New passphrase for the offline keys: ", NEW), ("The same again: ", NEW)]
    shown, code = keys.typed(asked, "passphrase", locked)
    keys.claim("a passphrase is changed at the terminal, and not shown", code == 0 and "has the new passphrase" in shown and OLD not in shown and NEW not in shown)
    keys.refused("the old one opens it no more", 77, "wrong passphrase", "show", locked, "--passphrase-file", old)
    old = keys.write("new", NEW + "\n")
    listed = {row["name"]: row for row in json.loads(keys.works("a folder is listed without a passphrase", "list", folder, "--json"))}
    keys.claim("what is encrypted is said to be", listed["plain.pem"]["key_id"] == made["key_id"] and listed["locked.pem"] == {"name": "locked.pem", "held": "encrypted", "key_id": None})
    keys.refused("what is there is not written over", 78, "is there already", "new", plain, "--no-passphrase")
    plain.chmod(0o640)
    keys.refused("a file that the group may read", 78, "chmod 600", "show", plain)
    plain.chmod(0o600)
    locked.chmod(0o644)
    keys.works("an encrypted one that all may read is taken", "show", locked, "--passphrase-file", old)
    folder.rename(keys.root / "unmounted")
    keys.refused("show: the medium is not mounted", 66, f"{plain} is not here; bring the medium", "show", plain)
    keys.refused("new: the medium is not mounted", 66, "bring and mount the medium", "new", folder / "more.pem", "--no-passphrase")
    keys.refused("list: the medium is not mounted", 66, "bring and mount the medium", "list", folder)
    (keys.root / "unmounted").rename(folder)


def token(keys):
    pin, wrong = keys.write("pin", PIN + "\n"), keys.write("wrong-pin", "4321\n")
    made = keys.works("a key is made in a token", "new", keys.uri("root-1", pin), "--name", "root-1.acme").splitlines()
    shown = keys.works("it is shown without a PIN", "show", keys.uri("root-1"), "--name", "root-1.acme").splitlines()
    keys.claim("as it was made", made[:2] == shown[:2] and made[0].startswith("root-1.acme+") and "held           token" in shown)
    keys.claim("a token is listed without a PIN", "root-1  token  " in keys.works("list", "list", keys.uri()))
    keys.works("another key beside it", "new", keys.uri("root-2", f"file://{pin}"))
    keys.refused("the label is taken", 78, "never written over", "new", keys.uri("root-1", pin))
    keys.refused("a wrong PIN", 77, "wrong PIN", "new", keys.uri("root-3", wrong))
    keys.refused("a PIN that nobody gives", 64, "pin-source=FILE", "new", keys.uri("root-3"))
    keys.refused("a PIN's file that is not there", 66, "nothing", "new", keys.uri("root-3", keys.root / "nothing"))
    shown, code = keys.typed([("PIN of the token acme: ", PIN)], "new", keys.uri("typed"))
    keys.claim("a PIN that is typed is taken and not shown", code == 0 and "typed+" in shown and PIN not in shown.split("typed+")[0])
    keys.refused("no such key", 66, "no public key root-9", "show", keys.uri("root-9"))
    keys.refused("no such token", 66, "no token other here", "show", keys.uri("root-1").replace("acme", "other"))
    keys.refused("no such module", 66, "no PKCS#11 module /nonexistent.so", "show", keys.uri("root-1", module="/nonexistent.so"))
    keys.refused("a module that is none", 69, "is no PKCS#11 module", "show", keys.uri("root-1", module="/etc/hostname"))
    keys.refused("a URI that is none", 64, "write pkcs11:token=", "show", "pkcs11:token=%zz")
    keys.refused("a PIN in the URI", 64, "list of processes", "show", keys.uri("root-1") + "&pin-value=1234")
    keys.refused("passphrases are for files", 64, "for files", "passphrase", keys.uri("root-1"))
    for fault, code, says in (("locked", 78, "the PIN is locked"), ("last try", 77, "one more wrong one locks it"), ("flip", 77, "the token is broken"), ("gone", 69, "taken out"),
                              ("no ed25519", 78, "no Ed25519"), ("read-only", 78, "cannot be written to"), ("full", 73, "no room left")):
        given = wrong if fault == "last try" else pin
        keys.refused(f"a token with a fault, {fault}", code, says, "new", keys.uri(f"bad-{fault[:4].strip()}", given, keys.faulty), FIREBREAK_FAULT=fault, FIREBREAK_MODULE=keys.module)


def kill_before(keys, call, command, reset, check):
    """Killed before the first such call of the kernel, the second, ... until a run comes to its end. How many kills, and after which `check` found something."""
    for number in range(1, 400):
        reset()
        strace = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}")
        code = keys.run(*command, prefix=strace).returncode
        fault = check(code == 0)
        if fault or code == 0:
            return number - 1, fault
    return number, "it never came to its end"


def killing(keys):
    """Either passphrase opens the key, and it is the same one; and a new key is whole or not there."""
    path, old, new = keys.root / "medium/kill.pem", keys.write("old", OLD + "\n"), keys.write("new", NEW + "\n")
    expected = keys.works("a key to be killed over", "new", path, "--passphrase-file", old).splitlines()[:2]
    kept = path.read_bytes()

    def shows(*words):
        shown = keys.run("show", path, *words)
        return shown.stdout.splitlines()[:2] if shown.returncode == 0 else None

    def other_than_one(is_done):
        opened = [shows("--passphrase-file", file) for file in (old, new)]
        return None if opened == [None, expected] or (not is_done and opened == [expected, None]) else f"opened: {opened}"

    def half_a_key(is_done):
        return None if (shows() if path.exists() else not is_done) else "half a key"

    for what, command, reset, check in (("another passphrase", ("passphrase", path, "--passphrase-file", old, "--new-passphrase-file", new), lambda: path.write_bytes(kept), other_than_one),
                                        ("a new key", ("new", path, "--no-passphrase"), lambda: path.unlink(missing_ok=True), half_a_key)):
        for call in CALLS:
            kills, fault = kill_before(keys, call, command, reset, check)
            keys.claim(f"{what}: nothing is lost or half, {kills} times killed before {call} {fault or ''}", not fault)
    keys.claim(f"nothing lies beside it in the end: {leftovers(path.parent)}", not leftovers(path.parent))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    root = pathlib.Path(tempfile.mkdtemp(prefix="firebreak-keys-"))
    keys = Keys(options.parse_args().build, root)
    try:
        keys.claim(f"SoftHSM is here: {keys.module}", bool(keys.module))
        files(keys)
        if keys.module:
            keys.make_token()
            token(keys)
        killing(keys)
    finally:
        shutil.rmtree(root)
    return keys.finish()


if __name__ == "__main__":
    sys.exit(main())
