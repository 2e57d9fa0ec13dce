#include "lab/rulescan.h"

#include "support/test.h"

#include <stdbool.h>
#include <string.h>

struct heard {
        unsigned count[4];
        char last[4][64];
        unsigned line[4];
};

static void hear(void *user, const struct rulescan_event *event)
{
        struct heard *heard = user;
        heard->count[event->kind]++;
        heard->line[event->kind] = event->line;
        snprintf(heard->last[event->kind], sizeof(heard->last[0]), "%.*s", (int)event->name_length, event->name);
}

static struct heard scan(const char *text)
{
        struct heard heard = { 0 };
        rulescan(text, strlen(text), hear, &heard);
        return heard;
}

#define RULE(condition) "rule r { condition: " condition " }"

TEST(rulescan, counts_rules_and_nothing_that_only_looks_like_one)
{
        static const struct { const char *text; unsigned rules; } cases[] = {
                { "", 0 }, { "rule", 0 }, { "rule {", 0 }, { RULE("$a"), 1 }, { "private rule a { condition: false } global rule b : tag { condition: false }", 2 },
                { "// rule a { }\n/* rule b { } */ rule c { condition: false }", 1 },
                { "rule a { meta: about = \"rule b {\" condition: false }", 1 },
                { "rule a { strings: $x = /rule b \\/ {/ condition: $x } rule c { condition: false }", 2 },
                { "rule a { strings: $x = { 72 75 [2-4] /* } rule z { */ } condition: $x } rule c { condition: false }", 2 },
                { "rule a { strings: $x = \"}\" $y = \"\\\"}\" condition: $x and filesize / 2 > 3 } rule c { condition: false }", 2 },
                { "rule a { condition: for any s in (/x}/, /y}/) : (s) }  rule b { condition: false }", 2 },
                { "rule a { condition: false", 1 }, { "import \"pe\"\nrule a { condition: pe.is_dll() }", 1 },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct heard heard = scan(cases[i].text);
                if (heard.count[RULESCAN_RULE] != cases[i].rules)
                        fprintf(stderr, "%u rules in: %s\n", heard.count[RULESCAN_RULE], cases[i].text);
                CHECK(heard.count[RULESCAN_RULE] == cases[i].rules);
        }
}

TEST(rulescan, finds_includes_wherever_they_stand)
{
        struct heard heard = scan("rule a { condition: false }\ninclude \"/etc/passwd\"\n");
        CHECK(heard.count[RULESCAN_INCLUDE] == 1 && strcmp(heard.last[RULESCAN_INCLUDE], "\"/etc/passwd\"") == 0 && heard.line[RULESCAN_INCLUDE] == 2);
        CHECK(scan("include/**/\"x\"").count[RULESCAN_INCLUDE] == 1);
        CHECK(scan("// include \"x\"\nrule a { meta: x = \"include\" condition: false }").count[RULESCAN_INCLUDE] == 0);
}

TEST(rulescan, finds_conditions_that_are_always_true)
{
        static const struct { const char *condition; bool is_always; } cases[] = {
                { RULE("true"), true }, { RULE("(true)"), true }, { RULE("filesize > 0"), true }, { RULE("filesize >  0 /* all */"), true },
                { RULE("filesize"), true }, { RULE("not false"), true }, { RULE("$a or true"), true }, { RULE("true or $a"), true }, { RULE("1"), true },
                { RULE("false"), false }, { RULE("filesize > 10"), false }, { RULE("$a and true"), false }, { RULE("$true"), false }, { RULE("filesize < 10"), false },
                { RULE("not true"), false }, { RULE(""), false },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                CHECK(scan(cases[i].condition).count[RULESCAN_MATCH_ALL] == cases[i].is_always);
}

TEST(rulescan, finds_loops_that_do_not_end_in_a_lifetime)
{
        CHECK(scan(RULE("for all i in (1..4000000000) : (i > 0)")).count[RULESCAN_LOOP] == 1);
        CHECK(scan(RULE("for all i in (1..0xffffffffffffffffffff) : (i > 0)")).count[RULESCAN_LOOP] == 1);
        CHECK(scan(RULE("for all i in (1..2MB) : (i > 0)")).count[RULESCAN_LOOP] == 1);
        CHECK(scan(RULE("for all i in (1..1000000) : (i > 0)")).count[RULESCAN_LOOP] == 0);
        CHECK(scan(RULE("filesize < 200MB and for all i in (1..#a) : (@a[i] < 4000000000)")).count[RULESCAN_LOOP] == 0);
}

TEST(rulescan, takes_any_bytes)
{
        struct heard heard = { 0 };
        static const char bytes[] = "rule \0 a\xff{ condition: \"\\";
        for (size_t length = 0; length < sizeof(bytes); length++)
                rulescan(bytes, length, hear, &heard);
        CHECK(heard.count[RULESCAN_INCLUDE] == 0);
}
