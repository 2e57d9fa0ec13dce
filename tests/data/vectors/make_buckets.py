#!/usr/bin/env python3
"""make_buckets.py - test vectors for those who write a device of their own: who is admitted, and who goes back when.

usage: make_buckets.py [FILE]

Prints them as JSON; with FILE (buckets.json) it prints where that differs, and exits 1 if it does. The formulas are those of docs/guide/formats.md (1.1, 1.6 and 2.1), in integers
only; no code of Firebreak's is in it, and tests/trust/test_buckets.c holds that code to what it prints. Buckets and `hi` are hex without leading zeros, but `bucket` has all 16 digits.

  cohort   `bucket` of `device` in the release whose target digest is `salt`. A rule with a `hi` of `admits` admits the device, one of `refuses` does not.
           `ppm`: the least share of a ceiling that it belongs to. `back`: see `turn`
  pace     `bucket` of `device` for releases of `stream` that the witnesses had seen at `seen`, in `week`, by `salt`; `ppm`: the least share of a pace that it belongs to
  share    `hi`: the least bucket that a share of `ppm` millionths leaves out. Buckets of `admits` belong to it, those of `refuses` do not; `early`: devices of that ring do,
           whatever their bucket
  turn     of a bucket, when a release is withdrawn over `over_s`: the device goes `turn_ms` after `since`; if it hears of it when that is over, `late_ms` after it heard

`what` says why a vector is there.
"""
import difflib, hashlib, json, pathlib, sys

ALL, ALL_PPM = 1 << 64, 1000000
WEEK_S = 604800
LIMIT_ROLL_BACK_S = 86400
OVER_S = [0, 1, 17, 600, LIMIT_ROLL_BACK_S]          # 17: a doubling is a second
SEARCHED = 300000                                    # device ids 0, 1, 2 ... as 32 digits, for buckets that are rare


def bucket_of(salt, device):
    return int.from_bytes(hashlib.sha256(b"cohort/v1\0" + salt.encode() + b"\0" + device.encode()).digest()[:8], "big")


def bound_of(ppm):
    return ppm * ALL // ALL_PPM


def least_ppm(bucket):
    return next(ppm for ppm in range(bucket * ALL_PPM // ALL, ALL_PPM + 1) if bucket < bound_of(ppm))


def turn_ms(bucket, over_s):
    if bucket < 1 << 47:
        return 0
    k = bucket.bit_length() - 1
    fraction = ((bucket - (1 << k)) << 32) // (1 << k)
    return over_s * 1000 * (((k - 47) << 32) + fraction) // (17 << 32)


def late_ms(bucket, over_s):
    return min(over_s, 30) * 1000 * (bucket >> 32) // (1 << 32)


def back(bucket, over=OVER_S):
    return [{"over_s": over_s, "turn_ms": turn_ms(bucket, over_s), "late_ms": late_ms(bucket, over_s)} for over_s in over]


def digits(bucket):
    return f"{bucket:016x}"


def cohort(what, salt, device):
    bucket = bucket_of(salt, device)
    edges = sorted({0, bucket, bucket + 1, ALL - 1, ALL})
    return {"what": what, "salt": salt, "device": device, "bucket": digits(bucket), "ppm": least_ppm(bucket),
            "admits": [f"{hi:x}" for hi in edges if bucket < hi], "refuses": [f"{hi:x}" for hi in edges if bucket >= hi], "back": back(bucket)}


def pace(what, stream, seen, device):
    salt = f"pace/{stream}/{seen // WEEK_S}"
    bucket = bucket_of(salt, device)
    return {"what": what, "stream": stream, "seen": seen, "week": seen // WEEK_S, "salt": salt, "device": device, "bucket": digits(bucket), "ppm": least_ppm(bucket)}


def share(ppm):
    bound = bound_of(ppm)
    edges = sorted(edge for edge in {0, bound - 1, bound, ALL - 1} if 0 <= edge < ALL)
    return {"ppm": ppm, "hi": f"{bound:x}", "admits": [f"{bucket:x}" for bucket in edges if bucket < bound], "refuses": [f"{bucket:x}" for bucket in edges if bucket >= bound],
            "early": ppm > 0}


def turn(what, bucket, over=OVER_S):
    return {"what": what, "bucket": digits(bucket), "back": back(bucket, over)}


def least_bucket_of_turn(over_s, ms):
    """The least bucket whose turn would be so late if fractions were not cut."""
    k = 47 + 17 * ms // (over_s * 1000)
    past = (17 * ms << k) - ((k - 47) * over_s * 1000 << k)
    return (1 << k) + -(-past // (over_s * 1000))


def cut(over_s, ms):
    """On both sides of where a turn becomes so late."""
    bucket = least_bucket_of_turn(over_s, ms)
    unit = 1 << (bucket.bit_length() - 1 - 32)
    after = -(-bucket // unit) * unit
    assert turn_ms(bucket, over_s) == turn_ms(after - 1, over_s) == ms - 1 and turn_ms(after, over_s) == ms
    return [turn("the fraction is cut: not yet the next millisecond", bucket, [over_s]), turn("the last bucket before the next millisecond", after - 1, [over_s]),
            turn("the next millisecond", after, [over_s])]


def cut_late(over_s, ms):
    """The same of those who come too late."""
    bucket = -(-(ms << 64) // (min(over_s, 30) * 1000))
    after = -(-bucket // (1 << 32)) << 32
    assert late_ms(bucket, over_s) == late_ms(after - 1, over_s) == ms - 1 and late_ms(after, over_s) == ms
    return [turn("who comes late: the lower half of the bucket does not count", bucket, [over_s]), turn("who comes late: the next millisecond", after, [over_s])]


def searched(salt):
    """Device ids with the least and the greatest buckets among many, and those around half of all."""
    found = sorted((bucket_of(salt, f"{number:032x}"), f"{number:032x}") for number in range(SEARCHED))
    half = next(i for i, (bucket, _) in enumerate(found) if bucket >= ALL // 2)
    return [("one of the least buckets", found[0][1]), ("one of the least buckets", found[1][1]), ("just below half", found[half - 1][1]), ("just above half", found[half][1]),
            ("one of the greatest buckets", found[-2][1]), ("one of the greatest buckets", found[-1][1])]


def cohorts():
    example, other = "a" * 64, hashlib.sha256(b"edr-rules 4").hexdigest()
    device = "00112233445566778899aabbccddeeff"
    yield cohort("the example of formats.md", example, device)
    yield cohort("a device id of letters", example, "f" * 32)
    yield cohort("a device id of zeros", example, "0" * 32)
    yield cohort("a salt of zeros", "0" * 64, device)
    yield cohort("a salt of letters", "f" * 64, device)
    yield cohort("another release, another bucket", other, device)
    yield cohort("the last digit counts", other, device[:-1] + "e")
    yield cohort("the first digit counts", other, "1" + device[1:])
    for salt in (example, other):
        yield from (cohort(what, salt, found) for what, found in searched(salt))


def paces():
    device, seen = "00112233445566778899aabbccddeeff", 1784432140
    week = seen // WEEK_S * WEEK_S
    yield pace("the example of formats.md", "edr-rules", seen, device)
    yield pace("a device id of letters", "edr-rules", seen, "f" * 32)
    yield pace("the first second of that week", "edr-rules", week, device)
    yield pace("the last second of that week", "edr-rules", week + WEEK_S - 1, device)
    yield pace("the week after", "edr-rules", week + WEEK_S, device)
    yield pace("the week before", "edr-rules", week - 1, device)
    yield pace("another stream", "yara", seen, device)
    yield pace("the longest name of a stream", "A" + "z9._+-" * 10 + "-9Z", seen, device)
    yield pace("week 0", "edr-rules", 0, device)
    yield pace("the last second of week 0", "edr-rules", WEEK_S - 1, device)
    yield pace("week 1", "edr-rules", WEEK_S, device)
    yield pace("the end of the year 9999", "edr-rules", 253402300799, device)
    yield from (pace(what, "edr-rules", seen, found) for what, found in searched(f"pace/edr-rules/{seen // WEEK_S}"))


def turns():
    yield turn("the least bucket", 0)
    yield turn("the last that goes at once", (1 << 47) - 1)
    yield turn("the first doubling begins", 1 << 47)
    yield turn("one past it", (1 << 47) + 1)
    yield turn("the first doubling ends", (1 << 48) - 1)
    yield turn("the second begins", 1 << 48)
    yield turn("before the last doubling", (1 << 63) - 1)
    yield turn("the last doubling begins", 1 << 63)
    yield turn("in the middle of the last", 3 << 62)
    yield turn("the greatest bucket", ALL - 1)
    yield turn("who comes late waits at most 30 seconds", ALL - 1, [29, 30, 31])
    for over_s, ms in ((1, 1), (1, 999), (600, 1), (600, 474660), (LIMIT_ROLL_BACK_S, 1234567), (LIMIT_ROLL_BACK_S, LIMIT_ROLL_BACK_S * 1000 - 1)):
        yield from cut(over_s, ms)
    for over_s, ms in ((1, 1), (29, 14501), (600, 1), (LIMIT_ROLL_BACK_S, 29999)):
        yield from cut_late(over_s, ms)


def vectors():
    parts = {"cohort": cohorts(), "pace": paces(), "share": (share(ppm) for ppm in (0, 1, 2, 1000, 333333, 500000, 999999, ALL_PPM)), "turn": turns()}
    lists = (f'"{name}":[\n' + ",\n".join(json.dumps(vector, separators=(",", ":")) for vector in part) + "\n]" for name, part in parts.items())
    return "{\n" + ",\n".join(lists) + "\n}\n"


def main():
    if len(sys.argv) < 2:
        sys.stdout.write(vectors())
        return 0
    kept, made = pathlib.Path(sys.argv[1]).read_text(), vectors()
    for line in difflib.unified_diff(kept.split("\n"), made.split("\n"), sys.argv[1], "what formats.md says", lineterm="", n=0):
        print(line)
    return int(kept != made)


sys.exit(main())
