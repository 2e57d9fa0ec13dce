/* The commands about approvals, and the steps of a ceremony that are about the log, as a person types them. */
#include "cli/desk.h"

#define DIGEST "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
#define OTHER "3d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"

static void desk_open(struct desk *desk)
{
        desk_init(desk);
        CHECK(say(desk, "keys new @/ops.anna.pem --no-passphrase") == 0 && say(desk, "keys new @/ops.bert.pem --no-passphrase") == 0);
}

static struct buf file_of(const struct desk *desk, const char *name)
{
        struct buf bytes;
        char path[256];
        snprintf(path, sizeof(path), "%s/%s", desk->path, name);
        buf_init(&bytes, 65536);
        CHECK(file_read(path, &bytes, NULL) == OK);
        return bytes;
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

/* ---- ceremonies ---- */

static const char log_key[] = "log.example.org+99312e1c+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";

TEST(root_propose, tells_what_it_takes_for_a_log)
{
        static const struct { const char *line, *says; int code; } cases[] = {
                { "root propose @/p --publisher @/acme --pace 0:1%", "witnesses", 65 },
                { "root propose @/p --publisher @/acme --pace 1%", "AFTER:SHARE", 64 },
                { "root propose @/p --publisher @/acme --pace 0:5% --pace 1h:4%", "go up", 64 },
                { "root propose @/p --publisher @/acme --log nobody", "--log: ", 64 },
                { "root propose @/p --publisher @/acme --add witness:nobody", "--show-key", 64 },
                { "root propose @/p --publisher @/acme --remove witness:nobody", "no witness called", 66 },
                { "root propose @/p --publisher @/acme --threshold witness:0", "ROLE:NUMBER", 64 },
                { "root propose @/p --publisher @/acme --threshold witness:99", "witnesses", 64 },
                { "root propose @/p --publisher @/acme --pace none", "changes nothing", 78 },
                { "root propose @/p --publisher @/acme --threshold emergency:1", "emergency keys", 65 },
                { "root propose @/p --publisher @/acme --threshold witness:1", "witnesses", 65 },
        };
        OWN(desk) struct desk d;
        desk_open(&d);
        CHECK(say(&d, "init @/acme --name acme --no-passphrase") == 0);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                int code = say(&d, cases[i].line);
                if (code != cases[i].code || !strstr(d.run.err, cases[i].says))
                        printf("# %s: %d %s\n", cases[i].line, code, d.run.err);
                CHECK(code == cases[i].code && strstr(d.run.err, cases[i].says) && !d.run.out[0]);
        }
        CHECK(say(&d, "root propose @/p --publisher @/acme --log none") == 0 && strstr(d.run.out, "devices ask for no proof any more"));
}

/* A key of another log, which `firebreak-witness` knows: nothing else of the holders changes, and no online key is made for it. */
TEST(root_propose, exchanges_the_log_and_nothing_else)
{
        char line[512];
        OWN(desk) struct desk d;
        desk_open(&d);
        CHECK(say(&d, "init @/acme --name acme --no-passphrase") == 0);
        snprintf(line, sizeof(line), "root propose @/p --publisher @/acme --log %s", log_key);
        int code = say(&d, line);
        CHECK(code == 0 || printf("# %s", d.run.err) < 0);
        CHECK(strstr(d.run.out, "devices install nothing that log.example.org+") && !strstr(d.run.out, "timestamp:"));
}

/* The log's key is an online one: it comes with the ceremony, and its name with it. */
TEST(root_combine, brings_a_new_log)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        CHECK(say(&d, "init @/acme --name acme --no-passphrase") == 0);
        OWN(buf) struct buf before = file_of(&d, "acme/online/log.vkey"), old_key = file_of(&d, "acme/online/log.pem");
        CHECK(say(&d, "root propose @/p --publisher @/acme --rotate log") == 0 && strstr(d.run.out, "log: devices install nothing that log.acme.") && !strstr(d.run.out, "timestamp:"));
        CHECK(say(&d, "root sign @/p --publisher @/acme --key @/acme/offline/root.pem") == 0 && say(&d, "root combine @/p --publisher @/acme") == 0);
        OWN(buf) struct buf after = file_of(&d, "acme/online/log.vkey"), public = file_of(&d, "acme/public/log.vkey"), key = file_of(&d, "acme/online/log.pem");
        CHECK(!buf_equal(&before, &after) && buf_equal(&after, &public) && !buf_equal(&old_key, &key));
        char line[256];
        snprintf(line, sizeof(line), "keys show @/acme/online/log.pem --name %.*s", (int)strcspn(buf_text(&after), "+"), buf_text(&after));
        CHECK(say(&d, line) == 0 && strncmp(d.run.out, buf_text(&after), after.length) == 0);
        CHECK(say(&d, "root propose @/q --publisher @/acme --rotate log --log none") == 64 && say(&d, "root propose @/q --publisher @/acme --rotate content") == 64);
}

/* One that is made elsewhere has to be there, or be said to be elsewhere. */
TEST(root_combine, does_not_take_a_log_whose_key_is_not_here)
{
        char line[512];
        OWN(desk) struct desk d;
        desk_open(&d);
        CHECK(say(&d, "init @/acme --name acme --no-passphrase") == 0);
        snprintf(line, sizeof(line), "root propose @/p --publisher @/acme --log %s", log_key);
        CHECK(say(&d, line) == 0 && say(&d, "root sign @/p --publisher @/acme --key @/acme/offline/root.pem") == 0);
        CHECK(say(&d, "root combine @/p --publisher @/acme") == 66 && strstr(d.run.err, "the new log key is not here"));
        CHECK(say(&d, "root combine @/p --publisher @/acme --elsewhere") == 0);
        OWN(buf) struct buf after = file_of(&d, "acme/online/log.vkey");
        CHECK(strncmp(buf_text(&after), log_key, strlen(log_key)) == 0);
}
