/* Enrolment: a token admits a device, which proves that it holds the key that it brings. */
#include "format/hex.h"
#include "server/device/attributes.h"
#include "server/device/device.h"
#include "server/store/audit.h"
#include "server/store/inside.h"
#include "trust/request.h"
#include "trust/sha.h"
#include "wire/device.h"

#include <string.h>

struct entry {
        struct wire_enrol body;
        uint8_t id[16], key[32];
        int64_t token;
        char group[65];
};

static enum err read_entry(const struct call *call, struct entry *entry, struct why *why)
{
        const struct store_text *body = &call->request->body;
        struct attributes attributes;
        size_t key_length = 0;
        enum err e = wire_enrol_read(body->bytes, body->length, &entry->body, why);
        if (!e)
                e = attributes_parse(entry->body.attributes, &attributes, why);
        if (!e)
                e = hex_decode(entry->body.device, entry->id, sizeof(entry->id), why);
        if (!e)
                e = base64_decode(entry->body.key, strlen(entry->body.key), entry->key, sizeof(entry->key), &key_length, why);
        if (e)
                return e;
        if (key_length != sizeof(entry->key))
                return FAIL(why, ERR_SYNTAX, "key: not an Ed25519 public key of 32 bytes");
        return OK;
}

/* Looked up by hash, so that the time taken tells nothing of the token. */
static enum err find_token(struct call *call, struct entry *entry, struct why *why)
{
        OWN(query) struct query *q = NULL;
        uint8_t hash[32];
        bool has = false;
        sha256(entry->body.token, strlen(entry->body.token), hash);
        enum err e = db_query(call->db, "SELECT number, device_group, used < uses, expires_at > ? FROM tokens WHERE hash = ?",
                              VALUES(bind_int(call_now_s(call)), bind_blob(hash, sizeof(hash))), &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (e)
                return e;
        if (!has)
                return FAIL(why, ERR_UNAUTHORIZED, "the enrolment token is not known; ask for one: firebreak token new");
        if (!query_int(q, 3))
                return FAIL(why, ERR_UNAUTHORIZED, "the enrolment token has expired; ask for another: firebreak token new");
        if (!query_int(q, 2))
                return FAIL(why, ERR_UNAUTHORIZED, "the enrolment token is used up; ask for another: firebreak token new");
        entry->token = query_int(q, 0);
        snprintf(entry->group, sizeof(entry->group), "%s", query_text(q, 1));
        return OK;
}

static enum err add_device(struct call *call, const struct entry *entry, struct why *why)
{
        const struct wire_enrol *body = &entry->body;
        enum err e = db_run(call->db, "UPDATE tokens SET used = used + 1 WHERE number = ?", VALUES(bind_int(entry->token)), why);
        if (!e)
                e = db_run(call->db, "INSERT INTO devices (id, key, platform, ring, agent, device_group, attributes, token, enrolled_at, seen_at)"
                                     " VALUES (?,?,?,?,?,?,?,?,?,?)",
                           VALUES(bind_blob(entry->id, sizeof(entry->id)), bind_blob(entry->key, sizeof(entry->key)), bind_text(body->platform),
                                  bind_text(body->ring), bind_text(body->agent), bind_text(entry->group), bind_text(body->attributes),
                                  bind_int(entry->token), bind_int(call_now_s(call)), bind_int(call_now_s(call))), why);
        if (e)
                return e;
        struct audit_line line = { call->now_ms, "token", "device.enrol", body->device, entry->group };
        return audit_add(call->db, &line, why);
}

static enum err answer_enrolled(struct call *call, const struct entry *entry, struct why *why)
{
        const struct store *store = call->store;
        struct wire_enrolled enrolled = { .pace_ms = public_view(store->public_state)->pace_ms, .now = call_now_s(call) };
        uint8_t mac_key[32];
        request_mac_key(store->config.secret, entry->body.device, mac_key);
        hex_encode(mac_key, sizeof(mac_key), enrolled.mac_key);
        snprintf(enrolled.device, sizeof(enrolled.device), "%s", entry->body.device);
        snprintf(enrolled.tenant, sizeof(enrolled.tenant), "%s", store->config.tenant);
        call->answer->status = 200;
        call->answer->type = "application/json";
        wire_enrolled_write(&enrolled, &call->answer->body);
        return buf_check(&call->answer->body, why);
}

/* A device that enrols again, because the answer was lost, gets the same answer, and no use of the token is spent. */
static enum err enrol_again(struct call *call, const struct entry *entry, const struct device *device, struct why *why)
{
        if (device->is_revoked)
                return FAIL(why, ERR_REFUSED, "this device was revoked; remove its state so that it makes a new id, then enrol it");
        if (memcmp(device->key, entry->key, sizeof(entry->key)) != 0)
                return FAIL(why, ERR_REFUSED, "this device id is enrolled with another key; remove the device's state so that it makes a new id");
        return answer_enrolled(call, entry, why);
}

static enum err enrol_anew(struct call *call, struct entry *entry, struct why *why)
{
        enum err e = find_token(call, entry, why);
        if (!e)
                e = add_device(call, entry, why);
        return e ? e : answer_enrolled(call, entry, why);
}

enum err device_enrol(struct call *call, struct why *why)
{
        struct entry entry = { 0 };
        struct device device;
        enum err e = read_entry(call, &entry, why);
        if (e)
                return e;
        if (!call->request->device || strcmp(call->request->device, entry.body.device) != 0)
                return FAIL(why, ERR_UNAUTHORIZED, "Firebreak-Device is not the device that the body speaks of");
        e = device_check_request(call, entry.key, why);
        if (e)
                return e;
        e = device_find(call->db, entry.body.device, &device, why);
        if (e == ERR_NOT_FOUND)
                return enrol_anew(call, &entry, why);
        return e ? e : enrol_again(call, &entry, &device, why);
}
