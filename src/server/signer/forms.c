#include "server/signer/forms.h"

#include "base/limits.h"
#include "format/canon.h"
#include "log/checkpoint.h"
#include "trust/lease.h"

#include <assert.h>
#include <string.h>

/* `signed` of a TUF document; `member` is where its substance stands. */
struct document {
        const char *type, *spec, *expires;
        int64_t version;
        const struct json *substance;
};

static const struct json_field targets_fields[] = {
        { "_type", JSON_TEXT, true, offsetof(struct document, type), 0, 0 },
        { "expires", JSON_TEXT, true, offsetof(struct document, expires), 20, 20 },
        { "spec_version", JSON_TEXT, true, offsetof(struct document, spec), 1, 16 },
        { "targets", JSON_OBJECT, true, offsetof(struct document, substance), 0, 0 },
        { "version", JSON_INT, true, offsetof(struct document, version), 1, INT64_MAX },
};
static const struct json_field meta_fields[] = {
        { "_type", JSON_TEXT, true, offsetof(struct document, type), 0, 0 },
        { "expires", JSON_TEXT, true, offsetof(struct document, expires), 20, 20 },
        { "meta", JSON_OBJECT, true, offsetof(struct document, substance), 1, 1 },
        { "spec_version", JSON_TEXT, true, offsetof(struct document, spec), 1, 16 },
        { "version", JSON_INT, true, offsetof(struct document, version), 1, INT64_MAX },
};

static const struct form {
        const char *name, *type;
        const struct json_field *fields;       /* NULL: a lease, a checkpoint */
        const char *member;                    /* that `meta` must have */
} forms[SIGNER_FORMS] = {
        [SIGNER_LEASE] = { "lease", NULL, NULL, NULL },
        [SIGNER_DIRECTOR_TARGETS] = { "director's targets", "targets", targets_fields, NULL },
        [SIGNER_DIRECTOR_SNAPSHOT] = { "director's snapshot", "snapshot", meta_fields, "targets.json" },
        [SIGNER_DIRECTOR_TIMESTAMP] = { "director's timestamp", "timestamp", meta_fields, "snapshot.json" },
        [SIGNER_RELEASE_TIMESTAMP] = { "release timestamp", "timestamp", meta_fields, "snapshot.json" },
        [SIGNER_CHECKPOINT] = { "checkpoint", NULL, NULL, NULL },
};
_Static_assert(sizeof(targets_fields) == sizeof(meta_fields), "both tables have as many rows");

const char *signer_form_name(enum signer_form form)
{
        assert(form < SIGNER_FORMS);
        return forms[form].name;
}

/* One document, one spelling: what devices will canonicalise must be what was signed. */
static enum err check_canonical(const struct json *json, const void *bytes, size_t length, struct why *why)
{
        OWN(buf) struct buf canonical;
        buf_init(&canonical, LIMIT_METADATA_BYTES);
        enum err e = canon_write(json, &canonical, why);
        if (e)
                return e;
        if (canonical.length != length || memcmp(canonical.bytes, bytes, length) != 0)
                return FAIL(why, ERR_REFUSED, "it is not in canonical form");
        return OK;
}

static enum err check_document(const struct form *form, const void *bytes, size_t length, struct why *why)
{
        OWN(json) struct json *json = NULL;
        struct document document = { 0 };
        enum err e = json_parse(bytes, length, LIMIT_METADATA_BYTES, &json, why);
        if (!e)
                e = json_read(json, form->fields, sizeof(targets_fields) / sizeof(targets_fields[0]), &document, why);
        if (!e)
                e = check_canonical(json, bytes, length, why);
        if (!e && strcmp(document.type, form->type) != 0)
                e = FAIL(why, ERR_REFUSED, "its type is `%.20s`, not %s", document.type, form->type);
        if (!e && form->member && !json_get(document.substance, form->member))
                e = FAIL(why, ERR_REFUSED, "it does not speak of %s", form->member);
        return e;
}

/* Origin, size and root, each in its one spelling, and not a line more. */
static enum err check_checkpoint(const void *bytes, size_t length, struct why *why)
{
        struct checkpoint checkpoint;
        enum err e = checkpoint_parse_text(bytes, length, &checkpoint, why);
        if (!e && checkpoint.extensions.length)
                e = FAIL(why, ERR_REFUSED, "it has more than three lines");
        if (!e && !verifier_is_name((struct line){ checkpoint.origin, strlen(checkpoint.origin) }))
                e = FAIL(why, ERR_REFUSED, "its origin is not the name of a log");
        return e;
}

static enum err check_lease(const void *bytes, size_t length, struct why *why)
{
        struct lease lease;
        return lease_parse(bytes, length, &lease, why);
}

enum err signer_check_form(enum signer_form form, const void *bytes, size_t length, struct why *why)
{
        assert(form < SIGNER_FORMS);
        enum err e = form == SIGNER_LEASE ? check_lease(bytes, length, why) : form == SIGNER_CHECKPOINT ? check_checkpoint(bytes, length, why)
                   : check_document(&forms[form], bytes, length, why);
        if (!e)
                return OK;
        e = e == ERR_NOMEM ? e : ERR_REFUSED;
        return DURING(why, e, "this is no %s", forms[form].name);
}
