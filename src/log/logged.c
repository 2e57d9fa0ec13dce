#include "log/logged.h"

#include "format/hex.h"
#include "trust/lines.h"

#include <inttypes.h>
#include <string.h>

static const char heading[] = "firebreak log entry v1";
static const char *const kinds[LOGGED_KINDS] = {
        [LOGGED_RELEASE] = "release", [LOGGED_EVIDENCE] = "evidence", [LOGGED_APPROVAL] = "approval",
        [LOGGED_OVERRIDE] = "override", [LOGGED_ROOT] = "root",
};

const char *logged_kind_name(enum logged_kind kind)
{
        return kinds[kind];
}

void logged_write(const struct logged *logged, struct buf *into)
{
        char digest[65];
        hex_encode(logged->digest, sizeof(logged->digest), digest);
        buf_addf(into, "%s\nkind %s\nname %s\nnumber %" PRIu64 "\ndigest %s\n", heading, kinds[logged->kind], logged->name, logged->number, digest);
}

static enum err read_kind(struct lines *lines, enum logged_kind *ret_kind, struct why *why)
{
        char *word;
        enum err e = lines_next(lines, "kind", &word, why);
        if (e)
                return e;
        for (int kind = 0; kind < LOGGED_KINDS; kind++)
                if (strcmp(word, kinds[kind]) == 0) {
                        *ret_kind = (enum logged_kind)kind;
                        return OK;
                }
        return lines_fail(lines, "no kind that this version knows", why);
}

static enum err parse(struct lines *lines, struct logged *logged, struct why *why)
{
        enum err e = lines_first(lines, heading, why);
        if (!e)
                e = read_kind(lines, &logged->kind, why);
        if (!e)
                e = lines_name(lines, "name", logged->name, why);
        if (!e)
                e = lines_number(lines, "number", &logged->number, why);
        if (!e)
                e = lines_digest(lines, "digest", (struct lines_hex){ logged->digest, sizeof(logged->digest) }, why);
        return e ? e : lines_end(lines, why);
}

enum err logged_parse(const void *bytes, size_t length, struct logged *ret_logged, struct why *why)
{
        char copy[LOGGED_BYTES_MAX];
        if (length > sizeof(copy))
                return FAIL(why, ERR_LIMIT, "a log entry of ours has at most %d bytes", LOGGED_BYTES_MAX);
        memcpy(copy, bytes, length);
        struct lines lines = { .at = copy, .end = copy + length, .what = "log entry" };
        struct logged logged = { 0 };
        enum err e = memchr(copy, 0, length) ? lines_fail(&lines, "a NUL byte", why) : parse(&lines, &logged, why);
        if (!e)
                *ret_logged = logged;
        return e;
}
