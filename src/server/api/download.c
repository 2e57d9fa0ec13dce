#include "server/api/download.h"

#include "base/mem.h"
#include "server/api/connection.h"
#include "server/api/range.h"

#include <inttypes.h>
#include <string.h>

enum { ETAG_MAX = 72 };

struct download {
        struct source source;
        struct exchange *exchange;             /* NULL: nobody waits any more */
        uv_loop_t *loop;
        uv_fs_t fs;
        int file;                              /* -1: not open yet */
        int64_t at;
        uint64_t left;                         /* bytes that are still to be read */
        bool is_busy, has_failed;
        size_t have;
        char etag[ETAG_MAX];                   /* "": not known before the file is open */
        const char *type, *cache, *missing;
        char path[DOWNLOAD_PATH_MAX];
        char bytes[CONNECTION_WINDOW];
};

static void free_download(struct download *download)
{
        uv_fs_t fs;
        if (download->file >= 0)
                uv_fs_close(NULL, &fs, download->file, NULL);
        mem_free(download);
}

/* What is under way in the background ends it later. */
static void leave(struct download *download)
{
        download->exchange = NULL;
        if (!download->is_busy)
                free_download(download);
}

void download_gone(struct exchange *exchange)
{
        if (exchange->pending)
                leave(exchange->pending);
        exchange->pending = NULL;
}

static void on_read(uv_fs_t *fs)
{
        struct download *download = fs->data;
        ssize_t length = fs->result;
        uv_fs_req_cleanup(fs);
        download->is_busy = false;
        if (!download->exchange) {
                free_download(download);
                return;
        }
        download->has_failed = length <= 0;    /* 0: shorter than it was when it was opened */
        download->have = length > 0 ? (size_t)length : 0;
        download->at += (int64_t)download->have;
        download->left -= download->have;
        exchange_resume(download->exchange);
}

static enum err source_read(struct source *source, const char **ret_bytes, size_t *ret_length)
{
        struct download *download = (struct download *)source;
        *ret_bytes = download->bytes;
        *ret_length = download->have;
        if (download->has_failed)
                return ERR_IO;
        if (download->have || download->is_busy) {
                download->have = 0;
                return OK;
        }
        uint64_t most = download->left < sizeof(download->bytes) ? download->left : sizeof(download->bytes);
        uv_buf_t window = uv_buf_init(download->bytes, (unsigned)most);
        download->is_busy = true;
        if (uv_fs_read(download->loop, &download->fs, download->file, &window, 1, download->at, on_read) == 0)
                return OK;
        download->is_busy = false;
        return ERR_IO;
}

static void source_close(struct source *source)
{
        leave((struct download *)source);
}

static const struct source_ops source_ops = { source_read, source_close };

static void answer_none(struct exchange *exchange, uint64_t length)
{
        char headers[64];
        snprintf(headers, sizeof(headers), "Content-Range: bytes */%" PRIu64 "\r\n", length);
        exchange_answer(exchange, &(struct answer){ .status = 416, .headers = headers });
}

/* From here on the download belongs to the answer. */
static void answer_file(struct download *download, uint64_t length)
{
        struct exchange *exchange = download->exchange;
        const struct http_request *request = exchange->request;
        char headers[320];
        const char *etag = download->etag, *type = download->type;
        uint64_t from = 0, count = length;
        bool wants_part = !request->is_head && (!request->if_range || strcmp(request->if_range, etag) == 0);
        enum range_kind kind = range_read(wants_part ? request->range : NULL, length, &from, &count);
        bool is_known = etag_is_in(request->if_none_match, etag);
        exchange->pending = NULL;
        int used = snprintf(headers, sizeof(headers), "ETag: %s\r\nCache-Control: %s\r\nAccept-Ranges: bytes\r\n", etag, download->cache);
        if (is_known || kind == RANGE_NONE)
                leave(download);
        if (kind == RANGE_PART)
                snprintf(headers + used, sizeof(headers) - (size_t)used, "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n", from,
                         from + count - 1, length);
        if (is_known) {
                headers[used] = 0;
                exchange_answer(exchange, &(struct answer){ .status = 304, .headers = headers });
        } else if (kind == RANGE_NONE) {
                answer_none(exchange, length);
        } else {
                download->at = (int64_t)from;
                download->left = count;
                exchange_answer(exchange, &(struct answer){ .status = kind == RANGE_PART ? 206 : 200, .type = type,
                                                            .headers = headers, .length = count, .take_source = &download->source });
        }
}

static void fail(struct download *download, enum err e, const char *text)
{
        struct exchange *exchange = download->exchange;
        struct why why = { 0 };
        exchange->pending = NULL;
        leave(download);
        (void)FAIL(&why, e, "%s", text);
        exchange_fail(exchange, e, &why);
}

/* Another file under the same name has another number, or another time. */
static void tag(struct download *download, const uv_stat_t *status)
{
        if (!download->etag[0])
                snprintf(download->etag, sizeof(download->etag), "\"%" PRIx64 "-%" PRIx64 ".%" PRIx64 "-%" PRIx64 "\"", status->st_ino, (uint64_t)status->st_mtim.tv_sec,
                         (uint64_t)status->st_mtim.tv_nsec, status->st_size);
}

static void on_open(uv_fs_t *fs)
{
        struct download *download = fs->data;
        ssize_t result = fs->result;
        uv_fs_req_cleanup(fs);
        download->is_busy = false;
        if (result >= 0)
                download->file = (int)result;
        if (!download->exchange) {
                free_download(download);
                return;
        }
        uv_fs_t status;
        if (result == UV_ENOENT)
                fail(download, ERR_NOT_FOUND, download->missing);
        else if (result < 0 || uv_fs_fstat(NULL, &status, download->file, NULL) < 0)
                fail(download, ERR_IO, "the file could not be read; the server's log says more");
        else if (!S_ISREG(status.statbuf.st_mode))
                fail(download, ERR_NOT_FOUND, download->missing);
        else {
                tag(download, &status.statbuf);
                answer_file(download, status.statbuf.st_size);
        }
}

void download_begin(const struct download_file *file, struct exchange *exchange)
{
        struct why why = { 0 };
        struct download *download = mem_new(1, sizeof(*download));
        if (!download) {
                exchange_fail(exchange, FAIL(&why, ERR_NOMEM, "out of memory"), &why);
                return;
        }
        download->source.ops = &source_ops;
        download->exchange = exchange;
        download->loop = file->loop;
        download->type = file->type;
        download->cache = file->cache;
        download->missing = file->missing;
        download->file = -1;
        download->fs.data = download;
        snprintf(download->etag, sizeof(download->etag), "%s", file->etag ? file->etag : "");
        snprintf(download->path, sizeof(download->path), "%s", file->path);
        exchange->pending = download;
        download->is_busy = true;
        if (uv_fs_open(file->loop, &download->fs, download->path, UV_FS_O_RDONLY, 0, on_open) < 0) {
                download->is_busy = false;
                fail(download, ERR_NOMEM, "out of memory");
        }
}

/* The quotes and what is between them cannot stand in another tag, so looking for them is enough; `W/` before them makes no difference. */
bool etag_is_in(const char *list, const char *etag)
{
        return list && (strcmp(list, "*") == 0 || strstr(list, etag));
}
