#include "agent/identity.h"

#include "base/mem.h"
#include "format/hex.h"

#include <string.h>

enum { IDENTITY_VERSION = 1 };

static const char identity_path[] = "identity";

enum err identity_load(struct disk *disk, struct identity *ret_identity, struct why *why)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, sizeof(*ret_identity));
        enum err e = disk->ops->read(disk, identity_path, &bytes, why);
        if (e == ERR_NOT_FOUND)
                return FAIL(why, e, "this device is not enrolled; run `firebreak-agent enrol`");
        if (e && e != ERR_LIMIT)
                return DURING(why, e, "reading the identity");
        if (e || bytes.length != sizeof(*ret_identity))
                return FAIL(why, ERR_SYNTAX, "the identity is damaged (size); remove it and enrol again");
        struct identity found;
        memcpy(&found, bytes.bytes, sizeof(found));
        memset(bytes.bytes, 0, bytes.length);
        if (memcmp(found.magic, "FBID", 4) != 0 || found.version != IDENTITY_VERSION || found.is_enrolled > 1)
                return FAIL(why, ERR_SYNTAX, "the identity is damaged, or of a newer agent; remove it and enrol again");
        *ret_identity = found;
        identity_wipe(&found);
        return OK;
}

static enum err store(struct disk *disk, const struct identity *identity, struct why *why)
{
        enum err e = disk->ops->replace(disk, identity_path, identity, sizeof(*identity), why);
        return e ? DURING(why, e, "storing the identity") : OK;
}

enum err identity_make(struct disk *disk, struct random_source *random, struct identity *ret_identity, struct why *why)
{
        struct identity new = { .magic = { 'F', 'B', 'I', 'D' }, .version = IDENTITY_VERSION };
        random->ops->fill(random, new.id, sizeof(new.id));
        random->ops->fill(random, new.seed, sizeof(new.seed));
        enum err e = store(disk, &new, why);
        if (!e)
                *ret_identity = new;
        identity_wipe(&new);
        return e;
}

enum err identity_enrolled(struct disk *disk, struct identity *identity, const uint8_t mac_key[32], struct why *why)
{
        struct identity next = *identity;
        memcpy(next.mac_key, mac_key, sizeof(next.mac_key));
        next.is_enrolled = 1;
        enum err e = store(disk, &next, why);
        if (!e)
                *identity = next;
        identity_wipe(&next);
        return e;
}

void identity_text(const struct identity *identity, char text[33])
{
        hex_encode(identity->id, sizeof(identity->id), text);
}

void identity_wipe(struct identity *identity)
{
        mem_wipe(identity, sizeof(*identity));
}
