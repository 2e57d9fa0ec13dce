/* A release that people at two places sign, as they type it. The folder with all keys is the publisher's; `@/k.pem` is somebody else's. */
#include "cli/desk.h"

#include <sys/stat.h>

static void pack(struct desk *desk, const char *version, const char *more)
{
        char line[256], path[128];
        snprintf(path, sizeof(path), "%s/content", desk->path);
        (void)!mkdir(path, 0700);
        put(desk, "content/VERSION", version);
        put(desk, "content/dossier.yaml", "what: a rule\nwhy: tests\nrisk: small\nundo: roll back\n");
        snprintf(line, sizeof(line), "release pack @/content --publisher @/acme --stream edr-rules%s", more);
        CHECK(say(desk, line) == 0);
}

/* Of what was printed last; 64 digits. */
static void find_hex(const struct desk *desk, const char *before, char hex[static 65])
{
        const char *at = strstr(desk->run.out, before);
        CHECK(at && strlen(at) > strlen(before) + 64);
        snprintf(hex, 65, "%.64s", at ? at + strlen(before) : "");
}

static int say_of(struct desk *desk, const char *form, const char *detail)
{
        char line[768];
        snprintf(line, sizeof(line), form, detail);
        return say(desk, line);
}

/* Content is two of two: the folder's key, and one in k.pem. */
static void desk_open(struct desk *desk)
{
        char vkey[256];
        desk_init(desk);
        CHECK(say(desk, "init @/acme --name acme --no-passphrase") == 0);
        CHECK(say(desk, "keys new @/k.pem --name content.bert --no-passphrase") == 0 && say(desk, "keys show @/k.pem --name content.bert") == 0);
        snprintf(vkey, sizeof(vkey), "%.*s", (int)strcspn(desk->run.out, "\n"), desk->run.out);
        CHECK(say_of(desk, "root propose @/two --publisher @/acme --threshold content:2 --add content:%s", vkey) == 0);
        CHECK(say(desk, "proposal sign @/two --publisher @/acme --key @/acme/offline/root.pem --key @/acme/offline/targets.pem --key @/k.pem") == 0);
        CHECK(say(desk, "proposal combine @/two --publisher @/acme") == 0);
}

static void propose(struct desk *desk, char target[static 65])
{
        CHECK(say(desk, "release propose edr-rules/1 @/p --publisher @/acme") == 0);
        find_hex(desk, "target         ", target);
}

static const char with_own[] = "proposal sign @/p --publisher @/acme --key @/acme/offline/targets.pem --release %s", with_bert[] = "proposal sign @/p --publisher @/acme --key @/k.pem --release %s";

static void pack_and_gather(struct desk *desk, char target[static 65])
{
        pack(desk, "1\n", "");
        propose(desk, target);
        CHECK(say_of(desk, with_own, target) == 0 && say_of(desk, with_bert, target) == 0);
}

TEST(release_propose, is_signed_here_and_there_and_listed)
{
        char target[65];
        OWN(desk) struct desk d;
        desk_open(&d);
        pack(&d, "1\n", "");
        CHECK(say(&d, "release sign edr-rules/1 --publisher @/acme") == 64 && strstr(d.run.err, "`firebreak release propose`"));
        propose(&d, target);
        CHECK(strstr(d.run.out, "0 of the 2 signatures of content keys") && strstr(d.run.out, "  VERSION\n") && strstr(d.run.out, "next: firebreak proposal sign "));
        CHECK(say_of(&d, with_own, target) == 0 && strstr(d.run.out, "yet to sign: content.bert"));
        CHECK(say(&d, "proposal combine @/p --publisher @/acme") == 77 && strstr(d.run.err, "signatures are missing"));
        CHECK(say_of(&d, with_bert, target) == 0 && strstr(d.run.out, "next: firebreak proposal combine "));
        CHECK(say(&d, "proposal combine @/p --publisher @/acme") == 0 && strstr(d.run.out, "next: firebreak release publish edr-rules/1 --publisher "));
        OWN(buf) struct buf note = file_of(&d, "acme/releases/edr-rules/1/note"), listing = file_of(&d, "acme/metadata/targets.json");
        CHECK(strstr(buf_text(&note), "\n\n\u2014 content.acme ") && strstr(buf_text(&note), "\n\u2014 content.bert ") && strstr(buf_text(&listing), target));
        CHECK(say(&d, "proposal combine @/p --publisher @/acme") == 0);
        OWN(buf) struct buf again = file_of(&d, "acme/metadata/targets.json");
        CHECK(buf_equal(&listing, &again));
        CHECK(say(&d, "release sign edr-rules/1 --publisher @/acme --key @/k.pem --key @/acme/offline/targets.pem") == 78 && strstr(d.run.err, "signed already"));
}

TEST(proposal_sign, asks_which_release_is_meant)
{
        char target[65], line[256];
        OWN(desk) struct desk d;
        desk_open(&d);
        pack(&d, "1\n", "");
        propose(&d, target);
        OWN(buf) struct buf before = file_of(&d, "p");
        CHECK(say(&d, "proposal sign @/p --publisher @/acme --key @/k.pem") == 64 && strstr(d.run.err, "give --release"));
        target[5] = target[5] == '0' ? '1' : '0';
        CHECK(say_of(&d, with_bert, target) == 78 && strstr(d.run.err, "another release than you say"));
        target[5] = 'x';
        CHECK(say_of(&d, with_bert, target) == 64);
        snprintf(line, sizeof(line), "proposal sign @/p --key @/k.pem --release %064d", 0);
        CHECK(say(&d, line) == 64 && strstr(d.run.err, "--follows"));
        OWN(buf) struct buf after = file_of(&d, "p");
        CHECK(buf_equal(&before, &after));
        CHECK(say(&d, "root propose @/q --publisher @/acme --rotate director") == 0);
        snprintf(line, sizeof(line), "proposal sign @/q --publisher @/acme --key @/acme/offline/root.pem --release %064d", 0);
        CHECK(say(&d, line) == 64 && strstr(d.run.err, "of no release"));
}

TEST(release_propose, tells_people_and_programs_all_that_is_signed)
{
        char target[65];
        OWN(desk) struct desk d;
        desk_open(&d);
        pack(&d, "1\n", " --ceiling 0:1% --ceiling 1h:100%");
        propose(&d, target);
        CHECK(say(&d, "proposal show @/p") == 0 && strstr(d.run.out, "release        edr-rules/1\n") && strstr(d.run.out, "ceiling        1%") && strstr(d.run.out, "content signs for 1 releases"));
        CHECK(strstr(d.run.out, "\nstart          ") && strstr(d.run.out, "targets.json       version 3, good for ") && strstr(d.run.out, "\nnote                           0 of the 2 signatures"));
        CHECK(say(&d, "proposal show @/p --json") == 0 && strstr(d.run.out, target) && strstr(d.run.out, "\"path\": \"VERSION\"") && strstr(d.run.out, "\"is_complete\": false"));
        CHECK(say(&d, "release propose edr-rules/1 @/p --publisher @/acme") == 78 && strstr(d.run.err, "is there already"));
        CHECK(say(&d, "release propose edr-rules/2 @/r --publisher @/acme") == 66 && strstr(d.run.err, "`firebreak release pack` makes one"));
}

TEST(proposal_combine, takes_what_was_packed_and_nothing_else)
{
        char target[65];
        OWN(desk) struct desk d;
        desk_open(&d);
        pack_and_gather(&d, target);
        put(&d, "acme/releases/edr-rules/1/files/VERSION", "other\n");
        CHECK(say(&d, "proposal combine @/p --publisher @/acme") == 1 && strstr(d.run.err, "VERSION is not what was packed"));
        char path[256];
        snprintf(path, sizeof(path), "%s/acme/releases/edr-rules/1", d.path);
        file_remove_tree(path);
        CHECK(say(&d, "proposal combine @/p --publisher @/acme") == 66);
        pack(&d, "2\n", " --counter 1");
        CHECK(say(&d, "proposal combine @/p --publisher @/acme") == 78 && strstr(d.run.err, "another content than the one that is packed here"));
        OWN(buf) struct buf listing = file_of(&d, "acme/metadata/targets.json");
        CHECK(!strstr(buf_text(&listing), target));
}

/* A note with a line below, and no listing: nobody signed that here. */
TEST(proposal_combine, does_not_say_that_it_is_done_when_it_is_not)
{
        char target[65];
        OWN(desk) struct desk d;
        desk_open(&d);
        pack_and_gather(&d, target);
        OWN(buf) struct buf note = file_of(&d, "acme/releases/edr-rules/1/note");
        buf_add_text(&note, "\n\u2014 x AAAAAA==\n");
        put(&d, "acme/releases/edr-rules/1/note", buf_text(&note));
        CHECK(say(&d, "proposal combine @/p --publisher @/acme") == 78 && strstr(d.run.err, "does not list it"));
}

/* Of two that were proposed at once the second follows what is no longer in force. */
TEST(proposal_combine, takes_one_of_two_and_the_other_when_it_was_proposed_again)
{
        char one[65], two[65];
        OWN(desk) struct desk d;
        desk_open(&d);
        pack(&d, "1\n", "");
        pack(&d, "2\n", "");
        propose(&d, one);
        CHECK(say(&d, "release propose edr-rules/2 @/q --publisher @/acme") == 0);
        find_hex(&d, "target         ", two);
        CHECK(say_of(&d, with_own, one) == 0 && say_of(&d, with_bert, one) == 0 && say(&d, "proposal combine @/p --publisher @/acme") == 0);
        CHECK(say_of(&d, "proposal sign @/q --publisher @/acme --key @/k.pem --release %s", two) == 78 && strstr(d.run.err, "propose again"));
        CHECK(say(&d, "proposal combine @/q --publisher @/acme") == 77);
        CHECK(say(&d, "release propose edr-rules/2 @/r --publisher @/acme") == 0 && strstr(d.run.out, two));
        CHECK(say_of(&d, "proposal sign @/r --publisher @/acme --key @/k.pem --key @/acme/offline/targets.pem --release %s", two) == 0);
        CHECK(say(&d, "proposal combine @/p @/r --publisher @/acme") == 78 && strstr(d.run.err, "two proposals"));
        CHECK(say(&d, "proposal combine @/r --publisher @/acme") == 0);
        OWN(buf) struct buf listing = file_of(&d, "acme/metadata/targets.json");
        CHECK(strstr(buf_text(&listing), one) && strstr(buf_text(&listing), two));
}

TEST(release_renew, is_signed_here_or_by_a_proposal)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        CHECK(say(&d, "release renew --publisher @/acme") == 64 && strstr(d.run.err, "it takes 2 content keys"));
        CHECK(say(&d, "release renew --publisher @/acme --key @/k.pem --key @/k.pem") == 64 && strstr(d.run.err, "which was given before"));
        CHECK(say(&d, "release renew --publisher @/acme --key @/k.pem --key @/acme/offline/root.pem") == 77 && strstr(d.run.err, "no content key"));
        CHECK(say(&d, "release renew --publisher @/acme --key @/k.pem --key @/acme/offline/targets.pem") == 0 && strstr(d.run.out, "version 3, good for 90 d\nnext: firebreak release publish --publisher "));
        CHECK(say(&d, "release renew @/p --publisher @/acme") == 0 && strstr(d.run.out, "proposal sign ") && !strstr(d.run.out, "--release"));
        CHECK(say(&d, "proposal sign @/p --publisher @/acme --key @/k.pem --key @/acme/offline/targets.pem") == 0);
        OWN(buf) struct buf before = file_of(&d, "acme/public/release.root.json");
        CHECK(say(&d, "proposal combine @/p --publisher @/acme") == 0 && strstr(d.run.out, "next: firebreak release publish --publisher "));
        CHECK(say(&d, "proposal combine @/p --publisher @/acme") == 0);
        OWN(buf) struct buf after = file_of(&d, "acme/public/release.root.json"), listing = file_of(&d, "acme/metadata/targets.json");
        CHECK(buf_equal(&before, &after) && strstr(buf_text(&listing), "\"version\":4"));
}

TEST(release_publish, sends_the_metadata_alone)
{
        static const struct fake_answer taken[] = { { "POST /api/v1/metadata", 200, "{\"targets\":2,\"snapshot\":2,\"expires\":9999999999}" } };
        static const struct fake_answer older[] = { { "POST /api/v1/metadata", 409, "{\"status\":409,\"code\":\"ROLLBACK\",\"detail\":\"it is older\"}" } };
        OWN(desk) struct desk d;
        desk_open(&d);
        CHECK(SAY_ONLINE(&d, "release publish --publisher @/acme", taken) == 0 && strstr(d.run.out, "targets version 2, snapshot version 2, good for "));
        CHECK(strstr(d.run.bodies, "\"targets\":{") && strstr(d.run.bodies, "\"snapshot\":{") && !strstr(d.run.bodies, "\"note\""));
        CHECK(SAY_ONLINE(&d, "release publish --publisher @/acme --json", taken) == 0 && strstr(d.run.out, "\"expires\": 9999999999"));
        CHECK(SAY_ONLINE(&d, "release publish --publisher @/acme", older) == 77 && strstr(d.run.err, "it is older") && !d.run.out[0]);
        CHECK(say(&d, "release publish --publisher @/nowhere") == 66);
}
