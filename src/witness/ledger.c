#include "witness/ledger.h"

#include "format/hex.h"
#include "trust/sha.h"

#include <string.h>

void ledger_name(const char *origin, char name[LEDGER_NAME_MAX])
{
        uint8_t digest[SHA256_BYTES];
        sha256(origin, strlen(origin), digest);
        hex_encode(digest, sizeof(digest), name);
}

static enum err check(const struct ledger *ledger, const char *origin, const struct buf *note, struct tree_head *ret_head, struct why *why)
{
        struct checkpoint checkpoint;
        int64_t time;
        enum err e = checkpoint_parse(buf_text(note), note->length, &checkpoint, why);
        if (!e && strcmp(checkpoint.origin, origin) != 0)
                e = FAIL(why, ERR_CONTENT, "it is of %s", checkpoint.origin);
        if (!e)
                e = cosignature_time(&checkpoint, ledger->witness, &time, why);
        if (e)
                return e == ERR_NOMEM ? e : DURING(why, ERR_CONTENT, "damaged, or of another witness");
        *ret_head = checkpoint.head;
        return OK;
}

enum err ledger_head(const struct ledger *ledger, const char *origin, struct tree_head *ret_head, struct why *why)
{
        OWN(buf) struct buf note;
        char name[LEDGER_NAME_MAX];
        buf_init(&note, LIMIT_CHECKPOINT_BYTES);
        ledger_name(origin, name);
        *ret_head = (struct tree_head){ 0 };
        enum err e = ledger->disk->ops->read(ledger->disk, name, &note, why);
        if (e == ERR_NOT_FOUND)
                return OK;
        if (!e)
                e = check(ledger, origin, &note, ret_head, why);
        return e ? DURING(why, e, "the record %s of %s", name, origin) : OK;
}

enum err ledger_read(const struct ledger *ledger, const char *name, struct buf *into, struct why *why)
{
        if (strlen(name) != LEDGER_NAME_MAX - 1 || strspn(name, "0123456789abcdef") != LEDGER_NAME_MAX - 1)
                return FAIL(why, ERR_SYNTAX, "a log is named by the SHA-256 of its origin, in hex");
        return ledger->disk->ops->read(ledger->disk, name, into, why);
}

enum err ledger_keep(const struct ledger *ledger, const char *origin, const struct buf *note, struct why *why)
{
        char name[LEDGER_NAME_MAX];
        ledger_name(origin, name);
        enum err e = ledger->disk->ops->replace(ledger->disk, name, buf_text(note), note->length, why);
        return e ? DURING(why, e, "the record %s of %s", name, origin) : OK;
}
