#include "log/entries.h"

enum err entries_add(struct buf *bundle, const struct entry *entry, struct why *why)
{
        size_t before = bundle->length;
        if (entry->length > LIMIT_ENTRY_BYTES)
                return FAIL(why, ERR_LIMIT, "an entry of a log has at most %d bytes", LIMIT_ENTRY_BYTES);
        buf_add(bundle, (const uint8_t[]){ (uint8_t)(entry->length >> 8), (uint8_t)entry->length }, 2);
        buf_add(bundle, entry->bytes, entry->length);
        enum err e = buf_check(bundle, why);
        if (e) {
                bundle->length = before;
                bundle->failed = OK;
        }
        return e;
}

enum err entries_next(struct entries *entries, struct entry *ret_entry, struct why *why)
{
        if (entries->left < 2)
                return FAIL(why, ERR_SYNTAX, "the bundle of entries is cut in a length");
        size_t length = (size_t)(entries->at[0] << 8 | entries->at[1]);
        if (length > entries->left - 2)
                return FAIL(why, ERR_SYNTAX, "the bundle of entries is cut in an entry");
        *ret_entry = (struct entry){ entries->at + 2, length };
        entries->at += 2 + length;
        entries->left -= 2 + length;
        return OK;
}
