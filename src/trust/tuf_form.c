#include "trust/tuf_form.h"

#include "format/json.h"
#include "trust/tuf_time.h"

#include <string.h>
#include <strings.h>

static bool is_object(const struct json *json)
{
        return json && json_type(json) == JSON_OBJECT;
}

static bool is_array(const struct json *json)
{
        return json && json_type(json) == JSON_ARRAY;
}

/* Whoever signs twice is either mistaken or counts on being counted twice. */
static bool signs_twice(const struct json *signatures)
{
        for (size_t i = 0; i < json_count(signatures); i++)
                for (size_t k = 0; k < i; k++) {
                        const char *one = json_text(json_get(json_at(signatures, i), "keyid")), *other = json_text(json_get(json_at(signatures, k), "keyid"));
                        if (one && other && strcmp(one, other) == 0)
                                return true;
                }
        return false;
}

static enum err check_signatures(const struct json *signatures, struct why *why)
{
        if (!is_array(signatures))
                return FAIL(why, ERR_SYNTAX, "signatures is not a list");
        if (json_count(signatures) > LIMIT_SIGNATURES)
                return FAIL(why, ERR_LIMIT, "more than %d signatures", LIMIT_SIGNATURES);
        return signs_twice(signatures) ? FAIL(why, ERR_SYNTAX, "two signatures have the same key id") : OK;
}

static enum err check_head(enum tuf_role role, const struct json *body, uint64_t *ret_version, int64_t *ret_expires, struct why *why)
{
        const char *type = json_text(json_get(body, "_type")), *spec = json_text(json_get(body, "spec_version"));
        const char *expires = json_text(json_get(body, "expires"));
        int64_t version = json_int(json_get(body, "version"), 0);
        if (!type || strcmp(type, tuf_role_name(role)) != 0)
                return FAIL(why, ERR_SYNTAX, "_type is not %s", tuf_role_name(role));
        if (!spec || strncmp(spec, "1.", 2) != 0)
                return FAIL(why, ERR_SYNTAX, "spec_version is not 1.x");
        if (version < 1)
                return FAIL(why, ERR_SYNTAX, "version is not a positive integer");
        if (!expires || !tuf_time_parse(expires, ret_expires))
                return FAIL(why, ERR_SYNTAX, "expires is not a time as 2026-11-21T04:05:06Z");
        *ret_version = (uint64_t)version;
        return OK;
}

static enum err check_texts(const struct json *array, const char *name, struct why *why)
{
        if (!is_array(array))
                return FAIL(why, ERR_SYNTAX, "%s is not a list", name);
        for (size_t i = 0; i < json_count(array); i++)
                if (!json_text(json_at(array, i)))
                        return FAIL(why, ERR_SYNTAX, "%s has something that is no text", name);
        return OK;
}

static bool has_twice(const struct json *texts)
{
        for (size_t i = 0; i < json_count(texts); i++)
                for (size_t k = 0; k < i; k++)
                        if (strcmp(json_text(json_at(texts, i)), json_text(json_at(texts, k))) == 0)
                                return true;
        return false;
}

static enum err check_keyring(const struct json *of_role, const char *name, struct why *why)
{
        const struct json *keyids = json_get(of_role, "keyids");
        enum err e = check_texts(keyids, "keyids", why);
        if (!e && json_count(keyids) > LIMIT_KEYS)
                e = FAIL(why, ERR_LIMIT, "more than %d keys", LIMIT_KEYS);
        if (!e && has_twice(keyids))
                e = FAIL(why, ERR_SYNTAX, "a key id stands twice");
        if (!e && json_int(json_get(of_role, "threshold"), 0) < 1)
                e = FAIL(why, ERR_SYNTAX, "the threshold is not a positive integer");
        return e ? DURING(why, e, "role %.64s", name) : OK;
}

static enum err check_root(const struct json *body, struct why *why)
{
        const struct json *consistent = json_get(body, "consistent_snapshot"), *roles = json_get(body, "roles");
        if (!is_object(json_get(body, "keys")) || !is_object(roles))
                return FAIL(why, ERR_SYNTAX, "keys or roles is not an object");
        if (consistent && json_type(consistent) != JSON_BOOL)
                return FAIL(why, ERR_SYNTAX, "consistent_snapshot is neither true nor false");
        enum err e = OK;
        for (enum tuf_role role = TUF_ROOT; !e && role < TUF_ROLES; role++)
                e = check_keyring(json_get(roles, tuf_role_name(role)), tuf_role_name(role), why);
        return e;
}

static enum err check_name(const char *name, struct why *why)
{
        if (!name || !*name)
                return FAIL(why, ERR_SYNTAX, "a delegated role without a name");
        if (strlen(name) > LIMIT_ROLE_NAME_BYTES)
                return FAIL(why, ERR_LIMIT, "a role's name has more than %d bytes", LIMIT_ROLE_NAME_BYTES);
        for (enum tuf_role role = TUF_ROOT; role < TUF_ROLES; role++)
                if (strcasecmp(name, tuf_role_name(role)) == 0)          /* some file systems know but one of Root and root */
                        return FAIL(why, ERR_SYNTAX, "a delegated role is named %s", name);
        return OK;
}

static enum err check_delegation(const struct json *role, struct why *why)
{
        const char *name = json_text(json_get(role, "name"));
        const struct json *terminating = json_get(role, "terminating"), *paths = json_get(role, "paths"), *prefixes = json_get(role, "path_hash_prefixes");
        enum err e = check_name(name, why);
        if (!e && terminating && json_type(terminating) != JSON_BOOL)
                e = FAIL(why, ERR_SYNTAX, "role %s: terminating is neither true nor false", name);
        if (!e && !paths == !prefixes)
                e = FAIL(why, ERR_SYNTAX, "role %s: needs either paths or path_hash_prefixes", name);
        if (!e)
                e = check_texts(paths ? paths : prefixes, paths ? "paths" : "path_hash_prefixes", why);
        return e ? e : check_keyring(role, name, why);
}

static enum err check_delegations(const struct json *delegations, struct why *why)
{
        const struct json *roles = json_get(delegations, "roles");
        if (!is_object(json_get(delegations, "keys")))
                return FAIL(why, ERR_SYNTAX, "delegations.keys is not an object");
        if (json_get(delegations, "succinct_roles"))
                return FAIL(why, ERR_SYNTAX, "succinct_roles are not part of TUF 1.0");
        if (!is_array(roles))
                return FAIL(why, ERR_SYNTAX, "delegations.roles is not a list");
        if (json_count(roles) > LIMIT_DELEGATIONS)
                return FAIL(why, ERR_LIMIT, "more than %d delegations", LIMIT_DELEGATIONS);
        enum err e = OK;
        for (size_t i = 0; !e && i < json_count(roles); i++)
                e = check_delegation(json_at(roles, i), why);
        for (size_t i = 0; !e && i < json_count(roles); i++)
                for (size_t k = 0; !e && k < i; k++)
                        if (strcmp(json_text(json_get(json_at(roles, i), "name")), json_text(json_get(json_at(roles, k), "name"))) == 0)
                                e = FAIL(why, ERR_SYNTAX, "role %s is delegated to twice", json_text(json_get(json_at(roles, i), "name")));
        return e;
}

static enum err check_targets(const struct json *body, struct why *why)
{
        const struct json *delegations = json_get(body, "delegations");
        if (!is_object(json_get(body, "targets")))
                return FAIL(why, ERR_SYNTAX, "targets is not an object");
        return delegations ? check_delegations(delegations, why) : OK;
}

/* Of files that nobody may ever ask for here, only what the roll-back rule reads of each. */
static enum err check_metas(enum tuf_role role, const struct json *body, struct why *why)
{
        const struct json *metas = json_get(body, "meta");
        if (!is_object(metas))
                return FAIL(why, ERR_SYNTAX, "meta is not an object");
        if (role == TUF_TIMESTAMP && !json_get(metas, "snapshot.json"))
                return FAIL(why, ERR_SYNTAX, "it says nothing of snapshot.json");
        for (size_t i = 0; i < json_count(metas); i++)
                if (json_int(json_get(json_value_at(metas, i), "version"), 0) < 1)
                        return FAIL(why, ERR_SYNTAX, "meta of %.100s: the version is not a positive integer", json_key_at(metas, i));
        return OK;
}

enum err tuf_form_check(enum tuf_role role, const struct json *json, uint64_t *ret_version, int64_t *ret_expires, struct why *why)
{
        const struct json *body = json_get(json, "signed");
        uint64_t version = 0;
        int64_t expires = 0;
        enum err e = check_head(role, body, &version, &expires, why);
        if (!e)
                e = check_signatures(json_get(json, "signatures"), why);
        if (!e)
                e = role == TUF_ROOT ? check_root(body, why) : role == TUF_TARGETS ? check_targets(body, why) : check_metas(role, body, why);
        if (e)
                return e;
        *ret_version = version;
        *ret_expires = expires;
        return OK;
}
