#include "agent/fetch.h"

#include "agent/source.h"
#include "base/buf.h"
#include "base/utc.h"
#include "format/hex.h"
#include "platform/channel.h"
#include "platform/confine.h"
#include "platform/file.h"
#include "platform/file_at.h"
#include "platform/net.h"
#include "trust/sha.h"
#include "wire/device.h"

#include <stdio.h>
#include <string.h>

enum {
        STALL_S = 15, POST_MS = 15000,
        MIRROR_STALL_S = 5, MIRROR_CONNECT_MS = 3000,    /* it is near, or of no use */
        HASH_BYTES = 64 << 10, CA_BYTES_MAX = 1 << 20, RANGE_NOT_THERE = 416,
        METADATA_MS = 120000,            /* of one file, which is not resumed: a megabyte over the slowest link that we serve, 9 KB/s */
};

static enum err read_pace(const struct buf *body, struct fetch_answer *answer, struct why *why)
{
        struct wire_pace pace;
        enum err e = wire_pace_read(buf_text(body), body->length, &pace, why);
        if (e)
                return e;
        answer->epoch = pace.epoch;
        answer->pace_ms = pace.pace_ms;
        answer->now_s = pace.now;
        return OK;
}

static enum err read_ack(const struct buf *body, struct fetch_answer *answer, struct why *why)
{
        struct wire_ack ack;
        enum err e = wire_ack_read(buf_text(body), body->length, &ack, why);
        if (!e)
                answer->ack = ack.ack;
        return e;
}

static enum err read_delta(const struct buf *body, struct fetch_answer *answer, struct why *why)
{
        struct wire_delta delta;
        enum err e = wire_delta_read(buf_text(body), body->length, &delta, why);
        if (!e)
                e = hex_decode(delta.sha256, answer->delta_sha256, sizeof(answer->delta_sha256), why);
        if (!e)
                answer->delta_bytes = (uint64_t)delta.bytes;
        return e;
}

/* The note is for the supervisor to check; here it is text of a length. */
static enum err read_lease(const struct buf *body, struct fetch_answer *answer, struct why *why)
{
        if (body->length >= sizeof(answer->text) || strlen(buf_text(body)) != body->length)
                return FAIL(why, ERR_SYNTAX, "a lease of %zu bytes", body->length);
        memcpy(answer->text, buf_text(body), body->length + 1);
        return OK;
}

static enum err (*const readers[FETCH_READS])(const struct buf *, struct fetch_answer *, struct why *) = {
        [FETCH_DELTA] = read_delta, [FETCH_PACE] = read_pace, [FETCH_ACK] = read_ack, [FETCH_LEASE] = read_lease,
};

/* What a refusal says is for people: kept as printable text, not understood. */
static void keep_text(const struct buf *body, struct fetch_answer *answer)
{
        size_t used = (size_t)snprintf(answer->text, sizeof(answer->text), "%d ", answer->status);
        for (size_t i = 0; i < body->length && used < 200; i++)
                answer->text[used++] = body->bytes[i] >= ' ' && body->bytes[i] < 127 ? body->bytes[i] : ' ';
        answer->text[used] = 0;
}

static enum err read_body(const struct fetch_ask *ask, const struct buf *body, struct fetch_answer *answer, struct why *why)
{
        if (answer->status == 202 && ask->reads == FETCH_LEASE) {
                struct wire_wait wait;
                enum err e = wire_wait_read(buf_text(body), body->length, &wait, why);
                if (e)
                        return e;
                answer->retry_ms = wait.retry_ms;
                answer->counter = (uint64_t)wait.counter;
                snprintf(answer->text, sizeof(answer->text), "%s", wait.reason);
                return OK;
        }
        if (answer->status == 200 && readers[ask->reads])
                return readers[ask->reads](body, answer, why);
        if (answer->status >= 300)
                keep_text(body, answer);
        return OK;
}

/* IMF-fixdate, the one form that servers send. */
int64_t fetch_date_s(const char *text)
{
        static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
        struct utc date;
        char month[4] = "";
        int end = 0;
        int64_t seconds;
        int read = sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &date.day, month, &date.year, &date.hour, &date.minute, &date.second, &end);
        const char *found = strlen(month) == 3 ? strstr(months, month) : NULL;
        if (read != 6 || !end || text[end] || !found || (found - months) % 3)
                return 0;
        date.month = (int)(found - months) / 3 + 1;
        return utc_to_s(&date, &seconds) ? seconds : 0;
}

bool fetch_is_refused(int status)
{
        return status == 401 || status == 403;
}

const char *fetch_reason(const struct fetch_answer *answer)
{
        if (!answer || !answer->text[0])
                return "no answer";
        const char *end = strncmp(answer->text, "GET ", 4) == 0 ? strstr(answer->text, ": ") : NULL;
        return end ? end + 2 : answer->text;
}

/* One way out for each whom we trust differently. */
struct ways {
        struct net *server, *mirrors;            /* mirrors NULL: none are configured */
        enum err mirrors_ca;                     /* not OK: it cannot be read, and only mirrors that need none are asked */
        struct why mirrors_why;                  /* of both */
};

struct exchange {
        struct net *net;
        const struct fetch_setup *setup;
        const struct fetch_ask *ask;
        struct fetch_answer *answer;
        struct buf body;
        struct net_download download;
};

/* A part was asked for, and there is more: as if time had run out, the next ask goes on. */
static bool is_part(const struct fetch_ask *ask, const struct fetch_answer *answer)
{
        return ask->part_max && answer->status == 206 && answer->spool_length > answer->spool_from && answer->spool_length < ask->bytes_max;
}

static uint32_t most_ms(const struct fetch_ask *ask)
{
        if (ask->reads != FETCH_TO_SPOOL)
                return POST_MS;
        if (ask->source != SOURCE_SERVER)
                return FETCH_MIRROR_MS;
        return ask->is_resumed && !ask->is_patient ? FETCH_SLICE_MS : METADATA_MS;
}

/* Whoever sent them, these are not the bytes that are wanted. */
static enum err check_hash(const struct exchange *exchange, struct why *why)
{
        const struct fetch_ask *ask = exchange->ask;
        static char block[HASH_BYTES];
        uint8_t digest[32];
        struct sha256 sha;
        sha256_init(&sha);
        for (uint64_t at = 0; at < ask->bytes_max; at += HASH_BYTES) {
                const size_t length = ask->bytes_max - at < HASH_BYTES ? (size_t)(ask->bytes_max - at) : HASH_BYTES;
                if (!file_at_read(exchange->download.file, at, block, length))
                        return FAIL(why, ERR_IO, "what was fetched cannot be read");
                sha256_update(&sha, block, length);
        }
        sha256_final(&sha, digest);
        return memcmp(digest, ask->sha256, sizeof(digest)) == 0 ? OK : FAIL(why, ERR_CONTENT, "it is another file than was asked for");
}

/* Of what is resumed the length is known: less is no success, whatever the status says. What cannot be gone on with is begun anew. */
static enum err check_file(const struct exchange *exchange, struct why *why)
{
        const struct fetch_ask *ask = exchange->ask;
        struct fetch_answer *answer = exchange->answer;
        const bool is_there = answer->status == 200 || answer->status == 206;
        enum err e = OK;
        if (is_there && answer->spool_length < ask->bytes_max)
                return FAIL(why, ERR_IO, "%llu of %llu bytes", (unsigned long long)answer->spool_length, (unsigned long long)ask->bytes_max);
        if (is_there && ask->is_hashed)
                e = check_hash(exchange, why);
        if (e == ERR_CONTENT || answer->status == RANGE_NOT_THERE) {
                struct why unsaid;
                (void)!file_at_empty(exchange->download.file, &unsaid);
                answer->spool_length = 0;
        }
        return e;
}

static enum err exchange(struct exchange *exchange, struct why *why)
{
        const struct fetch_ask *ask = exchange->ask;
        char url[FETCH_PATH_BYTES + 300];
        const char *base = ask->source == SOURCE_SERVER ? exchange->setup->server : exchange->setup->mirrors[ask->source - 1];
        if (snprintf(url, sizeof(url), "%s%s", base, ask->path) >= (int)sizeof(url))
                return FAIL(why, ERR_LIMIT, "an address longer than %zu bytes", sizeof(url));
        const bool is_download = ask->reads == FETCH_TO_SPOOL, is_get = is_download || ask->reads == FETCH_DELTA;
        const struct net_header headers[] = {
                { "Content-Type", "application/json" }, { "Firebreak-Device", ask->device }, { "Firebreak-Date", ask->date },
                { ask->authentication, ask->proof },
        };
        struct net_wanted wanted = { .name = "Date" };
        const struct net_request request = {
                .method = is_get ? "GET" : "POST", .url = url, .headers = headers, .header_count = is_get ? 0 : 4,
                .body = is_get ? NULL : ask->body, .body_length = is_get ? 0 : ask->body_length,
                .download = is_download ? &exchange->download : NULL, .total_ms = most_ms(ask),
        };
        struct net_response response = { .body = &exchange->body, .wanted = &wanted, .wanted_count = 1 };
        enum err e = exchange->net->ops->exchange(exchange->net, &request, &response, why);
        exchange->answer->status = response.status;
        exchange->answer->spool_from = is_download ? exchange->download.from : 0;
        exchange->answer->spool_length = response.file_length;
        exchange->answer->received = response.received;
        exchange->answer->date_s = fetch_date_s(wanted.value);
        /* A refusal counts by its status: the page that some proxy puts below it may be as long as it likes. */
        if (e == ERR_LIMIT && response.status >= 300)
                e = OK;
        if (!e && is_part(ask, exchange->answer))
                return FAIL(why, ERR_TIMEOUT, "a part of the file");
        if (!e && is_get && ask->is_resumed)
                e = check_file(exchange, why);
        return e ? e : read_body(ask, &exchange->body, exchange->answer, why);
}

static enum err open_spool(struct exchange *exchange, struct why *why)
{
        char path[1024];
        const struct fetch_ask *ask = exchange->ask;
        if (!ask->spool[0] || strchr(ask->spool, '/') || ask->spool[0] == '.')
                return FAIL(why, ERR_USAGE, "no name for the spool");
        if (snprintf(path, sizeof(path), "%s/%s", exchange->setup->spool_folder, ask->spool) >= (int)sizeof(path))
                return FAIL(why, ERR_LIMIT, "the spool's path is too long");
        exchange->download.bytes_max = ask->bytes_max;
        exchange->download.part_max = ask->part_max;
        exchange->download.must_go_on = ask->source != SOURCE_SERVER;
        return channel_spool_open(path, ask->is_resumed ? ask->bytes_max : 0, &exchange->download.file, &exchange->download.from, why);
}

static bool is_sound(const struct fetch_ask *ask, size_t length)
{
        return length == sizeof(*ask) && ask->version == FETCH_VERSION && ask->reads < FETCH_READS && ask->body_length <= sizeof(ask->body)
               && memchr(ask->path, 0, sizeof(ask->path)) && memchr(ask->spool, 0, sizeof(ask->spool)) && memchr(ask->proof, 0, sizeof(ask->proof))
               && (ask->source == SOURCE_SERVER || (ask->reads == FETCH_TO_SPOOL && ask->is_resumed));
}

/* The configuration may have been edited since the supervisor read it. */
static enum err find_way(const struct ways *ways, const struct fetch_setup *setup, const struct fetch_ask *ask, struct net **ret_net, struct why *why)
{
        if (ask->source > setup->mirror_count)
                return FAIL(why, ERR_NOT_FOUND, "mirror %u is not configured", (unsigned)ask->source);
        const bool is_mirror = ask->source != SOURCE_SERVER;
        if (is_mirror && (!ways->mirrors || (ways->mirrors_ca && strncmp(setup->mirrors[ask->source - 1], "http://", 7) != 0))) {
                *why = ways->mirrors_why;
                return ERR_UNAVAILABLE;
        }
        *ret_net = is_mirror ? ways->mirrors : ways->server;
        return OK;
}

static void serve(const struct ways *ways, const struct fetch_setup *setup, const struct fetch_ask *ask, struct fetch_answer *answer)
{
        struct why why = { 0 };
        struct exchange one = { .setup = setup, .ask = ask, .answer = answer, .download.file = -1 };
        buf_init(&one.body, LIMIT_DEVICE_REQUEST_BYTES);
        *answer = (struct fetch_answer){ .version = FETCH_VERSION, .number = ask->number, .confined = setup->confined };
        enum err e = find_way(ways, setup, ask, &one.net, &why);
        if (!e && ask->reads == FETCH_TO_SPOOL)
                e = open_spool(&one, &why);
        if (!e)
                e = exchange(&one, &why);
        answer->err = (uint32_t)e;
        if (e)
                snprintf(answer->text, sizeof(answer->text), "%s", why.text);
        channel_close(one.download.file);
        buf_done(&one.body);
}

/* Before we are confined, and once: later no file may be opened that was not there. */
static enum err read_ca(const struct fetch_setup *setup, struct buf *ca, struct why *why)
{
        buf_init(ca, CA_BYTES_MAX);
        return setup->mirror_count && setup->mirrors_ca ? file_read(setup->mirrors_ca, ca, why) : OK;
}

/* They see no header but the usual ones, and say nothing that is believed: also plain HTTP will do. */
static enum err open_mirrors(const struct fetch_setup *setup, const struct buf *ca, struct net **ret_net, struct why *why)
{
        const struct net_config config = {
                .ca = ca, .agent = "firebreak-agent/" FIREBREAK_VERSION, .stall_s = MIRROR_STALL_S, .connect_ms = MIRROR_CONNECT_MS, .is_plain_allowed = true,
        };
        return setup->mirror_count ? net_open(&config, ret_net, why) : OK;
}

enum err fetch_main(struct fetch_setup *setup, struct why *why)
{
        OWN(net) struct net *net = NULL;
        OWN(net) struct net *mirrors = NULL;
        OWN(buf) struct buf mirrors_ca;
        struct ways ways = { 0 };
        const struct net_config config = {
                .ca_file = setup->ca, .agent = "firebreak-agent/" FIREBREAK_VERSION, .stall_s = STALL_S,
                .is_plain_allowed = strncmp(setup->server, "http://", 7) == 0,
        };
        static struct fetch_ask ask;
        static struct fetch_answer answer;
        size_t length;
        ways.mirrors_ca = read_ca(setup, &mirrors_ca, &ways.mirrors_why);
        /* Before the first byte from outside. A kernel that cannot is no reason to have no updates. */
        (void)!confine_to_network(setup->spool_folder, setup->ca, &setup->confined, why);
        struct why *mirrors_why = ways.mirrors_ca ? why : &ways.mirrors_why;
        (void)!open_mirrors(setup, setup->mirrors_ca && !ways.mirrors_ca ? &mirrors_ca : NULL, &mirrors, mirrors_why);
        enum err e = net_open(&config, &net, why);
        ways.server = net;
        ways.mirrors = mirrors;
        while (!e) {
                e = channel_receive(setup->channel, &ask, sizeof(ask), &length, why);
                if (!e && !is_sound(&ask, length))
                        e = FAIL(why, ERR_SYNTAX, "an ask that is none of ours");
                if (e)
                        break;
                serve(&ways, setup, &ask, &answer);
                e = channel_send(setup->channel, &answer, sizeof(answer), why);
        }
        return e == ERR_UNAVAILABLE ? OK : e;
}
