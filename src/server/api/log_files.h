/* log_files.h - the files of the transparency log, as the store wrote them into DATA/log: checkpoint, tiles, proofs. Given to anybody. */
#pragma once

#include "server/api/download.h"

struct log_files {
        uv_loop_t *loop;
        const char *path;                      /* of DATA/log, borrowed; NULL: this server has no log */
};

/* Answers by itself. Until it does, exchange->pending is the download's. */
void log_files_download(const struct log_files *files, struct exchange *exchange);
