#include "agent/vouch.h"

#include "format/hex.h"
#include "log/logged.h"
#include "trust/approval.h"

#include <string.h>

void vouch_begin(struct vouch *vouch, const struct vouch_of *of)
{
        const uint64_t version = of->anchor ? of->anchor->version : 0;
        if (vouch->anchor != version || memcmp(vouch->target, of->facts->target, sizeof(vouch->target)) != 0)
                *vouch = (struct vouch){ .anchor = version };
        memcpy(vouch->target, of->facts->target, sizeof(vouch->target));
        vouch->has_no_lift = false;                  /* there may be one by now */
}

/* What was taken is of this release, and by this anchor. */
static bool is_of(const struct vouch *vouch, const struct vouch_of *of)
{
        return of->anchor && vouch->anchor == of->anchor->version && memcmp(vouch->target, of->facts->target, sizeof(vouch->target)) == 0;
}

/* As fast as it may go without the emergency keys. False: there is no pace. */
static bool pace_of(const struct vouch *vouch, const struct vouch_of *of, struct ceiling *ret_pace)
{
        *ret_pace = of->anchor->pace;
        ret_pace->start = vouch->seen;
        return of->anchor->pace.count && vouch->is_logged && !vouch->is_lifted;
}

static bool is_too_fast(const struct vouch *vouch, const struct vouch_of *of)
{
        struct ceiling pace;
        struct install_facts facts = *of->facts;
        if (!pace_of(vouch, of, &pace))
                return false;
        facts.pace = NULL;
        const bool may_without = install_candidate(&facts, NULL) == OK;
        facts.pace = &pace;
        return may_without && install_candidate(&facts, NULL) != OK;
}

enum vouch_step vouch_next(const struct vouch *vouch, const struct vouch_of *of)
{
        if (!of->anchor)
                return VOUCH_DONE;
        if (of->anchor->has_log && !vouch->is_logged)
                return VOUCH_PROOF;
        if (vouch->approved < of->customer_count)
                return VOUCH_CUSTOMER;
        if (of->anchor->emergency.count && !vouch->has_no_lift && is_too_fast(vouch, of))
                return VOUCH_EMERGENCY;
        return VOUCH_DONE;
}

void vouch_path(const struct vouch *vouch, const struct vouch_of *of, enum vouch_step step, char path[VOUCH_PATH_BYTES])
{
        char target[65];
        hex_encode(of->facts->target, 32, target);
        if (step == VOUCH_PROOF)
                snprintf(path, VOUCH_PATH_BYTES, "/v1/log/proof/%s", target);
        else if (step == VOUCH_EMERGENCY)
                snprintf(path, VOUCH_PATH_BYTES, "/v1/approvals/%s/%s", target, approval_kind_name(APPROVAL_EMERGENCY));
        else {
                char key[65];
                hex_encode(of->customers[vouch->approved].key.bytes, 32, key);
                snprintf(path, VOUCH_PATH_BYTES, "/v1/approvals/%s/%s", target, key);
        }
}

static enum err take_proof(struct vouch *vouch, const struct vouch_of *of, const struct buf *bytes, struct why *why)
{
        const struct anchor *anchor = of->anchor;
        struct logged logged = { .kind = LOGGED_RELEASE, .number = of->facts->note->counter };
        struct entry_proof proof;
        OWN(buf) struct buf entry;
        snprintf(logged.name, sizeof(logged.name), "%s", of->facts->note->stream);
        memcpy(logged.digest, of->facts->target, sizeof(logged.digest));
        buf_init(&entry, LOGGED_BYTES_MAX);
        logged_write(&logged, &entry);
        const struct witnesses witnesses = { anchor->witnesses.keys, anchor->witnesses.count, anchor->witnesses.threshold, 0, of->facts->now + LIMIT_WITNESS_AHEAD_S };
        const struct entry_policy policy = { &anchor->log, witnesses.threshold ? &witnesses : NULL };
        enum err e = buf_check(&entry, why);
        if (!e)
                e = entry_proof_parse(buf_text(bytes), bytes->length, &proof, why);
        if (!e)
                e = entry_proof_verify(&proof, &(struct entry_claim){ entry.bytes, entry.length }, &policy, &vouch->seen, why);
        if (e)
                return DURING(why, e, "the proof that the log has the release");
        vouch->is_logged = true;
        return OK;
}

static enum err take_approval(const struct vouch_of *of, enum approval_kind kind, const struct note_keys *keys, const struct buf *bytes, struct why *why)
{
        struct approval approval = { .kind = kind, .by = keys->keys[0] };
        memcpy(approval.release, of->facts->target, sizeof(approval.release));
        return approval_verify(bytes, &approval, keys, why);
}

static enum err take_customer(struct vouch *vouch, const struct vouch_of *of, const struct buf *bytes, struct why *why)
{
        const struct vkey *customer = &of->customers[vouch->approved];
        enum err e = take_approval(of, APPROVAL_CUSTOMER, &(struct note_keys){ customer, 1, 1 }, bytes, why);
        if (e)
                return DURING(why, e, "by %s", customer->name);
        vouch->approved++;
        return OK;
}

static enum err take_emergency(struct vouch *vouch, const struct vouch_of *of, const struct buf *bytes, struct why *why)
{
        struct note_keys keys = anchor_keys(&of->anchor->emergency);
        enum err e = take_approval(of, APPROVAL_EMERGENCY, &keys, bytes, why);
        /* As if there were none: nobody who can answer for the server can keep a device from going at the pace. */
        vouch->has_no_lift = e != OK;
        vouch->is_lifted = !e;
        return e ? DURING(why, e, "by the emergency keys") : OK;
}

enum err vouch_take(struct vouch *vouch, const struct vouch_of *of, enum vouch_step step, const struct buf *bytes, struct why *why)
{
        switch (step) {
        case VOUCH_PROOF: return take_proof(vouch, of, bytes, why);
        case VOUCH_CUSTOMER: return take_customer(vouch, of, bytes, why);
        case VOUCH_EMERGENCY: return take_emergency(vouch, of, bytes, why);
        case VOUCH_DONE: break;
        }
        return OK;
}

enum err vouch_lacks(struct vouch *vouch, const struct vouch_of *of, enum vouch_step step, struct why *why)
{
        switch (step) {
        case VOUCH_PROOF:
                return FAIL(why, ERR_REFUSED, "there is no proof yet that the log %.60s has the release", of->anchor->log.name);
        case VOUCH_CUSTOMER:
                return FAIL(why, ERR_REFUSED, "%s has not approved the release", of->customers[vouch->approved].name);
        case VOUCH_EMERGENCY:
                vouch->has_no_lift = true;
                break;
        case VOUCH_DONE:
                break;
        }
        return OK;
}

void vouch_apply(const struct vouch *vouch, const struct vouch_of *of, struct ceiling *ret_pace, struct install_facts *facts)
{
        if (!is_of(vouch, of))
                return;
        facts->is_vouched = (vouch->is_logged || !of->anchor->has_log) && vouch->approved >= of->customer_count;
        facts->pace = pace_of(vouch, of, ret_pace) ? ret_pace : NULL;
}
