#include "trust/tuf_root.h"

#include "format/hex.h"
#include "trust/tuf_build.h"
#include "trust/tuf_set.h"

#include <string.h>

static enum err read_key(const struct json *json, struct public_key *ret_key, struct why *why)
{
        const char *type = json_text(json_get(json, "keytype")), *hex = json_text(json_get(json_get(json, "keyval"), "public"));
        if (!type || strcmp(type, "ed25519") != 0 || !hex || hex_decode(hex, ret_key->bytes, sizeof(ret_key->bytes), NULL) != OK)
                return FAIL(why, ERR_SYNTAX, "a key that is not Ed25519");
        return OK;
}

static enum err read_role(const struct tuf_doc *doc, enum tuf_role role, struct tuf_holders *ret_holders, struct why *why)
{
        const struct tuf_keyring keyring = tuf_doc_keyring(doc, role);
        const struct json *ids = json_get(keyring.of_role, "keyids");
        ret_holders->threshold = (size_t)json_int(json_get(keyring.of_role, "threshold"), 0);
        ret_holders->count = json_count(ids);
        if (ret_holders->count > LIMIT_KEYS)
                return FAIL(why, ERR_LIMIT, "root: at most %d keys of a role", LIMIT_KEYS);
        enum err e = OK;
        for (size_t i = 0; !e && i < ret_holders->count; i++)
                e = read_key(json_get(keyring.keys, json_text(json_at(ids, i))), &ret_holders->keys[i], why);
        return e ? DURING(why, e, "root: role %s", keyring.name) : OK;
}

static enum err read_facts(const struct tuf_doc *doc, struct tuf_root_facts *ret_facts, struct why *why)
{
        enum err e = OK;
        ret_facts->stamp = (struct tuf_stamp){ doc->version, doc->expires };
        for (enum tuf_role role = TUF_ROOT; !e && role < TUF_ROLES; role++)
                e = read_role(doc, role, &ret_facts->roles[role], why);
        return e;
}

enum err tuf_root_of(const struct tuf *tuf, struct tuf_root_facts *ret_facts, struct why *why)
{
        return read_facts(tuf->docs[TUF_ROOT], ret_facts, why);
}

enum err tuf_root_of_file(const struct buf *file, struct tuf_root_facts *ret_facts, struct why *why)
{
        OWN(tuf) struct tuf *tuf = NULL;
        enum err e = tuf_open(file, 0, &tuf, why);
        return e ? e : tuf_root_of(tuf, ret_facts, why);
}

static enum err open_draft(enum tuf_role role, const struct buf *to_sign, struct tuf_doc **ret_doc, struct why *why)
{
        OWN(buf) struct buf file;
        buf_init(&file, 2 * LIMIT_METADATA_BYTES);
        enum err e = tuf_file_write(to_sign, NULL, 0, &file, why);
        return e ? e : tuf_doc_open(role, &file, ret_doc, why);
}

enum err tuf_root_draft(const struct buf *to_sign, struct tuf_root_facts *ret_facts, struct why *why)
{
        OWN(tuf_doc) struct tuf_doc *doc = NULL;
        enum err e = open_draft(TUF_ROOT, to_sign, &doc, why);
        return e ? e : read_facts(doc, ret_facts, why);
}

enum err tuf_draft_stamp(enum tuf_role role, const struct buf *to_sign, struct tuf_stamp *ret_stamp, struct why *why)
{
        OWN(tuf_doc) struct tuf_doc *doc = NULL;
        enum err e = open_draft(role, to_sign, &doc, why);
        if (!e)
                *ret_stamp = (struct tuf_stamp){ doc->version, doc->expires };
        return e;
}
