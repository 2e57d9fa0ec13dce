"""payload - a tree of rules and the release after it, the same for everybody who is measured: 20 MB in 2,000 files, of which 1 % changes."""
import os

WRITTEN_S = 1790000000                           # each file, in both trees: what has not changed has not changed in any way
FILES, FILE_BYTES, FILES_EACH = 2000, 10 << 10, 40
WORDS = ("strings", "condition", "ascii", "wide", "nocase", "any", "of", "them", "and")


def line(dice):
    """Compresses about as well as rules do: to a third."""
    return f"    $s{dice.randrange(99)} = {{ {dice.randbytes(6).hex(' ')} }} {dice.choice(WORDS)}\n"


def text(dice, length=FILE_BYTES):
    made, used = [], 0
    while used < length:
        made.append(line(dice))
        used += len(made[-1])
    return "".join(made).encode()[:length]


def files(dice, count=FILES):
    return {f"notes/{i // FILES_EACH:03d}/{i:05d}.txt": text(dice) for i in range(count)}


def whole(dice, old):
    """1 % of the files, each of them anew."""
    new = dict(old)
    for name in dice.sample(sorted(old), max(1, len(old) // 100)):
        new[name] = text(dice)
    return new


def spread(dice, old):
    """A fifth of the lines in 5 % of the files: 1 % of the bytes."""
    new = dict(old)
    for name in dice.sample(sorted(old), max(1, len(old) // 20)):
        lines = old[name].decode().splitlines(True)
        count = len(lines) // 5
        at = dice.randrange(len(lines) - count)
        lines[at:at + count] = [line(dice) for _ in range(count)]
        new[name] = "".join(lines).encode()
    return new


SHAPES = {"whole": whole, "spread": spread}


def write(folder, tree):
    for name, data in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != data:
            path.write_bytes(data)
        os.utime(path, (WRITTEN_S, WRITTEN_S))
    for path in (folder, *folder.rglob("*/")):
        os.utime(path, (WRITTEN_S, WRITTEN_S))
