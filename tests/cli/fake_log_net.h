/* fake_log_net.h - the network of fake_log.h: a server with a log, and three witnesses of it, all in memory. */
#pragma once

#include "base/mem.h"
#include "log/signed.h"
#include "log/witness.h"
#include "platform/net.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { FAKE_WITNESSES = 3 };

struct fake_log {
        struct net net;
        struct memory *memory;
        struct tree_head head;
        struct buf note;                         /* "": no log; with the cosignatures that were posted */
        const char *hidden;                      /* this file is not there */
        struct tree_head last[FAKE_WITNESSES];   /* of http://w1 to http://w3 */
        bool is_away[FAKE_WITNESSES];
        unsigned read, asked, posted;
        int counted;                             /* what a POST is answered: so many witnesses, for a log of `taken` more entries than it has */
        int taken;
        bool is_read_with_key, is_key_astray, is_key_missing;      /* the API key: it came with a GET; a witness got it; a POST came without */
        char folder[64], *out, *err;             /* folder: a publisher's, with 2 of the 3 witnesses */
};

static inline void fake_log_grow(struct fake_log *fake, uint64_t size)
{
        test_grow(fake->memory, &fake->head, size);
        buf_done(&fake->note);
        test_checkpoint(&fake->note, &fake->head);
}

static inline enum err fake_file(struct fake_log *fake, const char *path, struct net_response *response)
{
        struct tile tile;
        fake->read++;
        response->status = 404;
        if (strcmp(path, "checkpoint") == 0) {
                response->status = fake->note.length ? 200 : 404;
                buf_add(response->body, fake->note.bytes, fake->note.length);
        } else if (tile_parse(path, &tile, NULL) == OK && !(fake->hidden && strcmp(path, fake->hidden) == 0) && memory_read(fake->memory, &tile, response->body, NULL) == OK) {
                response->status = 200;
        }
        return buf_check(response->body, NULL);
}

static inline enum err fake_last(void *context, size_t log, struct tree_head *ret_head, struct why *why)
{
        (void)log;
        (void)why;
        *ret_head = *(struct tree_head *)context;
        return OK;
}

static inline enum err fake_cosign(struct fake_log *fake, unsigned number, const struct net_request *request, struct net_response *response, struct why *why)
{
        const struct verifier log = test_log();
        struct witness_request *asked = calloc(1, sizeof(*asked));
        struct witness_ruling ruling;
        struct tree_head *last = &fake->last[number - 1];
        OWN(buf) struct buf note;
        fake->asked++;
        CHECK(asked && witness_request_parse(request->body, request->body_length, asked, NULL) == OK);
        CHECK(witness_decide(asked, &(struct witness_case){ &log, 1, fake_last, last }, &ruling, NULL) == OK);
        response->status = witness_http_status(ruling.answer);
        buf_init(&note, LIMIT_CHECKPOINT_BYTES);
        buf_add(&note, asked->note.text, asked->note.length);
        if (ruling.answer == WITNESS_COSIGNS) {
                *last = asked->checkpoint.head;
                test_cosign(&note, (uint8_t)number, TEST_TIME + number);
                buf_add(response->body, note.bytes + asked->note.length, note.length - asked->note.length);
        }
        if (ruling.answer == WITNESS_OTHER_SIZE)
                buf_addf(response->body, "%" PRIu64 "\n", ruling.last_size);
        free(asked);
        return buf_check(response->body, why);
}

static inline enum err fake_take(struct fake_log *fake, const struct net_request *request, struct net_response *response)
{
        struct checkpoint checkpoint;
        fake->posted++;
        CHECK(checkpoint_parse(request->body, request->body_length, &checkpoint, NULL) == OK && checkpoint.head.size == fake->head.size);
        buf_clear(&fake->note);
        buf_add(&fake->note, request->body, request->body_length);
        response->status = 200;
        buf_addf(response->body, "{\"size\":%" PRIu64 ",\"witnesses\":%d,\"threshold\":2,\"proofs\":0}", fake->head.size + (uint64_t)fake->taken, fake->counted);
        return buf_check(response->body, NULL);
}

static inline enum err fake_answer_it(struct net *net, const struct net_request *request, struct net_response *response, struct why *why)
{
        static const char files[] = "https://fake:1/v1/log/", post[] = "https://fake:1/api/v1/log/cosignatures";
        struct fake_log *fake = (struct fake_log *)net;
        unsigned number = 0;
        bool has_key = false;
        for (size_t i = 0; i < request->header_count; i++)
                has_key = has_key || strcmp(request->headers[i].name, "Authorization") == 0;
        fake->is_read_with_key |= has_key && strcmp(request->method, "GET") == 0;
        if (strncmp(request->url, files, strlen(files)) == 0)
                return fake_file(fake, request->url + strlen(files), response);
        if (strcmp(request->url, post) == 0) {
                fake->is_key_missing |= !has_key;
                return fake_take(fake, request, response);
        }
        fake->is_key_astray |= has_key;
        CHECK(sscanf(request->url, "http://w%u/add-checkpoint", &number) == 1 && number >= 1 && number <= FAKE_WITNESSES);
        return fake->is_away[number - 1] ? FAIL(why, ERR_UNAVAILABLE, "nobody there") : fake_cosign(fake, number, request, response, why);
}

/* Its own memory never runs out. */
static inline enum err fake_log_exchange(struct net *net, const struct net_request *request, struct net_response *response, struct why *why)
{
        void *(*hook)(size_t count, size_t size) = mem_hook;
        mem_hook = calloc;
        enum err e = fake_answer_it(net, request, response, why);
        mem_hook = hook;
        return e;
}
