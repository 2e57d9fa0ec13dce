#include "trust/cohort.h"

#include "format/canon.h"
#include "format/hex.h"
#include "format/json.h"
#include "trust/ceiling.h"
#include "trust/sha.h"
#include "trust/word.h"

#include <inttypes.h>
#include <string.h>

static const char *const states[] = { "go", "hold", "withdraw" };
static const char all_hex[] = "10000000000000000";           /* 2^64 */

const char *cohort_state_name(enum cohort_state state)
{
        return states[state];
}

uint64_t cohort_bucket(const char *salt, const char *device)
{
        static const char domain[] = "cohort/v1";            /* its NUL is part of what is hashed */
        uint8_t digest[32];
        struct sha256 sha;
        sha256_init(&sha);
        sha256_update(&sha, domain, sizeof(domain));
        sha256_update(&sha, salt, strlen(salt) + 1);
        sha256_update(&sha, device, strlen(device));
        sha256_final(&sha, digest);
        uint64_t bucket = 0;
        for (size_t i = 0; i < 8; i++)
                bucket = bucket << 8 | digest[i];
        return bucket;
}

bool cohort_admits(const struct cohort *cohort, const char *device, const char *ring, const char *platform)
{
        char salt[65];
        hex_encode(cohort->salt, sizeof(cohort->salt), salt);
        for (size_t i = 0; i < cohort->rule_count; i++) {
                const struct cohort_rule *rule = &cohort->rules[i];
                bool is_ring = strcmp(rule->ring, "all") == 0 || strcmp(rule->ring, ring) == 0;
                bool is_platform = strcmp(rule->platform, "any") == 0 || strcmp(rule->platform, platform) == 0;
                if (is_ring && is_platform)
                        return rule->is_all || cohort_bucket(salt, device) < rule->hi;
        }
        return false;
}

void cohort_rule_share(struct cohort_rule *rule, uint32_t ppm)
{
        rule->is_all = ppm >= CEILING_ALL_PPM;
        rule->hi = rule->is_all ? 0 : (uint64_t)(((unsigned __int128)ppm << 64) / CEILING_ALL_PPM);
}

struct cohort_fields {
        const char *type, *prev, *salt, *sha256, *state, *stream, *tenant;
        int64_t counter, expires, fallback, length, seq;
        const struct json *rules, *older, *withdrawn;
};

static const struct json_field fields[] = {
        { "_type", JSON_TEXT, true, offsetof(struct cohort_fields, type), 0, 0 },
        { "counter", JSON_INT, true, offsetof(struct cohort_fields, counter), 0, INT64_MAX },
        { "expires", JSON_INT, true, offsetof(struct cohort_fields, expires), 0, INT64_MAX },
        { "fallback", JSON_INT, true, offsetof(struct cohort_fields, fallback), 0, INT64_MAX },
        { "length", JSON_INT, true, offsetof(struct cohort_fields, length), 0, LIMIT_NOTE_BYTES },
        { "older", JSON_ARRAY, false, offsetof(struct cohort_fields, older), 1, COHORT_OLDER_MAX },
        { "prev", JSON_TEXT, true, offsetof(struct cohort_fields, prev), 64, 64 },
        { "rules", JSON_ARRAY, true, offsetof(struct cohort_fields, rules), 0, COHORT_RULES_MAX },
        { "salt", JSON_TEXT, true, offsetof(struct cohort_fields, salt), 64, 64 },
        { "seq", JSON_INT, true, offsetof(struct cohort_fields, seq), 0, INT64_MAX },
        { "sha256", JSON_TEXT, true, offsetof(struct cohort_fields, sha256), 64, 64 },
        { "state", JSON_TEXT, true, offsetof(struct cohort_fields, state), 1, 16 },
        { "stream", JSON_TEXT, true, offsetof(struct cohort_fields, stream), 1, LIMIT_NAME_BYTES },
        { "tenant", JSON_TEXT, true, offsetof(struct cohort_fields, tenant), 1, LIMIT_NAME_BYTES },
        { "withdrawn", JSON_ARRAY, false, offsetof(struct cohort_fields, withdrawn), 1, COHORT_WITHDRAWN_MAX },
};

struct older_fields { int64_t counter, length; const char *sha256; };

static const struct json_field older_fields[] = {
        { "counter", JSON_INT, true, offsetof(struct older_fields, counter), 1, INT64_MAX },
        { "length", JSON_INT, true, offsetof(struct older_fields, length), 0, LIMIT_NOTE_BYTES },
        { "sha256", JSON_TEXT, true, offsetof(struct older_fields, sha256), 64, 64 },
};

struct rule_fields { const char *hi, *platform, *ring; };

static const struct json_field rule_fields[] = {
        { "hi", JSON_TEXT, true, offsetof(struct rule_fields, hi), 1, 17 },
        { "platform", JSON_TEXT, true, offsetof(struct rule_fields, platform), 1, LIMIT_NAME_BYTES },
        { "ring", JSON_TEXT, true, offsetof(struct rule_fields, ring), 1, LIMIT_NAME_BYTES },
};

/* Hex without leading zeros, at most 2^64. */
static bool read_hi(const char *text, struct cohort_rule *rule)
{
        size_t length = strlen(text);
        rule->is_all = strcmp(text, all_hex) == 0;
        rule->hi = 0;
        if (rule->is_all)
                return true;
        if (!length || length > 16 || (length > 1 && text[0] == '0'))
                return false;
        for (size_t i = 0; i < length; i++) {
                const char *digits = "0123456789abcdef", *found = strchr(digits, text[i]);
                if (!found)
                        return false;
                rule->hi = rule->hi << 4 | (uint64_t)(found - digits);
        }
        return true;
}

static enum err read_name(const char *text, const char *what, char name[LIMIT_NAME_BYTES + 1], struct why *why)
{
        if (!word_is_name(text))
                return FAIL(why, ERR_SYNTAX, "%s: not a name", what);
        memcpy(name, text, strlen(text) + 1);
        return OK;
}

static enum err read_rule(const struct json *json, struct cohort_rule *rule, struct why *why)
{
        struct rule_fields from = { 0 };
        enum err e = JSON_READ(json, rule_fields, &from, why);
        if (!e && !read_hi(from.hi, rule))
                e = FAIL(why, ERR_SYNTAX, "hi: not hex of 0 to 2^64 without leading zeros");
        if (!e)
                e = read_name(from.platform, "platform", rule->platform, why);
        return e ? e : read_name(from.ring, "ring", rule->ring, why);
}

static enum err read_state(const char *text, enum cohort_state *ret_state, struct why *why)
{
        for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
                if (strcmp(text, states[i]) == 0) {
                        *ret_state = (enum cohort_state)i;
                        return OK;
                }
        return FAIL(why, ERR_SYNTAX, "state: go, hold or withdraw");
}

static enum err read_words(const struct cohort_fields *from, struct cohort *cohort, struct why *why)
{
        if (strcmp(from->type, "cohort") != 0)
                return FAIL(why, ERR_SYNTAX, "_type: not cohort");
        enum err e = read_state(from->state, &cohort->state, why);
        if (!e)
                e = read_name(from->stream, "stream", cohort->stream, why);
        if (!e)
                e = read_name(from->tenant, "tenant", cohort->tenant, why);
        if (!e)
                e = hex_decode(from->prev, cohort->prev, sizeof(cohort->prev), why);
        if (!e)
                e = hex_decode(from->salt, cohort->salt, sizeof(cohort->salt), why);
        return e ? e : hex_decode(from->sha256, cohort->sha256, sizeof(cohort->sha256), why);
}

/* Ascending, none twice, and none is the one that is spoken of. */
static enum err read_withdrawn(const struct json *json, struct cohort *cohort, struct why *why)
{
        uint64_t before = 0;
        for (size_t i = 0; i < json_count(json); i++) {
                int64_t counter = json_int(json_at(json, i), 0);
                if (counter <= 0 || (uint64_t)counter <= before || (uint64_t)counter == cohort->counter)
                        return FAIL(why, ERR_SYNTAX, "withdrawn: counters of other releases, ascending");
                before = cohort->withdrawn[cohort->withdrawn_count++] = (uint64_t)counter;
        }
        return OK;
}

static bool is_withdrawn(const struct cohort *cohort, uint64_t counter)
{
        for (size_t i = 0; i < cohort->withdrawn_count; i++)
                if (cohort->withdrawn[i] == counter)
                        return true;
        return false;
}

static enum err read_older(const struct json *json, struct cohort *cohort, struct why *why)
{
        uint64_t before = 0;
        for (size_t i = 0; i < json_count(json); i++) {
                struct older_fields from = { 0 };
                struct cohort_older *older = &cohort->older[cohort->older_count++];
                enum err e = JSON_READ(json_at(json, i), older_fields, &from, why);
                if (!e)
                        e = hex_decode(from.sha256, older->sha256, sizeof(older->sha256), why);
                if (e)
                        return DURING(why, e, "older");
                older->counter = (uint64_t)from.counter;
                older->length = (uint64_t)from.length;
                if (older->counter <= before || older->counter >= cohort->counter || is_withdrawn(cohort, older->counter))
                        return FAIL(why, ERR_SYNTAX, "older: releases below the newest that were not withdrawn, ascending");
                before = older->counter;
        }
        return OK;
}

static enum err read_all(const struct json *json, struct cohort *cohort, struct why *why)
{
        struct cohort_fields from = { 0 };
        enum err e = JSON_READ(json, fields, &from, why);
        if (!e)
                e = read_words(&from, cohort, why);
        if (e)
                return e;
        cohort->seq = (uint64_t)from.seq;
        cohort->counter = (uint64_t)from.counter;
        cohort->fallback = (uint64_t)from.fallback;
        cohort->length = (uint64_t)from.length;
        cohort->expires = from.expires;
        if (memcmp(cohort->salt, cohort->sha256, sizeof(cohort->salt)) != 0)
                return FAIL(why, ERR_SYNTAX, "salt: not the target's digest, so someone chose it");
        e = read_withdrawn(from.withdrawn, cohort, why);
        if (!e)
                e = read_older(from.older, cohort, why);
        for (; !e && cohort->rule_count < json_count(from.rules); cohort->rule_count++)
                e = read_rule(json_at(from.rules, cohort->rule_count), &cohort->rules[cohort->rule_count], why);
        return e;
}

enum err cohort_parse(const void *bytes, size_t length, struct cohort *ret_cohort, struct why *why)
{
        OWN(json) struct json *json = NULL;
        struct cohort cohort = { 0 };
        enum err e = json_parse(bytes, length, COHORT_BYTES_MAX, &json, why);
        if (!e)
                e = read_all(json, &cohort, why);
        if (e)
                return DURING(why, e, "cohort document");
        *ret_cohort = cohort;
        return OK;
}

static void set_hex(struct json *json, const char *key, const uint8_t digest[32])
{
        char hex[65];
        hex_encode(digest, 32, hex);
        json_set_text(json, key, hex);
}

static struct json *rules_json(const struct cohort *cohort)
{
        struct json *array = json_new_array();
        for (size_t i = 0; i < cohort->rule_count; i++) {
                char hi[18];
                struct json *rule = json_new_object();
                snprintf(hi, sizeof(hi), "%" PRIx64, cohort->rules[i].hi);
                json_set_text(rule, "hi", cohort->rules[i].is_all ? all_hex : hi);
                json_set_text(rule, "platform", cohort->rules[i].platform);
                json_set_text(rule, "ring", cohort->rules[i].ring);
                json_add(array, rule);
        }
        return array;
}

static struct json *withdrawn_json(const struct cohort *cohort)
{
        struct json *array = json_new_array();
        for (size_t i = 0; i < cohort->withdrawn_count; i++)
                json_add(array, json_new_int((int64_t)cohort->withdrawn[i]));
        return array;
}

static struct json *older_json(const struct cohort *cohort)
{
        struct json *array = json_new_array();
        for (size_t i = 0; i < cohort->older_count; i++) {
                struct json *older = json_new_object();
                json_set_int(older, "counter", (int64_t)cohort->older[i].counter);
                json_set_int(older, "length", (int64_t)cohort->older[i].length);
                set_hex(older, "sha256", cohort->older[i].sha256);
                json_add(array, older);
        }
        return array;
}

void cohort_turn_to(struct cohort *cohort, uint64_t counter)
{
        size_t at = 0;
        while (at < cohort->older_count && cohort->older[at].counter != counter)
                at++;
        if (at == cohort->older_count)
                return;
        if (cohort->state == COHORT_WITHDRAW && cohort->withdrawn_count == COHORT_WITHDRAWN_MAX)
                memmove(cohort->withdrawn, cohort->withdrawn + 1, --cohort->withdrawn_count * sizeof(cohort->withdrawn[0]));
        if (cohort->state == COHORT_WITHDRAW)
                cohort->withdrawn[cohort->withdrawn_count++] = cohort->counter;
        cohort->state = COHORT_GO;
        cohort->counter = counter;
        cohort->length = cohort->older[at].length;
        memcpy(cohort->sha256, cohort->older[at].sha256, sizeof(cohort->sha256));
        memcpy(cohort->salt, cohort->sha256, sizeof(cohort->salt));
        cohort->older_count = 0;
}

enum err cohort_write(const struct cohort *cohort, struct buf *into, struct why *why)
{
        if (cohort->rule_count > COHORT_RULES_MAX || cohort->withdrawn_count > COHORT_WITHDRAWN_MAX || cohort->older_count > COHORT_OLDER_MAX)
                return FAIL(why, ERR_LIMIT, "a cohort document has at most %d rules, %d withdrawn and %d older releases", COHORT_RULES_MAX, COHORT_WITHDRAWN_MAX,
                            COHORT_OLDER_MAX);
        OWN(json) struct json *json = json_new_object();
        json_set_text(json, "_type", "cohort");
        json_set_int(json, "counter", (int64_t)cohort->counter);
        json_set_int(json, "expires", cohort->expires);
        json_set_int(json, "fallback", (int64_t)cohort->fallback);
        json_set_int(json, "length", (int64_t)cohort->length);
        json_set_int(json, "seq", (int64_t)cohort->seq);
        json_set_text(json, "state", cohort_state_name(cohort->state));
        json_set_text(json, "stream", cohort->stream);
        json_set_text(json, "tenant", cohort->tenant);
        set_hex(json, "prev", cohort->prev);
        set_hex(json, "salt", cohort->salt);
        set_hex(json, "sha256", cohort->sha256);
        json_set(json, "rules", rules_json(cohort));
        if (cohort->older_count)
                json_set(json, "older", older_json(cohort));
        if (cohort->withdrawn_count)
                json_set(json, "withdrawn", withdrawn_json(cohort));
        size_t before = into->length;
        struct cohort again;
        enum err e = canon_write(json, into, why);
        return e ? e : cohort_parse(into->bytes + before, into->length - before, &again, why);
}
