#include "trust/anchor.h"

#include "support/sweep.h"
#include "trust/keys.h"

static struct anchor whole(void)
{
        return (struct anchor){
                .version = 1, .root = { 2, 3, { test_vkey("root-a", 1), test_vkey("root-b", 2), test_vkey("root-c", 3) } },
                .content = { 1, 2, { test_vkey("content-a", 4), test_vkey("content-b", 5) } }, .lab = { 1, 1, { test_vkey("lab.acme", 7) } },
        };
}

static void write_signed(const struct anchor *anchor, struct buf *bytes)
{
        buf_clear(bytes);
        CHECK(anchor_write(anchor, bytes, NULL) == OK);
        test_sign(bytes, anchor->root.keys[0].name, 1);
        test_sign(bytes, anchor->root.keys[1].name, 2);
}

static enum err open_bytes(const struct buf *bytes)
{
        struct anchor anchor = { 0 };
        enum err e = anchor_open(buf_text(bytes), bytes->length, &anchor, NULL);
        CHECK(!e || !anchor.version);
        return e;
}

/* Its text with one piece replaced, signed by all root keys. */
static enum err open_with(const char *old, const char *new)
{
        OWN(buf) struct buf text, bytes;
        struct anchor anchor = whole();
        buf_init(&text, LIMIT_NOTE_BYTES);
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        CHECK(anchor_write(&anchor, &text, NULL) == OK);
        const char *at = strstr(buf_text(&text), old);
        CHECK(at);
        buf_addf(&bytes, "%.*s%s%s", (int)(at - text.bytes), text.bytes, new, at + strlen(old));
        test_sign(&bytes, "root-a", 1);
        test_sign(&bytes, "root-b", 2);
        return open_bytes(&bytes);
}

TEST(anchor, comes_back_with_all_its_keys)
{
        OWN(buf) struct buf bytes, again;
        struct anchor anchor = whole(), read = { 0 };
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        buf_init(&again, LIMIT_NOTE_BYTES);
        write_signed(&anchor, &bytes);
        CHECK(anchor_open(buf_text(&bytes), bytes.length, &read, NULL) == OK);
        CHECK(anchor_write(&read, &again, NULL) == OK && strncmp(buf_text(&again), buf_text(&bytes), again.length) == 0);
        CHECK(read.root.count == 3 && read.content.count == 2 && read.lab.count == 1 && read.lab.threshold == 1);
        CHECK(anchor_keys(&read.root).threshold == 2 && anchor_keys(&read.content).threshold == 1 && anchor_keys(&read.content).keys == read.content.keys);
        CHECK(anchor_role_find(&read.root, &anchor.root.keys[2].key) == &read.root.keys[2] && !anchor_role_find(&read.lab, &anchor.root.keys[2].key));
}

static struct verifier watcher(const char *name, uint8_t seed, bool is_log)
{
        struct verifier verifier;
        const struct vkey vkey = test_vkey("any", seed);
        CHECK((is_log ? verifier_log : verifier_witness)(name, &vkey.key, &verifier, NULL) == OK);
        return verifier;
}

/* With a log, two of three witnesses, a pace, and emergency keys. */
static struct anchor watched(void)
{
        struct anchor anchor = whole();
        anchor.has_log = true;
        anchor.log = watcher("log.example.org/acme", 20, true);
        anchor.witnesses = (struct anchor_witnesses){ 2, 3, { watcher("w1.example.org", 21, false), watcher("w2.example.org", 22, false), watcher("w3.example.org", 23, false) } };
        anchor.pace = (struct ceiling){ .count = 2, .steps = { { 0, 1000 }, { 3600, 1000000 } } };
        anchor.emergency = (struct anchor_role){ 2, 3, { test_vkey("em-a", 31), test_vkey("em-b", 32), test_vkey("em-c", 33) } };
        return anchor;
}

TEST(anchor, comes_back_with_its_log)
{
        OWN(buf) struct buf bytes;
        struct anchor anchor = watched(), read = { 0 };
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        write_signed(&anchor, &bytes);
        CHECK(anchor_open(buf_text(&bytes), bytes.length, &read, NULL) == OK);
        CHECK(read.has_log && strcmp(read.log.name, "log.example.org/acme") == 0 && read.log.kind == VERIFIER_LOG && key_equal(&read.log.key, &anchor.log.key));
        CHECK(read.witnesses.threshold == 2 && read.witnesses.count == 3 && strcmp(read.witnesses.keys[2].name, "w3.example.org") == 0);
        CHECK(read.pace.count == 2 && read.pace.start == 0 && read.pace.steps[1].after_s == 3600 && read.pace.steps[1].ppm == 1000000);
        CHECK(read.emergency.threshold == 2 && read.emergency.count == 3);
}

/* The agent's own streams have other keys than all others. */
static struct anchor with_agent(void)
{
        struct anchor anchor = watched();
        anchor.agent = (struct anchor_role){ 2, 2, { test_vkey("build.dora", 34), test_vkey("build.emil", 35) } };
        anchor.agent_streams = (struct anchor_streams){ 2, { "agent", "agent-arm" } };
        return anchor;
}

TEST(anchor, comes_back_with_who_approves_the_agent)
{
        OWN(buf) struct buf bytes;
        struct anchor anchor = with_agent(), read = { 0 };
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        for (size_t has_log = 2; has_log-- > 0; anchor = whole(), anchor.agent = with_agent().agent, anchor.agent_streams = with_agent().agent_streams) {
                write_signed(&anchor, &bytes);
                CHECK(anchor_open(buf_text(&bytes), bytes.length, &read, NULL) == OK);
                CHECK(read.agent.threshold == 2 && read.agent.count == 2 && read.agent_streams.count == 2 && strcmp(read.agent_streams.names[1], "agent-arm") == 0);
                CHECK(anchor_role_for(&read, "agent-arm") == &read.agent && anchor_role_for(&read, "agent-ar") == &read.content && anchor_role_for(&read, "") == &read.content);
                CHECK(anchor_check_agent_stream(&read, "agent", NULL) == OK && anchor_check_agent_stream(&read, "rules", NULL) == ERR_UNTRUSTED);
        }
        struct anchor none = whole();
        CHECK(anchor_role_for(&none, "agent") == &none.content && anchor_check_agent_stream(&none, "rules", NULL) == OK);
}

TEST(anchor, has_a_log_without_witnesses_and_witnesses_without_a_pace)
{
        OWN(buf) struct buf bytes;
        struct anchor anchor = watched();
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        anchor.emergency.count = anchor.emergency.threshold = 0;
        write_signed(&anchor, &bytes);
        CHECK(open_bytes(&bytes) == OK);
        anchor.pace.count = 0;
        write_signed(&anchor, &bytes);
        CHECK(open_bytes(&bytes) == OK);
        anchor.witnesses.count = anchor.witnesses.threshold = 0;
        write_signed(&anchor, &bytes);
        CHECK(open_bytes(&bytes) == OK);
}

static enum err write_without(void (*spoil)(struct anchor *anchor))
{
        OWN(buf) struct buf bytes;
        struct anchor anchor = with_agent();
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        spoil(&anchor);
        return anchor_write(&anchor, &bytes, NULL);
}

static void no_log(struct anchor *anchor) { anchor->has_log = false; }
static void no_witnesses(struct anchor *anchor) { anchor->witnesses.count = anchor->witnesses.threshold = 0; }
static void no_threshold(struct anchor *anchor) { anchor->witnesses.threshold = 0; }
static void too_high(struct anchor *anchor) { anchor->witnesses.threshold = 4; }
static void same_witness(struct anchor *anchor) { anchor->witnesses.keys[2].key = anchor->witnesses.keys[0].key; }
static void no_pace(struct anchor *anchor) { anchor->pace.count = 0; }
static void falling_pace(struct anchor *anchor) { anchor->pace.steps[1].ppm = 999; }
static void dated_pace(struct anchor *anchor) { anchor->pace.start = 1; }
static void same_holder(struct anchor *anchor) { anchor->emergency.keys[1] = anchor->content.keys[1]; }
static void logs_itself(struct anchor *anchor) { anchor->witnesses.keys[0].key = anchor->log.key; }
static void content_watches(struct anchor *anchor) { anchor->witnesses.keys[2].key = anchor->content.keys[0].key; }
static void root_logs(struct anchor *anchor) { anchor->log.key = anchor->root.keys[0].key; }
static void log_lifts(struct anchor *anchor) { anchor->emergency.keys[0].key = anchor->log.key; }
static void witness_lifts(struct anchor *anchor) { anchor->emergency.keys[2].key = anchor->witnesses.keys[1].key; }
static void never(struct anchor *anchor) { anchor->pace.steps[1].after_s = INT64_MAX; }
static void no_emergency(struct anchor *anchor) { anchor->emergency.threshold = 0; }

static void same_writer(struct anchor *anchor) { anchor->agent.keys[1] = anchor->content.keys[0]; }
static void no_streams(struct anchor *anchor) { anchor->agent_streams.count = 0; }
static void streams_alone(struct anchor *anchor) { anchor->agent.count = anchor->agent.threshold = 0; }
static void threshold_alone(struct anchor *anchor) { anchor->agent.count = anchor->agent_streams.count = 0; }
static void stream_twice(struct anchor *anchor) { snprintf(anchor->agent_streams.names[1], 8, "agent"); }
static void stream_path(struct anchor *anchor) { snprintf(anchor->agent_streams.names[1], 8, "a/b"); }
static void dora_twice(struct anchor *anchor) { anchor->agent.keys[1] = anchor->agent.keys[0]; }
static void agent_too_high(struct anchor *anchor) { anchor->agent.threshold = 3; }
static void agent_watches(struct anchor *anchor) { anchor->witnesses.keys[0].key = anchor->agent.keys[0].key; }

TEST(anchor, refuses_agent_keys_that_protect_less_than_they_say)
{
        static void (*const spoils[])(struct anchor *) = { same_writer, no_streams, streams_alone, threshold_alone, stream_twice, stream_path, dora_twice, agent_too_high, agent_watches };
        for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++)
                CHECK(write_without(spoils[i]) == ERR_SYNTAX);
}

TEST(anchor, refuses_a_log_that_protects_less_than_it_says)
{
        static void (*const spoils[])(struct anchor *) = { no_log, no_witnesses, no_threshold, too_high, same_witness, no_pace, falling_pace, dated_pace, same_holder, no_emergency, logs_itself, content_watches, root_logs, log_lifts,
                                                              witness_lifts, never };
        for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++)
                CHECK(write_without(spoils[i]) == ERR_SYNTAX);
}

TEST(anchor, tells_a_log_from_a_witness)
{
        OWN(buf) struct buf bytes;
        struct anchor anchor = watched();
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        anchor.log = watcher("log.example.org/acme", 25, false);
        write_signed(&anchor, &bytes);
        CHECK(open_bytes(&bytes) == ERR_SYNTAX);
        anchor = watched();
        anchor.witnesses.keys[1] = watcher("w2.example.org", 26, true);
        write_signed(&anchor, &bytes);
        CHECK(open_bytes(&bytes) == ERR_SYNTAX);
}

TEST(anchor, of_the_director_shares_no_key_with_log_or_emergency)
{
        struct anchor anchor = watched();
        struct director_anchor director = { .version = 1, .root = { 1, 1, { test_vkey("d-root", 40) } }, .key = anchor.emergency.keys[0] };
        CHECK(anchor_check_pair(&anchor, &director, NULL) == ERR_UNTRUSTED);
        director.key.key = anchor.log.key;
        CHECK(anchor_check_pair(&anchor, &director, NULL) == ERR_UNTRUSTED);
        director.key.key = anchor.witnesses.keys[1].key;
        CHECK(anchor_check_pair(&anchor, &director, NULL) == ERR_UNTRUSTED);
        director.key = with_agent().agent.keys[1];
        anchor = with_agent();
        CHECK(anchor_check_pair(&anchor, &director, NULL) == ERR_UNTRUSTED);
        director.key = test_vkey("director", 41);
        CHECK(anchor_check_pair(&anchor, &director, NULL) == OK);
}

TEST(anchor, takes_the_threshold_of_its_own_root_keys)
{
        OWN(buf) struct buf bytes;
        struct anchor anchor = whole();
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        CHECK(anchor_write(&anchor, &bytes, NULL) == OK);
        CHECK(open_bytes(&bytes) == ERR_SYNTAX);
        test_sign(&bytes, "root-a", 1);
        test_sign(&bytes, "root-a", 1);
        test_sign(&bytes, "content-a", 4);
        test_sign(&bytes, "director", 6);
        CHECK(open_bytes(&bytes) == ERR_UNTRUSTED);
        test_sign(&bytes, "root-c", 3);
        CHECK(open_bytes(&bytes) == OK);
        bytes.bytes[strlen("firebreak anchor v1\nversion ")] = '2';
        CHECK(open_bytes(&bytes) == ERR_UNTRUSTED);
}

TEST(anchor, refuses_lines_that_are_not_as_they_should_be)
{
        static const struct { const char *old, *new; } changes[] = {
                { "anchor v1", "anchor v2" }, { "version 1", "version 0" }, { "version 1", "version -1" }, { "version 1", "version 01" },
                { "root-threshold 2", "root-threshold 0" }, { "root-threshold 2", "root-threshold 4" }, { "root-threshold 2\n", "" },
                { "content-threshold 1", "content-threshold 3" }, { "content-threshold 1", "content-threshold 0" }, { "lab ", "Lab " },
                { "root root-a+", "root root-x+" }, { "lab lab.acme", "lab" }, { "root-threshold 2\n", "root-threshold 2\nroot-threshold 2\n" },
                { "lab lab", "more 1\nlab lab" }, { "content content-a", "content  content-a" },
        };
        CHECK(open_with("version 1", "version 7") == OK);
        for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
                CHECK(open_with(changes[i].old, changes[i].new) == ERR_SYNTAX);
}

TEST(anchor, is_not_written_with_keys_that_weaken_it)
{
        OWN(buf) struct buf bytes;
        struct anchor anchor;
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        anchor = whole(), anchor.root.keys[2] = test_vkey("root-z", 1);           /* the same key under another name */
        CHECK(anchor_write(&anchor, &bytes, NULL) == ERR_SYNTAX);
        anchor = whole(), anchor.content.keys[1] = anchor.content.keys[0];
        CHECK(anchor_write(&anchor, &bytes, NULL) == ERR_SYNTAX);
        anchor = whole(), anchor.lab.count = 0;
        CHECK(anchor_write(&anchor, &bytes, NULL) == ERR_SYNTAX);
        anchor = whole(), anchor.root.threshold = 4;
        CHECK(anchor_write(&anchor, &bytes, NULL) == ERR_SYNTAX);
        anchor = whole(), anchor.version = 0;
        CHECK(anchor_write(&anchor, &bytes, NULL) == ERR_SYNTAX && !bytes.length);
}

TEST(anchor, refuses_more_keys_than_a_role_has)
{
        OWN(buf) struct buf many;
        char text[VKEY_TEXT_MAX];
        buf_init(&many, LIMIT_NOTE_BYTES);
        for (uint8_t i = 0; i < LIMIT_KEYS; i++) {
                struct vkey vkey = test_vkey("more", (uint8_t)(100 + i));
                vkey_text(&vkey, text);
                buf_addf(&many, "root %s\n", text);
        }
        buf_add_text(&many, "content-threshold 1");
        CHECK(open_with("content-threshold 1", buf_text(&many)) == ERR_LIMIT);
}

TEST(anchor, is_followed_only_by_the_next_one_of_both_roots)
{
        OWN(buf) struct buf bytes;
        struct anchor old = whole(), next = whole(), read = { 0 };
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        write_signed(&next, &bytes);
        CHECK(anchor_follow(&old, &bytes, &read, NULL) == ERR_ROLLBACK);
        next.version = 2;
        next.root.keys[0] = test_vkey("root-d", 8), next.root.keys[1] = test_vkey("root-e", 9);
        buf_clear(&bytes);
        CHECK(anchor_write(&next, &bytes, NULL) == OK);
        test_sign(&bytes, "root-d", 8);
        test_sign(&bytes, "root-e", 9);
        CHECK(anchor_open(buf_text(&bytes), bytes.length, &read, NULL) == OK);
        CHECK(anchor_follow(&old, &bytes, &read, NULL) == ERR_UNTRUSTED);
        test_sign(&bytes, "root-a", 1);
        CHECK(anchor_follow(&old, &bytes, &read, NULL) == ERR_UNTRUSTED);
        test_sign(&bytes, "root-b", 2);
        CHECK(anchor_follow(&old, &bytes, &read, NULL) == OK && read.version == 2);
        old.version = 3;
        CHECK(anchor_follow(&old, &bytes, &read, NULL) == ERR_ROLLBACK);
        old.version = 0;               /* one between them is missing */
        CHECK(anchor_follow(&old, &bytes, &read, NULL) == ERR_ROLLBACK);
}

TEST(anchor, is_whole_or_not_there_when_memory_is_short)
{
        OWN(buf) struct buf bytes;
        struct anchor anchor = whole();
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        write_signed(&anchor, &bytes);
        SWEEP_MEMORY {
                struct anchor read = { 0 };
                enum err e = anchor_open(buf_text(&bytes), bytes.length, &read, NULL);
                CHECK(e ? e == ERR_NOMEM && !read.version : read.version == 1);
        }
}

/* ---- the director's ---- */

static struct director_anchor director(void)
{
        return (struct director_anchor){ .version = 1, .root = { 2, 2, { test_vkey("own-a", 11), test_vkey("own-b", 12) } }, .key = test_vkey("director", 6) };
}

static void write_director(const struct director_anchor *anchor, const uint8_t signers[2], struct buf *bytes)
{
        buf_clear(bytes);
        CHECK(director_anchor_write(anchor, bytes, NULL) == OK);
        for (size_t i = 0; i < 2; i++)
                test_sign(bytes, anchor->root.keys[i].name, signers[i]);
}

TEST(director_anchor, comes_back_and_is_its_own_roots)
{
        OWN(buf) struct buf bytes;
        struct director_anchor anchor = director(), read = { 0 };
        struct anchor other = { 0 };
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        write_director(&anchor, (const uint8_t[]){ 11, 12 }, &bytes);
        CHECK(director_anchor_open(buf_text(&bytes), bytes.length, &read, NULL) == OK);
        CHECK(read.version == 1 && read.root.count == 2 && key_equal(&read.key.key, &anchor.key.key) && director_anchor_keys(&read).keys == &read.key);
        CHECK(anchor_open(buf_text(&bytes), bytes.length, &other, NULL) == ERR_SYNTAX);
        write_director(&anchor, (const uint8_t[]){ 11, 13 }, &bytes);
        CHECK(director_anchor_open(buf_text(&bytes), bytes.length, &read, NULL) == ERR_UNTRUSTED);
}

TEST(director_anchor, is_followed_only_by_the_next_one_of_both_roots)
{
        OWN(buf) struct buf bytes;
        struct director_anchor old = director(), next = director(), read = { 0 };
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        next.version = 2;
        next.root.keys[0] = test_vkey("own-c", 13);
        write_director(&next, (const uint8_t[]){ 13, 12 }, &bytes);
        CHECK(director_anchor_follow(&old, &bytes, &read, NULL) == ERR_UNTRUSTED);
        test_sign(&bytes, "own-a", 11);
        CHECK(director_anchor_follow(&old, &bytes, &read, NULL) == OK && read.version == 2);
        CHECK(director_anchor_follow(&read, &bytes, &read, NULL) == ERR_ROLLBACK);
}

TEST(director_anchor, has_a_key_of_no_other_role)
{
        OWN(buf) struct buf bytes;
        struct anchor anchor = whole();
        struct director_anchor own = director();
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        own.key = test_vkey("director", 12);
        CHECK(director_anchor_write(&own, &bytes, NULL) == ERR_SYNTAX && !bytes.length);
        own = director();
        CHECK(anchor_check_pair(&anchor, &own, NULL) == OK);
        for (uint8_t number = 1; number <= 7; number++) {        /* root, content and lab keys of the publisher's */
                own.key = test_vkey("director", number);
                CHECK(anchor_check_pair(&anchor, &own, NULL) == (number == 6 ? OK : ERR_UNTRUSTED));
        }
}
