#include "lab/engine.h"

#include "lab/content.h"
#include "platform/child.h"
#include "support/sweep.h"

#include <signal.h>
#include <unistd.h>

static struct engine engine(const char *path)
{
        struct engine engine = { .log = NULL };
        CHECK(engine_open(path, &engine, NULL) == OK);
        return engine;
}

struct seen { int matches; char rule[64], path[256]; };

static void see(void *user, const struct engine_match *match)
{
        struct seen *seen = user;
        seen->matches++;
        snprintf(seen->rule, sizeof(seen->rule), "%s", match->rule);
        snprintf(seen->path, sizeof(seen->path), "%s", match->path);
}

static struct engine_answer scan(const char *program, const char *content, const char *path, struct seen *seen)
{
        struct engine tried = engine(program);
        struct engine_answer answer;
        *seen = (struct seen){ 0 };
        CHECK(engine_scan(&tried, &(struct engine_scan){ content, &path, 1, see, seen }, &answer, NULL) == OK);
        return answer;
}

/* What every device has: its own description. */
static void describe_system(const struct content *content, char path[static 128])
{
        content_put(content, "os-release", "PRETTY_NAME=\"Debian GNU/Linux 12\"\nHOME_URL=\"https://www.debian.org/\"\n");
        snprintf(path, 128, "%s/os-release", content->folder);
}

TEST(engine_open, knows_name_version_and_digest)
{
        struct engine newer = engine(YARAD), older = engine(YARAD_1);
        CHECK(strcmp(newer.name, "firebreak-yarad") == 0 && strcmp(newer.version, "2.1") == 0 && strcmp(older.version, "1.9") == 0);
        CHECK(strlen(newer.sha256) == 64 && strcmp(newer.sha256, older.sha256) != 0 && strstr(newer.walls, "rlimit"));
}

TEST(engine_open, survives_a_lack_of_memory)
{
        SWEEP_MEMORY {
                struct engine tried = { .log = NULL };
                enum err e = engine_open(YARAD, &tried, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}

TEST(engine_open, refuses_what_is_no_engine)
{
        struct engine tried = { .log = NULL };
        struct why why;
        CHECK(engine_open("/no/such/engine", &tried, &why) == ERR_NOT_FOUND);
        CHECK(engine_open("/bin/false", &tried, &why) == ERR_IO && strstr(why.text, "--version"));
        CHECK(engine_open("/dev/null", &tried, &why) == ERR_REFUSED && strstr(why.text, "/dev/null"));
}

TEST(engine_check, counts_the_rules_and_tells_what_does_not_load)
{
        OWN(content) struct content content = { "" };
        struct engine tried = engine(YARAD);
        struct engine_answer answer;
        content_make(&content);
        content_put(&content, "rules/b.yar", "rule b { condition: false }");
        CHECK(engine_check(&tried, content.folder, &answer, NULL) == OK);
        CHECK(answer.end == ENGINE_DONE && answer.rules == 2 && answer.warnings == 0);
        content_put(&content, "rules/b.yar", "rule b {\n condition: $nowhere }");
        CHECK(engine_check(&tried, content.folder, &answer, NULL) == OK);
        CHECK(answer.end == ENGINE_REFUSES && strstr(answer.text, "b.yar: line 2:") && strstr(answer.text, "$nowhere"));
        content_put(&content, "rules/b.yar", "include \"a.yar\"");
        CHECK(engine_check(&tried, content.folder, &answer, NULL) == OK && answer.end == ENGINE_REFUSES);
        CHECK(engine_check(&tried, "/no/such/folder", &answer, NULL) == OK && answer.end == ENGINE_REFUSES);
}

TEST(engine_check, tells_a_set_that_costs_too_much)
{
        OWN(content) struct content content = { "" };
        struct engine tried = engine(YARAD);
        struct engine_answer answer;
        const struct sandbox_limits tight = { .wall_ms = 1 };
        content_make(&content);
        tried.limits = &tight;
        CHECK(engine_check(&tried, content.folder, &answer, NULL) == OK && answer.end == ENGINE_DIED && strstr(answer.text, "no end within"));
}

TEST(engine_scan, tells_matches_and_files_that_were_not_scanned)
{
        OWN(content) struct content content = { "" };
        char planted[128];
        struct seen seen;
        content_make(&content);
        content_put(&content, "planted", "... " CANARY " ...");
        snprintf(planted, sizeof(planted), "%s/planted", content.folder);
        struct engine_answer answer = scan(YARAD, content.folder, planted, &seen);
        CHECK(answer.end == ENGINE_DONE && answer.files == 1 && answer.errors == 0 && answer.bytes == 29);
        CHECK(seen.matches == 1 && strcmp(seen.rule, "canary") == 0 && strcmp(seen.path, planted) == 0);
        answer = scan(YARAD, content.folder, "/no/such/file", &seen);
        CHECK(answer.end == ENGINE_DONE && answer.files == 0 && answer.errors == 1 && strstr(answer.first_error, "/no/such/file: not scanned"));
        CHECK(seen.matches == 0);
}

TEST(engine_scan, shows_that_the_planted_defect_kills_the_older_engine_and_not_the_newer)
{
        OWN(content) struct content content = { "" };
        char path[128];
        struct seen seen;
        content_make(&content);
        describe_system(&content, path);
        struct engine_answer answer = scan(YARAD, SETS "/4-kills-old-engine", path, &seen);
        CHECK(answer.end == ENGINE_DONE && answer.files == 1 && seen.matches == 1 && strcmp(seen.rule, "system_inventory") == 0);
        answer = scan(YARAD_1, SETS "/4-kills-old-engine", path, &seen);
        CHECK(answer.end == ENGINE_DIED && strstr(answer.text, "signal"));
        /* ... which loading does not show, nor any set before it. */
        struct engine older = engine(YARAD_1);
        CHECK(engine_check(&older, SETS "/4-kills-old-engine", &answer, NULL) == OK && answer.end == ENGINE_DONE);
        CHECK(scan(YARAD_1, SETS "/2-update", path, &seen).end == ENGINE_DONE);
}

/* The engine at work, outside the sandbox. */
struct device { struct content content; char watched[128], status[128], rules[128]; struct child child; };

static void device_release(struct device *device)
{
        child_kill(&device->child);
        content_release(&device->content);
}

static void device_start(struct device *device)
{
        const char *const argv[] = { YARAD, "--rules", device->rules, "--watch", device->watched, "--status", device->status, "--interval-ms", "10", NULL };
        CHECK(file_temporary(device->content.folder, NULL) == OK);
        snprintf(device->watched, sizeof(device->watched), "%s/watched", device->content.folder);
        snprintf(device->status, sizeof(device->status), "%s/status", device->content.folder);
        snprintf(device->rules, sizeof(device->rules), "%s/current", device->content.folder);
        CHECK(mkdir(device->watched, 0700) == 0 && symlink(SETS "/1-good", device->rules) == 0);
        CHECK(child_start(&(struct child_setup){ argv, -1, -1, -1, NULL, NULL, NULL }, &device->child, NULL) == OK);
}

/* Until the status file says so; the test's own time-out ends a wait in vain. */
static void await_status(const struct device *device, const char *wanted)
{
        for (;;) {
                OWN(buf) struct buf text;
                buf_init(&text, 4096);
                if (file_read(device->status, &text, NULL) == OK && strstr(buf_text(&text), wanted))
                        return;
                usleep(5000);
        }
}

/* Whole at once, or the engine may see it twice. */
static void put_watched(const struct device *device, const char *name, const char *text)
{
        char from[128], to[256];
        content_put(&device->content, name, text);
        snprintf(from, sizeof(from), "%s/%s", device->content.folder, name);
        snprintf(to, sizeof(to), "%s/%s", device->watched, name);
        CHECK(rename(from, to) == 0);
}

static void switch_to(const struct device *device, const char *rules)
{
        char fresh[160];
        snprintf(fresh, sizeof(fresh), "%s.new", device->rules);
        CHECK(symlink(rules, fresh) == 0 && rename(fresh, device->rules) == 0 && child_signal(&device->child, "HUP"));
}

TEST(yarad, watches_reloads_and_keeps_the_old_rules_when_the_new_do_not_load)
{
        OWN(device) struct device device = { .child = { 0 } };
        OWN(content) struct content broken = { "" };
        struct child_end end;
        device_start(&device);
        await_status(&device, "state=ok version=1 rules=3 scanned=0 matches=0 reloads=0\n");
        put_watched(&device, "a", "FIREBREAK-CANARY-7f3a9c51");
        await_status(&device, "version=1 rules=3 scanned=1 matches=1 reloads=0\n");
        put_watched(&device, "b", "nothing of interest");
        await_status(&device, "scanned=2 matches=1 ");
        switch_to(&device, SETS "/2-update");
        await_status(&device, "state=ok version=2 rules=4 scanned=4 matches=2 reloads=1\n");     /* both again */
        content_make(&broken);
        content_put(&broken, "rules/b.yar", "rule");
        switch_to(&device, broken.folder);
        await_status(&device, "state=error version=2 rules=4 scanned=4 matches=2 reloads=2\n");
        put_watched(&device, "c", "new");
        await_status(&device, "state=error version=2 rules=4 scanned=5 matches=2 ");             /* still at work */
        CHECK(child_signal(&device.child, "TERM"));
        while (!child_ended(&device.child, &end))
                usleep(5000);
        CHECK(!end.is_signal && end.code == 0);
}

TEST(yarad, says_how_it_is_used)
{
        static const char *const wrong[][5] = { { YARAD, NULL }, { YARAD, "--rules", NULL }, { YARAD, "--rules", "x", NULL }, { YARAD, "--once", NULL },
                                                { YARAD, "--rules", "x", "--once", NULL }, { YARAD, "--nonsense", "x", NULL }, { YARAD, "--interval-ms", "0", NULL } };
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                OWN(sandbox_result) struct sandbox_result result;
                sandbox_result_init(&result, 4096);
                CHECK(sandbox_run(&(struct sandbox_run){ .argv = wrong[i] }, &result, NULL) == OK);
                CHECK(!result.is_signal && result.code == 64 && strstr(buf_text(&result.errors), "usage:"));
        }
}
