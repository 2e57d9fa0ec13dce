#include "log/witness.h"

#include "log/hash_lines.h"
#include "log/merkle.h"

#include <inttypes.h>
#include <string.h>

int witness_http_status(enum witness_answer answer)
{
        static const int statuses[] = {
                [WITNESS_COSIGNS] = 200, [WITNESS_MALFORMED] = 400, [WITNESS_UNSIGNED] = 403,
                [WITNESS_UNKNOWN_LOG] = 404, [WITNESS_OTHER_SIZE] = 409, [WITNESS_INCONSISTENT] = 422,
        };
        return statuses[answer];
}

void witness_request_write(const struct witness_request *request, struct buf *into)
{
        buf_addf(into, "old %" PRIu64 "\n", request->old_size);
        hash_lines_write(into, &request->proof);
        buf_add(into, request->note.text, request->note.length);
}

enum err witness_request_parse(const char *bytes, size_t length, struct witness_request *ret_request, struct why *why)
{
        struct line rest = { bytes, length }, line, value;
        if (length > WITNESS_REQUEST_MAX)
                return FAIL(why, ERR_LIMIT, "a request has at most %d bytes", WITNESS_REQUEST_MAX);
        if (!line_next(&rest, &line) || !line_after(line, "old", &value) || !line_number(value, &ret_request->old_size))
                return FAIL(why, ERR_SYNTAX, "a request begins with `old SIZE`");
        enum err e = hash_lines_read(&rest, &ret_request->proof, why);
        if (e)
                return e;
        ret_request->note = rest;
        return checkpoint_parse(rest.text, rest.length, &ret_request->checkpoint, why);
}

static enum err rule(struct witness_ruling *ruling, enum witness_answer answer)
{
        ruling->answer = answer;
        return OK;
}

static bool find_log(const struct witness_case *of, const char *origin, size_t *ret_index)
{
        for (size_t i = 0; i < of->log_count; i++)
                if (strcmp(of->logs[i].name, origin) == 0) {
                        *ret_index = i;
                        return true;
                }
        return false;
}

enum err witness_decide(const struct witness_request *request, const struct witness_case *of, struct witness_ruling *ret_ruling, struct why *why)
{
        const struct checkpoint *checkpoint = &request->checkpoint;
        struct tree_head last = { 0 };
        *ret_ruling = (struct witness_ruling){ .answer = WITNESS_MALFORMED };
        if (!find_log(of, checkpoint->origin, &ret_ruling->log)) {
                (void)FAIL(why, ERR_NOT_FOUND, "not a witness of %s", checkpoint->origin);
                return rule(ret_ruling, WITNESS_UNKNOWN_LOG);
        }
        if (checkpoint_verify(checkpoint, &of->logs[ret_ruling->log], why))
                return rule(ret_ruling, WITNESS_UNSIGNED);
        if (request->old_size > checkpoint->head.size) {
                (void)FAIL(why, ERR_SYNTAX, "old %" PRIu64 " is more than the checkpoint's %" PRIu64, request->old_size, checkpoint->head.size);
                return rule(ret_ruling, WITNESS_MALFORMED);
        }
        enum err e = of->last_head(of->context, ret_ruling->log, &last, why);
        if (e)
                return e;
        if (!last.size)
                tree_root(&(struct tree){ 0 }, &last.root);      /* every log begins with the empty tree, seen or not */
        if (request->old_size != last.size) {
                (void)FAIL(why, ERR_ROLLBACK, "cosigned at size %" PRIu64 " last, not at %" PRIu64, last.size, request->old_size);
                ret_ruling->last_size = last.size;
                return rule(ret_ruling, WITNESS_OTHER_SIZE);
        }
        return rule(ret_ruling, merkle_consistency(&last, &checkpoint->head, &request->proof, why) ? WITNESS_INCONSISTENT : WITNESS_COSIGNS);
}
