/* call.h - one request while it is being answered: what every handler is given, and how it answers.
 *
 * A handler either fills the answer and returns OK, or fails: then what it wrote to the database is undone and the failure
 * becomes a problem document. Handlers check who asks before anything else: see device/device.h, operators/operator.h. */
#pragma once

#include "format/json.h"
#include "server/store/db.h"
#include "server/store/store.h"

struct call {
        struct store *store;
        struct db *db;
        int64_t now_ms;
        const struct store_request *request;
        struct store_answer *answer;
};

typedef enum err call_handler(struct call *call, struct why *why);

static inline int64_t call_now_s(const struct call *call) { return call->now_ms / 1000; }

/* `take_json` NULL is out of memory: so a builder needs no checks of its own. */
MUST_CHECK enum err call_answer_json(struct call *call, int status, struct json *take_json, struct why *why);
void call_answer_text(struct call *call, int status, const char *type, const char *text);

/* Capture `at` of the path as a name (formats.md, Conventions), or as a number from 1 up. ERR_NOT_FOUND: it is none. */
MUST_CHECK enum err call_name(const struct call *call, unsigned at, char name[65], struct why *why);
MUST_CHECK enum err call_number(const struct call *call, unsigned at, int64_t *ret_number, struct why *why);

/* The body as a document. */
MUST_CHECK enum err call_body(const struct call *call, struct json **ret_json, struct why *why);
