/* The steps of a ceremony that are about the log, as a person types them. */
#include "cli/desk.h"

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
                { "root propose @/p --publisher @/acme --threshold agent:1", "agent keys", 65 },
                { "root propose @/p --publisher @/acme --agent-stream agent", "agent keys", 65 },
                { "root propose @/p --publisher @/acme --agent-stream a/b", "no name", 64 },
        };
        OWN(desk) struct desk d;
        desk_init(&d);
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
        desk_init(&d);
        CHECK(say(&d, "init @/acme --name acme --no-passphrase") == 0);
        snprintf(line, sizeof(line), "root propose @/p --publisher @/acme --log %s", log_key);
        int code = say(&d, line);
        CHECK(code == 0 || printf("# %s", d.run.err) < 0);
        CHECK(strstr(d.run.out, "devices install nothing that log.example.org+") && !strstr(d.run.out, "timestamp:"));
}

/* The log's key is an online one: it comes with the ceremony, and its name with it. */
TEST(proposal_combine, brings_a_new_log)
{
        OWN(desk) struct desk d;
        desk_init(&d);
        CHECK(say(&d, "init @/acme --name acme --no-passphrase") == 0);
        OWN(buf) struct buf before = file_of(&d, "acme/online/log.vkey"), old_key = file_of(&d, "acme/online/log.pem");
        CHECK(say(&d, "root propose @/p --publisher @/acme --rotate log") == 0 && strstr(d.run.out, "log: devices install nothing that log.acme.") && !strstr(d.run.out, "timestamp:"));
        CHECK(say(&d, "proposal sign @/p --publisher @/acme --key @/acme/offline/root.pem") == 0 && say(&d, "proposal combine @/p --publisher @/acme") == 0);
        OWN(buf) struct buf after = file_of(&d, "acme/online/log.vkey"), public = file_of(&d, "acme/public/log.vkey"), key = file_of(&d, "acme/online/log.pem");
        CHECK(!buf_equal(&before, &after) && buf_equal(&after, &public) && !buf_equal(&old_key, &key));
        char line[256];
        snprintf(line, sizeof(line), "keys show @/acme/online/log.pem --name %.*s", (int)strcspn(buf_text(&after), "+"), buf_text(&after));
        CHECK(say(&d, line) == 0 && strncmp(d.run.out, buf_text(&after), after.length) == 0);
        CHECK(say(&d, "root propose @/q --publisher @/acme --rotate log --log none") == 64 && say(&d, "root propose @/q --publisher @/acme --rotate content") == 64);
}

/* One that is made elsewhere has to be there, or be said to be elsewhere. */
TEST(proposal_combine, does_not_take_a_log_whose_key_is_not_here)
{
        char line[512];
        OWN(desk) struct desk d;
        desk_init(&d);
        CHECK(say(&d, "init @/acme --name acme --no-passphrase") == 0);
        snprintf(line, sizeof(line), "root propose @/p --publisher @/acme --log %s", log_key);
        CHECK(say(&d, line) == 0 && say(&d, "proposal sign @/p --publisher @/acme --key @/acme/offline/root.pem") == 0);
        CHECK(say(&d, "proposal combine @/p --publisher @/acme") == 66 && strstr(d.run.err, "the new log key is not here"));
        CHECK(say(&d, "proposal combine @/p --publisher @/acme --elsewhere") == 0);
        OWN(buf) struct buf after = file_of(&d, "acme/online/log.vkey");
        CHECK(strncmp(buf_text(&after), log_key, strlen(log_key)) == 0);
}
