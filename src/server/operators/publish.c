/* POST /releases: offline-signed metadata that lists a release, its note, its dossier. All or nothing.
 *
 * The server believes nothing here: it does what a device's verifier would do, with the timestamp that it is about to sign,
 * and then asks what a device cannot: is every release of before still listed, and are all files of this one here? */
#include "base/limits.h"
#include "format/canon.h"
#include "server/log/rows.h"
#include "server/operators/listing.h"
#include "server/operators/operator.h"
#include "server/operators/releases.h"
#include "server/store/artifacts.h"
#include "server/store/audit.h"
#include "server/store/inside.h"
#include "trust/release_custom.h"
#include "trust/sha.h"

#include <inttypes.h>
#include <string.h>

struct body { const struct json *targets, *snapshot, *dossier; const char *note; };
static const struct json_field body_fields[] = {
        { "targets", JSON_OBJECT, true, offsetof(struct body, targets), 0, 0 },
        { "snapshot", JSON_OBJECT, true, offsetof(struct body, snapshot), 0, 0 },
        { "note", JSON_TEXT, true, offsetof(struct body, note), 1, LIMIT_NOTE_BYTES },
        { "dossier", JSON_OBJECT, true, offsetof(struct body, dossier), 0, 0 },
};

struct parcel {
        struct json *json;
        struct buf note, dossier;                /* files, byte for byte */
        struct listing listing;
        struct release_note *manifest;
        char path[RELEASE_PATH_MAX];
};

static void parcel_done(struct parcel *parcel)
{
        buf_done(&parcel->note);
        buf_done(&parcel->dossier);
        listing_done(&parcel->listing);
        release_note_free(parcel->manifest);
        json_close(parcel->json);
}
static inline void parcel_release(struct parcel *parcel) { parcel_done(parcel); }

static void parcel_init(struct parcel *parcel)
{
        listing_init(&parcel->listing);
        buf_init(&parcel->note, LIMIT_NOTE_BYTES);
        buf_init(&parcel->dossier, LIMIT_REQUEST_BYTES);
}

static enum err unpack(struct call *call, struct parcel *parcel, struct why *why)
{
        struct body body = { 0 };
        enum err e = call_body(call, &parcel->json, why);
        if (!e)
                e = JSON_READ(parcel->json, body_fields, &body, why);
        if (!e)
                e = canon_write(body.targets, &parcel->listing.targets, why);
        if (!e)
                e = canon_write(body.snapshot, &parcel->listing.snapshot, why);
        if (!e)
                e = json_write(body.dossier, 0, &parcel->dossier, why);
        if (e)
                return e;
        buf_add_text(&parcel->note, body.note);
        return buf_check(&parcel->note, why);
}

static enum err read_note(struct call *call, struct parcel *parcel, struct why *why)
{
        uint8_t dossier[32];
        enum err e = release_note_open(&call->store->pins.anchor, &parcel->note, &parcel->manifest, why);
        if (e)
                return DURING(why, e, "note");
        sha256(parcel->dossier.bytes, parcel->dossier.length, dossier);
        if (memcmp(dossier, parcel->manifest->dossier, sizeof(dossier)) != 0)
                return FAIL(why, ERR_CONTENT, "the dossier is not the one that the note names");
        release_note_path(parcel->manifest, parcel->path);
        return OK;
}

static enum err check_target(struct parcel *parcel, struct why *why)
{
        struct tuf_target target;
        enum err e = tuf_find(parcel->listing.tuf, parcel->path, &target, why);
        if (e)
                return DURING(why, e, "targets");
        if (target.length != parcel->manifest->text_length || memcmp(target.sha256, parcel->manifest->target, sizeof(target.sha256)) != 0)
                return FAIL(why, ERR_CONTENT, "the targets list another note for %s; sign it again", parcel->path);
        return release_custom_fits(target.custom, parcel->manifest, why);
}

static enum err check_stream(struct call *call, const struct release_note *note, struct why *why)
{
        int64_t newest = 0, floor = 0;
        enum err e = db_number(call->db, "SELECT max(counter) FROM releases WHERE stream = ?", VALUES(bind_text(note->stream)), 0, &newest, why);
        if (!e)
                e = db_number(call->db, "SELECT max(floor) FROM releases WHERE stream = ?", VALUES(bind_text(note->stream)), 0, &floor, why);
        if (e)
                return e;
        if ((int64_t)note->counter <= newest)
                return FAIL(why, ERR_ROLLBACK, "%s is at counter %" PRId64 " already; pack the release with a higher one", note->stream, newest);
        if ((int64_t)note->floor < floor)
                return FAIL(why, ERR_ROLLBACK, "the security floor of %s is %" PRId64 " and never goes down; pack the release with it", note->stream, floor);
        return OK;
}

static enum err check_files(struct call *call, const struct release_note *note, struct why *why)
{
        for (size_t i = 0; i < note->file_count; i++) {
                const struct release_file *file = &note->files[i];
                enum err e = artifact_check(call->store->config.artifacts, file->sha256, file->length, why);
                if (e == ERR_NOT_FOUND)
                        return FAIL(why, ERR_CONTENT, "%.160s was not uploaded; publish with `firebreak release publish`, which does", file->path);
                if (e)
                        return DURING(why, e, "%s", file->path);
        }
        return OK;
}

static enum err keep_files(struct call *call, struct parcel *parcel, struct why *why)
{
        struct disk *artifacts = call->store->config.artifacts;
        uint8_t digest[32];
        enum err e = artifact_put_note(artifacts, parcel->manifest->target, &parcel->note, why);
        if (!e)
                e = artifact_put(artifacts, parcel->dossier.bytes, parcel->dossier.length, digest, why);
        return e;
}

static void join_platforms(const struct release_note *note, struct buf *into)
{
        for (size_t i = 0; i < note->platform_count; i++)
                buf_addf(into, "%s%s", i ? " " : "", note->platforms[i]);
}

static enum err log_release(struct call *call, const struct parcel *parcel, struct why *why)
{
        struct logged logged = { .kind = LOGGED_RELEASE, .number = parcel->manifest->counter };
        snprintf(logged.name, sizeof(logged.name), "%s", parcel->manifest->stream);
        memcpy(logged.digest, parcel->manifest->target, sizeof(logged.digest));
        return rows_add(call->db, &logged, call->now_ms, why);
}

static enum err keep_release(struct call *call, struct parcel *parcel, struct why *why)
{
        const struct release_note *note = parcel->manifest;
        OWN(buf) struct buf platforms;
        buf_init(&platforms, RELEASE_PLATFORMS_MAX * (LIMIT_NAME_BYTES + 1));
        join_platforms(note, &platforms);
        enum err e = buf_check(&platforms, why);
        if (!e)
                e = db_run(call->db, "INSERT INTO releases (stream, counter, target, note_length, version, floor, platforms, files, bytes, dossier, published_at)"
                                     " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                           VALUES(bind_text(note->stream), bind_int((int64_t)note->counter), bind_blob(note->target, sizeof(note->target)),
                                  bind_int((int64_t)note->text_length), bind_text(note->version), bind_int((int64_t)note->floor),
                                  bind_text(buf_text(&platforms)), bind_int((int64_t)note->file_count), bind_int((int64_t)release_note_bytes(note)),
                                  bind_text(buf_text(&parcel->dossier)), bind_int(call_now_s(call))), why);
        if (!e)
                e = log_release(call, parcel, why);
        if (e)
                return e;
        struct audit_line line = { call->now_ms, "admin", "release.publish", parcel->path, note->version };
        return audit_add(call->db, &line, why);
}

static enum err publish(struct call *call, struct parcel *parcel, struct why *why)
{
        enum err e = check_stream(call, parcel->manifest, why);
        if (!e)
                e = listing_verify(call->store, call_now_s(call), &parcel->listing, why);
        if (!e)
                e = check_target(parcel, why);
        if (!e)
                e = check_files(call, parcel->manifest, why);
        if (!e)
                e = keep_files(call, parcel, why);
        if (!e)
                e = listing_keep(call->store, call_now_s(call), &parcel->listing, why);
        call->store->has_new_releases = true;
        return e ? e : keep_release(call, parcel, why);
}

/* Publishing again what is published, because the answer was lost, is the same answer. */
enum err operator_publish(struct call *call, struct why *why)
{
        OWN(parcel) struct parcel parcel = { 0 };
        struct release release;
        parcel_init(&parcel);
        enum err e = unpack(call, &parcel, why);
        if (!e)
                e = read_note(call, &parcel, why);
        if (e)
                return e;
        const char *stream = parcel.manifest->stream;
        int64_t counter = (int64_t)parcel.manifest->counter;
        e = release_find(call->db, stream, counter, &release, why);
        if (!e && memcmp(release.target, parcel.manifest->target, sizeof(release.target)) == 0)
                return release_answer(call, 200, &release, why);
        if (!e || e == ERR_NOT_FOUND)
                e = publish(call, &parcel, why);
        if (!e)
                e = release_find(call->db, stream, counter, &release, why);
        return e ? e : release_answer(call, 201, &release, why);
}
