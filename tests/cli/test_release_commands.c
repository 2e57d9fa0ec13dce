/* pack, sign, publish and lab run as a person types them: real folders, a stored server, a stand-in for firebreak-lab. */
#include "cli/desk.h"
#include "support/sweep.h"
#include "platform/file.h"
#include "platform/lock.h"

#include <sys/stat.h>

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

static void desk_open(struct desk *desk)
{
        desk_init(desk);
        CHECK(say(desk, "init @/acme --no-passphrase") == 0);
        put(desk, "engine", "stands for one");
        make_folder(desk, "content");
        make_folder(desk, "content/rules");
        put(desk, "content/VERSION", "1\n");
        put(desk, "content/rules/main.yar", "rule a { condition: false }\n");
        put(desk, "content/dossier.yaml", "what: w\nwhy: |\n  one\n  two\nrisk: r\nundo: u\n");
}

static void pack_and_sign(struct desk *desk)
{
        CHECK(say(desk, "release pack @/content --publisher @/acme --stream edr-rules") == 0);
        CHECK(say(desk, "release sign edr-rules/1 --publisher @/acme") == 0);
}

/* publisher_open(), release_folder_open() and all that signing needs. */
TEST(release_sign, survives_a_lack_of_memory_and_signs_all_or_nothing)
{
        OWN(desk) struct desk d;
        unsigned failed = 0;
        desk_open(&d);
        CHECK(say(&d, "release pack @/content --publisher @/acme --stream edr-rules") == 0);
        SWEEP_MEMORY {
                int code = say(&d, "release sign edr-rules/1 --publisher @/acme");
                bool is_done = code == err_info(ERR_REFUSED)->exit && strstr(d.run.err, "it is signed already");
                CHECK(is_done || code == 0 || code == err_info(ERR_NOMEM)->exit);
                failed += code == err_info(ERR_NOMEM)->exit;
        }
        CHECK(failed > 20 && say(&d, "release sign edr-rules/1 --publisher @/acme") != 0 && strstr(d.run.err, "it is signed already"));
}

TEST(release_pack, tells_people_and_programs_what_it_made)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        CHECK(say(&d, "release pack @/content --publisher @/acme --stream edr-rules --ceiling 0:0.1% --ceiling 1h:25% --ceiling 3d:100%") == 0);
        CHECK(strstr(d.run.out, "0.1% after 0 s, 25% after 60 min, 100% after 3 d") && strstr(d.run.out, "next: firebreak release sign edr-rules/1 --publisher /tmp/"));
        CHECK(say(&d, "release pack @/content --publisher @/acme --stream edr-rules --platform linux-amd64 --platform linux-arm64 --version two --json") == 0);
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
                { "lab run edr-rules/1 --publisher @/acme --engine @/engine", "`firebreak release pack` makes one", 66 },
                { "lab run edr-rules/1 --publisher @/acme", "give --engine PATH", 64 },
                { "lab run @/content --engine @/engine --upload", "pack and sign it first", 64 },
                { "lab run norules --engine @/engine", "there is no folder norules, and it names no release; write STREAM/COUNTER", 64 },
                { "lab run @/content --engine @/mistyped", "mistyped; --engine takes", 66 },
                { "lab run @/content --engine @/engine --baseline @/nowhere", "nowhere; --baseline takes", 66 },
        };
        OWN(desk) struct desk d;
        desk_open(&d);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                int code = say(&d, cases[i].line);
                if (code != cases[i].code || !strstr(d.run.err, cases[i].says))
                        printf("# %s: %d %s\n", cases[i].line, code, d.run.err);
                CHECK(code == cases[i].code && strstr(d.run.err, cases[i].says) && !d.run.out[0]);
        }
}

TEST(release_pack, warns_of_a_ceiling_that_some_devices_never_pass)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        CHECK(say(&d, "release pack @/content --publisher @/acme --stream edr-rules --ceiling 0:0.5%") == 0 && strstr(d.run.err, "the ceiling ends at 0.5% of the devices"));
        CHECK(say(&d, "release pack @/content --publisher @/acme --stream edr-rules --ceiling 0:0 --ceiling 1h:100%") == 0 && !d.run.err[0]);
        CHECK(say(&d, "release pack @/content --publisher @/acme --stream edr-rules") == 0 && !d.run.err[0]);
}

/* A folder beside it whose name begins alike is another folder. */
TEST(release_pack, takes_a_neighbour_of_the_publishers_folder)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        make_folder(&d, "acme-rules");
        put(&d, "acme-rules/a", "x");
        put(&d, "acme-rules/dossier.yaml", "what: w\nwhy: y\nrisk: r\nundo: u\n");
        CHECK(say(&d, "release pack @/acme-rules --publisher @/acme --stream edr-rules") == 0);
}

TEST(release_sign, tells_the_name_that_the_release_has_from_now_on)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        CHECK(say(&d, "release pack @/content --publisher @/acme --stream edr-rules") == 0);
        CHECK(say(&d, "release sign edr-rules/1 --publisher @/acme --json") == 0 && strstr(d.run.out, "\"metadata\": 2") && strstr(d.run.out, "\"target\": \""));
        CHECK(strstr(d.run.out, "\"next\": \"firebreak release publish edr-rules/1 --publisher /"));
        CHECK(holds(&d, "acme/metadata/targets.json", "\"edr-rules/1\""));
        CHECK(say(&d, "release sign edr-rules/1 --publisher @/acme") == 78 && strstr(d.run.err, "signed already"));
        CHECK(say(&d, "release pack @/content --publisher @/acme --stream edr-rules") == 0);
        CHECK(say(&d, "release sign edr-rules/2 --publisher @/acme") == 0 && strstr(d.run.out, "version 3, good for 90 d\nnext: firebreak release publish edr-rules/2"));
}

TEST(release_sign, refuses_a_key_that_others_may_read)
{
        OWN(desk) struct desk d;
        char path[128];
        desk_open(&d);
        CHECK(say(&d, "release pack @/content --publisher @/acme --stream edr-rules") == 0);
        snprintf(path, sizeof(path), "%s/acme/offline/targets.pem", d.path);
        CHECK(chmod(path, 0644) == 0 && say(&d, "release sign edr-rules/1 --publisher @/acme") == 78 && strstr(d.run.err, "offline/targets.pem") && strstr(d.run.err, "chmod 600"));
        CHECK(chmod(path, 0600) == 0 && say(&d, "release sign edr-rules/1 --publisher @/acme") == 0);
}

TEST(release_sign, leaves_the_folder_to_whoever_holds_it)
{
        OWN(desk) struct desk d;
        char path[128];
        int lock = -1;
        desk_open(&d);
        snprintf(path, sizeof(path), "%s/acme/lock", d.path);
        CHECK(say(&d, "release pack @/content --publisher @/acme --stream edr-rules") == 0);
        CHECK(lock_take(path, 0, &lock, NULL) == OK);
        CHECK(say(&d, "release sign edr-rules/1 --publisher @/acme") == 75 && strstr(d.run.err, "held by another process"));
        CHECK(say(&d, "release publish edr-rules/1 --publisher @/acme") == 78 && strstr(d.run.err, "is not signed"));
        lock_give(lock);
        CHECK(say(&d, "release sign edr-rules/1 --publisher @/acme") == 0);
}

/* What a signature that was cut short left: its step is written, and not yet carried out. */
TEST(release_sign, is_finished_by_whatever_command_comes_next)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        CHECK(say(&d, "release pack @/content --publisher @/acme --stream edr-rules") == 0);
        put(&d, "acme/metadata/next", "{\"releases/edr-rules/1/note\":\"finished\",\"metadata/targets.json\":\"listed\"}");
        CHECK(say(&d, "release publish edr-rules/1 --publisher @/acme") != 0 && holds(&d, "acme/releases/edr-rules/1/note", "finished"));
        CHECK(holds(&d, "acme/metadata/targets.json", "listed") && !holds(&d, "acme/metadata/next", ""));
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

TEST(release_publish, goes_with_the_newest_metadata)
{
        static const struct fake_answer script[] = { HAS_VERSION, HAS_RULES, { "POST /api/v1/releases", 201, "{\"stream\":\"edr-rules\"}" } };
        OWN(desk) struct desk d;
        desk_open(&d);
        pack_and_sign(&d);
        CHECK(say(&d, "release pack @/content --publisher @/acme --stream edr-rules") == 0 && say(&d, "release sign edr-rules/2 --publisher @/acme") == 0);
        CHECK(SAY_ONLINE(&d, "release publish edr-rules/1 --publisher @/acme", script) == 0);
        CHECK(strstr(d.run.bodies, "\"edr-rules/1\":") && strstr(d.run.bodies, "\"edr-rules/2\":"));
}

TEST(release_publish, sends_nothing_that_would_be_refused)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        CHECK(say(&d, "release pack @/content --publisher @/acme --stream edr-rules") == 0);
        CHECK(say(&d, "release publish edr-rules/1 --publisher @/acme") == 78 && strstr(d.run.err, "`firebreak release sign` first"));
        CHECK(say(&d, "release sign edr-rules/1 --publisher @/acme") == 0);
        put(&d, "acme/releases/edr-rules/1/files/VERSION", "2\n");
        CHECK(say(&d, "release publish edr-rules/1 --publisher @/acme") == 1 && strstr(d.run.err, "VERSION is not what was packed"));
        put(&d, "acme/releases/edr-rules/1/files/VERSION", "1\n");
        CHECK(say(&d, "init @/other --no-passphrase") == 0 && say(&d, "release pack @/content --publisher @/other --stream edr-rules") == 0);
        CHECK(say(&d, "release sign edr-rules/1 --publisher @/other") == 0);
        char from[128], to[128];
        snprintf(from, sizeof(from), "%s/other/releases/edr-rules/1/note", d.path);
        snprintf(to, sizeof(to), "%s/acme/releases/edr-rules/1/note", d.path);
        CHECK(rename(from, to) == 0);
        CHECK(say(&d, "release publish edr-rules/1 --publisher @/acme") == 77);
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

/* ---- lab run ---- */

#define RECORD(stage, status) "{\"stage\":\"" stage "\",\"check\":\"c\",\"status\":\"" status "\",\"saw\":{\"files\":3,\"rules\":1},\"critical\":false,\"why\":\"\",\"evidence\":\"$out/" stage ".dsse.json\"}"

/* Notes how it was called, reads what it is given, says what it found. `ends` is shell. */
static void put_lab(struct desk *desk, const char *ends)
{
        char text[4096], path[256];
        snprintf(text, sizeof(text), "#!/bin/sh\necho \"$@\" > %s/asked\ncat > %s/given\nout=%s/none\n"
                                     "while [ $# -gt 0 ]; do [ \"$1\" = --out ] && out=$2; shift; done\nmkdir -p \"$out\"\n%s\n", desk->path, desk->path, desk->path, ends);
        put(desk, "firebreak-lab", text);
        snprintf(path, sizeof(path), "%s/firebreak-lab", desk->path);
        CHECK(chmod(path, 0700) == 0);
        snprintf(path, sizeof(path), "%s:/usr/bin:/bin", desk->path);
        CHECK(setenv("PATH", path, 1) == 0);
}

static const char finds_harm[] = "for s in S1 S4; do echo '{\"of\":\"'$s'\"}' > $out/$s.dsse.json; done\n"
                                 "cat << end\n{\"release\":\"edr-rules/1\",\"target\":\"t\",\"engine\":{\"name\":\"e\",\"version\":\"9.9\"},\"limits\":\"all\",\"status\":\"FAIL\",\"records\":["
                                 RECORD("S1", "PASS") "," RECORD("S4", "FAIL") "]}\nend\nexit 1";

TEST(lab_run, names_the_release_and_keeps_the_evidence_with_it)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        pack_and_sign(&d);
        put_lab(&d, finds_harm);
        CHECK(say(&d, "lab run edr-rules/1 --publisher @/acme --engine @/engine --stages S1,S4 --baseline @/content") == 1 && !d.run.err[0]);
        CHECK(strstr(d.run.out, "S4     c      FAIL") && strstr(d.run.out, "9.9") && strstr(d.run.out, "acme/releases/edr-rules/1/evidence"));
        CHECK(holds(&d, "asked", "--origin lab.acme --subject edr-rules/1") && holds(&d, "asked", "/engine --stages S1,S4 --baseline"));
        CHECK(holds(&d, "acme/releases/edr-rules/1/evidence/S4.dsse.json", "S4") && !holds(&d, "asked", "passphrase"));
        CHECK(say(&d, "lab run edr-rules/1 --publisher @/acme --engine @/engine --out @/kept --json") == 1 && strstr(d.run.out, "\"status\": \"FAIL\""));
        CHECK(holds(&d, "kept/S1.dsse.json", "S1"));
}

TEST(lab_run, gives_the_server_bad_findings_too)
{
        static const struct fake_answer script[] = {
                { "GET /api/v1/releases/edr-rules/1", 200, "{\"stream\":\"edr-rules\"}" },
                { "POST /api/v1/releases/edr-rules/1/evidence", 503, "{\"status\":503,\"code\":\"UNAVAILABLE\",\"detail\":\"again in a minute\"}" },
                { "POST /api/v1/releases/edr-rules/1/evidence", 201, "{\"stream\":\"edr-rules\"}" },
        };
        static const struct fake_answer both[] = {
                { "GET /api/v1/releases/edr-rules/1", 200, "{\"stream\":\"edr-rules\"}" },
                { "POST /api/v1/releases/edr-rules/1/evidence", 201, "{\"stream\":\"edr-rules\"}" }, { "POST /api/v1/releases/edr-rules/1/evidence", 201, "{\"stream\":\"edr-rules\"}" },
        };
        OWN(desk) struct desk d;
        desk_open(&d);
        pack_and_sign(&d);
        put_lab(&d, finds_harm);
        CHECK(SAY_ONLINE(&d, "lab run edr-rules/1 --publisher @/acme --engine @/engine --upload", both) == 1);
        CHECK(strcmp(d.run.bodies, "{\"of\":\"S1\"}\n{\"of\":\"S4\"}\n") == 0 && strstr(d.run.out, "the server has the evidence"));
        CHECK(SAY_ONLINE(&d, "lab run edr-rules/1 --publisher @/acme --engine @/engine --upload", script) == 69);
        CHECK(strstr(d.run.bodies, "S4") && strstr(d.run.err, "again in a minute") && strstr(d.run.out, "FAIL") && !strstr(d.run.out, "the server has"));
}

TEST(lab_run, tries_a_release_that_nobody_has_signed_yet)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        put_lab(&d, finds_harm);
        CHECK(say(&d, "release pack @/content --publisher @/acme --stream edr-rules") == 0);
        CHECK(say(&d, "lab run edr-rules/1 --publisher @/acme --engine @/engine") == 1 && !d.run.err[0] && holds(&d, "asked", "--subject edr-rules/1"));
}

TEST(lab_run, begins_only_when_its_evidence_can_count)
{
        static const struct fake_answer absent[] = { { "GET /api/v1/releases/edr-rules/1", 404, "{\"status\":404,\"code\":\"NOT_FOUND\",\"detail\":\"none\"}" } };
        OWN(desk) struct desk d;
        desk_open(&d);
        put_lab(&d, finds_harm);
        CHECK(say(&d, "release pack @/content --publisher @/acme --stream edr-rules") == 0);
        CHECK(say(&d, "lab run edr-rules/1 --publisher @/acme --engine @/engine --upload") == 78 && strstr(d.run.err, "try it without --upload"));
        CHECK(say(&d, "release sign edr-rules/1 --publisher @/acme") == 0);
        CHECK(SAY_ONLINE(&d, "lab run edr-rules/1 --publisher @/acme --engine @/engine --upload", absent) == 66 && strstr(d.run.err, "`firebreak release publish` first"));
        CHECK(!holds(&d, "asked", ""));
}

TEST(lab_run, says_when_the_lab_itself_broke)
{
        static const struct { const char *ends, *says; int code; } cases[] = {
                { "exit 2", "could not begin", 2 }, { "echo nonsense", "another version", 65 }, { "kill -9 $$", "its own words are above", 74 },
                { "exit 64", "its own words are above", 64 }, { "echo '{\"status\":\"ERROR\",\"records\":[]}'; exit 2", "", 2 },
        };
        OWN(desk) struct desk d;
        desk_open(&d);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                put_lab(&d, cases[i].ends);
                int code = say(&d, "lab run @/content --engine @/engine");
                if (code != cases[i].code || !strstr(d.run.err, cases[i].says))
                        printf("# %s: %d %s\n", cases[i].ends, code, d.run.err);
                CHECK(code == cases[i].code && strstr(d.run.err, cases[i].says));
        }
        CHECK(holds(&d, "asked", "run --json --release") && !holds(&d, "asked", "--key"));
}

TEST(lab_run, hands_the_passphrase_over_where_nobody_sees_it)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        put_lab(&d, finds_harm);
        put(&d, "words", "correct horse\n");
        CHECK(say(&d, "init @/locked --passphrase-file @/words") == 0 && say(&d, "release pack @/content --publisher @/locked --stream edr-rules") == 0);
        CHECK(say(&d, "release sign edr-rules/1 --publisher @/locked --passphrase-file @/words") == 0);
        CHECK(say(&d, "lab run edr-rules/1 --publisher @/locked --engine @/engine --passphrase-file @/words") == 1);
        CHECK(holds(&d, "given", "correct horse") && holds(&d, "asked", "--passphrase-file /dev/stdin") && !holds(&d, "asked", "horse"));
        put(&d, "words", "wrong horse\n");
        CHECK(say(&d, "lab run edr-rules/1 --publisher @/locked --engine @/engine --passphrase-file @/words") == 77 && strstr(d.run.err, "wrong passphrase"));
}
