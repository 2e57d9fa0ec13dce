/* pack, sign and publish as a person types them: real folders, a stored server. */
#include "cli/fake_net.h"
#include "platform/file.h"

#include <sys/stat.h>

struct desk {
        char path[64];
        struct fake_run run;
};

static void put(const struct desk *desk, const char *name, const char *text)
{
        char path[256];
        snprintf(path, sizeof(path), "%s/%s", desk->path, name);
        CHECK(file_write(path, text, strlen(text), NULL) == OK);
}

static void make_folder(const struct desk *desk, const char *name)
{
        char path[256];
        snprintf(path, sizeof(path), "%s/%s", desk->path, name);
        CHECK(mkdir(path, 0700) == 0);
}

static bool holds(const struct desk *desk, const char *name, const char *text)
{
        char path[256];
        OWN(buf) struct buf found;
        buf_init(&found, 1 << 20);
        snprintf(path, sizeof(path), "%s/%s", desk->path, name);
        return file_read(path, &found, NULL) == OK && strstr(buf_text(&found), text);
}

/* The words of `line`, in which @ stands for the desk's folder. */
static int say(struct desk *desk, const char *line, const struct fake_answer *script, size_t count)
{
        char whole[1024];
        size_t used = 0;
        for (; *line; line++)
                used += (size_t)snprintf(whole + used, sizeof(whole) - used, *line == '@' ? "%s" : "%.1s", *line == '@' ? desk->path : line);
        return fake_run(&desk->run, script, count, whole);
}
#define SAY(desk, line) say((desk), (line), NULL, 0)
#define SAY_ONLINE(desk, line, script) say((desk), (line), (script), sizeof(script) / sizeof((script)[0]))

static void desk_open(struct desk *desk)
{
        *desk = (struct desk){ 0 };
        CHECK(file_temporary(desk->path, NULL) == OK);
        CHECK(SAY(desk, "init @/acme --no-passphrase") == 0);
        make_folder(desk, "content");
        make_folder(desk, "content/rules");
        put(desk, "content/VERSION", "1\n");
        put(desk, "content/rules/main.yar", "rule a { condition: false }\n");
        put(desk, "content/dossier.yaml", "what: w\nwhy: |\n  one\n  two\nrisk: r\nundo: u\n");
}

static void desk_release(struct desk *desk)
{
        file_remove_tree(desk->path);
        fake_run_release(&desk->run);
}

static void pack_and_sign(struct desk *desk)
{
        CHECK(SAY(desk, "release pack @/content --publisher @/acme --stream edr-rules") == 0);
        CHECK(SAY(desk, "release sign edr-rules/1 --publisher @/acme") == 0);
}

TEST(release_pack, tells_people_and_programs_what_it_made)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        CHECK(SAY(&d, "release pack @/content --publisher @/acme --stream edr-rules --ceiling 0:0.1% --ceiling 1h:25% --ceiling 3d:100%") == 0);
        CHECK(strstr(d.run.out, "0.1% after 0 s, 25% after 60 min, 100% after 3 d") && strstr(d.run.out, "next: firebreak release sign edr-rules/1 --publisher /tmp/"));
        CHECK(SAY(&d, "release pack @/content --publisher @/acme --stream edr-rules --platform linux-amd64 --platform linux-arm64 --version two --json") == 0);
        CHECK(strstr(d.run.out, "\"counter\": 2,") && strstr(d.run.out, "\"files\": 2,") && strstr(d.run.out, "\"bytes\": 30,"));
        CHECK(holds(&d, "acme/releases/edr-rules/2/note", "version two\nplatform linux-amd64\nplatform linux-arm64\n"));
        CHECK(holds(&d, "acme/releases/edr-rules/2/dossier.json", "\"why\":\"one\\ntwo\\n\"}"));
}

TEST(release_pack, says_what_to_do_instead)
{
        static const struct { const char *line, *says; int code; } cases[] = {
                { "release pack @/content --stream a", "give --publisher DIR", 64 },
                { "release pack @/content --publisher @/content --stream a", "`firebreak init` makes one", 66 },
                { "release pack @/nowhere --publisher @/acme --stream a", "there is no folder", 66 },
                { "release pack @/content --publisher @/acme", "which stream?", 64 },
                { "release pack @ --publisher @/acme --stream a", "keep the two apart", 78 },
                { "release pack @/acme --publisher @/acme --stream a", "keep the two apart", 78 },
                { "release pack @/acme/public --publisher @/acme --stream a", "keep the two apart", 78 },
                { "release sign edr-rules/1 --publisher @/acme", "`firebreak release pack` makes one", 66 },
                { "release publish edr-rules/1 --publisher @/acme", "`firebreak release pack` makes one", 66 },
        };
        OWN(desk) struct desk d;
        desk_open(&d);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                int code = SAY(&d, cases[i].line);
                if (code != cases[i].code || !strstr(d.run.err, cases[i].says))
                        printf("# %s: %d %s\n", cases[i].line, code, d.run.err);
                CHECK(code == cases[i].code && strstr(d.run.err, cases[i].says) && !d.run.out[0]);
        }
}

/* A folder beside it whose name begins alike is another folder. */
TEST(release_pack, takes_a_neighbour_of_the_publishers_folder)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        make_folder(&d, "acme-rules");
        put(&d, "acme-rules/a", "x");
        put(&d, "acme-rules/dossier.yaml", "what: w\nwhy: y\nrisk: r\nundo: u\n");
        CHECK(SAY(&d, "release pack @/acme-rules --publisher @/acme --stream edr-rules") == 0);
}

TEST(release_sign, tells_the_name_that_the_release_has_from_now_on)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        CHECK(SAY(&d, "release pack @/content --publisher @/acme --stream edr-rules") == 0);
        CHECK(SAY(&d, "release sign edr-rules/1 --publisher @/acme --json") == 0 && strstr(d.run.out, "\"metadata\": 2") && strstr(d.run.out, "\"target\": \""));
        CHECK(holds(&d, "acme/metadata/targets.json", "\"edr-rules/1\""));
        CHECK(SAY(&d, "release sign edr-rules/1 --publisher @/acme") == 78 && strstr(d.run.err, "signed already"));
        CHECK(SAY(&d, "release pack @/content --publisher @/acme --stream edr-rules") == 0);
        CHECK(SAY(&d, "release sign edr-rules/2 --publisher @/acme") == 0 && strstr(d.run.out, "version 3, good for 90 d\nnext: firebreak release publish edr-rules/2"));
}

/* ---- publish ---- */

#define VERSION_SHA "4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865"
#define RULES_SHA "7bc865dba783f4b2046d88fdea0ef3adc72f1f90c24cae0dd5a22107d6d8829c"

#define HAS_VERSION { "GET /v1/artifacts/" VERSION_SHA, 206, "1" }
#define HAS_RULES { "GET /v1/artifacts/" RULES_SHA, 206, "r" }
#define LACKS_RULES { "GET /v1/artifacts/" RULES_SHA, 404, "{}" }

TEST(release_publish, sends_what_the_server_lacks_and_then_the_release)
{
        static const struct fake_answer script[] = {
                HAS_VERSION, LACKS_RULES, { "PUT /api/v1/artifacts/" RULES_SHA, 201, "{}" }, { "POST /api/v1/releases", 201, "{\"stream\":\"edr-rules\"}" },
        };
        OWN(desk) struct desk d;
        desk_open(&d);
        pack_and_sign(&d);
        CHECK(SAY_ONLINE(&d, "release publish edr-rules/1 --publisher @/acme", script) == 0 && strstr(d.run.out, "2 files, 1 of them new to the server"));
        CHECK(strstr(d.run.bodies, "rule a { condition: false }\n{\"targets\":{") == d.run.bodies && strstr(d.run.bodies, "\"note\":\"firebreak release v1\\nstream edr-rules\\n"));
        CHECK(strstr(d.run.bodies, "\"dossier\":{\"new_features\":[],\"risk\":\"r\",\"undo\":\"u\",\"what\":\"w\",\"why\":\"one\\ntwo\\n\"}") && !d.run.err[0]);
}

TEST(release_publish, says_the_same_when_all_is_there)
{
        static const struct fake_answer script[] = { HAS_VERSION, HAS_RULES, { "POST /api/v1/releases", 200, "{\"stream\":\"edr-rules\"}" } };
        OWN(desk) struct desk d;
        desk_open(&d);
        pack_and_sign(&d);
        CHECK(SAY_ONLINE(&d, "release publish edr-rules/1 --publisher @/acme", script) == 0 && strstr(d.run.out, "published edr-rules/1: 2 files, 0 of them new"));
        CHECK(SAY_ONLINE(&d, "release publish edr-rules/1 --publisher @/acme --json", script) == 0 && strstr(d.run.out, "\"stream\": \"edr-rules\""));
}

TEST(release_publish, goes_with_the_metadata_that_listed_it_first)
{
        static const struct fake_answer script[] = { HAS_VERSION, HAS_RULES, { "POST /api/v1/releases", 201, "{}" } };
        OWN(desk) struct desk d;
        desk_open(&d);
        pack_and_sign(&d);
        CHECK(SAY(&d, "release pack @/content --publisher @/acme --stream edr-rules") == 0 && SAY(&d, "release sign edr-rules/2 --publisher @/acme") == 0);
        CHECK(SAY_ONLINE(&d, "release publish edr-rules/1 --publisher @/acme", script) == 0);
        CHECK(strstr(d.run.bodies, "\"edr-rules/1\":") && !strstr(d.run.bodies, "edr-rules/2"));
        CHECK(SAY_ONLINE(&d, "release publish edr-rules/2 --publisher @/acme", script) == 0);
        CHECK(strstr(d.run.bodies, "\"edr-rules/1\":") && strstr(d.run.bodies, "\"edr-rules/2\":"));
}

TEST(release_publish, sends_nothing_that_would_be_refused)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        CHECK(SAY(&d, "release pack @/content --publisher @/acme --stream edr-rules") == 0);
        CHECK(SAY(&d, "release publish edr-rules/1 --publisher @/acme") == 78 && strstr(d.run.err, "`firebreak release sign` first"));
        CHECK(SAY(&d, "release sign edr-rules/1 --publisher @/acme") == 0);
        put(&d, "acme/releases/edr-rules/1/files/VERSION", "2\n");
        CHECK(SAY(&d, "release publish edr-rules/1 --publisher @/acme") == 1 && strstr(d.run.err, "VERSION is not what was packed"));
        put(&d, "acme/releases/edr-rules/1/files/VERSION", "1\n");
        CHECK(SAY(&d, "init @/other --no-passphrase") == 0 && SAY(&d, "release pack @/content --publisher @/other --stream edr-rules") == 0);
        CHECK(SAY(&d, "release sign edr-rules/1 --publisher @/other") == 0);
        char from[128], to[128];
        snprintf(from, sizeof(from), "%s/other/releases/edr-rules/1/note", d.path);
        snprintf(to, sizeof(to), "%s/acme/releases/edr-rules/1/note", d.path);
        CHECK(rename(from, to) == 0);
        CHECK(SAY(&d, "release publish edr-rules/1 --publisher @/acme") == 77);
}

TEST(release_publish, ends_at_the_first_refusal_with_the_servers_advice)
{
        static const struct fake_answer full[] = {
                HAS_VERSION, LACKS_RULES, { "PUT /api/v1/artifacts/" RULES_SHA, 507, "{\"status\":507,\"code\":\"FULL\",\"detail\":\"make room below DATA\"}" },
        };
        static const struct fake_answer older[] = {
                HAS_VERSION, HAS_RULES, { "POST /api/v1/releases", 409, "{\"status\":409,\"code\":\"ROLLBACK\",\"detail\":\"pack it with a higher one\"}" },
        };
        static const struct fake_answer gone[] = { HAS_VERSION, { "GET /v1/artifacts/" RULES_SHA, 0, "" } };
        OWN(desk) struct desk d;
        desk_open(&d);
        pack_and_sign(&d);
        CHECK(SAY_ONLINE(&d, "release publish edr-rules/1 --publisher @/acme", full) == 73 && strstr(d.run.err, "make room below DATA"));
        CHECK(SAY_ONLINE(&d, "release publish edr-rules/1 --publisher @/acme", older) == 77 && strstr(d.run.err, "pack it with a higher one"));
        CHECK(SAY_ONLINE(&d, "release publish edr-rules/1 --publisher @/acme", gone) == 69 && !d.run.out[0]);
}
