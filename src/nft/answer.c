#include "nft/answer.h"

#include "nft/program.h"
#include "platform/net.h"
#include "platform/reach.h"

#include <string.h>

enum { BODY_BYTES = 4096, AGAIN_MS = 100 };

enum err answer_add(struct answer_places *places, const char *place, struct why *why)
{
        static const char *const known[] = { "tcp://", "https://", "http://", "run:/" };
        if (places->count == ANSWER_PLACES_MAX)
                return FAIL(why, ERR_USAGE, "more than %d places to ask", ANSWER_PLACES_MAX);
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (strncmp(place, known[i], strlen(known[i])) == 0 && place[strlen(known[i])]) {
                        places->places[places->count++] = place;
                        return OK;
                }
        return FAIL(why, ERR_USAGE, "`%.80s` must be tcp://HOST:PORT, https://HOST:PORT/ or run:/PROGRAM", place);
}

static enum err ask_http(const char *url, const char *ca, int64_t timeout_ms, struct why *why)
{
        const struct net_config config = { .ca_file = ca, .agent = "firebreak-nft/" FIREBREAK_VERSION, .connect_ms = (uint32_t)timeout_ms, .is_plain_allowed = true };
        OWN(net) struct net *net = NULL;
        OWN(buf) struct buf body;
        buf_init(&body, BODY_BYTES);
        enum err e = net_open(&config, &net, why);
        if (e)
                return e;
        struct net_response response = { .body = &body };
        e = net->ops->exchange(net, &(struct net_request){ .method = "GET", .url = url, .total_ms = (uint32_t)timeout_ms }, &response, why);
        return e == ERR_LIMIT ? OK : e;          /* it said more than we want to hear: it answered */
}

enum err answer_ask(const char *place, const char *ca, int64_t timeout_ms, struct why *why)
{
        if (strncmp(place, "tcp://", 6) == 0)
                return reach_tcp(place + 6, timeout_ms, why);
        if (strncmp(place, "run:", 4) != 0)
                return ask_http(place, ca, timeout_ms, why);
        OWN(buf) struct buf said;
        buf_init(&said, BODY_BYTES);
        enum err e = program_run((const char *const[]){ place + 4, NULL }, timeout_ms, &said, why);
        return e == ERR_LIMIT ? OK : e;
}

static void begin(struct answering *answering, int64_t now_ms)
{
        const char *place = answering->places->places[answering->at], *ca = answering->places->ca;
        const char *const argv[] = { child_self, "ask", "--quiet", "--answer", place, ca ? "--ca" : NULL, ca, NULL };
        struct why why;
        answering->try_ms = answering->try_ms ? answering->try_ms : ANSWER_TRY_MS;
        answering->try_until_ms = now_ms + answering->try_ms;
        answering->again_ms = now_ms + AGAIN_MS;
        (void)!child_start(&(struct child_setup){ argv, -1, -1, -1, NULL, NULL, NULL }, &answering->child, &why);
}

bool answering_tick(struct answering *answering, int64_t now_ms)
{
        struct child_end end;
        if (answering->child.pid && child_ended(&answering->child, &end)) {
                answering->at += !end.is_signal && end.code == 0;
                answering->again_ms = !end.is_signal && end.code == 0 ? now_ms : answering->again_ms;
        } else if (answering->child.pid && now_ms >= answering->try_until_ms) {
                child_kill(&answering->child);
                answering->try_ms *= 2;
        }
        if (answering->at == answering->places->count)
                return true;
        if (!answering->child.pid && now_ms >= answering->again_ms)
                begin(answering, now_ms);
        return false;
}

void answering_stop(struct answering *answering)
{
        child_kill(&answering->child);
}
