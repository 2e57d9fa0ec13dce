#include "ceremony/proposal.h"

#include "format/hex.h"
#include "format/json.h"

#include <string.h>

static const char heading[] = "firebreak proposal v1";

static const char *const names[PAPERS] = {
        [PAPER_RELEASE_ROOT] = "release.root.json",     [PAPER_DIRECTOR_ROOT] = "director.root.json",
        [PAPER_RELEASE_ANCHOR] = "release.anchor",      [PAPER_DIRECTOR_ANCHOR] = "director.anchor",
        [PAPER_TARGETS] = "targets.json",               [PAPER_SNAPSHOT] = "snapshot.json",
        [PAPER_NOTE] = "note",
};

const char *paper_name(enum paper paper)
{
        return names[paper];
}

bool paper_is_listing(enum paper paper)
{
        return paper == PAPER_TARGETS || paper == PAPER_SNAPSHOT;
}

bool paper_is_note(enum paper paper)
{
        return paper == PAPER_RELEASE_ANCHOR || paper == PAPER_DIRECTOR_ANCHOR || paper == PAPER_NOTE;
}

void proposal_init(struct proposal *proposal)
{
        *proposal = (struct proposal){ 0 };
        for (size_t i = 0; i < PAPERS; i++) {
                buf_init(&proposal->papers[i].before, LIMIT_METADATA_BYTES);
                buf_init(&proposal->papers[i].text, LIMIT_METADATA_BYTES);
        }
}

void proposal_done(struct proposal *proposal)
{
        for (size_t i = 0; i < PAPERS; i++) {
                buf_done(&proposal->papers[i].before);
                buf_done(&proposal->papers[i].text);
        }
}

/* ---- signatures ---- */

bool proposal_has(const struct proposal *proposal, enum paper paper, const struct public_key *key)
{
        const struct proposed *proposed = &proposal->papers[paper];
        for (size_t i = 0; i < proposed->count; i++)
                if (key_equal(&proposed->signatures[i].key, key))
                        return true;
        return false;
}

enum err proposal_add(struct proposal *proposal, enum paper paper, const struct paper_signature *signature, struct why *why)
{
        struct proposed *proposed = &proposal->papers[paper];
        if (!key_verify(&signature->key, buf_text(&proposed->text), proposed->text.length, signature->signature))
                return FAIL(why, ERR_UNTRUSTED, "a signature does not fit %s", names[paper]);
        if (proposal_has(proposal, paper, &signature->key))
                return OK;
        if (proposed->count == LIMIT_SIGNATURES)
                return FAIL(why, ERR_LIMIT, "%s has %d signatures", names[paper], LIMIT_SIGNATURES);
        proposed->signatures[proposed->count++] = *signature;
        return OK;
}

enum err proposal_merge(struct proposal *into, const struct proposal *from, struct why *why)
{
        enum err e = OK;
        for (size_t i = 0; i < PAPERS; i++)
                if (!buf_equal(&into->papers[i].text, &from->papers[i].text) || !buf_equal(&into->papers[i].before, &from->papers[i].before))
                        return FAIL(why, ERR_REFUSED, "they are of two proposals: %s differs", names[i]);
        for (size_t i = 0; i < PAPERS; i++)
                for (size_t k = 0; !e && k < from->papers[i].count; k++)
                        e = proposal_add(into, (enum paper)i, &from->papers[i].signatures[k], why);
        return e;
}

/* ---- the file ---- */

static struct json *signature_json(const struct paper_signature *signature)
{
        char hex[129];
        struct json *json = json_new_object();
        hex_encode(signature->key.bytes, sizeof(signature->key.bytes), hex);
        json_set_text(json, "key", hex);
        hex_encode(signature->signature, sizeof(signature->signature), hex);
        json_set_text(json, "sig", hex);
        return json;
}

static struct json *paper_json(const struct proposed *proposed)
{
        struct json *json = json_new_object(), *signatures = json_new_array();
        for (size_t i = 0; i < proposed->count; i++)
                json_add(signatures, signature_json(&proposed->signatures[i]));
        json_set_text(json, "before", buf_text(&proposed->before));
        json_set(json, "signatures", signatures);
        json_set_text(json, "text", buf_text(&proposed->text));
        return json;
}

enum err proposal_write(const struct proposal *proposal, struct buf *into, struct why *why)
{
        OWN(json) struct json *json = json_new_object();
        struct json *papers = json_new_object();
        for (size_t i = 0; i < PAPERS; i++)
                if (i < PAPERS_IN_FORCE || proposal->papers[i].text.length)
                        json_set(papers, names[i], paper_json(&proposal->papers[i]));
        json_set(json, "papers", papers);
        json_set_text(json, "type", heading);
        enum err e = json_write(json, 1, into, why);
        buf_add_text(into, "\n");
        return e ? e : buf_check(into, why);
}

static enum err read_signature(const struct json *json, struct paper_signature *signature, struct why *why)
{
        struct { const char *key, *sig; } text = { 0 };
        static const struct json_field fields[] = { { "key", JSON_TEXT, true, 0, 64, 64 }, { "sig", JSON_TEXT, true, sizeof(const char *), 128, 128 } };
        enum err e = JSON_READ(json, fields, &text, why);
        if (!e)
                e = hex_decode(text.key, signature->key.bytes, sizeof(signature->key.bytes), why);
        return e ? e : hex_decode(text.sig, signature->signature, sizeof(signature->signature), why);
}

struct paper_fields { const char *before, *text; const struct json *signatures; };
static const struct json_field paper_fields[] = {
        { "before", JSON_TEXT, true, offsetof(struct paper_fields, before), 0, LIMIT_METADATA_BYTES },
        { "signatures", JSON_ARRAY, true, offsetof(struct paper_fields, signatures), 0, LIMIT_SIGNATURES },
        { "text", JSON_TEXT, true, offsetof(struct paper_fields, text), 0, LIMIT_METADATA_BYTES },
};

static enum err read_paper(const struct json *json, struct proposal *proposal, enum paper paper, struct why *why)
{
        struct proposed *proposed = &proposal->papers[paper];
        struct paper_fields fields = { 0 };
        enum err e = JSON_READ(json, paper_fields, &fields, why);
        if (e)
                return e;
        buf_add_text(&proposed->before, fields.before);
        buf_add_text(&proposed->text, fields.text);
        e = buf_check(&proposed->before, why);
        if (!e)
                e = buf_check(&proposed->text, why);
        if (!e && paper == PAPER_NOTE && (proposed->before.length || !proposed->text.length))
                e = FAIL(why, ERR_SYNTAX, "a release has a note, and it follows none");
        for (size_t i = 0; !e && i < json_count(fields.signatures); i++) {
                struct paper_signature signature;
                e = read_signature(json_at(fields.signatures, i), &signature, why);
                if (!e)
                        e = proposal_add(proposal, paper, &signature, why);
        }
        return e;
}

struct file_fields { const struct json *papers; const char *type; };
static const struct json_field file_fields[] = {
        { "papers", JSON_OBJECT, true, offsetof(struct file_fields, papers), PAPERS_IN_FORCE, PAPERS },
        { "type", JSON_TEXT, true, offsetof(struct file_fields, type), 1, 64 },
};

static enum err read_papers(const struct json *json, struct proposal *proposal, struct why *why)
{
        struct file_fields fields = { 0 };
        enum err e = JSON_READ(json, file_fields, &fields, why);
        if (!e && strcmp(fields.type, heading) != 0)
                e = FAIL(why, ERR_SYNTAX, "it is `%.40s`, not `%s`", fields.type, heading);
        for (size_t i = 0; !e && i < PAPERS; i++) {
                const struct json *paper = json_get(fields.papers, names[i]);
                if (!paper && i == PAPER_NOTE && json_count(fields.papers) == PAPERS_IN_FORCE)
                        break;
                e = paper ? read_paper(paper, proposal, (enum paper)i, why) : FAIL(why, ERR_SYNTAX, "%s is missing", names[i]);
                if (e)
                        e = DURING(why, e, "%s", names[i]);
        }
        return e;
}

enum err proposal_read(const char *bytes, size_t length, struct proposal *proposal, struct why *why)
{
        OWN(json) struct json *json = NULL;
        enum err e = json_parse(bytes, length, LIMIT_PROPOSAL_BYTES, &json, why);
        if (!e)
                e = read_papers(json, proposal, why);
        return e ? DURING(why, e, "the proposal") : OK;
}
