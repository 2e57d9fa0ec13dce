#include "server/api/log_files.h"

#include "format/hex.h"
#include "log/tile.h"
#include "trust/approval.h"

#include <string.h>

enum { NAME_MAX_BYTES = 160 };

static const char prefix[] = "/v1/log/", approvals[] = "/v1/approvals/";

static bool is_hex(const char *text, uint8_t *bytes, size_t count)
{
        return strlen(text) == 2 * count && hex_decode(text, bytes, count, NULL) == OK;
}

/* The path is of one of the three routes, so it has the prefix; whatever is not exactly the path of a file of ours is none. */
static enum err check_name(enum route_id route, const char *name, struct why *why)
{
        struct tile tile;
        uint8_t digest[32];
        const char *sha256 = name + strlen("proof/");
        if (route == ROUTE_LOG_TILE)
                return tile_parse(name, &tile, why) ? DURING(why, ERR_NOT_FOUND, "there is no such tile") : OK;
        if (route == ROUTE_LOG_PROOF && !is_hex(sha256, digest, sizeof(digest)))
                return FAIL(why, ERR_NOT_FOUND, "a proof is named by the SHA-256 of its release, 64 digits in lower case");
        return OK;
}

static enum err check_approval(const char *name, struct why *why)
{
        uint8_t digest[32], key[32];
        char sha256[2 * sizeof(digest) + 1] = "";
        const char *slash = strchr(name, '/');
        if (slash && (size_t)(slash - name) < sizeof(sha256))
                memcpy(sha256, name, (size_t)(slash - name));
        const bool is_name = slash && (strcmp(slash + 1, approval_kind_name(APPROVAL_EMERGENCY)) == 0 || is_hex(slash + 1, key, sizeof(key)));
        if (is_name && is_hex(sha256, digest, sizeof(digest)))
                return OK;
        return FAIL(why, ERR_NOT_FOUND, "an approval is named by the SHA-256 of its release, and then `emergency` or a customer's key, 64 digits both");
}

static const struct kind { const char *type, *cache, *missing; } kinds[ROUTES] = {
        [ROUTE_LOG_CHECKPOINT] = { "text/plain; charset=utf-8", DOWNLOAD_CHANGES, "the log has no checkpoint yet; ask again in a second" },
        [ROUTE_LOG_TILE] = { "application/octet-stream", DOWNLOAD_FIXED, "there is no such tile, or not yet" },
        [ROUTE_APPROVAL_GET] = { "text/plain; charset=utf-8", DOWNLOAD_CHANGES, "nobody has approved such a release like this, or not yet" },
        [ROUTE_LOG_PROOF] = { "text/plain; charset=utf-8", DOWNLOAD_CHANGES, "there is no proof of such a release, or not yet: witnesses may have to cosign first" },
};

static enum err find(const struct log_files *files, const struct exchange *exchange, char path[DOWNLOAD_PATH_MAX], struct why *why)
{
        const bool is_approval = exchange->route->id == ROUTE_APPROVAL_GET;
        const char *name = exchange->request->path + strlen(is_approval ? approvals : prefix);
        if (!is_approval && !files->has_log)
                return FAIL(why, ERR_NOT_FOUND, "this server has no transparency log");
        enum err e = strlen(name) < NAME_MAX_BYTES ? (is_approval ? check_approval(name, why) : check_name(exchange->route->id, name, why)) : FAIL(why, ERR_NOT_FOUND, "the log has no such file");
        if (!e && snprintf(path, DOWNLOAD_PATH_MAX, "%s/%s%s", files->path, is_approval ? "approval/" : "", name) >= DOWNLOAD_PATH_MAX)
                e = FAIL(why, ERR_LIMIT, "the path of the data folder is too long");
        return e;
}

void log_files_download(const struct log_files *files, struct exchange *exchange)
{
        struct why why = { 0 };
        char path[DOWNLOAD_PATH_MAX];
        const struct kind *kind = &kinds[exchange->route->id];
        enum err e = find(files, exchange, path, &why);
        if (e)
                exchange_fail(exchange, e, &why);
        else
                download_begin(&(struct download_file){ files->loop, path, NULL, kind->type, kind->cache, kind->missing }, exchange);
}
