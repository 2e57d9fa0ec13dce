/* Give a signed release to the server: its files first, then the metadata that lists it. */
#include "base/limits.h"
#include "cli/facts.h"
#include "cli/publisher.h"
#include "cli/release_folder.h"
#include "format/hex.h"
#include "format/json.h"
#include "platform/disk.h"
#include "platform/terminal.h"
#include "trust/anchor.h"

#include <inttypes.h>
#include <string.h>

struct shipment {
        struct cli *cli;
        struct api *api;
        struct publisher *publisher;
        struct release_id id;
        struct release_folder folder;
        const struct release_note *note;       /* the folder's */
        uint64_t sent, total;                  /* bytes of all files */
        size_t uploaded;
};

static void shipment_release(struct shipment *shipment)
{
        release_folder_done(&shipment->folder);
        publisher_close(shipment->publisher);
        api_close(shipment->api);
}

static enum err read_json(const struct shipment *shipment, const char *path, struct json **ret_json, struct why *why)
{
        struct disk *disk = publisher_disk(shipment->publisher);
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_METADATA_BYTES);
        enum err e = disk->ops->read(disk, path, &text, why);
        if (!e)
                e = json_parse(buf_text(&text), text.length, LIMIT_METADATA_BYTES, ret_json, why);
        return e ? DURING(why, e, "%.100s", path) : OK;
}

/* Signed, by whom the server believes, and still what was signed? */
static enum err check_release(struct shipment *shipment, struct why *why)
{
        struct disk *disk = publisher_disk(shipment->publisher);
        struct anchor anchor;
        OWN(buf) struct buf bytes;
        OWN(release_note) struct release_note *note = NULL;
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        enum err e = disk->ops->read(disk, "public/release.anchor", &bytes, why);
        if (!e)
                e = anchor_open(buf_text(&bytes), bytes.length, &anchor, why);
        if (e)
                return DURING(why, e, "public/release.anchor");
        e = release_note_open(&anchor, &shipment->folder.note, &note, why);
        return e ? e : release_folder_check(&shipment->folder, why);
}

/* What the server would refuse anyway is told before a byte travels. */
static enum err open_release(struct shipment *shipment, struct why *why)
{
        enum err e = release_folder_open(publisher_disk(shipment->publisher), &shipment->id, &shipment->folder, why);
        if (e)
                return e;
        if (!shipment->folder.is_signed)
                return FAIL(why, ERR_REFUSED, "%s/%" PRId64 " is not signed; `firebreak release sign` first", shipment->id.stream, shipment->id.counter);
        shipment->note = shipment->folder.manifest;
        e = check_release(shipment, why);
        return e ? DURING(why, e, "publishing %s/%" PRId64, shipment->id.stream, shipment->id.counter) : OK;
}

static void show_progress(void *user, uint64_t done, uint64_t total)
{
        struct shipment *shipment = user;
        uint64_t all = shipment->sent + (done < total ? done : total);
        if (terminal_is(shipment->cli->err))
                fprintf(shipment->cli->err, "\r\033[Kuploading: %" PRIu64 " %%", shipment->total ? 100 * all / shipment->total : 100);
}

static void end_progress(const struct shipment *shipment)
{
        if (terminal_is(shipment->cli->err))
                fputs("\r\033[K", shipment->cli->err);
}

static enum err upload(struct shipment *shipment, const struct release_file *file, struct why *why)
{
        char sha256[65], folder[PUBLISHER_PATH_MAX], path[PUBLISHER_PATH_MAX + LIMIT_PATH_BYTES + 1];
        bool is_there = false;
        hex_encode(file->sha256, sizeof(file->sha256), sha256);
        enum err e = api_has_artifact(shipment->api, sha256, &is_there, why);
        if (e || is_there)
                return e;
        publisher_release_path(&shipment->id, "/files", folder);
        snprintf(path, sizeof(path), "%s/%s", folder, file->path);
        shipment->uploaded++;
        return api_put_artifact(shipment->api, &(struct api_artifact){ sha256, publisher_disk(shipment->publisher), path, show_progress, shipment }, why);
}

static enum err upload_all(struct shipment *shipment, struct why *why)
{
        enum err e = OK;
        shipment->total = release_note_bytes(shipment->note);
        for (size_t i = 0; !e && i < shipment->note->file_count; i++) {
                e = upload(shipment, &shipment->note->files[i], why);
                shipment->sent += shipment->note->files[i].length;
        }
        end_progress(shipment);
        return e;
}

static enum err add_metadata(struct shipment *shipment, struct json *body, struct why *why)
{
        OWN(json) struct json *targets = NULL, *snapshot = NULL;
        enum err e = read_json(shipment, "metadata/targets.json", &targets, why);
        if (!e)
                e = read_json(shipment, "metadata/snapshot.json", &snapshot, why);
        if (e)
                return e;
        json_set(body, "targets", GIVE(targets));
        json_set(body, "snapshot", GIVE(snapshot));
        return OK;
}

/* With the newest metadata, which lists all that was ever signed: what came before it would be older than what the server may have. */
static enum err announce(struct shipment *shipment, struct json **ret_answer, struct why *why)
{
        char dossier_path[PUBLISHER_PATH_MAX];
        publisher_release_path(&shipment->id, "/dossier.json", dossier_path);
        OWN(json) struct json *body = json_new_object(), *dossier = NULL;
        enum err e = add_metadata(shipment, body, why);
        if (!e)
                e = read_json(shipment, dossier_path, &dossier, why);
        if (e)
                return e;
        json_set(body, "dossier", GIVE(dossier));
        json_set_text(body, "note", buf_text(&shipment->folder.note));
        return api_ask(shipment->api, "/releases", &(struct api_call){ .method = "POST", .body = body }, ret_answer, why);
}

static enum err tell(const struct shipment *shipment, const struct json *answer, struct why *why)
{
        struct cli *cli = shipment->cli;
        if (arg_has(cli->args, OPTION_JSON))
                return print_json(cli, answer, why);
        OWN(buf) struct buf text;
        buf_init(&text, 4096);
        buf_addf(&text, "published %s/%" PRId64 ": %zu files, %zu of them new to the server\nnext: firebreak lab run %s/%" PRId64 " --publisher %.200s --engine PATH --upload\n",
                 shipment->id.stream, shipment->id.counter, shipment->note->file_count, shipment->uploaded, shipment->id.stream, shipment->id.counter,
                 publisher_path(shipment->publisher));
        return print_buf(cli, &text, why);
}

static enum err publish_release(struct shipment *shipment, struct why *why)
{
        struct cli *cli = shipment->cli;
        OWN(json) struct json *answer = NULL;
        enum err e = release_id_parse(cli->args->words[0], &shipment->id, why);
        if (!e)
                e = publisher_open(cli, &shipment->publisher, why);
        if (!e)
                e = open_release(shipment, why);
        if (!e)
                e = api_open(cli, &shipment->api, why);
        if (!e)
                e = upload_all(shipment, why);
        if (!e)
                e = announce(shipment, &answer, why);
        return e ? e : tell(shipment, answer, why);
}

static enum err tell_metadata(struct cli *cli, const struct json *answer, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, 4096);
        if (arg_has(cli->args, OPTION_JSON))
                return print_json(cli, answer, why);
        const int64_t left = json_int(json_get(answer, "expires"), 0) - cli_now(cli);
        buf_addf(&text, "published the metadata: targets version %" PRId64 ", snapshot version %" PRId64 ", good for ", json_int(json_get(answer, "targets"), 0), json_int(json_get(answer, "snapshot"), 0));
        print_span(&text, left > 0 ? left : 0);
        buf_add_text(&text, "\n");
        return print_buf(cli, &text, why);
}

static enum err publish_metadata(struct shipment *shipment, struct why *why)
{
        struct cli *cli = shipment->cli;
        OWN(json) struct json *body = json_new_object(), *answer = NULL;
        enum err e = publisher_open(cli, &shipment->publisher, why);
        if (!e)
                e = add_metadata(shipment, body, why);
        if (!e)
                e = api_open(cli, &shipment->api, why);
        if (!e)
                e = api_ask(shipment->api, "/metadata", &(struct api_call){ .method = "POST", .body = body }, &answer, why);
        return e ? e : tell_metadata(cli, answer, why);
}

enum err cmd_release_publish(struct cli *cli, struct why *why)
{
        OWN(shipment) struct shipment shipment = { .cli = cli };
        return cli->args->word_count ? publish_release(&shipment, why) : publish_metadata(&shipment, why);
}
