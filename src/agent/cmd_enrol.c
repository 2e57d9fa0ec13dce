/* One exchange, by whoever sets the device up: the identity is made and stored here, then told to the server. */
#include "agent/command.h"
#include "agent/config.h"
#include "agent/fetch.h"
#include "agent/identity.h"
#include "agent/proof.h"
#include "agent/refusal.h"
#include "format/hex.h"
#include "platform/clock.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "platform/net.h"
#include "wire/device.h"

#include <inttypes.h>
#include <string.h>

struct enrolment {
        const struct agent_config *config;
        const struct identity *identity;
        struct net *net;
        const char *server, *token;
        int64_t date_s;                  /* what we call now */
        int64_t server_date_s;           /* what the server does */
        int status;
        struct buf answer;
};

static enum err identity_ready(struct disk *disk, struct identity *ret_identity, struct why *why)
{
        enum err e = identity_load(disk, ret_identity, why);
        return e == ERR_NOT_FOUND ? identity_make(disk, random_system(), ret_identity, why) : e;
}

static enum err put(char *field, size_t size, const char *name, const char *text, struct why *why)
{
        if (snprintf(field, size, "%s", text) >= (int)size)
                return FAIL(why, ERR_LIMIT, "%s is longer than %zu bytes", name, size - 1);
        return OK;
}

static enum err write_body(const struct enrolment *enrolment, struct buf *into, struct why *why)
{
        struct wire_enrol body = { .agent = FIREBREAK_VERSION };
        OWN(secret_key) struct secret_key key;
        OWN(buf) struct buf text;
        buf_init(&text, sizeof(body.key));
        secret_key_make(enrolment->identity->seed, &key);
        base64_encode(key.public.bytes, sizeof(key.public.bytes), &text);
        identity_text(enrolment->identity, body.device);
        enum err e = put(body.token, sizeof(body.token), "the token", enrolment->token, why);
        if (!e)
                e = put(body.key, sizeof(body.key), "the key", buf_text(&text), why);
        if (!e)
                e = put(body.platform, sizeof(body.platform), "platform", enrolment->config->platform, why);
        if (!e)
                e = put(body.ring, sizeof(body.ring), "ring", enrolment->config->ring, why);
        if (!e)
                e = put(body.attributes, sizeof(body.attributes), "attributes", enrolment->config->attributes, why);
        if (e)
                return e;
        wire_enrol_write(&body, into);
        return buf_check(into, why);
}

static enum err post(struct enrolment *enrolment, const struct buf *body, struct why *why)
{
        char url[600], device[33], date[24];
        if (snprintf(url, sizeof(url), "%s/v1/enrol", enrolment->server) >= (int)sizeof(url))
                return FAIL(why, ERR_LIMIT, "the server's address is too long");
        snprintf(date, sizeof(date), "%" PRId64, enrolment->date_s);
        identity_text(enrolment->identity, device);
        struct proof proof;
        enum err e = proof_sign(enrolment->identity, &(struct request_facts){ "POST", "/v1/enrol", date, body->bytes, body->length }, &proof, why);
        if (e)
                return e;
        const struct net_header headers[] = {
                { "Content-Type", "application/json" }, { "Firebreak-Device", device }, { "Firebreak-Date", date }, { proof.header, proof.value },
        };
        struct net_wanted wanted = { .name = "Date" };
        const struct net_request request = { .method = "POST", .url = url, .headers = headers, .header_count = 4, .body = body->bytes,
                                             .body_length = body->length, .total_ms = 30000 };
        struct net_response response = { .body = &enrolment->answer, .wanted = &wanted, .wanted_count = 1 };
        buf_clear(&enrolment->answer);
        e = enrolment->net->ops->exchange(enrolment->net, &request, &response, why);
        enrolment->status = response.status;
        enrolment->server_date_s = fetch_date_s(wanted.value);
        if (e == ERR_UNTRUSTED)
                return DURING(why, e, "give --ca FILE, or name it as `ca` in agent.yaml (the server writes DATA/tls/cert.pem)");
        return e == ERR_LIMIT && response.status >= 300 ? OK : e;        /* a refusal counts by its status, however long its page */
}

/* The server sees first that a clock is off; the second try goes by its clock. */
static enum err tell_server(struct enrolment *enrolment, struct wire_enrolled *ret_enrolled, struct why *why)
{
        OWN(buf) struct buf body;
        buf_init(&body, LIMIT_DEVICE_REQUEST_BYTES);
        enum err e = write_body(enrolment, &body, why);
        if (!e)
                e = post(enrolment, &body, why);
        if (!e && fetch_is_refused(enrolment->status) && enrolment->server_date_s) {
                enrolment->date_s = enrolment->server_date_s;
                e = post(enrolment, &body, why);
        }
        if (!e && enrolment->status != 200)
                e = refusal_read(enrolment->status, &enrolment->answer, why);
        if (!e)
                e = wire_enrolled_read(buf_text(&enrolment->answer), enrolment->answer.length, ret_enrolled, why);
        return e ? DURING(why, e, "enrolling at %s", enrolment->server) : OK;
}

/* Over plain HTTP whoever is on the way reads the token; only this machine may be talked to so. */
static enum err check_server(const char *server, struct why *why)
{
        if (strncmp(server, "https://", 8) == 0 || strncmp(server, "http://127.0.0.1:", 17) == 0)
                return OK;
        return FAIL(why, ERR_USAGE, "the server is https://HOST:PORT, not `%.100s`: give --server, or correct `server` in agent.yaml", server);
}

static enum err enrol(const struct command_line *line, const struct agent_config *config, struct disk *disk, struct why *why)
{
        OWN(net) struct net *net = NULL;
        struct identity identity;
        struct clock *clock = clock_system();
        struct enrolment enrolment = {
                .config = config, .identity = &identity, .token = line->token, .server = line->server ? line->server : config->server,
                .date_s = clock->ops->wall_s(clock),
        };
        const struct net_config settings = { .ca_file = line->ca ? line->ca : config->ca, .agent = "firebreak-agent/" FIREBREAK_VERSION,
                                             .is_plain_allowed = strncmp(enrolment.server, "http://", 7) == 0 };
        enum err e = identity_ready(disk, &identity, why);
        if (!e)
                e = net_open(&settings, &net, why);
        if (e)
                return e;
        enrolment.net = net;
        buf_init(&enrolment.answer, LIMIT_DEVICE_REQUEST_BYTES);
        struct wire_enrolled enrolled;
        uint8_t mac_key[32];
        e = tell_server(&enrolment, &enrolled, why);
        if (!e)
                e = hex_decode(enrolled.mac_key, mac_key, sizeof(mac_key), why);
        if (!e)
                e = identity_enrolled(disk, &identity, mac_key, why);
        if (!e)
                printf("enrolled as %s\n", enrolled.device);
        buf_done(&enrolment.answer);
        identity_wipe(&identity);
        return e;
}

enum err cmd_enrol(const struct command_line *line, struct why *why)
{
        OWN(agent_config) struct agent_config *config = NULL;
        OWN(disk_folder) struct disk *disk = NULL;
        enum err e = agent_config_open(line->config, &config, why);
        if (!e)
                e = check_server(line->server ? line->server : config->server, why);
        if (!e)
                e = disk_folder_open(config->state_dir, &disk, why);
        if (!e)
                e = file_check_own(config->state_dir, why);
        return e ? e : enrol(line, config, disk, why);
}
