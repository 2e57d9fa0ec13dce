#include "ceremony/addition.h"

#include "trust/sha.h"
#include "trust/tuf_build.h"
#include "trust/tuf_root.h"

#include <stdio.h>
#include <string.h>

static const char *const names[HOLDER_ROLES] = {
        [HOLDER_ROOT] = "root",           [HOLDER_CONTENT] = "content",     [HOLDER_LAB] = "lab", [HOLDER_EMERGENCY] = "emergency", [HOLDER_AGENT] = "agent",
        [HOLDER_DIRECTOR_ROOT] = "director-root", [HOLDER_TIMESTAMP] = "timestamp", [HOLDER_DIRECTOR] = "director",
};

const char *holder_role_name(enum holder_role role)
{
        return names[role];
}

static struct anchor_role one(const struct vkey *vkey)
{
        return (struct anchor_role){ 1, 1, { *vkey } };
}

struct anchor_role holders_role(const struct holders *holders, enum holder_role role)
{
        switch (role) {
        case HOLDER_ROOT:
                return holders->anchor.root;
        case HOLDER_CONTENT:
                return holders->anchor.content;
        case HOLDER_LAB:
                return holders->anchor.lab;
        case HOLDER_EMERGENCY:
                return holders->anchor.emergency;
        case HOLDER_AGENT:
                return holders->anchor.agent;
        case HOLDER_DIRECTOR_ROOT:
                return holders->director.root;
        case HOLDER_TIMESTAMP:
                return one(&holders->timestamp);
        case HOLDER_DIRECTOR:
        case HOLDER_ROLES:
                break;
        }
        return one(&holders->director.key);
}

/* ---- the same in both places? ---- */

static bool has_all(const struct tuf_holders *role, const struct vkey *keys, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                bool has = false;
                for (size_t k = 0; k < role->count; k++)
                        has |= key_equal(&role->keys[k], &keys[i].key);
                if (!has)
                        return false;
        }
        return role->count == count;
}

static enum err check_role(const struct tuf_root_facts *facts, enum tuf_role role, const struct anchor_role *anchored, const char *root, struct why *why)
{
        const struct tuf_holders *holders = &facts->roles[role];
        if (holders->threshold == anchored->threshold && has_all(holders, anchored->keys, anchored->count))
                return OK;
        return FAIL(why, ERR_UNTRUSTED, "%s names other %s keys than the anchor beside it", root, tuf_role_name(role));
}

/* The release root's, with its timestamp's key. */
static enum err take_release(struct holders *holders, const struct tuf_root_facts *facts, struct why *why)
{
        const char *root = paper_name(PAPER_RELEASE_ROOT);
        enum err e = check_role(facts, TUF_ROOT, &holders->anchor.root, root, why);
        if (!e)
                e = check_role(facts, TUF_TARGETS, &holders->anchor.content, root, why);
        if (!e)
                e = check_role(facts, TUF_SNAPSHOT, &holders->anchor.content, root, why);
        if (!e && facts->roles[TUF_TIMESTAMP].count != 1)
                e = FAIL(why, ERR_UNTRUSTED, "%s does not name one key for its timestamp", root);
        holders->release_root = facts->stamp;
        return e ? e : vkey_make(names[HOLDER_TIMESTAMP], &facts->roles[TUF_TIMESTAMP].keys[0], &holders->timestamp, why);
}

static enum err take_director(struct holders *holders, const struct tuf_root_facts *facts, struct why *why)
{
        const char *root = paper_name(PAPER_DIRECTOR_ROOT);
        struct anchor_role online = one(&holders->director.key);
        enum err e = check_role(facts, TUF_ROOT, &holders->director.root, root, why);
        for (enum tuf_role role = TUF_TARGETS; !e && role < TUF_ROLES; role++)
                e = check_role(facts, role, &online, root, why);
        holders->director_root = facts->stamp;
        return e;
}

/* ---- in force ---- */

static enum err read_listing(const struct tuf *tuf, enum tuf_role role, const struct buf *file, struct tuf_stamp *ret_stamp, struct why *why)
{
        enum err e = tuf_check(tuf, role, file, ret_stamp, why);
        return e ? DURING(why, e, "%s.json", tuf_role_name(role)) : OK;
}

enum err holders_read(const struct proposal *proposal, struct holders *ret_holders, struct why *why)
{
        const struct proposed *papers = proposal->papers;
        const struct buf *anchor = &papers[PAPER_RELEASE_ANCHOR].before, *director = &papers[PAPER_DIRECTOR_ANCHOR].before;
        OWN(tuf) struct tuf *release = NULL;
        struct tuf_root_facts facts;
        *ret_holders = (struct holders){ 0 };
        enum err e = anchor_open(buf_text(anchor), anchor->length, &ret_holders->anchor, why);
        if (!e)
                e = director_anchor_open(buf_text(director), director->length, &ret_holders->director, why);
        if (!e)
                e = tuf_open(&papers[PAPER_RELEASE_ROOT].before, 0, &release, why);
        if (!e)
                e = tuf_root_of(release, &facts, why);
        if (!e)
                e = take_release(ret_holders, &facts, why);
        if (!e)
                e = read_listing(release, TUF_TARGETS, &papers[PAPER_TARGETS].before, &ret_holders->targets, why);
        if (!e)
                e = read_listing(release, TUF_SNAPSHOT, &papers[PAPER_SNAPSHOT].before, &ret_holders->snapshot, why);
        if (!e)
                e = tuf_root_of_file(&papers[PAPER_DIRECTOR_ROOT].before, &facts, why);
        if (!e)
                e = take_director(ret_holders, &facts, why);
        return e ? DURING(why, e, "the files in force") : OK;
}

/* ---- as they shall be ---- */

bool anchor_role_equal(const struct anchor_role *a, const struct anchor_role *b)
{
        if (a->count != b->count || a->threshold != b->threshold)
                return false;
        for (size_t i = 0; i < a->count; i++)
                if (strcmp(a->keys[i].name, b->keys[i].name) != 0 || !key_equal(&a->keys[i].key, &b->keys[i].key))
                        return false;
        return true;
}

bool anchor_streams_equal(const struct anchor_streams *a, const struct anchor_streams *b)
{
        if (a->count != b->count)
                return false;
        for (size_t i = 0; i < a->count; i++)
                if (strcmp(a->names[i], b->names[i]) != 0)
                        return false;
        return true;
}

static bool verifier_equal(const struct verifier *a, const struct verifier *b)
{
        return strcmp(a->name, b->name) == 0 && key_equal(&a->key, &b->key);
}

bool anchor_log_equal(const struct anchor *a, const struct anchor *b)
{
        if (a->has_log != b->has_log || (a->has_log && !verifier_equal(&a->log, &b->log)))
                return false;
        if (a->witnesses.threshold != b->witnesses.threshold || a->witnesses.count != b->witnesses.count || !ceiling_equal(&a->pace, &b->pace))
                return false;
        for (size_t i = 0; i < a->witnesses.count; i++)
                if (!verifier_equal(&a->witnesses.keys[i], &b->witnesses.keys[i]))
                        return false;
        return true;
}

static bool has_changed(const struct holders *before, const struct holders *after, enum holder_role role)
{
        struct anchor_role a = holders_role(before, role), b = holders_role(after, role);
        return !anchor_role_equal(&a, &b);
}

void holders_changes(const struct holders *before, const struct holders *after, bool papers[static PAPERS])
{
        const bool root = has_changed(before, after, HOLDER_ROOT), content = has_changed(before, after, HOLDER_CONTENT), lab = has_changed(before, after, HOLDER_LAB);
        const bool own = has_changed(before, after, HOLDER_DIRECTOR_ROOT) || has_changed(before, after, HOLDER_DIRECTOR);
        const bool agent = has_changed(before, after, HOLDER_AGENT) || !anchor_streams_equal(&before->anchor.agent_streams, &after->anchor.agent_streams);
        papers[PAPER_RELEASE_ANCHOR] = root || content || lab || agent || has_changed(before, after, HOLDER_EMERGENCY) || !anchor_log_equal(&before->anchor, &after->anchor);
        papers[PAPER_RELEASE_ROOT] = papers[PAPER_RELEASE_ANCHOR] || has_changed(before, after, HOLDER_TIMESTAMP) || before->release_root.version != after->release_root.version;
        papers[PAPER_DIRECTOR_ANCHOR] = own;
        papers[PAPER_DIRECTOR_ROOT] = own || before->director_root.version != after->director_root.version;
        papers[PAPER_TARGETS] = papers[PAPER_SNAPSHOT] = content || before->targets.version != after->targets.version;
        papers[PAPER_NOTE] = after->adds_release;
}

static struct tuf_role_keys keys_of(const struct anchor_role *role, struct public_key keys[static LIMIT_KEYS])
{
        for (size_t i = 0; i < role->count; i++)
                keys[i] = role->keys[i].key;
        return (struct tuf_role_keys){ keys, role->count, role->threshold };
}

static enum err write_root(const struct tuf_stamp *stamp, const struct anchor_role of[static TUF_ROLES], struct buf *into, struct why *why)
{
        struct public_key keys[TUF_ROLES][LIMIT_KEYS];
        struct tuf_root root = { .stamp = *stamp };
        for (size_t role = 0; role < TUF_ROLES; role++)
                root.roles[role] = keys_of(&of[role], keys[role]);
        return tuf_root_write(&root, into, why);
}

static enum err write_roots(const struct holders *holders, enum paper paper, struct buf *into, struct why *why)
{
        const struct anchor_role timestamp = one(&holders->timestamp), director = one(&holders->director.key);
        if (paper == PAPER_RELEASE_ROOT)
                return write_root(&holders->release_root, (const struct anchor_role[]){ holders->anchor.root, holders->anchor.content, holders->anchor.content, timestamp }, into, why);
        return write_root(&holders->director_root, (const struct anchor_role[]){ holders->director.root, director, director, director }, into, why);
}

static enum err write_targets(const struct holders *holders, const struct proposal *proposal, struct buf *into, struct why *why)
{
        if (holders->adds_release)
                return addition_write_targets(proposal, &holders->targets, into, why);
        return tuf_targets_write(&holders->targets, &(struct tuf_change){ &proposal->papers[PAPER_TARGETS].before, NULL }, into, why);
}

static enum err write_note(const struct proposal *proposal, struct buf *into, struct why *why)
{
        OWN(release_note) struct release_note *note = NULL;
        enum err e = addition_note(proposal, &note, why);
        return e ? e : release_note_write(note, into, why);
}

enum err holders_write(const struct holders *holders, enum paper paper, const struct proposal *proposal, struct buf *into, struct why *why)
{
        switch (paper) {
        case PAPER_RELEASE_ROOT:
        case PAPER_DIRECTOR_ROOT:
                return write_roots(holders, paper, into, why);
        case PAPER_RELEASE_ANCHOR:
                return anchor_write(&holders->anchor, into, why);
        case PAPER_DIRECTOR_ANCHOR:
                return director_anchor_write(&holders->director, into, why);
        case PAPER_TARGETS:
                return write_targets(holders, proposal, into, why);
        case PAPER_NOTE:
                return write_note(proposal, into, why);
        case PAPER_SNAPSHOT:
        case PAPERS:
                break;
        }
        return tuf_snapshot_write(&holders->snapshot, &(struct tuf_of){ holders->targets.version, NULL }, into, why);
}

static bool is_there(const struct proposal *proposal, enum paper paper)
{
        return proposal->papers[paper].text.length > 0;
}

static enum err draft_roots(const struct proposal *proposal, struct holders *holders, struct why *why)
{
        struct tuf_root_facts facts;
        enum err e = OK;
        if (is_there(proposal, PAPER_RELEASE_ROOT)) {
                e = tuf_root_draft(&proposal->papers[PAPER_RELEASE_ROOT].text, &facts, why);
                if (!e)
                        e = take_release(holders, &facts, why);
        }
        if (!e && is_there(proposal, PAPER_DIRECTOR_ROOT)) {
                e = tuf_root_draft(&proposal->papers[PAPER_DIRECTOR_ROOT].text, &facts, why);
                if (!e)
                        e = take_director(holders, &facts, why);
        }
        return e;
}

static enum err draft_listing(const struct proposal *proposal, struct holders *holders, struct why *why)
{
        enum err e = OK;
        if (is_there(proposal, PAPER_TARGETS))
                e = tuf_draft_stamp(TUF_TARGETS, &proposal->papers[PAPER_TARGETS].text, &holders->targets, why);
        if (!e && is_there(proposal, PAPER_SNAPSHOT))
                e = tuf_draft_stamp(TUF_SNAPSHOT, &proposal->papers[PAPER_SNAPSHOT].text, &holders->snapshot, why);
        return e;
}

/* Nothing between the lines: each text is exactly what we would write of what it says. */
static enum err check_texts(const struct proposal *proposal, const struct holders *before, const struct holders *after, struct why *why)
{
        bool changes[PAPERS], is_any = false;
        holders_changes(before, after, changes);
        for (size_t i = 0; i < PAPERS; i++)
                is_any |= changes[i];
        if (!is_any)
                return FAIL(why, ERR_REFUSED, "it changes nothing");
        for (size_t i = 0; i < PAPERS; i++) {
                const struct proposed *paper = &proposal->papers[i];
                OWN(buf) struct buf text;
                buf_init(&text, LIMIT_METADATA_BYTES);
                if (changes[i] != is_there(proposal, (enum paper)i))
                        return FAIL(why, ERR_UNTRUSTED, "%s %s", paper_name((enum paper)i), changes[i] ? "has to change with the others, and is missing" : "has no reason to change");
                if (!changes[i])
                        continue;
                enum err e = holders_write(after, (enum paper)i, proposal, &text, why);
                if (e)
                        return e;
                if (!buf_equal(&text, &paper->text))
                        return FAIL(why, ERR_UNTRUSTED, "%s is not what this program would have written of what it says", paper_name((enum paper)i));
        }
        return OK;
}

uint64_t holders_version(const struct holders *holders, enum paper paper)
{
        const uint64_t versions[PAPERS] = {
                [PAPER_RELEASE_ROOT] = holders->release_root.version, [PAPER_DIRECTOR_ROOT] = holders->director_root.version, [PAPER_RELEASE_ANCHOR] = holders->anchor.version,
                [PAPER_DIRECTOR_ANCHOR] = holders->director.version,  [PAPER_TARGETS] = holders->targets.version,             [PAPER_SNAPSHOT] = holders->snapshot.version,
        };
        return versions[paper];
}

enum err holders_check(const struct holders *holders, struct why *why)
{
        const struct public_key *key = &holders->timestamp.key;
        enum err e = anchor_check_pair(&holders->anchor, &holders->director, why);
        if (!e && anchor_is_watcher(&holders->anchor, key))
                e = FAIL(why, ERR_UNTRUSTED, "the timestamp key is the log's or a witness's too; make one that is not");
        for (enum holder_role role = HOLDER_ROOT; !e && role < HOLDER_ROLES; role++) {
                const struct anchor_role of = holders_role(holders, role);
                if (role != HOLDER_TIMESTAMP && anchor_role_find(&of, key))
                        e = FAIL(why, ERR_UNTRUSTED, "the timestamp key is a %s key too; make one that is not", names[role]);
        }
        return e;
}

void holders_digest(const struct proposal *proposal, uint8_t digest[32])
{
        uint8_t all[PAPERS_IN_FORCE * 32];
        for (size_t i = 0; i < PAPERS_IN_FORCE; i++) {
                const struct buf *file = &proposal->papers[i].before;
                sha256(buf_text(file), file->length, all + 32 * i);
        }
        sha256(all, sizeof(all), digest);
}

/* Each version of what changes is the next one; devices skip none. */

static enum err check_versions(const struct holders *before, const struct holders *after, struct why *why)
{
        bool changes[PAPERS];
        holders_changes(before, after, changes);
        for (enum paper paper = 0; paper < PAPERS_IN_FORCE; paper++) {
                const unsigned long long old = holders_version(before, paper), new = holders_version(after, paper);
                if (new != old + changes[paper])
                        return FAIL(why, ERR_ROLLBACK, "%s version %llu does not follow version %llu", paper_name(paper), new, old);
        }
        return OK;
}

enum err holders_draft(const struct proposal *proposal, const struct holders *before, struct holders *ret_holders, struct why *why)
{
        enum err e = OK;
        *ret_holders = *before;
        if (is_there(proposal, PAPER_RELEASE_ANCHOR))
                e = anchor_draft(&proposal->papers[PAPER_RELEASE_ANCHOR].text, &ret_holders->anchor, why);
        if (!e && is_there(proposal, PAPER_DIRECTOR_ANCHOR))
                e = director_anchor_draft(&proposal->papers[PAPER_DIRECTOR_ANCHOR].text, &ret_holders->director, why);
        if (!e)
                e = draft_roots(proposal, ret_holders, why);
        if (!e)
                e = draft_listing(proposal, ret_holders, why);
        ret_holders->adds_release = is_there(proposal, PAPER_NOTE);
        if (!e && ret_holders->adds_release)
                e = addition_check(proposal, why);
        if (!e)
                e = holders_check(ret_holders, why);
        if (!e)
                e = check_versions(before, ret_holders, why);
        if (!e)
                e = check_texts(proposal, before, ret_holders, why);
        return e ? DURING(why, e, "what is proposed") : OK;
}
