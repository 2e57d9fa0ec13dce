#include "trust/lease.h"

#include "format/hex.h"
#include "trust/lines.h"
#include "trust/word.h"

#include <inttypes.h>
#include <string.h>

static const char heading[] = "firebreak lease v1";
static const char *const kinds[] = { "exposure", "shadow" };

void lease_write(const struct lease *lease, struct buf *into)
{
        char target[65], nonce[33];
        hex_encode(lease->target, sizeof(lease->target), target);
        hex_encode(lease->nonce, sizeof(lease->nonce), nonce);
        buf_addf(into, "%s\nkind %s\ndevice %s\nstream %s\ncounter %" PRIu64 "\ntarget %s\nnonce %s\ngranted %" PRId64 "\ndeadline %" PRId64 "\nbake %" PRId64 "\n",
                 heading, kinds[lease->is_shadow], lease->device, lease->stream, lease->counter, target, nonce, lease->granted, lease->deadline, lease->bake_s);
}

static enum err read_who(struct lines *lines, struct lease *lease, struct why *why)
{
        char *kind, *device;
        enum err e = lines_first(lines, heading, why);
        if (!e)
                e = lines_next(lines, "kind", &kind, why);
        if (e)
                return e;
        lease->is_shadow = strcmp(kind, kinds[1]) == 0;
        if (!lease->is_shadow && strcmp(kind, kinds[0]) != 0)
                return lines_fail(lines, "kind is exposure or shadow", why);
        e = lines_next(lines, "device", &device, why);
        if (e)
                return e;
        if (!word_is_device(device))
                return lines_fail(lines, "device is 32 lower-case hex digits", why);
        memcpy(lease->device, device, sizeof(lease->device));
        return lines_name(lines, "stream", lease->stream, why);
}

static enum err read_times(struct lines *lines, struct lease *lease, struct why *why)
{
        uint64_t granted = 0, deadline = 0, bake_s = 0;
        enum err e = lines_number(lines, "granted", &granted, why);
        if (!e)
                e = lines_number(lines, "deadline", &deadline, why);
        if (!e && deadline <= granted)
                e = lines_fail(lines, "deadline is not after granted", why);
        if (!e)
                e = lines_number(lines, "bake", &bake_s, why);
        if (!e && (!bake_s || bake_s > deadline - granted))
                e = lines_fail(lines, "bake is at least 1 second and over by the deadline", why);
        lease->granted = (int64_t)granted;
        lease->deadline = (int64_t)deadline;
        lease->bake_s = (int64_t)bake_s;
        return e;
}

static enum err read_what(struct lines *lines, struct lease *lease, struct why *why)
{
        enum err e = lines_number(lines, "counter", &lease->counter, why);
        if (!e)
                e = lines_digest(lines, "target", (struct lines_hex){ lease->target, sizeof(lease->target) }, why);
        if (!e)
                e = lines_digest(lines, "nonce", (struct lines_hex){ lease->nonce, sizeof(lease->nonce) }, why);
        if (!e)
                e = read_times(lines, lease, why);
        return e ? e : lines_end(lines, why);
}

enum err lease_parse(const char *text, size_t length, struct lease *ret_lease, struct why *why)
{
        char copy[LEASE_BYTES_MAX];
        if (length > sizeof(copy))
                return FAIL(why, ERR_LIMIT, "a lease has at most %d bytes", LEASE_BYTES_MAX);
        memcpy(copy, text, length);
        struct lines lines = { .at = copy, .end = copy + length, .what = "lease" };
        struct lease lease = { 0 };
        enum err e = memchr(copy, 0, length) ? lines_fail(&lines, "a NUL byte", why) : read_who(&lines, &lease, why);
        if (!e)
                e = read_what(&lines, &lease, why);
        if (!e)
                *ret_lease = lease;
        return e;
}

enum err lease_open(const struct vkey *director, const struct buf *bytes, struct lease *ret_lease, struct why *why)
{
        struct note note;
        struct lease lease;
        enum err e = note_parse(buf_text(bytes), bytes->length, &note, why);
        if (!e)
                e = note_verify(&note, &(struct note_keys){ director, 1, 1 }, why);
        if (e)
                return DURING(why, e, "lease");
        e = lease_parse(note.text, note.text_length, &lease, why);
        if (!e)
                *ret_lease = lease;
        return e;
}
