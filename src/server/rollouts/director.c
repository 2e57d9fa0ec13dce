#include "server/rollouts/director.h"

#include "base/limits.h"
#include "format/json.h"
#include "server/rollouts/groups.h"
#include "server/rollouts/roll_back.h"
#include "server/rollouts/rollouts.h"
#include "server/signer/signer.h"
#include "server/store/artifacts.h"
#include "server/store/inside.h"
#include "server/store/metadata.h"
#include "trust/cohort.h"
#include "trust/sha.h"

#include <inttypes.h>
#include <string.h>

enum { RELEASE_TIMESTAMP_S = 86400 };      /* 24 h: offline devices still refresh once a day */

/* A file is due for renewal when a quarter of its life is over. */
static bool is_old(const struct metadata *metadata, int64_t now_s)
{
        return now_s - metadata->made_at >= (metadata->stamp.expires - metadata->made_at) / 4;
}

struct signing { enum signer_form form; const struct public_key *key; };

static enum err sign(struct store *store, const struct signing *signing, const struct buf *to_sign, struct buf *file, struct why *why)
{
        struct tuf_signature signature = { .key = *signing->key };
        enum err e = buf_check(to_sign, why);
        if (!e)
                e = store->signer->ops->sign(store->signer, signing->form, to_sign->bytes, to_sign->length, signature.signature, why);
        return e ? e : tuf_file_write(to_sign, &signature, 1, file, why);
}

enum err director_release_timestamp(struct store *store, int64_t now_s, const struct tuf_of *snapshot, struct buf *file, struct why *why)
{
        OWN(buf) struct buf to_sign;
        struct metadata before = { .repository = REPOSITORY_RELEASE, .role = TUF_TIMESTAMP };
        struct signing signing = { SIGNER_RELEASE_TIMESTAMP, &store->pins.timestamp };
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        enum err e = metadata_newest(store->db, &before, NULL, why);
        struct tuf_stamp stamp = { before.stamp.version + 1, now_s + RELEASE_TIMESTAMP_S };
        if (!e)
                e = tuf_timestamp_write(&stamp, snapshot, &to_sign, why);
        return e ? e : sign(store, &signing, &to_sign, file, why);
}

static enum err renew_release_timestamp(struct store *store, int64_t now_s, struct why *why)
{
        OWN(buf) struct buf snapshot, file;
        struct metadata timestamp = { .repository = REPOSITORY_RELEASE, .role = TUF_TIMESTAMP };
        struct metadata newest = { .repository = REPOSITORY_RELEASE, .role = TUF_SNAPSHOT };
        buf_init(&snapshot, LIMIT_METADATA_BYTES);
        buf_init(&file, LIMIT_METADATA_BYTES);
        enum err e = metadata_newest(store->db, &timestamp, NULL, why);
        if (e || !timestamp.stamp.version || !is_old(&timestamp, now_s))
                return e;
        e = metadata_newest(store->db, &newest, &snapshot, why);
        struct tuf_of of = { newest.stamp.version, &snapshot };
        if (!e)
                e = director_release_timestamp(store, now_s, &of, &file, why);
        struct metadata next = { REPOSITORY_RELEASE, TUF_TIMESTAMP, { timestamp.stamp.version + 1, now_s + RELEASE_TIMESTAMP_S }, now_s };
        if (!e)
                e = metadata_put(store->db, &next, &file, why);
        return e ? e : store_new_epoch(store, why);
}

/* The director's three files, as they are written one after the other. */
struct edition {
        struct store *store;
        int64_t now_s;
        struct tuf_stamp stamp;                 /* of the newest written */
        struct buf targets;
        bool has_changed;
};

static enum err put_file(struct edition *edition, enum tuf_role role, const struct buf *to_sign, struct buf *file, struct why *why)
{
        static const enum signer_form forms[TUF_ROLES] = {
                [TUF_TARGETS] = SIGNER_DIRECTOR_TARGETS, [TUF_SNAPSHOT] = SIGNER_DIRECTOR_SNAPSHOT, [TUF_TIMESTAMP] = SIGNER_DIRECTOR_TIMESTAMP,
        };
        struct signing signing = { forms[role], &edition->store->pins.director.key.key };
        struct metadata metadata = { REPOSITORY_DIRECTOR, role, edition->stamp, edition->now_s };
        enum err e = sign(edition->store, &signing, to_sign, file, why);
        return e ? e : metadata_put(edition->store->db, &metadata, file, why);
}

/* Targets with one document more or another; NULL: as they were, with a new stamp. */
static enum err put_targets(struct edition *edition, const struct tuf_target *add, struct why *why)
{
        OWN(buf) struct buf to_sign;
        OWN(buf) struct buf file;
        struct tuf_change change = { &edition->targets, add };
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        buf_init(&file, LIMIT_METADATA_BYTES);
        edition->stamp.version++;
        enum err e = tuf_targets_write(&edition->stamp, &change, &to_sign, why);
        if (!e)
                e = put_file(edition, TUF_TARGETS, &to_sign, &file, why);
        if (e)
                return e;
        buf_done(&edition->targets);
        edition->targets = file;
        buf_init(&file, LIMIT_METADATA_BYTES);
        edition->has_changed = true;
        return OK;
}

/* Both have the version of the targets: the three are made together. */
static enum err close_edition(struct edition *edition, struct why *why)
{
        OWN(buf) struct buf snapshot_text, snapshot, timestamp_text, timestamp;
        buf_init(&snapshot_text, LIMIT_METADATA_BYTES);
        buf_init(&snapshot, LIMIT_METADATA_BYTES);
        buf_init(&timestamp_text, LIMIT_METADATA_BYTES);
        buf_init(&timestamp, LIMIT_METADATA_BYTES);
        struct tuf_of targets = { edition->stamp.version, &edition->targets }, of_snapshot = { edition->stamp.version, &snapshot };
        enum err e = tuf_snapshot_write(&edition->stamp, &targets, &snapshot_text, why);
        if (!e)
                e = put_file(edition, TUF_SNAPSHOT, &snapshot_text, &snapshot, why);
        if (!e)
                e = tuf_timestamp_write(&edition->stamp, &of_snapshot, &timestamp_text, why);
        if (!e)
                e = put_file(edition, TUF_TIMESTAMP, &timestamp_text, &timestamp, why);
        return e ? e : store_new_epoch(edition->store, why);
}

/* Which word of the director belongs to a state. Cancelled and superseded rollouts have no say as long as another one has. */
static const struct voice { bool speaks; enum cohort_state state; } voices[ROLLOUT_STATES] = {
        [ROLLOUT_EXPOSING] = { true, COHORT_GO },      [ROLLOUT_HOLDING] = { true, COHORT_HOLD },      [ROLLOUT_COMPLETE] = { true, COHORT_GO },
        [ROLLOUT_WATCHED] = { true, COHORT_GO },       [ROLLOUT_HALTED] = { true, COHORT_HOLD },       [ROLLOUT_ROLLING_BACK] = { true, COHORT_WITHDRAW },
        [ROLLOUT_WITHDRAWN] = { true, COHORT_WITHDRAW },
        [ROLLOUT_DRAFT] = { false, COHORT_HOLD },      [ROLLOUT_PROVING] = { false, COHORT_HOLD },     [ROLLOUT_READY] = { false, COHORT_HOLD },
        [ROLLOUT_SUPERSEDED] = { false, COHORT_HOLD }, [ROLLOUT_CANCELLED] = { false, COHORT_HOLD },
};

struct saying { enum cohort_state state; int64_t fallback; };

/* While it probes, devices must go on asking; they get shadow leases only. Nobody is asked to go below the floor. */
static enum err find_saying(struct db *db, const struct run *run, struct saying *saying, struct why *why)
{
        const struct run_facts *facts = run_facts(run);
        bool is_below = false;
        enum err e = run_is_below_floor(db, run, &is_below, why);
        saying->state = facts->is_probing ? COHORT_GO : voices[facts->state].state;
        if (saying->state == COHORT_GO && is_below)
                saying->state = COHORT_HOLD;
        return e ? e : run_fallback(db, run, &saying->fallback, why);
}

/* The newest rollout of a stream that has a say. If none has, the newest takes back what it said. */
static struct run *speaker(const struct rollouts *rollouts, const char *stream)
{
        struct run *found = NULL;
        for (struct run *run = rollouts_first(rollouts); run; run = run_next(run)) {
                bool is_of_stream = strcmp(run_facts(run)->stream, stream) == 0;
                if (is_of_stream && (voices[run_facts(run)->state].speaks || !found || !voices[run_facts(found)->state].speaks))
                        found = run;
        }
        return found;
}

enum { SAYS_MAX = 4096 };
struct word { struct saying saying; char says[SAYS_MAX]; int64_t seq; uint8_t prev[32]; bool is_new; };

static enum err last_word(struct db *db, const char *stream, struct word *word, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        size_t length = 0;
        *word = (struct word){ .is_new = true };
        enum err e = db_query(db, "SELECT seq, digest, says FROM cohorts WHERE stream = ?", VALUES(bind_text(stream)), &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (e || !has)
                return e;
        word->is_new = false;
        word->seq = query_int(q, 0);
        memcpy(word->prev, query_blob(q, 1, &length), sizeof(word->prev));
        snprintf(word->says, sizeof(word->says), "%s", query_text(q, 2));
        return OK;
}

static void fill(const struct edition *edition, const struct run_facts *facts, const struct word *word, struct cohort *cohort)
{
        *cohort = (struct cohort){ .state = word->saying.state, .seq = (uint64_t)word->seq + 1, .counter = (uint64_t)facts->counter,
                                   .fallback = (uint64_t)word->saying.fallback, .length = (uint64_t)facts->note_length,
                                   .expires = edition->stamp.expires, .rule_count = 1 };
        memcpy(cohort->prev, word->prev, sizeof(cohort->prev));
        memcpy(cohort->salt, facts->target, sizeof(cohort->salt));
        memcpy(cohort->sha256, facts->target, sizeof(cohort->sha256));
        snprintf(cohort->stream, sizeof(cohort->stream), "%s", facts->stream);
        snprintf(cohort->tenant, sizeof(cohort->tenant), "%s", edition->store->config.tenant);
        /* The outer bound admits all; who gets it when is decided lease by lease. */
        snprintf(cohort->rules[0].ring, sizeof(cohort->rules[0].ring), "all");
        snprintf(cohort->rules[0].platform, sizeof(cohort->rules[0].platform), "any");
        cohort->rules[0].is_all = true;
}

/* All that is said of a stream: the document, and beside it, for devices that know of it, how fast they go back. */
struct speech { struct cohort cohort; size_t withdrawal_count; struct withdrawal withdrawals[WITHDRAWALS_MAX]; };

static enum err put_document(struct edition *edition, const struct speech *speech, const char *says, struct why *why)
{
        const struct cohort *cohort = &speech->cohort;
        OWN(buf) struct buf bytes;
        OWN(json) struct json *custom = withdrawals_json(speech->withdrawals, speech->withdrawal_count);
        struct tuf_target target = { .path = cohort->stream, .custom = custom };
        buf_init(&bytes, COHORT_BYTES_MAX);
        enum err e = cohort_write(cohort, &bytes, why);
        if (!e)
                e = artifact_put(edition->store->config.artifacts, bytes.bytes, bytes.length, target.sha256, why);
        target.length = bytes.length;
        if (!e)
                e = put_targets(edition, &target, why);
        if (!e)
                e = db_run(edition->store->db, "INSERT INTO cohorts VALUES (?1,?2,?3,?4) ON CONFLICT (stream) DO UPDATE SET seq = ?2, digest = ?3, says = ?4",
                           VALUES(bind_text(cohort->stream), bind_int((int64_t)cohort->seq), bind_blob(target.sha256, 32), bind_text(says)), why);
        return e;
}

static bool is_withdrawn(const struct run *run, const struct run *speaker)
{
        enum rollout_state state = run_facts(run)->state;
        return run != speaker && strcmp(run_facts(run)->stream, run_facts(speaker)->stream) == 0 && (state == ROLLOUT_ROLLING_BACK || state == ROLLOUT_WITHDRAWN);
}

/* A newer rollout that speaks must not silence the withdrawal of an older one. Runs come oldest first; the newest are kept. */
static void add_withdrawn(const struct rollouts *rollouts, const struct run *speaker, struct cohort *cohort)
{
        for (struct run *run = rollouts_first(rollouts); run; run = run_next(run)) {
                if (!is_withdrawn(run, speaker))
                        continue;
                if (cohort->withdrawn_count == COHORT_WITHDRAWN_MAX)
                        memmove(cohort->withdrawn, cohort->withdrawn + 1, --cohort->withdrawn_count * sizeof(cohort->withdrawn[0]));
                cohort->withdrawn[cohort->withdrawn_count++] = (uint64_t)run_facts(run)->counter;
        }
}

/* Into its place among those that are there already; the newest are kept. */
static void insert_older(const struct run_facts *facts, struct cohort *cohort)
{
        size_t at = 0;
        while (at < cohort->older_count && cohort->older[at].counter < (uint64_t)facts->counter)
                at++;
        bool is_there = at < cohort->older_count && cohort->older[at].counter == (uint64_t)facts->counter, is_full = cohort->older_count == COHORT_OLDER_MAX;
        if (is_there || (is_full && !at))
                return;
        if (is_full)
                memmove(cohort->older, cohort->older + 1, --at * sizeof(cohort->older[0]));
        else
                memmove(cohort->older + at + 1, cohort->older + at, (cohort->older_count++ - at) * sizeof(cohort->older[0]));
        cohort->older[at] = (struct cohort_older){ .counter = (uint64_t)facts->counter, .length = (uint64_t)facts->note_length };
        memcpy(cohort->older[at].sha256, facts->target, sizeof(cohort->older[at].sha256));
}

static void add_older_run(const struct edition *edition, const struct run_facts *facts, int64_t counter, struct cohort *cohort)
{
        const struct run *run = rollouts_find(edition->store->rollouts, facts->stream, counter);
        if (run && counter < facts->counter)
                insert_older(run_facts(run), cohort);
}

/* What groups that are kept back from this one are to have, and the newest of all: for whoever cannot have this one now. */
static enum err add_older(const struct edition *edition, const struct run_facts *facts, struct cohort *cohort, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = db_query(edition->store->db, "SELECT DISTINCT pin, behind FROM group_rules WHERE stream = ?", VALUES(bind_text(facts->stream)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has) {
                const struct group_rule rule = { query_int(q, 0), query_int(q, 1) };
                int64_t counter = 0;
                e = group_offer(edition->store->db, facts->stream, &rule, &counter, why);
                if (!e)
                        add_older_run(edition, facts, counter, cohort);
        }
        add_older_run(edition, facts, (int64_t)cohort->fallback, cohort);
        return e;
}

/* What would be said, in short: another one makes the next document. */
static enum err sum_up(const struct speech *speech, struct buf *into, struct why *why)
{
        const struct cohort *cohort = &speech->cohort;
        buf_addf(into, "%s %" PRIu64 " %" PRIu64, cohort_state_name(cohort->state), cohort->counter, cohort->fallback);
        for (size_t i = 0; i < cohort->withdrawn_count; i++)
                buf_addf(into, " -%" PRIu64, cohort->withdrawn[i]);
        for (size_t i = 0; i < cohort->older_count; i++)
                buf_addf(into, " <%" PRIu64, cohort->older[i].counter);
        for (size_t i = 0; i < speech->withdrawal_count; i++)
                buf_addf(into, " @%" PRIu64 ":%" PRId64 "+%" PRId64, speech->withdrawals[i].counter, speech->withdrawals[i].since_s, speech->withdrawals[i].over_s);
        return buf_check(into, why);
}

static enum err speak(struct edition *edition, const struct run *run, bool is_due, struct why *why)
{
        const struct run_facts *facts = run_facts(run);
        struct word word;
        struct speech speech;
        OWN(buf) struct buf says;
        buf_init(&says, SAYS_MAX);
        enum err e = last_word(edition->store->db, facts->stream, &word, why);
        if (!e)
                e = find_saying(edition->store->db, run, &word.saying, why);
        if (e)
                return e;
        fill(edition, facts, &word, &speech.cohort);
        add_withdrawn(edition->store->rollouts, run, &speech.cohort);
        e = add_older(edition, facts, &speech.cohort, why);
        if (!e)
                e = roll_back_list(edition->store->db, facts->stream, speech.withdrawals, &speech.withdrawal_count, why);
        if (!e)
                e = sum_up(&speech, &says, why);
        if (e || (!is_due && strcmp(buf_text(&says), word.says) == 0))
                return e;
        return put_document(edition, &speech, buf_text(&says), why);
}

static enum err speak_all(struct edition *edition, bool is_due, struct why *why)
{
        enum err e = OK;
        for (struct run *run = rollouts_first(edition->store->rollouts); run && !e; run = run_next(run))
                if (speaker(edition->store->rollouts, run_facts(run)->stream) == run)
                        e = speak(edition, run, is_due, why);
        return e;
}

/* Something to say already? Looked at before anything is read: this runs at every tick. */
static enum err follow_director(struct store *store, int64_t now_s, struct why *why)
{
        struct edition edition = { .store = store, .now_s = now_s };
        struct metadata newest = { .repository = REPOSITORY_DIRECTOR, .role = TUF_TARGETS };
        OWN(buf) struct buf targets;
        buf_init(&targets, LIMIT_METADATA_BYTES);
        enum err e = metadata_newest(store->db, &newest, &targets, why);
        if (e)
                return e;
        bool is_due = is_old(&newest, now_s);
        edition.stamp = (struct tuf_stamp){ newest.stamp.version, now_s + store->config.metadata_s };
        edition.targets = targets;
        buf_init(&targets, LIMIT_METADATA_BYTES);
        e = speak_all(&edition, is_due, why);
        if (!e && is_due && !edition.has_changed)
                e = put_targets(&edition, NULL, why);
        if (!e && edition.has_changed)
                e = close_edition(&edition, why);
        buf_done(&edition.targets);
        return e;
}

enum err director_follow(struct store *store, int64_t now_ms, struct why *why)
{
        enum err e = renew_release_timestamp(store, now_ms / 1000, why);
        if (!e)
                e = follow_director(store, now_ms / 1000, why);
        return e ? DURING(why, e, "the director's metadata") : OK;
}
