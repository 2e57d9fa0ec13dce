#!/usr/bin/env python3
"""vectors - the values that tests/log/ compares with, from another hand: RFC 6962 by recursion as it is printed there, signatures by openssl(1).

usage: vectors.py     prints what stands in test_tree.c, test_checkpoint.c and test_cosignature.c
"""
import base64, hashlib, pathlib, subprocess, tempfile

DASH = "\u2014"
NEWLINE = b"\n"


def sha(data):
    return hashlib.sha256(data).digest()


def root(leaves):
    """MTH of RFC 6962, 2.1."""
    if len(leaves) < 2:
        return sha(b"\0" + leaves[0]) if leaves else sha(b"")
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha(b"\1" + root(leaves[:k]) + root(leaves[k:]))


def sign(seed, message):
    with tempfile.TemporaryDirectory() as folder:
        key, text = pathlib.Path(folder, "key"), pathlib.Path(folder, "text")
        key.write_bytes(bytes.fromhex("302e020100300506032b657004220420") + seed)
        text.write_bytes(message)
        public = subprocess.run(["openssl", "pkey", "-inform", "DER", "-in", key, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout[-32:]
        made = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", key, "-in", text], check=True, capture_output=True).stdout
    return public, made


def line(name, kind, public, signature):
    key_id = sha(name.encode() + NEWLINE + bytes([kind]) + public)[:4]
    return f"{DASH} {name} {base64.b64encode(key_id + signature).decode()}"


def main():
    entries = [b"entry %d" % i for i in range(600)]
    for size in (0, 1, 2, 3, 5, 8, 255, 256, 257, 600):
        print(size, root(entries[:size]).hex())
    text = f"log.example.com/fleet\n600\n{base64.b64encode(root(entries)).decode()}\n".encode()
    public, signature = sign(b"\1" * 32, text)
    print(line("log.example.com/fleet", 1, public, signature))
    time = 1800000000
    public, signature = sign(b"\2" * 32, b"cosignature/v1\ntime %d\n" % time + text)
    print(line("witness.example.com/w1", 4, public, time.to_bytes(8, "big") + signature))
    witness = b"witness.example.com/w1"
    print(f"{witness.decode()}+{sha(witness + NEWLINE + bytes([4]) + public)[:4].hex()}+{base64.b64encode(bytes([4]) + public).decode()}")


main()
