/* publisher_folder.h - a publisher's folder and a content folder in memory.
 *
 *      OWN(folders) struct folders f = { 0 };
 *      folders_make(&f); CHECK(folders_pack(&f, NULL) == OK); */
#pragma once

#include "base/limits.h"
#include "cli/founding.h"
#include "cli/journal.h"
#include "cli/pack.h"
#include "cli/publisher.h"
#include "cli/signing.h"
#include "support/sim_disk.h"
#include "support/sim_random.h"
#include "support/test.h"

#include <string.h>

enum { NOW = 1784432140 };

static inline void must(enum err e)
{
        CHECK(e == OK);
}

/* The folder becomes the root of the disk, as publisher_disk() sees it. */
static inline void make_publisher(struct disk *disk, const char *words)
{
        static const char *const parts[] = { "offline", "online", "public", "metadata", "releases", "publisher.json" };
        struct sim_random random;
        struct passphrase passphrase = { "" };
        sim_random_init(&random, 1);
        snprintf(passphrase.text, sizeof(passphrase.text), "%s", words);
        must(founding_make(&(struct founding){ .disk = disk, .random = &random.source, .folder = "acme", .publisher = "acme", .passphrase = &passphrase, .now = NOW }, NULL));
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
                char path[64];
                snprintf(path, sizeof(path), "acme/%s", parts[i]);
                must(disk->ops->rename(disk, path, parts[i], NULL));
        }
}

static inline void prepare_publisher(struct disk *disk)
{
        make_publisher(disk, "");
}

static inline void put_text(struct disk *disk, const char *path, const char *text)
{
        must(disk->ops->replace(disk, path, text, strlen(text), NULL));
}

static inline void prepare_content(struct disk *disk)
{
        must(disk->ops->make_folder(disk, "rules", NULL));
        must(disk->ops->make_folder(disk, "rules/deep", NULL));
        put_text(disk, "VERSION", "1\n");
        put_text(disk, "rules/main.yar", "rule a { condition: false }\n");
        put_text(disk, "rules/deep/more.yar", "rule b { condition: false }\n");
        put_text(disk, "dossier.yaml", "what: w\n");
}

/* What pack is asked for. */
struct wish { int64_t counter, floor, start; const char *version, *platform; };

static inline enum err pack_wish(struct disk *content, struct disk *publisher, const struct wish *wish, struct packed *packed, struct why *why)
{
        static const char *any[] = { "any" };
        const char *platforms[] = { wish && wish->platform ? wish->platform : any[0] };
        struct release_spec spec = { .stream = "edr-rules", .platforms = { 1, platforms }, .ceiling = { .count = 1, .steps = { { 0, CEILING_ALL_PPM } } } };
        OWN(arena) struct arena *arena = arena_new(1 << 20);
        OWN(buf) struct buf dossier;
        struct content list;
        buf_init(&dossier, 256);
        if (!arena)
                return ERR_NOMEM;
        if (wish) {
                spec.counter = wish->counter;
                spec.floor = wish->floor;
                spec.start = wish->start;
                spec.version = wish->version;
        }
        buf_add_text(&dossier, "{\"risk\":\"r\",\"undo\":\"u\",\"what\":\"w\",\"why\":\"y\"}");
        enum err e = buf_check(&dossier, why);
        if (!e)
                e = content_list(content, arena, &list, why);
        return e ? e : pack_release(&(struct packing){ content, publisher, arena, &list, &spec, &dossier, NOW }, packed, why);
}

struct folders {
        struct sim_disk content, publisher;
        struct packed packed;            /* its paths and files are gone: only numbers and digests */
        struct signed_release made;
        struct args args;
        struct why why;
        int64_t now;
};

static inline void folders_make(struct folders *f)
{
        sim_disk_init(&f->content);
        sim_disk_init(&f->publisher);
        prepare_content(&f->content.disk);
        prepare_publisher(&f->publisher.disk);
        f->now = NOW;
}

static inline void folders_release(struct folders *f)
{
        sim_disk_done(&f->content);
        sim_disk_done(&f->publisher);
}

static inline enum err folders_pack(struct folders *f, const struct wish *wish)
{
        return pack_wish(&f->content.disk, &f->publisher.disk, wish, &f->packed, &f->why);
}

static inline enum err folders_sign(struct folders *f, int64_t counter)
{
        struct sim_random random;
        sim_random_init(&random, 2);
        struct signing signing = { .disk = &f->publisher.disk, .release = { "edr-rules", counter }, .random = &random.source, .now = f->now, .args = &f->args };
        return signing_do(&signing, &f->made, &f->why);
}

static inline void read_text(struct disk *disk, const char *path, struct buf *into)
{
        buf_init(into, LIMIT_METADATA_BYTES);
        must(disk->ops->read(disk, path, into, NULL));
}
