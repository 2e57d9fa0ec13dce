/* log_files.h - what the store wrote into DATA/log for anybody: the transparency log's checkpoint, tiles and proofs, and approvals of releases. */
#pragma once

#include "server/api/download.h"

struct log_files {
        uv_loop_t *loop;
        const char *path;                      /* of DATA/log, borrowed */
        bool has_log;                          /* else there are approvals only */
};

/* Answers by itself. Until it does, exchange->pending is the download's. */
void log_files_download(const struct log_files *files, struct exchange *exchange);
