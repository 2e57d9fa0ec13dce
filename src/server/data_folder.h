/* data_folder.h - the server's folder: made at first start, locked while the server runs (docs/guide/formats.md, 6).
 *
 * Made in an order that a power cut cannot spoil: server.secret comes last, the database after it, and then the mark
 * that there was one. */
#pragma once

#include "base/err.h"
#include "base/own.h"
#include "platform/random.h"

#include <stdbool.h>
#include <stdint.h>

enum { DATA_PATH_MAX = 512, DATA_KEY_MAX = 128 };

struct data_folder {
        int lock;
        bool is_new;
        char path[DATA_PATH_MAX];
        char database[DATA_PATH_MAX], artifacts[DATA_PATH_MAX], log_files[DATA_PATH_MAX], certificate[DATA_PATH_MAX], certificate_key[DATA_PATH_MAX], admin_key_file[DATA_PATH_MAX];
        uint8_t secret[32];
        char admin_key[DATA_KEY_MAX];
};

struct data_folder_config {
        const char *path;
        const char *host;                      /* for the certificate, besides localhost; NULL: none */
        struct random_source *random;
        int64_t now_s, wait_ms;                /* for one that is just ending */
};

/* ERR_BUSY: another server has it; ERR_REFUSED: a folder of something else, or one that lost a part that cannot be made anew. */
MUST_CHECK enum err data_folder_open(const struct data_folder_config *config, struct data_folder *ret_folder, struct why *why);
void data_folder_done(struct data_folder *folder);

/* The database is made: from now on one that is missing, or empty, was lost. */
MUST_CHECK enum err data_folder_mark(const struct data_folder *folder, struct why *why);
