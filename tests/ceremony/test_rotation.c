#include "ceremony/rotation.h"

#include "ceremony/files.h"
#include "support/sweep.h"
#include "trust/tuf_root.h"

#define STEPS(...) (const struct rotation_step[]){ __VA_ARGS__ }, sizeof((const struct rotation_step[]){ __VA_ARGS__ }) / sizeof(struct rotation_step)
#define ADD(role_, name_, n) { .kind = ROTATION_ADD, .role = role_, .vkey = test_vkey(name_, n) }
#define REMOVE(role_, name_) { .kind = ROTATION_REMOVE, .role = role_, .name = name_ }
#define TAKES(role_, n) { .kind = ROTATION_THRESHOLD, .role = role_, .threshold = n }

static enum err propose(struct proposal *proposal, const struct rotation_step *steps, size_t count, struct why *why)
{
        files_make(proposal);
        return rotation_propose(proposal, &(struct rotation){ steps, count, FILES_NOW, 365 * FILES_DAY, 90 * FILES_DAY, false }, why);
}

static enum err finish(const struct proposal *proposal, struct why *why)
{
        OWN(rotation_files) struct rotation_files files;
        rotation_files_init(&files);
        enum err e = rotation_finish(proposal, FILES_NOW, files.of, why);
        return e;
}

/* From one key of everything to two of three, by other people. */
static enum err to_many(struct proposal *proposal)
{
        return propose(proposal, STEPS(ADD(HOLDER_ROOT, "root.a", 11), ADD(HOLDER_ROOT, "root.b", 12), ADD(HOLDER_ROOT, "root.c", 13), REMOVE(HOLDER_ROOT, "root.acme"),
                                       TAKES(HOLDER_ROOT, 2), ADD(HOLDER_CONTENT, "content.a", 21), ADD(HOLDER_CONTENT, "content.b", 22),
                                       TAKES(HOLDER_CONTENT, 2), ADD(HOLDER_TIMESTAMP, "timestamp", 14)), NULL);
}

/* The new files are in force; the old ones where they stay. */
static void take(const struct proposal *proposal, struct proposal *ret_next)
{
        OWN(rotation_files) struct rotation_files files;
        rotation_files_init(&files);
        CHECK(rotation_finish(proposal, FILES_NOW, files.of, NULL) == OK);
        proposal_init(ret_next);
        for (size_t i = 0; i < PAPERS; i++) {
                const struct buf *file = files.of[i].length ? &files.of[i] : &proposal->papers[i].before;
                buf_add(&ret_next->papers[i].before, file->bytes, file->length);
        }
}

TEST(rotation, hands_over_to_two_of_three)
{
        OWN(proposal) struct proposal proposal, next;
        struct holders before, after;
        CHECK(to_many(&proposal) == OK);
        CHECK(holders_read(&proposal, &before, NULL) == OK && holders_draft(&proposal, &before, &after, NULL) == OK);
        CHECK(!rotation_is_complete(&proposal, &before, &after) && finish(&proposal, NULL) == ERR_UNTRUSTED);
        static const uint8_t signers[] = { 1, 11, 13, 21, 22 };
        for (size_t i = 0; i < sizeof(signers); i++)
                files_sign_all(&proposal, signers[i]);
        CHECK(rotation_is_complete(&proposal, &before, &after));
        take(&proposal, &next);
        CHECK(holders_read(&next, &before, NULL) == OK);
        CHECK(before.release_root.version == 2 && before.anchor.version == 2 && before.targets.version == 2 && before.snapshot.version == 2);
        CHECK(before.director_root.version == 1 && before.director.version == 1);
        CHECK(anchor_role_equal(&before.anchor.root, &after.anchor.root) && before.anchor.content.threshold == 2 && before.anchor.content.count == 3);
}

/* Each of the signatures is needed: without any one of them nothing is in force. */
TEST(rotation, needs_every_threshold_of_the_old_and_of_the_new)
{
        static const uint8_t signers[] = { 1, 11, 13, 21, 22 };
        for (size_t left_out = 0; left_out < sizeof(signers); left_out++)
                for (enum paper paper = 0; paper < PAPERS; paper++) {
                        OWN(proposal) struct proposal proposal;
                        CHECK(to_many(&proposal) == OK);
                        for (size_t i = 0; i < sizeof(signers); i++)
                                for (enum paper other = 0; other < PAPERS; other++)
                                        if (proposal.papers[other].text.length && (i != left_out || other != paper))
                                                CHECK(files_sign(&proposal, other, signers[i]) == OK);
                        const bool is_listing = paper == PAPER_TARGETS || paper == PAPER_SNAPSHOT, is_content = left_out >= 3;
                        const bool counts = proposal.papers[paper].text.length && is_listing == is_content;
                        CHECK(finish(&proposal, NULL) == (counts ? ERR_UNTRUSTED : OK));
                }
}

TEST(rotation, takes_no_key_out_without_a_new_timestamp_key)
{
        OWN(proposal) struct proposal one, other, third;
        struct why why = { 0 };
        CHECK(propose(&one, STEPS(ADD(HOLDER_ROOT, "root.a", 11), REMOVE(HOLDER_ROOT, "root.acme")), &why) == ERR_REFUSED && strstr(why.text, "timestamp"));
        CHECK(propose(&other, STEPS(ADD(HOLDER_CONTENT, "content.a", 21), REMOVE(HOLDER_CONTENT, "content.acme")), &why) == ERR_REFUSED);
        CHECK(propose(&third, STEPS(ADD(HOLDER_LAB, "lab.b", 31), REMOVE(HOLDER_LAB, "lab.acme")), &why) == OK);
}

TEST(rotation, asks_for_more_signatures_only_with_a_new_timestamp_key)
{
        OWN(proposal) struct proposal one, other;
        CHECK(propose(&one, STEPS(ADD(HOLDER_CONTENT, "content.b", 21), TAKES(HOLDER_CONTENT, 2)), NULL) == ERR_REFUSED);
        CHECK(propose(&other, STEPS(ADD(HOLDER_CONTENT, "content.b", 21), TAKES(HOLDER_CONTENT, 2), ADD(HOLDER_TIMESTAMP, "timestamp", 14)), NULL) == OK);
}

/* Signed under the name that the old anchor knows, and under that which the new one knows. */
TEST(rotation, gives_a_key_another_name)
{
        OWN(proposal) struct proposal proposal, next;
        struct holders holders;
        CHECK(propose(&proposal, STEPS(REMOVE(HOLDER_ROOT, "root.acme"), ADD(HOLDER_ROOT, "root.anna", 1)), NULL) == OK);
        files_sign_all(&proposal, 1);
        take(&proposal, &next);
        CHECK(holders_read(&next, &holders, NULL) == OK && strcmp(holders.anchor.root.keys[0].name, "root.anna") == 0);
}

static struct verifier watcher(const char *name, uint8_t seed, bool is_log)
{
        struct verifier verifier;
        struct secret_key key = test_key(seed);
        CHECK((is_log ? verifier_log : verifier_witness)(name, &key.public, &verifier, NULL) == OK);
        return verifier;
}

#define LOG(seed) { .kind = ROTATION_LOG, .verifier = watcher("log.example.org", seed, true) }
#define WITNESS(name_, seed) { .kind = ROTATION_WITNESS, .verifier = watcher(name_, seed, false) }
#define NO_WITNESS(name_) { .kind = ROTATION_NO_WITNESS, .name = name_ }
#define WITNESSES(n) { .kind = ROTATION_WITNESSES, .threshold = n }
#define PACE { .kind = ROTATION_PACE, .pace = { .count = 2, .steps = { { 0, 1000 }, { 3600, CEILING_ALL_PPM } } } }

static enum err watched(struct proposal *proposal)
{
        return propose(proposal, STEPS(LOG(41), WITNESS("w1", 42), WITNESS("w2", 43), WITNESSES(2), PACE, ADD(HOLDER_EMERGENCY, "em.a", 44), ADD(HOLDER_EMERGENCY, "em.b", 45), TAKES(HOLDER_EMERGENCY, 2)), NULL);
}

/* Root keys alone say it, in the anchor; devices ask for that when they see a new root. */
TEST(rotation, names_log_witnesses_pace_and_who_may_lift_it)
{
        OWN(proposal) struct proposal proposal, next;
        struct holders holders;
        CHECK(watched(&proposal) == OK);
        CHECK(proposal.papers[PAPER_RELEASE_ANCHOR].text.length && proposal.papers[PAPER_RELEASE_ROOT].text.length && !proposal.papers[PAPER_TARGETS].text.length);
        files_sign_all(&proposal, 1);
        take(&proposal, &next);
        CHECK(holders_read(&next, &holders, NULL) == OK);
        const struct anchor *anchor = &holders.anchor;
        CHECK(anchor->version == 2 && anchor->has_log && anchor->witnesses.count == 2 && anchor->witnesses.threshold == 2 && anchor->pace.count == 2 && anchor->emergency.threshold == 2);
}

TEST(rotation, takes_all_of_it_back)
{
        OWN(proposal) struct proposal proposal, next;
        struct holders holders;
        CHECK(watched(&proposal) == OK);
        files_sign_all(&proposal, 1);
        take(&proposal, &next);
        const struct rotation_step steps[] = { { .kind = ROTATION_LOG }, NO_WITNESS("w2"), NO_WITNESS("w1"), { .kind = ROTATION_PACE }, REMOVE(HOLDER_EMERGENCY, "em.b"), REMOVE(HOLDER_EMERGENCY, "em.a") };
        /* Not one without the others that need it. */
        for (size_t alone = 0; alone < 2; alone++) {
                OWN(proposal) struct proposal again;
                take(&proposal, &again);
                CHECK(rotation_propose(&again, &(struct rotation){ steps + alone, 1, FILES_NOW, FILES_DAY, FILES_DAY, false }, NULL) != OK);
        }
        CHECK(rotation_propose(&next, &(struct rotation){ steps, 6, FILES_NOW, 365 * FILES_DAY, 90 * FILES_DAY, false }, NULL) == OK);
        files_sign_all(&next, 1);
        OWN(proposal) struct proposal last;
        take(&next, &last);
        CHECK(holders_read(&last, &holders, NULL) == OK && holders.anchor.version == 3 && !holders.anchor.has_log && !holders.anchor.witnesses.count && !holders.anchor.pace.count && !holders.anchor.emergency.count);
}

#define STREAM(name_) { .kind = ROTATION_STREAMS, .streams = { 1, { name_ } } }

TEST(rotation, names_who_approves_the_agent_and_takes_it_back)
{
        OWN(proposal) struct proposal proposal, next, last;
        struct holders holders;
        CHECK(propose(&proposal, STEPS(ADD(HOLDER_AGENT, "build.a", 46), ADD(HOLDER_AGENT, "build.b", 47), TAKES(HOLDER_AGENT, 2), STREAM("agent")), NULL) == OK);
        CHECK(proposal.papers[PAPER_RELEASE_ANCHOR].text.length && proposal.papers[PAPER_RELEASE_ROOT].text.length && !proposal.papers[PAPER_TARGETS].text.length);
        files_sign_all(&proposal, 1);
        take(&proposal, &next);
        CHECK(holders_read(&next, &holders, NULL) == OK && holders.anchor.agent.threshold == 2 && strcmp(holders.anchor.agent_streams.names[0], "agent") == 0);
        /* Another stream alone is a change, too; the last key takes number and streams with it. */
        const struct rotation_step stream = STREAM("agent-2"), steps[] = { REMOVE(HOLDER_AGENT, "build.a"), REMOVE(HOLDER_AGENT, "build.b") };
        OWN(proposal) struct proposal again;
        take(&proposal, &again);
        CHECK(rotation_propose(&again, &(struct rotation){ &stream, 1, FILES_NOW, FILES_DAY, FILES_DAY, false }, NULL) == OK && again.papers[PAPER_RELEASE_ANCHOR].text.length);
        CHECK(rotation_propose(&next, &(struct rotation){ steps, 2, FILES_NOW, FILES_DAY, FILES_DAY, false }, NULL) == OK);
        files_sign_all(&next, 1);
        take(&next, &last);
        CHECK(holders_read(&last, &holders, NULL) == OK && holders.anchor.version == 3 && !holders.anchor.agent.count && !holders.anchor.agent_streams.count);
}

TEST(rotation, refuses_what_would_only_look_like_protection)
{
        static const struct rotation_step pace = PACE, threshold = WITNESSES(1);
        struct { struct rotation_step of[5]; size_t count; } cases[] = {
                { { WITNESS("w1", 42), WITNESSES(1) }, 2 }, { { LOG(41), pace }, 2 }, { { LOG(41), WITNESS("w1", 42) }, 2 }, { { LOG(41), WITNESS("w1", 42), WITNESSES(2) }, 3 },
                { { LOG(41), WITNESS("w1", 42), WITNESS("w1", 43), threshold }, 4 }, { { LOG(41), WITNESS("w1", 42), WITNESS("w2", 42), threshold }, 4 },
                { { LOG(41), ADD(HOLDER_EMERGENCY, "em.a", 44), TAKES(HOLDER_EMERGENCY, 1) }, 3 }, { { LOG(41), WITNESS("w1", 42), threshold, pace, ADD(HOLDER_EMERGENCY, "em.a", 44) }, 5 },
                { { LOG(41), NO_WITNESS("w1") }, 2 }, { { LOG(41), threshold }, 2 },
                { { LOG(41), TAKES(HOLDER_EMERGENCY, 2), ADD(HOLDER_LAB, "lab.b", 31) }, 3 }, { { LOG(4) }, 1 },          /* 4: the timestamp's */
                { { STREAM("agent") }, 1 }, { { ADD(HOLDER_AGENT, "build.a", 46), TAKES(HOLDER_AGENT, 1) }, 2 }, { { ADD(HOLDER_AGENT, "build.a", 46), STREAM("agent") }, 2 },
                { { ADD(HOLDER_AGENT, "build.a", 2), TAKES(HOLDER_AGENT, 1), STREAM("agent") }, 3 }, { { ADD(HOLDER_AGENT, "build.a", 5), TAKES(HOLDER_AGENT, 1), STREAM("agent") }, 3 },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(proposal) struct proposal proposal;
                CHECK(propose(&proposal, cases[i].of, cases[i].count, NULL) != OK);
        }
}

TEST(rotation, says_what_cannot_be)
{
        static const char long_name[] = "root.acme";
        struct why why = { 0 };
#define REFUSES(error, part, ...) \
        do { \
                OWN(proposal) struct proposal proposal_; \
                CHECK(propose(&proposal_, STEPS(__VA_ARGS__), &why) == (error) && strstr(why.text, part)); \
        } while (0)
        REFUSES(ERR_REFUSED, "a name stands for one key", ADD(HOLDER_ROOT, long_name, 11));
        REFUSES(ERR_SYNTAX, "is there twice", ADD(HOLDER_ROOT, "root.again", 1));
        REFUSES(ERR_NOT_FOUND, "root.nobody", REMOVE(HOLDER_ROOT, "root.nobody"));
        REFUSES(ERR_SYNTAX, "threshold of 2 with 1", TAKES(HOLDER_ROOT, 2));
        REFUSES(ERR_SYNTAX, "0 root keys", REMOVE(HOLDER_ROOT, "root.acme"), ADD(HOLDER_TIMESTAMP, "timestamp", 14));
        REFUSES(ERR_USAGE, "no threshold", TAKES(HOLDER_LAB, 1));
        REFUSES(ERR_USAGE, "no threshold", TAKES(HOLDER_DIRECTOR, 1));
        REFUSES(ERR_USAGE, "add the new one", REMOVE(HOLDER_TIMESTAMP, "timestamp"));
        REFUSES(ERR_UNTRUSTED, "has a role in the publisher's anchor", ADD(HOLDER_DIRECTOR, "director", 2));
        REFUSES(ERR_SYNTAX, "root key too", ADD(HOLDER_DIRECTOR_ROOT, "own.b", 5));
        REFUSES(ERR_REFUSED, "changes nothing", TAKES(HOLDER_ROOT, 1));
        REFUSES(ERR_UNTRUSTED, "is a content key too", ADD(HOLDER_TIMESTAMP, "timestamp", 2));
        REFUSES(ERR_UNTRUSTED, "is a director key too", ADD(HOLDER_TIMESTAMP, "timestamp", 5));
}

TEST(rotation, renews_roots_and_listing_without_a_step)
{
        OWN(proposal) struct proposal proposal, next;
        struct holders holders;
        files_make(&proposal);
        CHECK(rotation_propose(&proposal, &(struct rotation){ NULL, 0, FILES_NOW, 30 * FILES_DAY, FILES_DAY, false }, NULL) == OK);
        CHECK(!proposal.papers[PAPER_RELEASE_ANCHOR].text.length && proposal.papers[PAPER_TARGETS].text.length);
        files_sign_all(&proposal, 1);
        CHECK(finish(&proposal, NULL) == ERR_UNTRUSTED);
        files_sign_all(&proposal, 2);
        take(&proposal, &next);
        CHECK(holders_read(&next, &holders, NULL) == OK && holders.release_root.version == 2 && holders.director_root.version == 2);
        CHECK(holders.release_root.expires == FILES_NOW + 30 * FILES_DAY && holders.anchor.version == 1 && holders.targets.version == 2 && holders.snapshot.version == 2);
}

TEST(rotation, renews_the_listing_alone)
{
        OWN(proposal) struct proposal proposal, next;
        struct holders holders;
        files_make(&proposal);
        CHECK(rotation_propose(&proposal, &(struct rotation){ NULL, 0, FILES_NOW, 0, FILES_DAY, true }, NULL) == OK);
        files_sign_all(&proposal, 1);
        CHECK(finish(&proposal, NULL) == ERR_UNTRUSTED);
        files_sign_all(&proposal, 2);
        take(&proposal, &next);
        CHECK(holders_read(&next, &holders, NULL) == OK && holders.release_root.version == 1 && holders.director_root.version == 1 && holders.anchor.version == 1);
        CHECK(holders.targets.version == 2 && holders.snapshot.version == 2 && holders.targets.expires == FILES_NOW + FILES_DAY);
}

/* The director's root may be a customer's, who lets it expire. */
TEST(rotation, of_the_publishers_alone_does_not_wait_for_the_directors)
{
        for (int is_listing_only = 0; is_listing_only < 2; is_listing_only++) {
                OWN(proposal) struct proposal proposal;
                struct holders holders = files_holders();
                struct why why = { 0 };
                holders.director_root.expires = FILES_NOW - 1;
                files_make_of(&proposal, &holders);
                const struct rotation_step step = { .kind = ROTATION_ADD, .role = HOLDER_LAB, .vkey = test_vkey("lab.b", 31) };
                const struct rotation rotation = { is_listing_only ? NULL : &step, is_listing_only ? 0 : 1, FILES_NOW, 365 * FILES_DAY, 90 * FILES_DAY, is_listing_only };
                CHECK(rotation_propose(&proposal, &rotation, NULL) == OK);
                files_sign_all(&proposal, 1);
                files_sign_all(&proposal, 2);
                CHECK(finish(&proposal, &why) == OK || printf("# %s\n", why.text) < 0);
        }
}

TEST(rotation, is_of_the_directors_holders_alone_where_only_theirs_changes)
{
        OWN(proposal) struct proposal proposal, next;
        struct holders holders;
        CHECK(propose(&proposal, STEPS(ADD(HOLDER_DIRECTOR_ROOT, "own.a", 41), REMOVE(HOLDER_DIRECTOR_ROOT, "root.acme"), ADD(HOLDER_DIRECTOR, "director.own", 45)), NULL) == OK);
        CHECK(!proposal.papers[PAPER_RELEASE_ROOT].text.length && !proposal.papers[PAPER_RELEASE_ANCHOR].text.length);
        files_sign_all(&proposal, 1);
        CHECK(finish(&proposal, NULL) == ERR_UNTRUSTED);
        files_sign_all(&proposal, 41);
        take(&proposal, &next);
        const struct public_key director = test_key(45).public;
        CHECK(holders_read(&next, &holders, NULL) == OK && key_equal(&holders.director.key.key, &director) && holders.director.version == 2);
}

TEST(rotation, makes_nothing_that_is_over_or_lasts_for_ever)
{
        static const int64_t lifetimes[] = { 0, -1, 3651 * (int64_t)FILES_DAY };
        for (size_t i = 0; i < sizeof(lifetimes) / sizeof(lifetimes[0]); i++) {
                OWN(proposal) struct proposal proposal;
                files_make(&proposal);
                CHECK(rotation_propose(&proposal, &(struct rotation){ NULL, 0, FILES_NOW, lifetimes[i], 90 * FILES_DAY, false }, NULL) == OK);
                files_sign_all(&proposal, 1);
                files_sign_all(&proposal, 2);
                CHECK(finish(&proposal, NULL) == ERR_EXPIRED);
        }
}

TEST(rotation, tells_what_is_in_force_by_one_number)
{
        OWN(proposal) struct proposal proposal, other;
        uint8_t one[32], two[32];
        files_make(&proposal);
        files_make(&other);
        holders_digest(&proposal, one);
        for (enum paper paper = 0; paper < PAPERS_IN_FORCE; paper++) {
                other.papers[paper].before.bytes[7] ^= 1;
                holders_digest(&other, two);
                CHECK(memcmp(one, two, sizeof(one)) != 0);
                other.papers[paper].before.bytes[7] ^= 1;
        }
        holders_digest(&other, two);
        CHECK(memcmp(one, two, sizeof(one)) == 0);
}

/* ---- what a proposal may not hide ---- */

/* One text of a whole rotation with a piece replaced, signed by everybody all the same. */
static enum err smuggle(enum paper paper, const char *old, const char *new, struct why *why)
{
        OWN(proposal) struct proposal proposal;
        OWN(buf) struct buf changed;
        CHECK(to_many(&proposal) == OK);
        struct buf *text = &proposal.papers[paper].text;
        const char *at = strstr(buf_text(text), old);
        buf_init(&changed, LIMIT_METADATA_BYTES);
        CHECK(at);
        buf_addf(&changed, "%.*s%s%s", (int)(at - text->bytes), text->bytes, new, at + strlen(old));
        buf_clear(text);
        buf_add(text, changed.bytes, changed.length);
        for (uint8_t n = 1; n <= 22; n++)
                files_sign_all(&proposal, n);
        return finish(&proposal, why);
}

TEST(rotation, has_nothing_between_the_lines)
{
        static const struct { enum paper paper; const char *old, *new; } cases[] = {
                { PAPER_RELEASE_ROOT, "\"consistent_snapshot\":true", "\"consistent_snapshot\":false" }, { PAPER_RELEASE_ROOT, "\"_type\":\"root\"", "\"_type\":\"root\",\"a\":1" },
                { PAPER_RELEASE_ROOT, "\"version\":2", "\"version\":3" },                                { PAPER_RELEASE_ROOT, "\"threshold\":2", "\"threshold\":1" },
                { PAPER_RELEASE_ANCHOR, "root-threshold 2", "root-threshold 1" },                        { PAPER_RELEASE_ANCHOR, "version 2", "version 4" },
                { PAPER_RELEASE_ANCHOR, "content content.a", "content content.x" },                      { PAPER_RELEASE_ANCHOR, "lab lab.acme", "lab lab.evil" },
                { PAPER_TARGETS, "\"targets\":{}", "\"targets\":{\"edr-rules/9\":{\"hashes\":{\"sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\"},\"length\":1}}" },
                { PAPER_TARGETS, "\"version\":2", "\"version\":9" },                                     { PAPER_SNAPSHOT, "\"version\":2}", "\"version\":3}" },
                { PAPER_SNAPSHOT, "{\"targets.json\"", "{\"evil.json\":{\"version\":1},\"targets.json\"" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct why why = { 0 };
                enum err e = smuggle(cases[i].paper, cases[i].old, cases[i].new, &why);
                if (e == OK)
                        printf("# case %zu passed\n", i);
                CHECK(e != OK && strstr(why.text, "proposed"));
        }
}

TEST(rotation, changes_all_that_belongs_together_and_nothing_else)
{
        for (enum paper paper = 0; paper < PAPERS_IN_FORCE; paper++) {
                OWN(proposal) struct proposal proposal;
                struct why why = { 0 };
                CHECK(to_many(&proposal) == OK);
                struct buf *text = &proposal.papers[paper].text;
                if (text->length)
                        buf_clear(text);
                else {
                        struct holders holders = files_holders();
                        CHECK(holders_write(&holders, paper, &proposal, text, NULL) == OK);
                }
                for (uint8_t n = 1; n <= 22; n++)
                        files_sign_all(&proposal, n);
                CHECK(finish(&proposal, &why) != OK);
        }
}

TEST(rotation, leaves_out_signatures_that_nobody_asked_for)
{
        OWN(proposal) struct proposal proposal, next;
        struct holders holders;
        CHECK(to_many(&proposal) == OK);
        for (uint8_t n = 1; n <= 30; n++)
                files_sign_all(&proposal, n);
        take(&proposal, &next);
        CHECK(holders_read(&next, &holders, NULL) == OK);
        char id[65];
        const struct public_key stranger = test_key(30).public;
        tuf_key_id(&stranger, id);
        CHECK(!strstr(buf_text(&next.papers[PAPER_RELEASE_ROOT].before), id));
}

TEST(rotation, is_refused_where_the_files_in_force_are_not_of_one_publisher)
{
        for (enum paper paper = 0; paper < PAPERS_IN_FORCE; paper++) {
                OWN(proposal) struct proposal proposal;
                struct holders holders;
                files_make(&proposal);
                struct buf *file = &proposal.papers[paper].before;
                file->bytes[file->length / 2] ^= 1;
                CHECK(holders_read(&proposal, &holders, NULL) != OK);
        }
}

TEST(rotation, survives_a_lack_of_memory)
{
        OWN(proposal) struct proposal whole;
        CHECK(to_many(&whole) == OK);
        static const uint8_t signers[] = { 1, 11, 13, 21, 22 };
        for (size_t i = 0; i < sizeof(signers); i++)
                files_sign_all(&whole, signers[i]);
        SWEEP_MEMORY {
                enum err e = finish(&whole, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}
