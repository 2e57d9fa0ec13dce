#include "server/api/artifact.h"

#include "format/hex.h"

#include <string.h>

enum err artifacts_init(struct artifacts *artifacts, uv_loop_t *loop, const char *path, struct disk *disk, struct why *why)
{
        *artifacts = (struct artifacts){ .loop = loop, .path = path, .disk = disk };
        enum err e = disk->ops->remove_tree(disk, "incoming", why);
        if (!e)
                e = disk->ops->make_folder(disk, "incoming", why);
        return e ? DURING(why, e, "clearing artifacts/incoming") : OK;
}

enum err artifact_name(const struct exchange *exchange, char ret_sha256[65], struct why *why)
{
        uint8_t digest[32];
        const size_t at = exchange->route->id == ROUTE_TARGET_OF_RELEASE ? 1 : 0;        /* after the stream */
        const struct route_captures *captures = &exchange->captures;
        if (captures->items[at].length == 64) {
                memcpy(ret_sha256, captures->items[at].bytes, 64);
                ret_sha256[64] = 0;
                if (hex_decode(ret_sha256, digest, sizeof(digest), NULL) == OK)
                        return OK;
        }
        return FAIL(why, ERR_NOT_FOUND, "an artifact is named by its SHA-256, 64 digits in lower case");
}

static bool is_digest(const char *bytes, size_t length)
{
        char text[65] = "";
        uint8_t digest[32];
        if (length != 64)
                return false;
        memcpy(text, bytes, 64);
        return hex_decode(text, digest, sizeof(digest), NULL) == OK;
}

/* 404 also while it is being made: whoever asks has another way. */
void delta_download(struct artifacts *artifacts, struct exchange *exchange)
{
        struct why why = { 0 };
        char newer[65], path[DOWNLOAD_PATH_MAX];
        const struct route_captures *captures = &exchange->captures;
        const char *older = captures->items[1].bytes;
        const size_t older_length = captures->items[1].length;
        enum err e = artifact_name(exchange, newer, &why);
        if (!e && !is_digest(older, older_length) && (older_length != 5 || memcmp(older, "whole", 5) != 0))
                e = FAIL(&why, ERR_NOT_FOUND, "a delta leads from a release, named by its SHA-256, or is `whole`");
        if (e) {
                exchange_fail(exchange, e, &why);
                return;
        }
        snprintf(path, sizeof(path), "%s/%.2s/%s.%.*s.delta", artifacts->path, newer, newer, (int)older_length, older);
        download_begin(&(struct download_file){ artifacts->loop, path, NULL, "application/json", DOWNLOAD_MINUTES, "there is no such delta here" }, exchange);
}

void artifact_download(struct artifacts *artifacts, struct exchange *exchange)
{
        struct why why = { 0 };
        char sha256[65], etag[67], path[DOWNLOAD_PATH_MAX];
        const bool is_note = exchange->route->id == ROUTE_NOTE_GET, is_text = exchange->route->id == ROUTE_TARGET_OF_RELEASE;
        enum err e = artifact_name(exchange, sha256, &why);
        if (e) {
                exchange_fail(exchange, e, &why);
                return;
        }
        snprintf(etag, sizeof(etag), "\"%s\"", sha256);
        snprintf(path, sizeof(path), "%s/%.2s/%s%s", artifacts->path, sha256, sha256, is_note ? ".note" : is_text ? ".text" : "");
        const struct download_file file = { artifacts->loop, path, etag, "application/octet-stream", DOWNLOAD_FIXED, "there is no such artifact here" };
        const struct download_file note = { artifacts->loop, path, NULL, "text/plain; charset=utf-8", DOWNLOAD_MINUTES, "there is no such release here" };
        download_begin(is_note ? &note : &file, exchange);
}
