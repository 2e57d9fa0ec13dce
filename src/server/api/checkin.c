#include "server/api/checkin.h"

#include "format/hex.h"
#include "server/api/answer.h"
#include "trust/request.h"
#include "wire/device.h"

#include <string.h>

enum { SKEW_S = 300, ANSWER_MAX = 1024 };

void checkin_init(struct checkin *checkin, const uint8_t *secret, const struct cache *cache)
{
        *checkin = (struct checkin){ .secret = secret, .cache = cache, .ready_s = -1 };
        buf_init(&checkin->ready[0], ANSWER_MAX);
        buf_init(&checkin->ready[1], ANSWER_MAX);
}

void checkin_done(struct checkin *checkin)
{
        buf_done(&checkin->ready[0]);
        buf_done(&checkin->ready[1]);
}

static enum err check_date(const char *date, int64_t now_s, struct why *why)
{
        size_t digits = date ? strspn(date, "0123456789") : 0;
        if (!digits || date[digits] || digits > 12)
                return FAIL(why, ERR_SYNTAX, "Firebreak-Date: not a time in unix seconds");
        int64_t skew = strtoll(date, NULL, 10) - now_s;
        if (skew > SKEW_S || skew < -SKEW_S)
                return FAIL(why, ERR_EXPIRED, "Firebreak-Date is %lld s off; Date in this answer is the server's", (long long)skew);
        return OK;
}

enum err checkin_check_head(const struct http_request *request, int64_t now_s, struct why *why)
{
        uint8_t id[16];
        if (!request->device || hex_decode(request->device, id, sizeof(id), NULL) != OK)
                return FAIL(why, ERR_UNAUTHORIZED, "Firebreak-Device: not a device id");
        if (!request->mac)
                return FAIL(why, ERR_UNAUTHORIZED, "Firebreak-Mac is missing");
        return check_date(request->date, now_s, why);
}

static enum err check(struct checkin *checkin, const struct exchange *exchange, struct wire_checkin *body, struct why *why)
{
        const struct http_request *request = exchange->request;
        const struct request_facts facts = { request->method, request->path, request->date, exchange->body.bytes, exchange->body.length };
        uint8_t key[32];
        request_mac_key(checkin->secret, request->device, key);
        enum err e = request_check_mac(&facts, key, request->mac, why);
        if (e)
                return e;
        if (cache_is_revoked(checkin->cache, request->device))
                return FAIL(why, ERR_UNTRUSTED, "this device was revoked; it must be enrolled anew");
        return wire_checkin_read(buf_text(&exchange->body), exchange->body.length, body, why);
}

static void render(struct checkin *checkin, bool is_busy, int64_t now_s, const char *date)
{
        OWN(buf) struct buf body;
        buf_init(&body, ANSWER_MAX);
        struct wire_pace pace = { cache_epoch(checkin->cache), cache_pace_ms(checkin->cache), now_s };
        if (is_busy && pace.pace_ms > CHECKIN_BUSY_PACE_MS)
                pace.pace_ms = CHECKIN_BUSY_PACE_MS;
        wire_pace_write(&pace, &body);
        struct buf *ready = &checkin->ready[is_busy];
        buf_clear(ready);
        answer_head_write(&(struct answer){ .status = 200, .type = "application/json", .length = body.length }, date, false, ready);
        buf_add(ready, body.bytes, body.length);
        checkin->ready_body[is_busy] = body.length;
}

static bool has_ready(struct checkin *checkin, int64_t now_s, const char *date)
{
        if (checkin->ready_s != now_s || checkin->ready_changes != cache_changes(checkin->cache)) {
                render(checkin, false, now_s, date);
                render(checkin, true, now_s, date);
                checkin->ready_s = now_s;
                checkin->ready_changes = cache_changes(checkin->cache);
        }
        return !checkin->ready[0].failed && !checkin->ready[1].failed;
}

static void note_seen(struct checkin *checkin, const char *device, int64_t now_s)
{
        if (checkin->seen_count == IPC_SEEN_MAX) {
                checkin->seen_lost++;
                return;
        }
        struct store_seen *seen = &checkin->seen[checkin->seen_count++];
        memcpy(seen->id, device, sizeof(seen->id));
        seen->at_s = now_s;
}

void checkin_answer(struct checkin *checkin, struct exchange *exchange, int64_t now_s, const char *date)
{
        struct wire_checkin body;
        struct why why = { 0 };
        enum err e = check(checkin, exchange, &body, &why);
        if (!e && !has_ready(checkin, now_s, date))
                e = FAIL(&why, ERR_NOMEM, "out of memory");
        if (e) {
                exchange_fail(exchange, e, &why);
                return;
        }
        note_seen(checkin, exchange->request->device, now_s);
        const struct buf *ready = &checkin->ready[body.busy != 0];
        size_t length = checkin->ready_body[body.busy != 0];
        if (exchange_stays_open(exchange))
                exchange_answer_ready(exchange, 200, ready->bytes, ready->length);
        else
                exchange_answer(exchange, &(struct answer){ .status = 200, .type = "application/json",
                                                            .bytes = ready->bytes + ready->length - length, .length = length });
}

void checkin_flush(struct checkin *checkin, struct store_link *link)
{
        if (checkin->seen_count && store_link_seen(link, checkin->seen, checkin->seen_count))
                checkin->seen_count = 0;
}
