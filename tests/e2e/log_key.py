"""log_key - a transparency log for a publisher's folder online/: log.pem and log.vkey, with openssl; and an anchor that names it."""
import base64, hashlib, pathlib, subprocess

ORIGIN = "log.example.com/fleet"
LOG, WITNESS = 1, 4


def openssl(*words):
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True).stdout


def vkey(pem, name, kind=LOG):
    public = openssl("pkey", "-in", pem, "-pubout", "-outform", "DER")[-32:]
    digest = hashlib.sha256(f"{name}\n".encode() + bytes([kind]) + public).hexdigest()
    return f"{name}+{digest[:8]}+{base64.b64encode(bytes([kind]) + public).decode()}"


def make(online, origin=ORIGIN):
    """Unless there is one already. -> the text of log.vkey"""
    online = pathlib.Path(online)
    if not (online / "log.vkey").exists():
        openssl("genpkey", "-algorithm", "ed25519", "-out", online / "log.pem")
        (online / "log.vkey").write_text(vkey(online / "log.pem", origin) + "\n")
    return (online / "log.vkey").read_text().strip()


def name_in_anchor(publisher, lines):
    """The anchor of version 1 with these lines after its `lab`s, signed anew by the one root key."""
    text = (publisher / "online/release.anchor").read_text().split("\n\n")[0] + "\n"
    kept = [line for line in text.splitlines() if line.split()[0] in ("firebreak", "version", "root-threshold", "root", "content-threshold", "content", "lab")]
    text = "\n".join(kept + lines) + "\n"
    root = next(line.split()[1] for line in kept if line.startswith("root "))
    to_sign = publisher / "anchor-to-sign"
    to_sign.write_text(text)
    signature = openssl("pkeyutl", "-sign", "-rawin", "-inkey", publisher / "offline/root.pem", "-in", to_sign)
    to_sign.unlink()
    name, number, _ = root.split("+", 2)
    signed = text + f"\n\N{EM DASH} {name} " + base64.b64encode(bytes.fromhex(number) + signature).decode() + "\n"
    for folder in ("online", "public"):
        (publisher / folder / "release.anchor").write_text(signed)
