#include "ceremony/rotation.h"

#include "ceremony/addition.h"
#include "trust/release_note.h"
#include "trust/tuf.h"
#include "trust/tuf_build.h"

#include <stdio.h>
#include <string.h>

/* ---- what shall be ---- */

static struct anchor_role *role_of(struct holders *holders, enum holder_role role)
{
        struct anchor_role *const roles[HOLDER_WITH_THRESHOLD] = {
                [HOLDER_ROOT] = &holders->anchor.root, [HOLDER_CONTENT] = &holders->anchor.content, [HOLDER_LAB] = &holders->anchor.lab,
                [HOLDER_EMERGENCY] = &holders->anchor.emergency, [HOLDER_AGENT] = &holders->anchor.agent, [HOLDER_DIRECTOR_ROOT] = &holders->director.root,
        };
        return role < HOLDER_WITH_THRESHOLD ? roles[role] : NULL;
}

static enum err add(struct holders *holders, const struct rotation_step *step, struct why *why)
{
        struct anchor_role *role = role_of(holders, step->role);
        if (!role) {
                *(step->role == HOLDER_TIMESTAMP ? &holders->timestamp : &holders->director.key) = step->vkey;
                return OK;
        }
        for (size_t i = 0; i < role->count; i++)
                if (strcmp(role->keys[i].name, step->vkey.name) == 0)
                        return FAIL(why, ERR_REFUSED, "there is a %s key called %s; a name stands for one key", holder_role_name(step->role), step->vkey.name);
        if (role->count == LIMIT_KEYS)
                return FAIL(why, ERR_LIMIT, "at most %d %s keys", LIMIT_KEYS, holder_role_name(step->role));
        role->keys[role->count++] = step->vkey;
        return OK;
}

static enum err take_out(struct holders *holders, const struct rotation_step *step, struct why *why)
{
        struct anchor_role *role = role_of(holders, step->role);
        if (!role)
                return FAIL(why, ERR_USAGE, "%s has one key: add the new one, and it takes the place of the old", holder_role_name(step->role));
        for (size_t i = 0; i < role->count; i++) {
                if (strcmp(role->keys[i].name, step->name) != 0)
                        continue;
                memmove(&role->keys[i], &role->keys[i + 1], (role->count - i - 1) * sizeof(role->keys[0]));
                memset(&role->keys[--role->count], 0, sizeof(role->keys[0]));
                return OK;
        }
        return FAIL(why, ERR_NOT_FOUND, "there is no %s key called %s; `firebreak root show` lists them", holder_role_name(step->role), step->name);
}

static enum err set_threshold(struct holders *holders, const struct rotation_step *step, struct why *why)
{
        struct anchor_role *role = role_of(holders, step->role);
        if (!role || step->role == HOLDER_LAB)
                return FAIL(why, ERR_USAGE, "%s has no threshold: %s", holder_role_name(step->role), role ? "each lab speaks for itself" : "it has one key");
        role->threshold = step->threshold;
        return OK;
}

/* ---- log, witnesses, pace ---- */

static enum err add_witness(struct holders *holders, const struct rotation_step *step, struct why *why)
{
        struct anchor_witnesses *witnesses = &holders->anchor.witnesses;
        for (size_t i = 0; i < witnesses->count; i++)
                if (strcmp(witnesses->keys[i].name, step->verifier.name) == 0)
                        return FAIL(why, ERR_REFUSED, "there is a witness called %s; a name stands for one key", step->verifier.name);
        if (witnesses->count == LIMIT_WITNESSES)
                return FAIL(why, ERR_LIMIT, "at most %d witnesses", LIMIT_WITNESSES);
        witnesses->keys[witnesses->count++] = step->verifier;
        return OK;
}

static enum err take_witness_out(struct holders *holders, const struct rotation_step *step, struct why *why)
{
        struct anchor_witnesses *witnesses = &holders->anchor.witnesses;
        for (size_t i = 0; i < witnesses->count; i++) {
                if (strcmp(witnesses->keys[i].name, step->name) != 0)
                        continue;
                memmove(&witnesses->keys[i], &witnesses->keys[i + 1], (witnesses->count - i - 1) * sizeof(witnesses->keys[0]));
                memset(&witnesses->keys[--witnesses->count], 0, sizeof(witnesses->keys[0]));
                return OK;
        }
        return FAIL(why, ERR_NOT_FOUND, "there is no witness called %.100s; `firebreak root show` lists them", step->name);
}

static enum err set_witness_threshold(struct holders *holders, const struct rotation_step *step, struct why *why)
{
        (void)why;
        holders->anchor.witnesses.threshold = step->threshold;
        return OK;
}

static enum err set_log(struct holders *holders, const struct rotation_step *step, struct why *why)
{
        (void)why;
        holders->anchor.log = step->verifier;
        holders->anchor.has_log = step->verifier.name[0] != 0;
        return OK;
}

static enum err set_pace(struct holders *holders, const struct rotation_step *step, struct why *why)
{
        (void)why;
        holders->anchor.pace = step->pace;
        return OK;
}

static enum err set_streams(struct holders *holders, const struct rotation_step *step, struct why *why)
{
        (void)why;
        holders->anchor.agent_streams = step->streams;
        return OK;
}

/* Of those that there need not be: when the last is taken out, their number goes, and what they approve. */
static void forget_numbers(const struct anchor *before, struct anchor *after)
{
        if (before->emergency.count && !after->emergency.count)
                after->emergency.threshold = 0;
        if (before->witnesses.count && !after->witnesses.count)
                after->witnesses.threshold = 0;
        if (before->agent.count && !after->agent.count) {
                after->agent.threshold = 0;
                after->agent_streams = (struct anchor_streams){ 0 };
        }
}

static enum err apply(struct holders *holders, const struct rotation *rotation, struct why *why)
{
        static enum err (*const takes[])(struct holders *holders, const struct rotation_step *step, struct why *why) = {
                [ROTATION_ADD] = add, [ROTATION_REMOVE] = take_out, [ROTATION_THRESHOLD] = set_threshold, [ROTATION_WITNESS] = add_witness,
                [ROTATION_NO_WITNESS] = take_witness_out, [ROTATION_WITNESSES] = set_witness_threshold, [ROTATION_LOG] = set_log, [ROTATION_PACE] = set_pace, [ROTATION_STREAMS] = set_streams,
        };
        const struct anchor before = holders->anchor;
        enum err e = OK;
        for (size_t i = 0; !e && i < rotation->count; i++)
                e = takes[rotation->steps[i].kind](holders, &rotation->steps[i], why);
        forget_numbers(&before, &holders->anchor);
        return e;
}

/* What was signed before may not be any more: a key that was in it is no longer, or it takes more of them. */
static bool revokes(const struct anchor_role *before, const struct anchor_role *after)
{
        if (after->threshold > before->threshold)
                return true;
        for (size_t i = 0; i < before->count; i++)
                if (!anchor_role_find(after, &before->keys[i].key))
                        return true;
        return false;
}

/* Said here by the role's own name; roots and anchors would call it targets or snapshot. */
static enum err check_thresholds(const struct holders *holders, struct why *why)
{
        for (enum holder_role role = HOLDER_ROOT; role < HOLDER_WITH_THRESHOLD; role++) {
                const struct anchor_role of = holders_role(holders, role);
                if ((role == HOLDER_EMERGENCY || role == HOLDER_AGENT) && !of.count && !of.threshold)
                        continue;
                if (!of.count || of.threshold > of.count || !of.threshold)
                        return FAIL(why, ERR_SYNTAX, "a threshold of %zu with %zu %s keys", of.threshold, of.count, holder_role_name(role));
        }
        return OK;
}

static enum err check_date(const char *name, const struct tuf_stamp *before, const struct tuf_stamp *after, int64_t now, int64_t most, struct why *why)
{
        if (after->version == before->version || (after->expires > now && after->expires <= now + most))
                return OK;
        return FAIL(why, ERR_EXPIRED, "%s would be good for %lld days; 1 to %lld make sense. Is the clock right?", name, (long long)((after->expires - now) / 86400),
                    (long long)(most / 86400));
}

enum err rotation_check_dates(const struct holders *before, const struct holders *after, int64_t now, struct why *why)
{
        enum err e = check_date(paper_name(PAPER_RELEASE_ROOT), &before->release_root, &after->release_root, now, ROTATION_ROOT_S_MAX, why);
        if (!e)
                e = check_date(paper_name(PAPER_DIRECTOR_ROOT), &before->director_root, &after->director_root, now, ROTATION_ROOT_S_MAX, why);
        if (!e)
                e = check_date(paper_name(PAPER_TARGETS), &before->targets, &after->targets, now, ROTATION_LISTING_S_MAX, why);
        return e ? e : check_date(paper_name(PAPER_SNAPSHOT), &before->snapshot, &after->snapshot, now, ROTATION_LISTING_S_MAX, why);
}

static enum err check_revocation(const struct holders *before, const struct holders *after, struct why *why)
{
        bool is_revoking = revokes(&before->anchor.root, &after->anchor.root) || revokes(&before->anchor.content, &after->anchor.content);
        if (is_revoking && key_equal(&before->timestamp.key, &after->timestamp.key))
                return FAIL(why, ERR_REFUSED, "a root that takes a key out, or asks for more of them, also gets a new timestamp key");
        return OK;
}

static void stamp(struct tuf_stamp *stamp, int64_t expires)
{
        *stamp = (struct tuf_stamp){ stamp->version + 1, expires };
}

static void stamp_all(const struct holders *before, struct holders *after, const struct rotation *rotation)
{
        bool papers[PAPERS];
        const bool renews_roots = !rotation->count && !rotation->is_listing_only;
        holders_changes(before, after, papers);
        if (papers[PAPER_RELEASE_ROOT] || renews_roots)
                stamp(&after->release_root, rotation->now + rotation->root_s);
        if (papers[PAPER_DIRECTOR_ROOT] || renews_roots)
                stamp(&after->director_root, rotation->now + rotation->root_s);
        after->anchor.version += papers[PAPER_RELEASE_ANCHOR];
        after->director.version += papers[PAPER_DIRECTOR_ANCHOR];
        if (papers[PAPER_TARGETS] || !rotation->count)
                stamp(&after->targets, rotation->now + rotation->listing_s);
        if (papers[PAPER_SNAPSHOT] || !rotation->count)
                stamp(&after->snapshot, rotation->now + rotation->listing_s);
}

static enum err write_texts(struct proposal *proposal, const struct holders *before, const struct holders *after, struct why *why)
{
        bool papers[PAPERS], is_any = false;
        holders_changes(before, after, papers);
        enum err e = OK;
        for (size_t i = 0; !e && i < PAPERS; i++) {
                is_any |= papers[i];
                if (papers[i])
                        e = holders_write(after, (enum paper)i, proposal, &proposal->papers[i].text, why);
        }
        return e || is_any ? e : FAIL(why, ERR_REFUSED, "this changes nothing");
}

enum err rotation_propose(struct proposal *proposal, const struct rotation *rotation, struct why *why)
{
        struct holders before, after;
        enum err e = holders_read(proposal, &before, why);
        if (e)
                return e;
        after = before;
        e = apply(&after, rotation, why);
        if (!e)
                e = check_thresholds(&after, why);
        if (!e)
                e = check_revocation(&before, &after, why);
        if (!e)
                e = holders_check(&after, why);
        if (e)
                return e;
        stamp_all(&before, &after, rotation);
        return write_texts(proposal, &before, &after, why);
}

/* ---- who has to sign ---- */

static size_t count_good(const struct proposal *proposal, enum paper paper, const struct anchor_role *role)
{
        size_t good = 0;
        for (size_t i = 0; i < role->count; i++)
                good += proposal_has(proposal, paper, &role->keys[i].key);
        return good;
}

/* Of a note: those who approve what its stream carries. */
static struct rotation_need need_of_note(const struct proposal *proposal, const struct anchor *anchor)
{
        OWN(release_note) struct release_note *note = NULL;
        const struct anchor_role *role = addition_note(proposal, &note, NULL) ? &anchor->content : anchor_role_for(anchor, note->stream);
        return (struct rotation_need){ role == &anchor->agent ? "agent keys" : "content keys", *role, 0 };
}

size_t rotation_needs(const struct proposal *proposal, const struct holders *before, const struct holders *after, enum paper paper,
                      struct rotation_need needs[static ROTATION_NEEDS_MAX])
{
        const bool is_director = paper == PAPER_DIRECTOR_ROOT || paper == PAPER_DIRECTOR_ANCHOR;
        const struct anchor_role *old = is_director ? &before->director.root : &before->anchor.root, *new = is_director ? &after->director.root : &after->anchor.root;
        size_t count = 0;
        if (!proposal->papers[paper].text.length)
                return 0;
        if (paper == PAPER_NOTE)
                needs[count++] = need_of_note(proposal, &after->anchor);
        else if (paper_is_listing(paper))
                needs[count++] = (struct rotation_need){ "content keys", after->anchor.content, 0 };
        else if (anchor_role_equal(old, new))
                needs[count++] = (struct rotation_need){ is_director ? "director-root keys" : "root keys", *new, 0 };
        else {
                needs[count++] = (struct rotation_need){ is_director ? "director-root keys in force" : "root keys in force", *old, 0 };
                needs[count++] = (struct rotation_need){ is_director ? "new director-root keys" : "new root keys", *new, 0 };
        }
        for (size_t i = 0; i < count; i++)
                needs[i].have = count_good(proposal, paper, &needs[i].role);
        return count;
}

bool rotation_is_complete(const struct proposal *proposal, const struct holders *before, const struct holders *after)
{
        struct rotation_need needs[ROTATION_NEEDS_MAX];
        for (size_t i = 0; i < PAPERS; i++)
                for (size_t k = rotation_needs(proposal, before, after, (enum paper)i, needs); k > 0; k--)
                        if (needs[k - 1].have < needs[k - 1].role.threshold)
                                return false;
        return true;
}

/* ---- the new files ---- */

/* Under every name that the key has before and after; signatures of keys that nobody asked are left out. */
static enum err write_lines(const struct paper_signature *signature, const struct rotation_need *needs, size_t count, struct buf *into, struct why *why)
{
        const struct vkey *written = NULL;
        enum err e = OK;
        for (size_t i = 0; !e && i < count; i++) {
                const struct vkey *vkey = anchor_role_find(&needs[i].role, &signature->key);
                if (!vkey || (written && strcmp(written->name, vkey->name) == 0))
                        continue;
                e = note_add_signature(into, vkey, signature->signature, why);
                written = vkey;
        }
        return e;
}

static enum err write_note(const struct proposed *paper, const struct rotation_need *needs, size_t count, struct buf *into, struct why *why)
{
        buf_add(into, buf_text(&paper->text), paper->text.length);
        enum err e = buf_check(into, why);
        for (size_t i = 0; !e && i < paper->count; i++)
                e = write_lines(&paper->signatures[i], needs, count, into, why);
        return e;
}

static enum err write_tuf(const struct proposed *paper, const struct rotation_need *needs, size_t count, struct buf *into, struct why *why)
{
        struct tuf_signature signatures[LIMIT_SIGNATURES];
        size_t good = 0;
        for (size_t i = 0; i < paper->count; i++) {
                bool counts = false;
                for (size_t k = 0; k < count; k++)
                        counts |= anchor_role_find(&needs[k].role, &paper->signatures[i].key) != NULL;
                if (!counts)
                        continue;
                signatures[good].key = paper->signatures[i].key;
                memcpy(signatures[good++].signature, paper->signatures[i].signature, sizeof(signatures[0].signature));
        }
        return tuf_file_write(&paper->text, signatures, good, into, why);
}

static enum err write_files(const struct proposal *proposal, const struct holders *before, const struct holders *after, struct buf files[static PAPERS], struct why *why)
{
        enum err e = OK;
        for (size_t i = 0; !e && i < PAPERS; i++) {
                struct rotation_need needs[ROTATION_NEEDS_MAX];
                size_t count = rotation_needs(proposal, before, after, (enum paper)i, needs);
                if (count)
                        e = (paper_is_note((enum paper)i) ? write_note : write_tuf)(&proposal->papers[i], needs, count, &files[i], why);
        }
        return e;
}

static const struct buf *in_force(const struct proposal *proposal, const struct buf files[static PAPERS], enum paper paper)
{
        return files[paper].length ? &files[paper] : &proposal->papers[paper].before;
}

static enum err judge_root(const struct proposal *proposal, const struct buf *file, enum paper paper, int64_t now, struct tuf **ret_tuf, struct why *why)
{
        enum err e = tuf_open(&proposal->papers[paper].before, now, ret_tuf, why);
        if (!e && file->length)
                e = tuf_update(*ret_tuf, TUF_ROOT, file, why);
        if (!e && tuf_expires(*ret_tuf, TUF_ROOT) <= now)
                e = FAIL(why, ERR_EXPIRED, "it has expired; is the clock right?");
        return e ? DURING(why, e, "%s", paper_name(paper)) : OK;
}

static enum err judge_listing(const struct tuf *tuf, const struct proposal *proposal, const struct buf files[static PAPERS], enum paper paper, struct why *why)
{
        struct tuf_stamp ignored;
        enum err e = tuf_check(tuf, paper == PAPER_TARGETS ? TUF_TARGETS : TUF_SNAPSHOT, in_force(proposal, files, paper), &ignored, why);
        return e && !(e == ERR_EXPIRED && !files[paper].length) ? DURING(why, e, "%s", paper_name(paper)) : OK;
}

static enum err judge_note(const struct holders *before, const struct buf *file, struct why *why)
{
        OWN(release_note) struct release_note *note = NULL;
        return file->length ? release_note_open(&before->anchor, file, &note, why) : OK;
}

static enum err judge_anchors(const struct holders *before, const struct buf files[static PAPERS], struct why *why)
{
        struct anchor anchor = before->anchor;
        struct director_anchor director = before->director;
        enum err e = OK;
        if (files[PAPER_RELEASE_ANCHOR].length)
                e = anchor_follow(&before->anchor, &files[PAPER_RELEASE_ANCHOR], &anchor, why);
        if (!e && files[PAPER_DIRECTOR_ANCHOR].length)
                e = director_anchor_follow(&before->director, &files[PAPER_DIRECTOR_ANCHOR], &director, why);
        return e ? e : anchor_check_pair(&anchor, &director, why);
}

static enum err judge(const struct proposal *proposal, const struct holders *before, int64_t now, const struct buf files[static PAPERS], struct why *why)
{
        OWN(tuf) struct tuf *release = NULL, *director = NULL;
        enum err e = judge_root(proposal, &files[PAPER_RELEASE_ROOT], PAPER_RELEASE_ROOT, now, &release, why);
        if (!e && files[PAPER_DIRECTOR_ROOT].length)     /* what is the publisher's alone does not wait for a customer to renew his */
                e = judge_root(proposal, &files[PAPER_DIRECTOR_ROOT], PAPER_DIRECTOR_ROOT, now, &director, why);
        if (!e)
                e = judge_listing(release, proposal, files, PAPER_TARGETS, why);
        if (!e)
                e = judge_listing(release, proposal, files, PAPER_SNAPSHOT, why);
        if (!e)
                e = judge_note(before, &files[PAPER_NOTE], why);
        return e ? e : judge_anchors(before, files, why);
}

void rotation_files_init(struct rotation_files *files)
{
        for (size_t i = 0; i < PAPERS; i++)
                buf_init(&files->of[i], LIMIT_METADATA_BYTES);
}

void rotation_files_release(struct rotation_files *files)
{
        for (size_t i = 0; i < PAPERS; i++)
                buf_done(&files->of[i]);
}

enum err rotation_finish(const struct proposal *proposal, int64_t now, struct buf files[static PAPERS], struct why *why)
{
        struct holders before, after;
        enum err e = holders_read(proposal, &before, why);
        if (!e)
                e = holders_draft(proposal, &before, &after, why);
        if (!e)
                e = check_revocation(&before, &after, why);
        if (!e)
                e = rotation_check_dates(&before, &after, now, why);
        if (!e && !rotation_is_complete(proposal, &before, &after))
                e = FAIL(why, ERR_UNTRUSTED, "signatures are missing");
        if (!e)
                e = write_files(proposal, &before, &after, files, why);
        return e ? e : judge(proposal, &before, now, files, why);
}
