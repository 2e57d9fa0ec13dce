/* api.h - the operators' API (docs/guide/formats.md 5) as the commands see it.
 *
 * A refusal by the server comes back as the error that the server had, with its advice as the text. */
#pragma once

#include "base/err.h"
#include "base/own.h"
#include "cli/cli.h"

#include <stdbool.h>
#include <stdint.h>

struct api;
struct buf;
struct disk;
struct json;

/* Server, key and CA from the options, the environment or cli.yaml, whichever is found first. Borrows cli. */
MUST_CHECK enum err api_open(struct cli *cli, struct api **ret_api, struct why *why);
/* The same without a key, for what the server tells anybody: none is read, and none is sent. */
MUST_CHECK enum err api_open_public(struct cli *cli, struct api **ret_api, struct why *why);
void api_close(struct api *api);
OWN_DEFINE(api, struct api *, api_close)

const char *api_server(const struct api *api);

struct api_call {
        const char *method;
        const struct json *body;           /* NULL: none */
};
/* `path` below /api/v1, as "/status". The answer is a document of the caller's. */
MUST_CHECK enum err api_ask(struct api *api, const char *path, const struct api_call *call, struct json **ret_answer,
                            struct why *why);
MUST_CHECK enum err api_get(struct api *api, const char *path, struct json **ret_answer, struct why *why);

/* Text as it is: of `path` below the server's root, as "/v1/log/checkpoint"; sends one, when there is a body. */
struct api_text {
        const char *path;
        const struct buf *body;            /* NULL: none, and it is a GET */
};
/* `into` was empty; its ceiling is the answer's, ERR_LIMIT. Empty again after a failure. */
MUST_CHECK enum err api_ask_text(struct api *api, const struct api_text *text, struct buf *into, struct why *why);

/* All pages of a list, up to `most` items, as one array; `has_more` is set when the server has more. */
struct api_list {
        const char *path;
        int64_t most;
        bool has_more;
};
MUST_CHECK enum err api_list(struct api *api, struct api_list *list, struct json **ret_items, struct why *why);

struct api_artifact {
        const char *sha256;                /* hex */
        struct disk *disk;                 /* borrowed */
        const char *path;
        void (*progress)(void *user, uint64_t done, uint64_t total);
        void *user;
};
MUST_CHECK enum err api_has_artifact(struct api *api, const char *sha256, bool *ret_has, struct why *why);
MUST_CHECK enum err api_put_artifact(struct api *api, const struct api_artifact *artifact, struct why *why);
