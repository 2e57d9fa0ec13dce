#include "lab/session.h"

#include "format/json.h"
#include "lab/content.h"
#include "lab/legit.h"
#include "platform/paths.h"
#include "support/sweep.h"

static struct lab_options options(const char *release, const char *list)
{
        return (struct lab_options){ .release = release, .engine = YARAD, .stages = list, .platform = "linux-amd64" };
}

static const struct found *found(const struct session *session, const char *stage)
{
        for (size_t i = 0; i < session->count; i++)
                if (strcmp(session->results[i].stage->name, stage) == 0)
                        return &session->results[i].found;
        bool was_run = false;
        CHECK(was_run);
        return NULL;
}

TEST(session_run, passes_the_good_sets)
{
        static const char *const good[] = { SETS "/1-good", SETS "/2-update", SETS "/4-kills-old-engine", SETS "/5-goes-dark" };
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
                OWN(session) struct session session = { 0 };
                struct lab_options wanted = options(good[i], "S1,S2,S4");
                CHECK(session_run(&wanted, &session, NULL) == OK && session.count == 3);
                if (session_exit(&session))
                        fprintf(stderr, "%s: %s\n", good[i], session.results[2].found.why);
                CHECK(session_exit(&session) == 0 && session_status(&session) == RECORD_PASS);
                CHECK(found(&session, "S4")->saw.canary && found(&session, "S4")->saw.files == (int64_t)session.legit->count + 1);
        }
}

TEST(session_run, fails_a_set_that_matches_ls_and_names_it)
{
        OWN(session) struct session session = { 0 };
        OWN(buf) struct buf text, json;
        struct lab_options wanted = options(SETS "/3-flags-ls", "S4,S1");
        buf_init(&text, 1 << 16);
        buf_init(&json, 1 << 16);
        CHECK(session_run(&wanted, &session, NULL) == OK && session.count == 2 && session_exit(&session) == 1);
        const struct found *legit = found(&session, "S4");
        CHECK(legit->status == RECORD_FAIL && legit->is_critical && legit->failed >= 1 && strstr(legit->why, "rule trojaned_listing matches /") && strstr(legit->why, "/bin/ls (boot-critical"));
        CHECK(found(&session, "S1")->status == RECORD_PASS);
        CHECK(session_print(&session, &text, NULL) == OK && strstr(buf_text(&text), "/bin/ls") && strstr(buf_text(&text), "FAIL: the content is at fault"));
        CHECK(session_print_json(&session, &json, NULL) == OK);
        OWN(json) struct json *parsed = NULL;
        CHECK(json_parse(buf_text(&json), json.length, 1 << 16, &parsed, NULL) == OK);
        CHECK(strcmp(json_text(json_get(parsed, "status")), "FAIL") == 0 && json_count(json_get(parsed, "records")) == 2);
}

TEST(session_run, fails_what_the_engine_does_not_load_or_loads_in_part)
{
        static const struct { const char *path, *text, *why; } cases[] = {
                { "rules/b.yar", "rule b { condition: $x }", "b.yar: line 1:" },
                { "elsewhere.yar", "rule b { condition: false }", "loaded 1 rules of 2 that the content declares" },
                { "rules/b.yar", "rule b { strings: $a = /.*/ condition: $a }", "warnings" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(content) struct content content = { "" };
                OWN(session) struct session session = { 0 };
                struct lab_options wanted = options(content.folder, "S2");
                content_make(&content);
                content_put(&content, cases[i].path, cases[i].text);
                CHECK(session_run(&wanted, &session, NULL) == OK);
                if (session_exit(&session) != 1 || !strstr(found(&session, "S2")->why, cases[i].why))
                        fprintf(stderr, "case %zu: %s\n", i, found(&session, "S2")->why);
                CHECK(session_exit(&session) == 1 && strstr(found(&session, "S2")->why, cases[i].why));
        }
}

TEST(session_run, proves_nothing_without_a_canary_that_is_found)
{
        static const char *const dossiers[] = { "what: a\nwhy: b\nrisk: c\nundo: d\n", "what: a\nwhy: b\nrisk: c\nundo: d\ncanary: another text\n" };
        for (size_t i = 0; i < 2; i++) {
                OWN(content) struct content content = { "" };
                OWN(session) struct session session = { 0 };
                struct lab_options wanted = options(content.folder, "S4");
                content_make(&content);
                content_put(&content, "dossier.yaml", dossiers[i]);
                CHECK(session_run(&wanted, &session, NULL) == OK && session_exit(&session) == 2);
                CHECK(found(&session, "S4")->status == RECORD_ERROR && strstr(found(&session, "S4")->why, "canary") && !found(&session, "S4")->saw.canary);
        }
}


/* S4 against files of our own choice. */
static struct found try_legit(const char *release, const char *program, const char *const *files)
{
        const char *const none[] = { NULL };
        OWN(candidate) struct candidate *candidate = NULL;
        OWN(legit) struct legit *legit = NULL;
        struct engine engine = { .log = NULL };
        struct found found;
        char scratch[64];
        CHECK(candidate_open(release, &candidate, NULL) == OK && engine_open(program, &engine, NULL) == OK && file_temporary(scratch, NULL) == OK);
        CHECK(legit_open(&(struct legit_lists){ files, none, "/nonexistent" }, none, &legit, NULL) == OK);
        stage_try(stage_named("S4", 2), &(struct trial){ .candidate = candidate, .engine = &engine, .legit = legit, .scratch = scratch }, &found);
        file_remove_tree(scratch);
        return found;
}

TEST(stage_legit, is_an_error_when_there_was_nothing_to_look_at)
{
        const char *const none[] = { NULL }, *const absent[] = { "/no/such/*", NULL };
        CHECK(try_legit(SETS "/1-good", YARAD, none).status == RECORD_ERROR);
        struct found found = try_legit(SETS "/1-good", YARAD, absent);
        CHECK(found.status == RECORD_ERROR && strstr(found.why, "nothing was proven") && found.failed == 0);
}

TEST(stage_legit, fails_content_that_kills_the_engine)
{
        OWN(content) struct content content = { "" };
        char path[128];
        content_make(&content);
        content_put(&content, "os-release", "PRETTY_NAME=\"Debian\"\nHOME_URL=\"https://www.debian.org/\"\n");
        snprintf(path, sizeof(path), "%s/os-release", content.folder);
        const char *const files[] = { path, NULL };
        struct found found = try_legit(SETS "/4-kills-old-engine", YARAD_1, files);
        CHECK(found.status == RECORD_FAIL && strstr(found.why, "the engine died: signal"));
}

TEST(session_run, signs_what_it_found_so_that_the_gate_can_believe_it)
{
        OWN(content) struct content content = { "" };
        OWN(session) struct session session = { 0 };
        OWN(buf) struct buf pem, envelope;
        OWN(record) struct record record = { 0 };
        struct secret_key key;
        struct vkey lab;
        char key_path[128], out[128];
        static const char target[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        buf_init(&pem, KEY_PEM_MAX);
        buf_init(&envelope, DSSE_BYTES_MAX);
        secret_key_make((const uint8_t[32]){ 7 }, &key);
        CHECK(key_pem_write(&key, NULL, &pem, NULL) == OK && vkey_make("lab.acme", &key.public, &lab, NULL) == OK);
        content_make(&content);
        content_put_bytes(&content, "lab.pem", buf_text(&pem), pem.length);
        snprintf(key_path, sizeof(key_path), "%s/lab.pem", content.folder);
        snprintf(out, sizeof(out), "%s/out", content.folder);
        struct lab_options wanted = options(SETS "/3-flags-ls", "S1,S2,S4");
        wanted.key = key_path;
        wanted.origin = "lab.acme";
        wanted.target = target;
        wanted.subject = "edr-rules/3";
        wanted.out = out;
        CHECK(session_run(&wanted, &session, NULL) == OK && session.count == 3);
        CHECK(file_read(session.results[2].evidence, &envelope, NULL) == OK);
        CHECK(record_open(&envelope, &(struct dsse_keys){ &lab, 1 }, &record, NULL) == OK);
        CHECK(strcmp(record.stream, "edr-rules") == 0 && record.counter == 3 && strcmp(record.target, target) == 0 && strcmp(record.stage, "S4") == 0);
        CHECK(record.status == RECORD_FAIL && record.is_critical && strstr(record.why, "/bin/ls") && strcmp(record.engine.version, "2.1") == 0);
        CHECK(record.saw.canary && record.saw.rules == 5 && record.cases == record.saw.files && strstr(record.limits, "rlimit"));
        CHECK(strcmp(record.corpus, session.legit->digest) == 0 && strcmp(record.log, session.results[2].log_sha256) == 0);
        CHECK(file_kind(session.results[0].evidence) == FILE_REGULAR && file_kind(session.results[1].log) == FILE_REGULAR);
}

TEST(session_run, says_what_is_missing_or_does_not_fit)
{
        struct why why;
        struct lab_options wrong = options("/no/such/release", "S1");
        OWN(session) struct session session = { 0 };
        CHECK(session_run(&wrong, &session, &why) == ERR_NOT_FOUND && strstr(why.text, "/no/such/release"));
        session_done(&session);
        wrong = options(SETS "/1-good", "S1");
        wrong.engine = "/no/such/engine";
        CHECK(session_run(&wrong, &session, &why) == ERR_NOT_FOUND && strstr(why.text, "/no/such/engine"));
        session_done(&session);
        wrong.subject = "edr-rules";
        CHECK(session_run(&wrong, &session, &why) == ERR_USAGE && strstr(why.text, "STREAM/COUNTER"));
}

TEST(lab_options_read, takes_what_the_manual_says_and_names_what_is_wrong)
{
        static const struct { char *argv[8]; const char *why; } wrong[] = {
                { { "lab", NULL }, "say `run`" }, { { "lab", "walk", NULL }, "say `run`" }, { { "lab", "run", NULL }, "--release is missing" },
                { { "lab", "run", "--release", NULL }, "--release needs a value" }, { { "lab", "run", "--relase", "x", NULL }, "did you mean --release?" },
                { { "lab", "run", "--release", "x", NULL }, "--engine is missing" },
                { { "lab", "run", "--release=x", NULL }, "no option" },
        };
        struct lab_options read;
        struct why why;
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                CHECK(lab_options_read(wrong[i].argv, &read, &why) == ERR_USAGE && strstr(why.text, wrong[i].why));
        char *bad[] = { "lab", "run", "--release", "x", "--engine", "y", "--stages", "S1,S3", NULL };
        CHECK(lab_options_read(bad, &read, &why) == ERR_USAGE && strstr(why.text, "S3"));
        bad[7] = "S2,S4";
        CHECK(lab_options_read(bad, &read, &why) == OK && strcmp(read.stages, "S2,S4") == 0 && strncmp(read.platform, "linux-", 6) == 0 && !read.is_json);
        char *keyed[] = { "lab", "run", "--release", "x", "--engine", "y", "--key", "k", NULL };
        CHECK(lab_options_read(keyed, &read, &why) == ERR_USAGE && strstr(why.text, "--origin"));
}

TEST(legit_open, lists_each_file_once_and_sees_what_was_changed)
{
        OWN(content) struct content content = { "" };
        char info[128], ls[PATH_MAX], cat[PATH_MAX];
        const char *const none[] = { NULL }, *const packages[] = { "coreutils", NULL }, *const patterns[] = { "/bin/ls", "/usr/bin/ls", "/bin/cat", NULL };
        CHECK(paths_real("/bin/ls", ls, NULL) == OK && paths_real("/bin/cat", cat, NULL) == OK);
        content_make(&content);
        snprintf(info, sizeof(info), "%s", content.folder);
        content_put(&content, "coreutils.md5sums", "00000000000000000000000000000000  bin/ls\n00000000000000000000000000000000  usr/share/doc/x\nnonsense\n");
        SWEEP_MEMORY {
                OWN(legit) struct legit *legit = NULL;
                enum err e = legit_open(&(struct legit_lists){ patterns, packages, info }, none, &legit, NULL);
                CHECK(e ? !legit : legit->count == 2 && strlen(legit->digest) == 64);
                CHECK(e || (legit_find(legit, ls) && legit_find(legit, ls)->is_changed));
                CHECK(e || (legit_find(legit, cat) && !legit_find(legit, cat)->is_changed));
                CHECK(e || !legit_find(legit, "/etc/passwd"));
        }
}
