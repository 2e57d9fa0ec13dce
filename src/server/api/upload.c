#include "server/api/artifact.h"

#include "base/mem.h"
#include "format/hex.h"
#include "trust/sha.h"

#include <inttypes.h>
#include <string.h>

enum {
        PORTION = 256 << 10,                   /* what is written at once; so much again may wait for it */
        SPARE_BYTES = 64 << 20,                /* room that uploads leave to the database */
};

enum job { JOB_WRITE, JOB_FINISH, JOB_DISCARD };

struct upload {
        struct sink sink;
        struct exchange *exchange;             /* NULL: the client left */
        struct artifacts *artifacts;
        uv_work_t work;
        enum job job;
        bool is_busy, is_ended, is_waiting, is_known;
        char name[65], place[3 + 65], incoming[40];
        uint64_t length;
        struct buf data, writing;
        /* The background's, while is_busy. */
        int file;
        struct sha256 sha;
        enum err failed;
        struct why why;
};

static void start_job(struct upload *upload, enum job job);

static void free_upload(struct upload *upload)
{
        buf_done(&upload->data);
        buf_done(&upload->writing);
        mem_free(upload);
}

/* ---- in the background ---- */

static enum err create(struct upload *upload, struct why *why)
{
        struct disk *disk = upload->artifacts->disk;
        uint64_t room = 0;
        enum err e = disk->ops->free_bytes(disk, &room, why);
        if (!e && room < SPARE_BYTES)
                e = FAIL(why, ERR_FULL, "the server has less than %d MB left for artifacts", SPARE_BYTES >> 20);
        return e ? e : disk->ops->create(disk, upload->incoming, 0600, &upload->file, why);
}

static enum err write_portion(struct upload *upload, struct why *why)
{
        struct disk *disk = upload->artifacts->disk;
        enum err e = upload->file < 0 ? create(upload, why) : OK;
        if (e || !upload->writing.length)
                return e;
        sha256_update(&upload->sha, upload->writing.bytes, upload->writing.length);
        return disk->ops->file_write(disk, upload->file, upload->writing.bytes, upload->writing.length, why);
}

static enum err check_digest(struct upload *upload, struct why *why)
{
        uint8_t digest[32];
        char text[65];
        sha256_final(&upload->sha, digest);
        hex_encode(digest, sizeof(digest), text);
        if (strcmp(text, upload->name) != 0)
                return FAIL(why, ERR_SYNTAX, "the bytes have the SHA-256 %s, not the one in the path: send them again", text);
        return OK;
}

static enum err keep(struct upload *upload, struct why *why)
{
        struct disk *disk = upload->artifacts->disk;
        char folder[3] = { upload->name[0], upload->name[1], 0 };
        enum err e = check_digest(upload, why);
        if (!e)
                e = disk->ops->file_sync(disk, upload->file, why);
        if (!e)
                e = disk->ops->make_folder(disk, folder, why);
        if (!e)
                e = disk->ops->sync_folder(disk, "", why);
        return e ? e : disk->ops->rename(disk, upload->incoming, upload->place, why);
}

static void discard(struct upload *upload)
{
        struct disk *disk = upload->artifacts->disk;
        if (upload->file < 0)
                return;
        disk->ops->file_close(disk, upload->file);
        upload->file = -1;
        (void)disk->ops->remove_tree(disk, upload->incoming, NULL);
}

static void on_work(uv_work_t *work)
{
        struct upload *upload = work->data;
        if (upload->job == JOB_DISCARD) {
                discard(upload);
                return;
        }
        upload->failed = write_portion(upload, &upload->why);
        if (!upload->failed && upload->job == JOB_FINISH)
                upload->failed = keep(upload, &upload->why);
        if (upload->failed || upload->job == JOB_FINISH)
                discard(upload);               /* after keep() nothing is left under that name */
}

/* ---- in the loop ---- */

static void answer_kept(struct upload *upload, int status)
{
        char text[160];
        int length = snprintf(text, sizeof(text), "{\"artifact\":\"%s\",\"bytes\":%" PRIu64 "}", upload->name, upload->length);
        struct exchange *exchange = upload->exchange;
        free_upload(upload);
        exchange_answer(exchange, &(struct answer){ .status = status, .type = "application/json", .bytes = text, .length = (uint64_t)length });
}

static void answer_failed(struct upload *upload)
{
        struct exchange *exchange = upload->exchange;
        struct why why = upload->why;
        enum err e = upload->failed;
        free_upload(upload);
        exchange_fail(exchange, e, &why);
}

static void on_worked(uv_work_t *work, int status)
{
        (void)status;
        struct upload *upload = work->data;
        upload->is_busy = false;
        if (!upload->exchange) {
                if (upload->file >= 0)
                        start_job(upload, JOB_DISCARD);
                else
                        free_upload(upload);
        } else if (upload->failed) {
                answer_failed(upload);
        } else if (upload->job == JOB_FINISH) {
                answer_kept(upload, 201);
        } else if (upload->is_ended) {
                start_job(upload, JOB_FINISH);
        } else if (upload->is_waiting) {
                upload->is_waiting = false;
                exchange_resume(upload->exchange);
        }
}

static void start_job(struct upload *upload, enum job job)
{
        struct buf written = upload->writing;
        buf_clear(&written);
        upload->writing = upload->data;
        upload->data = written;
        upload->job = job;
        upload->is_busy = true;
        (void)uv_queue_work(upload->artifacts->loop, &upload->work, on_work, on_worked);      /* fails only without a function */
}

static bool upload_take(struct sink *sink, const char *bytes, size_t length)
{
        struct upload *upload = (struct upload *)sink;
        upload->length += length;
        if (upload->is_known && upload->length <= LIMIT_ARTIFACT_BYTES)
                return true;
        buf_add(&upload->data, bytes, length);
        enum err e = upload->length > LIMIT_ARTIFACT_BYTES ? ERR_LIMIT : buf_check(&upload->data, NULL);
        if (e) {
                struct exchange *exchange = upload->exchange;
                sink->ops->gone(sink);
                exchange_refuse(exchange, err_info(e)->http, e, e == ERR_LIMIT ? "an artifact is that large at most: 1 GB" : "out of memory");
                return false;
        }
        if (upload->data.length < PORTION)
                return true;
        upload->is_waiting = upload->is_busy;
        if (!upload->is_busy)
                start_job(upload, JOB_WRITE);
        return !upload->is_waiting;
}

static void upload_end(struct sink *sink)
{
        struct upload *upload = (struct upload *)sink;
        upload->is_ended = true;
        if (upload->is_known)
                answer_kept(upload, 200);
        else if (!upload->is_busy)
                start_job(upload, JOB_FINISH);
}

static void upload_gone(struct sink *sink)
{
        struct upload *upload = (struct upload *)sink;
        upload->exchange = NULL;
        if (upload->is_busy)
                return;
        if (upload->file >= 0)
                start_job(upload, JOB_DISCARD);
        else
                free_upload(upload);
}

static const struct sink_ops sink_ops = { upload_take, upload_end, upload_gone };

static bool is_there(struct disk *disk, const char *place)
{
        int file = -1;
        uint64_t length = 0;
        if (disk->ops->open(disk, place, &file, &length, NULL) != OK)
                return false;
        disk->ops->file_close(disk, file);
        return true;
}

static struct upload *new_upload(struct artifacts *artifacts, struct exchange *exchange, const char *sha256)
{
        struct upload *upload = mem_new(1, sizeof(*upload));
        if (!upload)
                return NULL;
        upload->sink.ops = &sink_ops;
        upload->exchange = exchange;
        upload->artifacts = artifacts;
        upload->work.data = upload;
        upload->file = -1;
        buf_init(&upload->data, 4 * PORTION);
        buf_init(&upload->writing, 4 * PORTION);
        sha256_init(&upload->sha);
        memcpy(upload->name, sha256, sizeof(upload->name));
        snprintf(upload->place, sizeof(upload->place), "%.2s/%s", sha256, sha256);
        snprintf(upload->incoming, sizeof(upload->incoming), "incoming/%" PRIu64, artifacts->uploads++);
        upload->is_known = is_there(artifacts->disk, upload->place);
        return upload;
}

/* Who sends what is there already is heard to the end, for many clients read no answer before; unless they asked first. */
void artifact_upload(struct artifacts *artifacts, struct exchange *exchange)
{
        struct why why = { 0 };
        char sha256[65];
        enum err e = artifact_name(exchange, sha256, &why);
        if (!e && exchange->request->body_length > LIMIT_ARTIFACT_BYTES)
                e = FAIL(&why, ERR_LIMIT, "an artifact is that large at most: %d MB", LIMIT_ARTIFACT_BYTES >> 20);
        struct upload *upload = e ? NULL : new_upload(artifacts, exchange, sha256);
        if (!e && !upload)
                e = FAIL(&why, ERR_NOMEM, "out of memory");
        if (e)
                exchange_fail(exchange, e, &why);
        else if (upload->is_known && exchange->request->wants_continue)
                answer_kept(upload, 200);
        else
                exchange_stream(exchange, &upload->sink);
}
