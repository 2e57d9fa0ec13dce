/* log_state.h - what a monitor remembers of a log: the checkpoint that it verified last, as a file. Did the log only grow since?
 *
 * The file is replaced whole and durable, and only by a checkpoint that begins with all of the one before. One that does not is the proof
 * of a fork together with it, as the log signed both: it is put beside it. */
#pragma once

#include "log/checkpoint.h"
#include "log/tile.h"

struct log_state {
        bool is_known;                           /* false: nothing is remembered, and the head is of an empty log */
        struct tree_head head;
        struct buf note;                         /* the checkpoint */
};
void log_state_init(struct log_state *state);    /* nothing is remembered */
void log_state_release(struct log_state *state);
/* No file is fine. ERR_SYNTAX: it is no checkpoint of this log; ERR_IO, ERR_REFUSED. */
MUST_CHECK enum err log_state_read(const char *path, const struct verifier *log, struct log_state *state, struct why *why);

enum log_growth { LOG_GREW, LOG_SHRANK, LOG_FORKED };       /* LOG_GREW: also by nothing */
/* By a proof over the tiles. ERR_CONTENT: they are not those of the newer head, and prove nothing. */
MUST_CHECK enum err log_state_judge(const struct tree_head *before, const struct tree_head *now, const struct tile_store *store, enum log_growth *ret_growth, struct why *why);

/* Does nothing when the file is this already. ERR_IO, ERR_NOT_FOUND, ERR_BUSY as file_new.h has them. */
MUST_CHECK enum err log_state_keep(const char *path, const struct log_state *state, const struct buf *note, struct why *why);
/* Beside it, as PATH.other-SIZE-ROOT, with the first digits of the root; fine when it is there already. */
enum { LOG_STATE_PATH_MAX = 4096 };
MUST_CHECK enum err log_state_keep_other(const char *path, const struct tree_head *head, const struct buf *note, char ret_path[LOG_STATE_PATH_MAX], struct why *why);
