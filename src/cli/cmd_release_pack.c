#include "cli/dossier.h"
#include "cli/facts.h"
#include "cli/pack.h"
#include "cli/publisher.h"
#include "format/hex.h"
#include "format/json.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "platform/paths.h"
#include "trust/release_custom.h"

#include <string.h>

enum { ARENA_BYTES = 64 << 20, TEXT_BYTES = 1 << 16 };       /* 8,192 paths twice, each of at most 255 bytes: 9 MB */

/* `custom` of the targets has most of it; what it lacks is added. */
static struct json *describe(const struct packed *packed, const char *next)
{
        char target[65];
        struct json *json = release_custom_new(&packed->note);
        hex_encode(packed->target, sizeof(packed->target), target);
        json_set_int(json, "files", (int64_t)packed->note.file_count);
        json_set_int(json, "bytes", (int64_t)release_note_bytes(&packed->note));
        json_set_text(json, "target", target);
        json_set_text(json, "next", next);
        return json;
}

/* It may be meant, for a release that only so many should have; it is never meant for a fleet. */
static void warn_of_ceiling(struct cli *cli, const struct ceiling *ceiling)
{
        enum { WHOLE_PPM = 1000000, SHARE_BYTES = 32 };
        OWN(buf) struct buf share;
        uint32_t last = ceiling->steps[ceiling->count - 1].ppm;
        buf_init(&share, SHARE_BYTES);
        print_share(&share, last);
        if (last < WHOLE_PPM)
                fprintf(cli->err, "firebreak: the ceiling ends at %s of the devices, the others never get it; a last step of 100%% lifts it\n", buf_text(&share));
}

static enum err tell(struct cli *cli, const struct packed *packed, struct why *why)
{
        static const struct fact facts[] = {
                { "stream", "stream" },       { "counter", "counter" }, { "version", "version" }, { "files", "files" },
                { "bytes", "bytes" },         { "target", "target" },   { "floor", "floor" },     { "platforms", "platforms" },
        };
        char next[TEXT_BYTES / 8];
        OWN(buf) struct buf text;
        buf_init(&text, TEXT_BYTES);
        snprintf(next, sizeof(next), "firebreak release sign %s/%lld --publisher %s", packed->id.stream, (long long)packed->id.counter,
                 arg_text(cli->args, OPTION_PUBLISHER, ""));
        OWN(json) struct json *json = describe(packed, next);
        if (!json_is_whole(json))
                return FAIL(why, ERR_NOMEM, "telling of the release");
        warn_of_ceiling(cli, &packed->note.ceiling);
        if (arg_has(cli->args, OPTION_JSON))
                return print_json(cli, json, why);
        facts_lines(facts, sizeof(facts) / sizeof(facts[0]), json, &text);
        buf_addf(&text, "%-14s ", "ceiling");
        print_ceiling(&text, json_get(json, "ceiling"));
        buf_add_text(&text, "\n");
        buf_add_text(&text, "not signed yet; next: ");
        print_clean(&text, next);
        buf_add_text(&text, "\n");
        return print_buf(cli, &text, why);
}

static bool is_within(const char *path, const char *folder)
{
        size_t length = strlen(folder);
        return strncmp(path, folder, length) == 0 && (path[length] == '/' || !path[length] || strcmp(folder, "/") == 0);
}

/* `pack .` beside the publisher's folder would give the offline keys to every device. */
static enum err check_apart(const char *content, const char *publisher, struct why *why)
{
        char a[PATH_MAX], b[PATH_MAX];
        enum err e = paths_real(content, a, why);
        if (!e)
                e = paths_real(publisher, b, why);
        if (e || (!is_within(a, b) && !is_within(b, a)))
                return e;
        return FAIL(why, ERR_REFUSED, "%.80s and the publisher's folder are one within the other; keys are no content: keep the two apart", content);
}

static enum err open_content(struct cli *cli, struct disk **ret_disk, struct why *why)
{
        const char *path = cli->args->words[0];
        if (file_kind(path) != FILE_FOLDER)
                return FAIL(why, ERR_NOT_FOUND, "there is no folder %.160s; give the one with the content and its dossier.yaml", path);
        enum err e = check_apart(path, arg_text(cli->args, OPTION_PUBLISHER, ""), why);
        return e ? e : disk_folder_open(path, ret_disk, why);
}

/* All that is read before anything is written. */
struct sources {
        struct content content;
        struct dossier dossier;
        struct release_spec spec;
};

static enum err read_sources(struct cli *cli, struct disk *from, struct arena *arena, struct sources *sources, struct why *why)
{
        enum err e = content_list(from, arena, &sources->content, why);
        if (!e)
                e = dossier_read(from, arena, &sources->dossier, why);
        return e ? e : release_spec_read(cli->args, from, arena, &sources->spec, why);
}

static enum err pack(struct cli *cli, struct disk *from, struct publisher *publisher, struct why *why)
{
        OWN(arena) struct arena *arena = arena_new(ARENA_BYTES);
        OWN(buf) struct buf dossier;
        struct sources sources = { 0 };
        struct packed packed;
        buf_init(&dossier, LIMIT_REQUEST_BYTES);
        if (!arena)
                return FAIL(why, ERR_NOMEM, "packing");
        enum err e = read_sources(cli, from, arena, &sources, why);
        if (!e)
                e = dossier_write(&sources.dossier, &dossier, why);
        if (!e)
                e = pack_release(&(struct packing){ .from = from, .into = publisher_disk(publisher), .arena = arena, .content = &sources.content,
                                         .spec = &sources.spec, .dossier = &dossier, .now = cli_now(cli) }, &packed, why);
        return e ? e : tell(cli, &packed, why);
}

enum err cmd_release_pack(struct cli *cli, struct why *why)
{
        OWN(disk_folder) struct disk *from = NULL;
        OWN(publisher) struct publisher *publisher = NULL;
        enum err e = publisher_open(cli, &publisher, why);
        if (!e)
                e = open_content(cli, &from, why);
        if (!e)
                e = publisher_hold(publisher, why);
        return e ? e : pack(cli, from, publisher, why);
}
