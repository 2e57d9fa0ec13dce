#include "cli/log_state.h"

#include "format/hex.h"
#include "log/prover.h"
#include "platform/file.h"
#include "platform/file_new.h"

#include <inttypes.h>
#include <stdio.h>

enum { ROOT_BYTES_SHOWN = 8 };           /* nobody finds two roots that begin alike by chance */

static enum err parse(const struct verifier *log, struct log_state *state, struct why *why)
{
        struct checkpoint checkpoint;
        enum err e = checkpoint_parse(buf_text(&state->note), state->note.length, &checkpoint, why);
        if (!e)
                e = checkpoint_verify(&checkpoint, log, why);
        if (e)
                return DURING(why, ERR_SYNTAX, "it is not what was verified of this log; move it away to begin anew");
        state->head = checkpoint.head;
        state->is_known = true;
        return OK;
}

void log_state_init(struct log_state *state)
{
        *state = (struct log_state){ 0 };
        tree_root(&(struct tree){ 0 }, &state->head.root);
        buf_init(&state->note, LIMIT_CHECKPOINT_BYTES);
}

void log_state_release(struct log_state *state)
{
        buf_done(&state->note);
}

enum err log_state_read(const char *path, const struct verifier *log, struct log_state *state, struct why *why)
{
        if (file_kind(path) == FILE_ABSENT)
                return OK;
        enum err e = file_read_regular(path, &state->note, why);
        if (!e)
                e = parse(log, state, why);
        return e ? DURING(why, e, "%.200s", path) : OK;
}

enum err log_state_judge(const struct tree_head *before, const struct tree_head *now, const struct tile_store *store, enum log_growth *ret_growth, struct why *why)
{
        struct prover_growth growth = { .older = *now };
        enum err e = OK;
        *ret_growth = LOG_SHRANK;
        if (now->size < before->size)
                return OK;
        if (now->size > before->size)            /* between equal ones there is nothing to prove */
                e = prover_consistency(store, now, before->size, &growth, why);
        if (!e)
                *ret_growth = tree_hash_equal(&growth.older.root, &before->root) ? LOG_GREW : LOG_FORKED;
        return e;
}

static enum err write_file(const char *path, const struct buf *note, enum file_place place, struct why *why)
{
        OWN(file_new) struct file_new *file = NULL;
        enum err e = file_new_write(path, note->bytes, note->length, &file, why);
        return e ? e : file_new_settle(file, place, why);
}

enum err log_state_keep(const char *path, const struct log_state *state, const struct buf *note, struct why *why)
{
        if (state->is_known && buf_equal(&state->note, note))
                return OK;
        enum err e = write_file(path, note, FILE_REPLACE, why);
        return e ? DURING(why, e, "remembering the checkpoint in %.200s", path) : OK;
}

enum err log_state_keep_other(const char *path, const struct tree_head *head, const struct buf *note, char ret_path[LOG_STATE_PATH_MAX], struct why *why)
{
        char root[2 * ROOT_BYTES_SHOWN + 1];
        hex_encode(head->root.bytes, ROOT_BYTES_SHOWN, root);
        if (snprintf(ret_path, LOG_STATE_PATH_MAX, "%s.other-%" PRIu64 "-%s", path, head->size, root) >= LOG_STATE_PATH_MAX)
                return FAIL(why, ERR_LIMIT, "a path of more than %d bytes", LOG_STATE_PATH_MAX - 1);
        if (file_kind(ret_path) == FILE_REGULAR)
                return OK;
        enum err e = write_file(ret_path, note, FILE_ONLY_NEW, why);
        return e ? DURING(why, e, "keeping the other checkpoint") : OK;
}
