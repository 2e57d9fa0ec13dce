/* The commands about approvals, as a person types them. */
#include "cli/desk.h"

#define DIGEST "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
#define OTHER "3d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"

static void desk_open(struct desk *desk)
{
        desk_init(desk);
        CHECK(say(desk, "keys new @/ops.anna.pem --no-passphrase") == 0 && say(desk, "keys new @/ops.bert.pem --no-passphrase") == 0);
}

TEST(approval_sign, gathers_signatures_in_a_file)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        CHECK(say(&d, "approval sign @/lift --kind emergency --release " DIGEST " --key @/ops.anna.pem --json") == 0);
        CHECK(strstr(d.run.out, "\"release\": \"" DIGEST "\"") && strstr(d.run.out, "\"kind\": \"emergency\""));
        CHECK(say(&d, "approval sign @/lift --kind emergency --release " DIGEST " --key @/ops.bert.pem") == 0 && strstr(d.run.out, "signed as  ops.anna ops.bert"));
        OWN(buf) struct buf before = file_of(&d, "lift");
        CHECK(say(&d, "approval sign @/lift --kind emergency --release " DIGEST " --key @/ops.bert.pem") == 0);
        OWN(buf) struct buf after = file_of(&d, "lift");
        CHECK(buf_equal(&before, &after) && strstr(buf_text(&before), "kind emergency\nrelease " DIGEST "\n\n"));
        CHECK(say(&d, "approval show @/lift") == 0 && strstr(d.run.out, "approves   " DIGEST));
}

TEST(approval_sign, signs_nothing_that_nobody_named)
{
        static const struct { const char *line, *says; int code; } cases[] = {
                { "approval sign @/new --kind emergency --key @/ops.anna.pem", "which release?", 64 },
                { "approval sign @/new --release " DIGEST " --key @/ops.anna.pem", "--kind is emergency", 64 },
                { "approval sign @/new --kind faster --release " DIGEST " --key @/ops.anna.pem", "--kind is emergency", 64 },
                { "approval sign @/new --kind customer --release " DIGEST, "with which key?", 64 },
                { "approval sign @/new --kind customer --release " DIGEST " --key @/nobody.pem", "bring the medium", 66 },
                { "approval sign @/new --kind customer --release " DIGEST " --key @/ops.anna.pem --name a~b", "is no name", 64 },
                { "approval sign @/new --kind customer --release " DIGEST " --key @/ops.anna.pem --key @/ops.bert.pem --name a", "one after the other", 64 },
                { "approval sign @/lift --kind emergency --release " OTHER " --key @/ops.anna.pem", "something else than you say", 78 },
                { "approval sign @/lift --kind customer --release " DIGEST " --key @/ops.anna.pem", "something else than you say", 78 },
                { "approval sign @/ops.bert.pem --kind customer --release " DIGEST " --key @/ops.anna.pem", "ops.bert.pem", 65 },
                { "approval show @/nothing", "nothing", 66 },
                { "approval show @/ops.bert.pem", "ops.bert.pem", 65 },
        };
        OWN(desk) struct desk d;
        desk_open(&d);
        CHECK(say(&d, "approval sign @/lift --kind emergency --release " DIGEST " --key @/ops.bert.pem") == 0);
        OWN(buf) struct buf before = file_of(&d, "lift");
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                int code = say(&d, cases[i].line);
                if (code != cases[i].code || !strstr(d.run.err, cases[i].says))
                        printf("# %s: %d %s\n", cases[i].line, code, d.run.err);
                CHECK(code == cases[i].code && strstr(d.run.err, cases[i].says) && !d.run.out[0]);
        }
        OWN(buf) struct buf after = file_of(&d, "lift");
        char path[256];
        snprintf(path, sizeof(path), "%s/new", d.path);
        CHECK(buf_equal(&before, &after) && file_kind(path) == FILE_ABSENT);
}

/* Whoever carries the file may write into it, too. */
TEST(approval_sign, does_not_take_a_signature_for_its_own_that_it_never_made)
{
        char text[1024], *at;
        OWN(desk) struct desk d;
        desk_open(&d);
        CHECK(say(&d, "approval sign @/lift --kind emergency --release " DIGEST " --key @/ops.anna.pem") == 0);
        OWN(buf) struct buf file = file_of(&d, "lift");
        snprintf(text, sizeof(text), "%s", buf_text(&file));
        at = text + strlen(text) - 12;
        *at = *at == 'A' ? 'B' : 'A';
        put(&d, "lift", text);
        CHECK(say(&d, "approval sign @/lift --kind emergency --release " DIGEST " --key @/ops.anna.pem") == 77 && strstr(d.run.err, "never made"));
        CHECK(say(&d, "approval sign @/lift --kind emergency --release " DIGEST " --key @/ops.bert.pem") == 0);
}

TEST(approval_upload, gives_the_file_to_the_server)
{
        static const struct fake_answer script[] = { { "POST /api/v1/approvals", 201, "{\"stream\":\"edr-rules\",\"counter\":4,\"kind\":\"emergency\"}" } };
        static const struct fake_answer refusal[] = { { "POST /api/v1/approvals", 403, "{\"detail\":\"by 1 of 2 keys\",\"code\":\"UNTRUSTED\"}" } };
        OWN(desk) struct desk d;
        desk_open(&d);
        CHECK(say(&d, "approval sign @/lift --kind emergency --release " DIGEST " --key @/ops.bert.pem") == 0);
        CHECK(SAY_ONLINE(&d, "approval upload @/lift", script) == 0 && strstr(d.run.out, "edr-rules/4, kind emergency"));
        CHECK(strstr(d.run.bodies, "firebreak approval v1\\nkind emergency\\nrelease " DIGEST));
        CHECK(SAY_ONLINE(&d, "approval upload @/lift", refusal) == 77 && strstr(d.run.err, "by 1 of 2 keys"));
        CHECK(say(&d, "approval upload @/ops.bert.pem") == 65 && say(&d, "approval upload @/nothing") == 66);
}
