#include "lab/stage.h"

#include "lab/content.h"
#include "support/sweep.h"

#include <unistd.h>

static struct found check(const struct content *content, const struct content *baseline)
{
        OWN(candidate) struct candidate *candidate = NULL, *before = NULL;
        struct found found;
        CHECK(candidate_open(content->folder, &candidate, NULL) == OK);
        CHECK(!baseline || candidate_open(baseline->folder, &before, NULL) == OK);
        stage_try(stage_named("S1", 2), &(struct trial){ .candidate = candidate, .baseline = before }, &found);
        return found;
}

TEST(stage_static, passes_good_content_and_says_what_it_saw)
{
        OWN(content) struct content content = { "" };
        content_make(&content);
        content_put(&content, "VERSION", "1\n");
        struct found found = check(&content, NULL);
        CHECK(found.status == RECORD_PASS && !found.why[0] && found.failed == 0 && found.cases == 2);
        CHECK(found.saw.files == 2 && found.saw.rules == 1);
}

/* lab.md, section 6: what must not get past S1. */
TEST(stage_static, refuses_bad_content_and_names_it)
{
        static const struct { const char *name, *bytes; size_t length; const char *why; } cases[] = {
                { "rules/a.yar", "", 0, "rules/a.yar is empty" },
                { "rules/a.yar", "\0\0\0\0", 4, "rules/a.yar is not text" },
                { "rules/a.yar", "rule a { meta: x = \"\xff\" condition: false }", 39, "rules/a.yar is not text" },
                { "rules/a.yar", "/* later */", 11, "has no rule in it" },
                { "rules/b.yar", "include \"/etc/passwd\"\nrule b { condition: false }", 48, "rules/b.yar:1: includes \"/etc/passwd\"" },
                { "rules/b.yar", "include \"../../x.yar\"\nrule b { condition: false }", 48, "includes \"../../x.yar\"" },
                { "rules/b.yac", "YARA", 4, "rules/b.yac holds compiled rules" },
                { "rules/b.yar", CANARY_RULE, sizeof(CANARY_RULE) - 1, "two rules are named canary: rules/a.yar:1 and rules/b.yar:1" },
                { "rules/b.yar", "rule all { condition: filesize > 0 }", 36, "rules/b.yar:1: rule all matches every file" },
                { "rules/b.yar", "\nrule l { condition: for all i in (1..4000000000) : (i) }", 56, "rules/b.yar:2: rule l has a loop" },
                { "dossier.yaml", "what: x\n", 8, "dossier.yaml" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(content) struct content content = { "" };
                content_make(&content);
                content_put_bytes(&content, cases[i].name, cases[i].bytes, cases[i].length);
                struct found found = check(&content, NULL);
                if (found.status != RECORD_FAIL || !strstr(found.why, cases[i].why))
                        fprintf(stderr, "case %zu: %s: %s\n", i, record_status_name(found.status), found.why);
                CHECK(found.status == RECORD_FAIL && strstr(found.why, cases[i].why) && found.failed >= 1 && found.failed <= found.cases);
        }
}

TEST(stage_static, refuses_links_and_pipes)
{
        OWN(content) struct content content = { "" };
        char path[128];
        content_make(&content);
        snprintf(path, sizeof(path), "%s/rules/b.yar", content.folder);
        CHECK(symlink("/etc/passwd", path) == 0);
        snprintf(path, sizeof(path), "%s/pipe", content.folder);
        CHECK(mkfifo(path, 0600) == 0);
        struct found found = check(&content, NULL);
        CHECK(found.status == RECORD_FAIL && found.failed == 2 && strstr(found.why, "rules/b.yar is a symbolic link") && strstr(found.why, "pipe is no file"));
}

TEST(stage_static, refuses_content_that_lost_more_than_half_of_its_rules)
{
        OWN(content) struct content content = { "" };
        OWN(content) struct content before = { "" };
        content_make(&content);
        content_make(&before);
        content_put(&before, "rules/b.yar", "rule b { condition: false }");
        CHECK(check(&content, &before).status == RECORD_PASS);           /* half of them: allowed */
        content_put(&before, "rules/c.yar", "rule c { condition: false }");
        struct found found = check(&content, &before);
        CHECK(found.status == RECORD_FAIL && strstr(found.why, "1 rules, and devices run 3 now"));
}

TEST(stage_static, counts_the_faults_that_its_sentence_has_no_room_for)
{
        OWN(content) struct content content = { "" };
        content_make(&content);
        for (int i = 0; i < 60; i++) {
                char name[64];
                snprintf(name, sizeof(name), "rules/a_rather_long_name_for_compiled_rules_%02d.yac", i);
                content_put(&content, name, "x");
        }
        struct found found = check(&content, NULL);
        CHECK(found.failed == 60 && strlen(found.why) <= RECORD_WHY_MAX && strstr(found.why, "; and ") && strcmp(found.why + strlen(found.why) - 5, " more") == 0);
}

TEST(candidate_open, tells_a_missing_folder_and_a_broken_note)
{
        OWN(content) struct content content = { "" };
        struct candidate *candidate = NULL;
        struct why why;
        CHECK(candidate_open("/no/such/release", &candidate, &why) == ERR_NOT_FOUND && strstr(why.text, "/no/such/release"));
        content_make(&content);
        content_put(&content, "note", "not a note");
        CHECK(candidate_open(content.folder, &candidate, &why) == ERR_SYNTAX && strstr(why.text, "note") && !candidate);
}

TEST(candidate_open, is_whole_or_nothing_when_memory_runs_out)
{
        OWN(content) struct content content = { "" };
        content_make(&content);
        SWEEP_MEMORY {
                OWN(candidate) struct candidate *candidate = NULL;
                enum err e = candidate_open(content.folder, &candidate, NULL);
                CHECK(e ? !candidate : candidate && candidate->name_count == 1 && candidate->canary);
        }
}
