/* Any bytes as a TUF file of any role: what has the form of one can be walked without another look at it, and its keys and patterns read. */
#include "trust/tuf_doc.h"
#include "trust/tuf_key.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void walk_keys(const struct json *keys)
{
        for (size_t i = 0; i < json_count(keys) && i < LIMIT_KEYS; i++) {
                OWN(tuf_key) struct tuf_key key = { 0 };
                if (tuf_key_read(json_value_at(keys, i), &key) == OK)
                        (void)!tuf_key_verify(&key, "bytes", 5, json_key_at(keys, i));
        }
}

static void walk_targets(const struct tuf_doc *doc)
{
        const struct json *targets = json_get(doc->body, "targets");
        for (size_t i = 0; i < json_count(targets); i++) {
                struct tuf_found found;
                if (tuf_doc_target(json_value_at(targets, i), &found, NULL) == OK)
                        assert(found.digest.has_sha256 || found.digest.has_sha512);
        }
        for (size_t i = 0; i < tuf_doc_delegations(doc); i++) {
                struct tuf_delegation delegation = tuf_doc_delegation(doc, i);
                assert(delegation.keyring.name[0]);
                (void)tuf_delegation_covers(&delegation, "rules/4");
                (void)!tuf_doc_verify(doc, &delegation.keyring, NULL);
                walk_keys(delegation.keyring.keys);
        }
}

static void walk_metas(const struct tuf_doc *doc)
{
        const struct json *metas = json_get(doc->body, "meta");
        struct tuf_meta meta;
        for (size_t i = 0; i < json_count(metas); i++)
                if (tuf_doc_meta(doc, json_key_at(metas, i), &meta, NULL) == OK)
                        assert(meta.version);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        const struct buf file = { .bytes = (char *)bytes, .length = length };
        for (enum tuf_role role = TUF_ROOT; role < TUF_ROLES; role++) {
                OWN(tuf_doc) struct tuf_doc *doc = NULL;
                if (tuf_doc_open(role, &file, &doc, NULL))
                        continue;
                assert(doc->version && doc->length == length);
                if (role == TUF_ROOT) {
                        struct tuf_keyring keyring = tuf_doc_keyring(doc, TUF_TIMESTAMP);
                        (void)!tuf_doc_verify(doc, &keyring, NULL);
                        walk_keys(keyring.keys);
                }
                (role == TUF_TARGETS ? walk_targets : walk_metas)(doc);
        }
        return 0;
}
