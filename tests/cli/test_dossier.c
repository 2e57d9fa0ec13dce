#include "cli/dossier.h"

#include "format/json.h"
#include "support/sim_disk.h"
#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

static const char good[] = "what: new rules\nwhy: a new family\nrisk: low\nundo: roll back\nnew_features:\n  - metas\ncanary: FIREBREAK-CANARY\n";

struct place {
        struct sim_disk sim;
        struct arena *arena;
        struct dossier dossier;
        struct why why;
};

static void place_release(struct place *place)
{
        sim_disk_done(&place->sim);
        arena_free(place->arena);
}

static enum err read_text(struct place *place, const char *text)
{
        sim_disk_init(&place->sim);
        place->arena = arena_new(1 << 20);
        CHECK(place->arena);
        if (text)
                CHECK(place->sim.disk.ops->replace(&place->sim.disk, "dossier.yaml", text, strlen(text), NULL) == OK);
        return dossier_read(&place->sim.disk, place->arena, &place->dossier, &place->why);
}

TEST(dossier, becomes_one_line_of_json)
{
        OWN(place) struct place p = { 0 };
        OWN(buf) struct buf text;
        buf_init(&text, 4096);
        CHECK(read_text(&p, good) == OK && dossier_write(&p.dossier, &text, NULL) == OK);
        CHECK(strcmp(buf_text(&text), "{\"canary\":\"FIREBREAK-CANARY\",\"new_features\":[\"metas\"],\"risk\":\"low\",\"undo\":\"roll back\","
                                      "\"what\":\"new rules\",\"why\":\"a new family\"}") == 0);
}

TEST(dossier, keeps_line_ends_where_json_readers_find_them)
{
        OWN(place) struct place p = { 0 };
        OWN(json) struct json *json = NULL;
        OWN(buf) struct buf text;
        buf_init(&text, 4096);
        CHECK(read_text(&p, "what: |\n  one\n  two\nwhy: w\nrisk: r\nundo: u\n") == OK && dossier_write(&p.dossier, &text, NULL) == OK);
        CHECK(json_parse(text.bytes, text.length, 4096, &json, NULL) == OK && strcmp(json_text(json_get(json, "what")), "one\ntwo\n") == 0);
}

TEST(dossier, complains_with_the_line)
{
        static const struct {
                const char *text, *says;
                enum err err;
        } cases[] = {
                { NULL, "no dossier.yaml", ERR_NOT_FOUND },
                { "", "what", ERR_SYNTAX },
                { "what: a\nwhy: b\nrisk: c\n", "undo", ERR_SYNTAX },
                { "what: a\nwhy: b\nrisk: c\nundoo: d\n", "dossier.yaml:4", ERR_SYNTAX },
                { "what: a\nwhat: b\nwhy: b\nrisk: c\nundo: d\n", "dossier.yaml:2", ERR_SYNTAX },
                { "what: a\nwhy: [b]\nrisk: c\nundo: d\n", "dossier.yaml:2", ERR_SYNTAX },
                { "what: ''\nwhy: b\nrisk: c\nundo: d\n", "dossier.yaml:1", ERR_SYNTAX },
                { "what: &x a\nwhy: *x\nrisk: c\nundo: d\n", "dossier.yaml:", ERR_SYNTAX },
                { "what: \xff\nwhy: b\nrisk: c\nundo: d\n", "dossier.yaml", ERR_SYNTAX },
                { "- what\n", "dossier.yaml:1", ERR_SYNTAX },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(place) struct place p = { 0 };
                enum err e = read_text(&p, cases[i].text);
                if (e != cases[i].err || !strstr(p.why.text, cases[i].says))
                        printf("# %zu: %d %s\n", i, e, p.why.text);
                CHECK(e == cases[i].err && strstr(p.why.text, cases[i].says));
        }
}

TEST(dossier, survives_every_allocation_failure)
{
        OWN(place) struct place p = { 0 };
        CHECK(read_text(&p, good) == OK);
        SWEEP_MEMORY {
                OWN(arena) struct arena *arena = arena_new(1 << 20);
                OWN(buf) struct buf text;
                buf_init(&text, 4096);
                struct dossier dossier;
                enum err e = arena ? dossier_read(&p.sim.disk, arena, &dossier, NULL) : ERR_NOMEM;
                if (!e)
                        e = dossier_write(&dossier, &text, NULL);
                CHECK(e == OK ? text.length > 100 : e == ERR_NOMEM);
        }
}
