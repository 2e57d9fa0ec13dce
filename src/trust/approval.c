#include "trust/approval.h"

#include "format/hex.h"
#include "trust/lines.h"

#include <string.h>

static const char heading[] = "firebreak approval v1";
static const char *const kinds[APPROVAL_KINDS] = { [APPROVAL_EMERGENCY] = "emergency", [APPROVAL_CUSTOMER] = "customer" };

const char *approval_kind_name(enum approval_kind kind)
{
        return kinds[kind];
}

bool approval_kind_find(const char *name, enum approval_kind *ret_kind)
{
        for (int kind = 0; kind < APPROVAL_KINDS; kind++)
                if (strcmp(name, kinds[kind]) == 0) {
                        *ret_kind = (enum approval_kind)kind;
                        return true;
                }
        return false;
}

void approval_write(const struct approval *approval, struct buf *into)
{
        char release[65];
        hex_encode(approval->release, sizeof(approval->release), release);
        buf_addf(into, "%s\nkind %s\nrelease %s\n", heading, kinds[approval->kind], release);
        if (approval->kind != APPROVAL_CUSTOMER)
                return;
        char by[VKEY_TEXT_MAX];
        vkey_text(&approval->by, by);
        buf_addf(into, "by %s\n", by);
}

static enum err parse(struct lines *lines, struct approval *approval, struct why *why)
{
        char *kind;
        enum err e = lines_first(lines, heading, why);
        if (!e)
                e = lines_next(lines, "kind", &kind, why);
        if (e)
                return e;
        if (!approval_kind_find(kind, &approval->kind))
                return lines_fail(lines, "kind is emergency or customer", why);
        e = lines_digest(lines, "release", (struct lines_hex){ approval->release, sizeof(approval->release) }, why);
        if (!e && approval->kind == APPROVAL_CUSTOMER)
                e = lines_vkey(lines, "by", &approval->by, why);
        return e ? e : lines_end(lines, why);
}

enum err approval_parse(const char *text, size_t length, struct approval *ret_approval, struct why *why)
{
        char copy[APPROVAL_TEXT_MAX];
        if (length > sizeof(copy))
                return FAIL(why, ERR_LIMIT, "an approval has at most %d bytes before its signatures", APPROVAL_TEXT_MAX);
        memcpy(copy, text, length);
        struct lines lines = { .at = copy, .end = copy + length, .what = "approval" };
        struct approval approval = { 0 };
        enum err e = memchr(copy, 0, length) ? lines_fail(&lines, "a NUL byte", why) : parse(&lines, &approval, why);
        if (!e)
                *ret_approval = approval;
        return e;
}

enum err approval_verify(const struct buf *bytes, const struct approval *approval, const struct note_keys *keys, struct why *why)
{
        struct note note;
        struct approval said;
        enum err e = note_parse(buf_text(bytes), bytes->length, &note, why);
        if (!e)
                e = approval_parse(note.text, note.text_length, &said, why);
        if (!e)
                e = note_verify(&note, keys, why);
        if (e)
                return DURING(why, e, "approval");
        if (said.kind != approval->kind)
                return FAIL(why, ERR_UNTRUSTED, "the approval is one of kind %s, not %s", kinds[said.kind], kinds[approval->kind]);
        if (memcmp(said.release, approval->release, sizeof(said.release)) != 0)
                return FAIL(why, ERR_UNTRUSTED, "the approval is of another release");
        if (said.kind == APPROVAL_CUSTOMER && !key_equal(&said.by.key, &approval->by.key))
                return FAIL(why, ERR_UNTRUSTED, "the approval is by %s, and another key", said.by.name);
        return OK;
}
