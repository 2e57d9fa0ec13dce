/* witness.h - may a witness cosign this checkpoint? The rules of C2SP tlog-witness, `add-checkpoint`, without its HTTP.
 *
 * A witness remembers one head for each log, the last that it cosigned. The caller reads it, decides, makes the new head durable and
 * only then lets the cosignature out; all that under one lock, or two requests could roll it back. */
#pragma once

#include "log/checkpoint.h"

/* Borrows the bytes that it was parsed from. */
struct witness_request {
        uint64_t old_size;
        struct tree_proof proof;
        struct line note;                        /* the checkpoint with its signatures */
        struct checkpoint checkpoint;
};
enum { WITNESS_REQUEST_MAX = LIMIT_PROOF_BYTES };

enum witness_answer { WITNESS_COSIGNS, WITNESS_MALFORMED, WITNESS_UNSIGNED, WITNESS_UNKNOWN_LOG, WITNESS_OTHER_SIZE, WITNESS_INCONSISTENT };

struct witness_case {
        const struct verifier *logs;             /* those that it is a witness of, each of another name */
        size_t log_count;
        /* The head cosigned last of the log at this index; all zeros: never one. */
        enum err (*last_head)(void *context, size_t log, struct tree_head *ret_head, struct why *why);
        void *context;
};
struct witness_ruling {
        enum witness_answer answer;
        size_t log;                              /* whose checkpoint it is, unless the answer is WITNESS_UNKNOWN_LOG */
        uint64_t last_size;                      /* with WITNESS_OTHER_SIZE: what the asker should have begun from */
};

void witness_request_write(const struct witness_request *request, struct buf *into);         /* what `checkpoint` holds is not looked at */
/* ERR_SYNTAX, ERR_LIMIT: the answer is WITNESS_MALFORMED. */
MUST_CHECK enum err witness_request_parse(const char *bytes, size_t length, struct witness_request *ret_request, struct why *why);
/* OK with the ruling, whose reason stands in why->text when it is a refusal; else what last_head() says. */
MUST_CHECK enum err witness_decide(const struct witness_request *request, const struct witness_case *of, struct witness_ruling *ret_ruling, struct why *why);
int witness_http_status(enum witness_answer answer);
