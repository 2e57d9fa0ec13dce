#include "trust/anchor.h"

#include "base/mem.h"
#include "trust/lines.h"
#include "trust/word.h"

#include <string.h>

static const char heading[] = "firebreak anchor v1", director_heading[] = "firebreak director v1";

OWN_DEFINE(text, char *, mem_free)

struct note_keys anchor_keys(const struct anchor_role *role)
{
        return (struct note_keys){ role->keys, role->count, role->threshold };
}

struct note_keys director_anchor_keys(const struct director_anchor *anchor)
{
        return (struct note_keys){ &anchor->key, 1, 1 };
}

static const struct vkey *find(const struct vkey *keys, size_t count, const struct public_key *key)
{
        for (size_t i = 0; i < count; i++)
                if (key_equal(&keys[i].key, key))
                        return &keys[i];
        return NULL;
}

const struct vkey *anchor_role_find(const struct anchor_role *role, const struct public_key *key)
{
        return find(role->keys, role->count, key);
}

static enum err check_role(const struct anchor_role *role, const char *name, struct why *why)
{
        if (!role->count || role->count > LIMIT_KEYS)
                return FAIL(why, ERR_SYNTAX, "anchor: 1 to %d %s keys", LIMIT_KEYS, name);
        if (!role->threshold || role->threshold > role->count)
                return FAIL(why, ERR_SYNTAX, "anchor: a threshold of %zu with %zu %s keys", role->threshold, role->count, name);
        for (size_t i = 0; i < role->count; i++)
                if (find(role->keys, i, &role->keys[i].key))
                        return FAIL(why, ERR_SYNTAX, "anchor: %s key %s is there twice", name, role->keys[i].name);
        return OK;
}

static enum err check_head(uint64_t version, const struct anchor_role *root, struct why *why)
{
        return version ? check_role(root, "root", why) : FAIL(why, ERR_SYNTAX, "anchor: version 0");
}

/* Other holders than those whom they let go faster. */
static enum err check_emergency(const struct anchor *anchor, struct why *why)
{
        const struct anchor_role *role = &anchor->emergency;
        if (!role->count && !role->threshold)
                return OK;
        for (size_t i = 0; i < role->count; i++)
                if (anchor_role_find(&anchor->content, &role->keys[i].key))
                        return FAIL(why, ERR_SYNTAX, "anchor: emergency key %s is a content key too; others must hold it", role->keys[i].name);
        if (!anchor->pace.count)
                return FAIL(why, ERR_SYNTAX, "anchor: emergency keys lift the pace, and there is none");
        return check_role(role, "emergency", why);
}

static enum err check_streams(const struct anchor_streams *streams, struct why *why)
{
        for (size_t i = 0; i < streams->count; i++) {
                if (!word_is_name(streams->names[i]))
                        return FAIL(why, ERR_SYNTAX, "anchor: `%.80s` is no name of a stream", streams->names[i]);
                for (size_t other = 0; other < i; other++)
                        if (strcmp(streams->names[i], streams->names[other]) == 0)
                                return FAIL(why, ERR_SYNTAX, "anchor: stream %s is there twice", streams->names[i]);
        }
        return OK;
}

/* Who may write rules may not write code: other holders, and streams that are theirs. */
static enum err check_agent(const struct anchor *anchor, struct why *why)
{
        const struct anchor_role *role = &anchor->agent;
        if (!role->count && !role->threshold && !anchor->agent_streams.count)
                return OK;
        for (size_t i = 0; i < role->count; i++)
                if (anchor_role_find(&anchor->content, &role->keys[i].key))
                        return FAIL(why, ERR_SYNTAX, "anchor: agent key %s is a content key too; others must hold it", role->keys[i].name);
        if (!anchor->agent_streams.count || anchor->agent_streams.count > LIMIT_AGENT_STREAMS)
                return FAIL(why, ERR_SYNTAX, "anchor: agent keys, and 1 to %d streams that they approve", LIMIT_AGENT_STREAMS);
        enum err e = check_streams(&anchor->agent_streams, why);
        return e ? e : check_role(role, "agent", why);
}

static enum err check_witnesses(const struct anchor_witnesses *witnesses, struct why *why)
{
        if (witnesses->threshold > witnesses->count || (witnesses->count && !witnesses->threshold))
                return FAIL(why, ERR_SYNTAX, "anchor: a threshold of %zu with %zu witnesses", witnesses->threshold, witnesses->count);
        for (size_t i = 0; i < witnesses->count; i++)
                for (size_t other = 0; other < i; other++)
                        if (key_equal(&witnesses->keys[i].key, &witnesses->keys[other].key))
                                return FAIL(why, ERR_SYNTAX, "anchor: witness %s is there twice", witnesses->keys[i].name);
        return OK;
}

/* Whose key is this, of those who are not the log's world? NULL: nobody's. */
static const char *holder_of(const struct anchor *anchor, const struct public_key *key)
{
        const struct { const char *name; const struct anchor_role *role; } roles[] = {
                { "root", &anchor->root }, { "content", &anchor->content }, { "lab", &anchor->lab }, { "emergency", &anchor->emergency },
                { "agent", &anchor->agent },
        };
        for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
                if (anchor_role_find(roles[i].role, key))
                        return roles[i].name;
        return NULL;
}

/* A log that could vouch for itself, or a content key that could vouch for what it signed, would make the others look on. */
static enum err check_watchers(const struct anchor *anchor, struct why *why)
{
        const char *holder = anchor->has_log ? holder_of(anchor, &anchor->log.key) : NULL;
        if (holder)
                return FAIL(why, ERR_SYNTAX, "anchor: the log's key is a %s key too; make one that is not", holder);
        for (size_t i = 0; i < anchor->witnesses.count; i++) {
                const struct verifier *witness = &anchor->witnesses.keys[i];
                holder = key_equal(&witness->key, &anchor->log.key) ? "log" : holder_of(anchor, &witness->key);
                if (holder)
                        return FAIL(why, ERR_SYNTAX, "anchor: the key of witness %.100s is a %s key too; somebody else must hold it", witness->name, holder);
        }
        return OK;
}

bool anchor_is_watcher(const struct anchor *anchor, const struct public_key *key)
{
        bool is = anchor->has_log && key_equal(&anchor->log.key, key);
        for (size_t i = 0; i < anchor->witnesses.count; i++)
                is = is || key_equal(&anchor->witnesses.keys[i].key, key);
        return is;
}

static enum err check_log(const struct anchor *anchor, struct why *why)
{
        if (anchor->witnesses.count && !anchor->has_log)
                return FAIL(why, ERR_SYNTAX, "anchor: witnesses, and no log that they would watch");
        if (anchor->pace.count && !anchor->witnesses.threshold)
                return FAIL(why, ERR_SYNTAX, "anchor: a pace is counted from when witnesses saw a release, and there are none");
        if (anchor->pace.count && (anchor->pace.start || !ceiling_is_valid(&anchor->pace)))
                return FAIL(why, ERR_SYNTAX, "anchor: the steps of the pace must ascend in time and share, up to 1000000");
        enum err e = check_witnesses(&anchor->witnesses, why);
        return e ? e : check_watchers(anchor, why);
}

static enum err check(const struct anchor *anchor, struct why *why)
{
        enum err e = check_head(anchor->version, &anchor->root, why);
        if (!e)
                e = check_role(&anchor->content, "content", why);
        if (!e)
                e = check_role(&anchor->lab, "lab", why);
        if (!e)
                e = check_log(anchor, why);
        if (!e)
                e = check_emergency(anchor, why);
        return e ? e : check_agent(anchor, why);
}

static bool names_stream(const struct anchor_streams *streams, const char *stream)
{
        for (size_t i = 0; i < streams->count; i++)
                if (strcmp(streams->names[i], stream) == 0)
                        return true;
        return false;
}

const struct anchor_role *anchor_role_for(const struct anchor *anchor, const char *stream)
{
        return names_stream(&anchor->agent_streams, stream) ? &anchor->agent : &anchor->content;
}

enum err anchor_check_agent_stream(const struct anchor *anchor, const char *stream, struct why *why)
{
        if (!anchor->agent.count || names_stream(&anchor->agent_streams, stream))
                return OK;
        return FAIL(why, ERR_UNTRUSTED, "stream %s carries the agent itself, and the publisher's anchor names agent keys, but not this stream", stream);
}

static enum err check_director(const struct director_anchor *anchor, struct why *why)
{
        enum err e = check_head(anchor->version, &anchor->root, why);
        if (!e && anchor_role_find(&anchor->root, &anchor->key.key))
                e = FAIL(why, ERR_SYNTAX, "director's anchor: the director's key is a root key too; make one that is not");
        return e;
}

enum err anchor_check_pair(const struct anchor *anchor, const struct director_anchor *director, struct why *why)
{
        const struct public_key *key = &director->key.key;
        if (anchor_is_watcher(anchor, key) || holder_of(anchor, key))
                return FAIL(why, ERR_UNTRUSTED, "the director's key has a role in the publisher's anchor too; make one that has not");
        return OK;
}

/* ---- writing ---- */

static void write_keys(const char *word, const struct anchor_role *role, struct buf *into)
{
        for (size_t i = 0; i < role->count; i++) {
                char text[VKEY_TEXT_MAX];
                vkey_text(&role->keys[i], text);
                buf_addf(into, "%s %s\n", word, text);
        }
}

static void write_head(const char *first, uint64_t version, const struct anchor_role *root, struct buf *into)
{
        buf_addf(into, "%s\nversion %llu\nroot-threshold %zu\n", first, (unsigned long long)version, root->threshold);
        write_keys("root", root, into);
}

static void write_verifier(const char *word, const struct verifier *verifier, struct buf *into)
{
        char text[VERIFIER_TEXT_MAX];
        verifier_text(verifier, text);
        buf_addf(into, "%s %s\n", word, text);
}

static void write_log(const struct anchor *anchor, struct buf *into)
{
        if (anchor->has_log)
                write_verifier("log", &anchor->log, into);
        if (anchor->witnesses.count)
                buf_addf(into, "witness-threshold %zu\n", anchor->witnesses.threshold);
        for (size_t i = 0; i < anchor->witnesses.count; i++)
                write_verifier("witness", &anchor->witnesses.keys[i], into);
        lines_write_steps("pace", &anchor->pace, into);
}

static void write_agent(const struct anchor *anchor, struct buf *into)
{
        if (!anchor->agent.count)
                return;
        buf_addf(into, "agent-threshold %zu\n", anchor->agent.threshold);
        for (size_t i = 0; i < anchor->agent_streams.count; i++)
                buf_addf(into, "agent-stream %s\n", anchor->agent_streams.names[i]);
        write_keys("agent", &anchor->agent, into);
}

enum err anchor_write(const struct anchor *anchor, struct buf *into, struct why *why)
{
        enum err e = check(anchor, why);
        if (e)
                return e;
        write_head(heading, anchor->version, &anchor->root, into);
        buf_addf(into, "content-threshold %zu\n", anchor->content.threshold);
        write_keys("content", &anchor->content, into);
        write_keys("lab", &anchor->lab, into);
        write_log(anchor, into);
        if (anchor->emergency.count) {
                buf_addf(into, "emergency-threshold %zu\n", anchor->emergency.threshold);
                write_keys("emergency", &anchor->emergency, into);
        }
        write_agent(anchor, into);
        return buf_check(into, why);
}

enum err director_anchor_write(const struct director_anchor *anchor, struct buf *into, struct why *why)
{
        char text[VKEY_TEXT_MAX];
        enum err e = check_director(anchor, why);
        if (e)
                return e;
        write_head(director_heading, anchor->version, &anchor->root, into);
        vkey_text(&anchor->key, text);
        buf_addf(into, "director %s\n", text);
        return buf_check(into, why);
}

/* ---- reading ---- */

static enum err read_keys(struct lines *lines, const char *word, struct anchor_role *role, struct why *why)
{
        enum err e = OK;
        for (role->count = 0; !e && (!role->count || lines_is_next(lines, word)); role->count++)
                e = role->count < LIMIT_KEYS ? lines_vkey(lines, word, &role->keys[role->count], why) : FAIL(why, ERR_LIMIT, "anchor: at most %d keys of a role", LIMIT_KEYS);
        return e;
}

static enum err read_threshold(struct lines *lines, const char *word, struct anchor_role *role, struct why *why)
{
        uint64_t threshold = 0;
        enum err e = lines_number(lines, word, &threshold, why);
        role->threshold = threshold;
        return e;
}

static enum err read_head(struct lines *lines, const char *first, uint64_t *ret_version, struct anchor_role *root, struct why *why)
{
        enum err e = lines_first(lines, first, why);
        if (!e)
                e = lines_number(lines, "version", ret_version, why);
        if (!e)
                e = read_threshold(lines, "root-threshold", root, why);
        return e ? e : read_keys(lines, "root", root, why);
}

static enum err read_verifier(struct lines *lines, const char *word, enum verifier_kind kind, struct verifier *ret_verifier, struct why *why)
{
        char *value;
        enum err e = lines_next(lines, word, &value, why);
        if (!e)
                e = verifier_parse(value, ret_verifier, why);
        if (!e && ret_verifier->kind != kind)
                e = FAIL(why, ERR_SYNTAX, "the key of a %s", kind == VERIFIER_LOG ? "witness" : "log");
        return e ? DURING(why, e, "%s, line %u: %s", lines->what, lines->number, word) : OK;
}

static enum err read_witnesses(struct lines *lines, struct anchor_witnesses *witnesses, struct why *why)
{
        uint64_t threshold = 0;
        enum err e = lines_number(lines, "witness-threshold", &threshold, why);
        witnesses->threshold = threshold;
        for (; !e && (!witnesses->count || lines_is_next(lines, "witness")); witnesses->count++)
                e = witnesses->count < LIMIT_WITNESSES ? read_verifier(lines, "witness", VERIFIER_WITNESS, &witnesses->keys[witnesses->count], why)
                                                       : FAIL(why, ERR_LIMIT, "anchor: at most %d witnesses", LIMIT_WITNESSES);
        return e;
}

static enum err read_log(struct lines *lines, struct anchor *anchor, struct why *why)
{
        enum err e = OK;
        anchor->has_log = lines_is_next(lines, "log");
        if (anchor->has_log)
                e = read_verifier(lines, "log", VERIFIER_LOG, &anchor->log, why);
        if (!e && lines_is_next(lines, "witness-threshold"))
                e = read_witnesses(lines, &anchor->witnesses, why);
        return !e && lines_is_next(lines, "pace") ? lines_steps(lines, "pace", &anchor->pace, why) : e;
}

static enum err read_emergency(struct lines *lines, struct anchor_role *role, struct why *why)
{
        if (!lines_is_next(lines, "emergency-threshold"))
                return OK;
        enum err e = read_threshold(lines, "emergency-threshold", role, why);
        return e ? e : read_keys(lines, "emergency", role, why);
}

static enum err read_streams(struct lines *lines, struct anchor_streams *streams, struct why *why)
{
        enum err e = OK;
        for (; !e && (!streams->count || lines_is_next(lines, "agent-stream")); streams->count++)
                e = streams->count < LIMIT_AGENT_STREAMS ? lines_name(lines, "agent-stream", streams->names[streams->count], why)
                                                         : FAIL(why, ERR_LIMIT, "anchor: at most %d streams of the agent", LIMIT_AGENT_STREAMS);
        return e;
}

static enum err read_agent(struct lines *lines, struct anchor *anchor, struct why *why)
{
        if (!lines_is_next(lines, "agent-threshold"))
                return OK;
        enum err e = read_threshold(lines, "agent-threshold", &anchor->agent, why);
        if (!e)
                e = read_streams(lines, &anchor->agent_streams, why);
        return e ? e : read_keys(lines, "agent", &anchor->agent, why);
}

static enum err parse(struct lines *lines, void *into, struct why *why)
{
        struct anchor *anchor = into;
        enum err e = read_head(lines, heading, &anchor->version, &anchor->root, why);
        if (!e)
                e = read_threshold(lines, "content-threshold", &anchor->content, why);
        if (!e)
                e = read_keys(lines, "content", &anchor->content, why);
        if (!e)
                e = read_keys(lines, "lab", &anchor->lab, why);
        anchor->lab.threshold = 1;
        if (!e)
                e = read_log(lines, anchor, why);
        if (!e)
                e = read_emergency(lines, &anchor->emergency, why);
        if (!e)
                e = read_agent(lines, anchor, why);
        if (!e)
                e = lines_end(lines, why);
        return e ? e : check(anchor, why);
}

static enum err parse_director(struct lines *lines, void *into, struct why *why)
{
        struct director_anchor *anchor = into;
        enum err e = read_head(lines, director_heading, &anchor->version, &anchor->root, why);
        if (!e)
                e = lines_vkey(lines, "director", &anchor->key, why);
        if (!e)
                e = lines_end(lines, why);
        return e ? e : check_director(anchor, why);
}

/* Of both kinds: what decides whether one follows another. */
struct head { const uint64_t *version; const struct anchor_role *root; };

struct reading {
        const char *what;
        enum err (*parse)(struct lines *lines, void *into, struct why *why);
        void *into;                                  /* the caller's, to be thrown away on failure */
        struct head head;                            /* within it */
        struct head before;                          /* of the one that it must follow; NULLs: any */
};

static enum err read_text(const char *bytes, size_t length, const struct reading *reading, struct why *why)
{
        OWN(text) char *text = mem_new(length + 1, 1);
        if (!text)
                return FAIL(why, ERR_NOMEM, "no memory for the %s", reading->what);
        memcpy(text, bytes, length);
        struct lines lines = { .at = text, .end = text + length, .what = reading->what };
        return reading->parse(&lines, reading->into, why);
}

static enum err verify_follows(const struct note *note, const struct reading *reading, struct why *why)
{
        const unsigned long long before = *reading->before.version, now = *reading->head.version;
        struct note_keys keys = anchor_keys(reading->before.root);
        if (now != before + 1)
                return FAIL(why, ERR_ROLLBACK, "version %llu does not follow version %llu", now, before);
        enum err e = note_verify(note, &keys, why);
        return e ? DURING(why, e, "version %llu, by the root keys before it", now) : OK;
}

static enum err read_signed(const char *bytes, size_t length, const struct reading *reading, struct why *why)
{
        struct note note;
        enum err e = note_parse(bytes, length, &note, why);
        if (!e)
                e = read_text(note.text, note.text_length, reading, why);
        if (e)
                return DURING(why, e, "%s", reading->what);
        struct note_keys keys = anchor_keys(reading->head.root);
        e = note_verify(&note, &keys, why);
        if (e)
                return DURING(why, e, "%s version %llu, by its own root keys", reading->what, (unsigned long long)*reading->head.version);
        e = reading->before.version ? verify_follows(&note, reading, why) : OK;
        return e ? DURING(why, e, "%s", reading->what) : OK;
}

static enum err read_anchor(const char *bytes, size_t length, const struct anchor *before, struct anchor *ret_anchor, struct why *why)
{
        struct anchor anchor = { 0 };
        struct reading reading = { "anchor", parse, &anchor, { &anchor.version, &anchor.root }, { 0 } };
        if (before)
                reading.before = (struct head){ &before->version, &before->root };
        enum err e = read_signed(bytes, length, &reading, why);
        if (!e)
                *ret_anchor = anchor;
        return e;
}

static enum err read_director(const char *bytes, size_t length, const struct director_anchor *before, struct director_anchor *ret_anchor, struct why *why)
{
        struct director_anchor anchor = { 0 };
        struct reading reading = { "director's anchor", parse_director, &anchor, { &anchor.version, &anchor.root }, { 0 } };
        if (before)
                reading.before = (struct head){ &before->version, &before->root };
        enum err e = read_signed(bytes, length, &reading, why);
        if (!e)
                *ret_anchor = anchor;
        return e;
}

enum err anchor_draft(const struct buf *text, struct anchor *ret_anchor, struct why *why)
{
        *ret_anchor = (struct anchor){ 0 };
        return read_text(buf_text(text), text->length, &(struct reading){ .what = "anchor", .parse = parse, .into = ret_anchor }, why);
}

enum err director_anchor_draft(const struct buf *text, struct director_anchor *ret_anchor, struct why *why)
{
        *ret_anchor = (struct director_anchor){ 0 };
        return read_text(buf_text(text), text->length, &(struct reading){ .what = "director's anchor", .parse = parse_director, .into = ret_anchor }, why);
}

enum err anchor_open(const char *bytes, size_t length, struct anchor *ret_anchor, struct why *why)
{
        return read_anchor(bytes, length, NULL, ret_anchor, why);
}

enum err anchor_follow(const struct anchor *old, const struct buf *bytes, struct anchor *ret_anchor, struct why *why)
{
        return read_anchor(buf_text(bytes), bytes->length, old, ret_anchor, why);
}

enum err director_anchor_open(const char *bytes, size_t length, struct director_anchor *ret_anchor, struct why *why)
{
        return read_director(bytes, length, NULL, ret_anchor, why);
}

enum err director_anchor_follow(const struct director_anchor *old, const struct buf *bytes, struct director_anchor *ret_anchor, struct why *why)
{
        return read_director(buf_text(bytes), bytes->length, old, ret_anchor, why);
}
