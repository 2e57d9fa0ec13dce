#include "agent/refresh.h"

#include "agent/follow.h"
#include "agent/pinned.h"
#include "agent/question.h"
#include "agent/spool.h"
#include "agent/verify.h"
#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

enum { RETRY_FIRST_MS = 1000, RETRY_MAX_MS = 300000, EXPIRY_SPARE_S = 5 };

static const char wanted_spool[] = "wanted", wanted_path[] = "spool/wanted";

struct refresh {
        struct agent *agent;
        bool is_wanted, is_running, is_calling, is_due;  /* is_due: the verifier has something new to look at */
        bool has_refused;                                /* some stream of this run: try again soon */
        size_t stream;                                   /* whose turn it is */
        unsigned runs;
        struct buf files;                                /* records of all streams: kept and fresh files */
        struct buf cohort;                               /* this stream's */
        struct verdict verdict;
        int64_t judged_s;                                /* the time by which it was reached */
        struct follow follow;                            /* the anchors, which move on with the roots */
        unsigned roots[BUNDLE_REPOSITORIES];             /* the record of the newest root of this run that was kept; BUNDLE_NONE: no new one */
        int64_t retry_at_ms, pause_ms;
};

static const char *const repository_names[BUNDLE_REPOSITORIES] = { [BUNDLE_RELEASE] = "release", [BUNDLE_DIRECTOR] = "director" };

enum err refresh_open(struct agent *agent, struct refresh **ret_refresh, struct why *why)
{
        struct refresh *refresh = mem_new(1, sizeof(*refresh));
        if (!refresh)
                return FAIL(why, ERR_NOMEM, "preparing to refresh");
        refresh->agent = agent;
        follow_init(&refresh->follow, agent);
        buf_init(&refresh->files, BUNDLE_BYTES_MAX);
        buf_init(&refresh->cohort, LIMIT_METADATA_BYTES);
        *ret_refresh = refresh;
        return OK;
}

void refresh_close(struct refresh *refresh)
{
        if (!refresh)
                return;
        buf_done(&refresh->files);
        buf_done(&refresh->cohort);
        mem_free(refresh);
}

void refresh_want(struct refresh *refresh)
{
        refresh->is_wanted = true;
}

void refresh_want_anchors(struct refresh *refresh)
{
        for (unsigned repository = 0; repository < BUNDLE_REPOSITORIES; repository++)
                follow_want(&refresh->follow, (enum bundle_repository)repository);
        refresh_want(refresh);
}

struct kept_path { char text[48]; };
static struct kept_path kept_path(unsigned repository, unsigned role)
{
        struct kept_path path;
        snprintf(path.text, sizeof(path.text), "trust/%s.%s", repository_names[repository], tuf_role_name((enum tuf_role)role));
        return path;
}

static enum err read_pinned(const struct agent *agent, unsigned repository, struct buf *into, struct why *why)
{
        return pinned_read(agent->config->trust, repository == BUNDLE_RELEASE ? "release.root.json" : "director.root.json", into, why);
}

/* What was found good before; the first time, only the pinned roots. */
static enum err add_kept(struct refresh *refresh, unsigned repository, unsigned role, struct why *why)
{
        struct disk *disk = refresh->agent->disk;
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LIMIT_METADATA_BYTES);
        enum err e = disk->ops->read(disk, kept_path(repository, role).text, &bytes, why);
        if (e == ERR_NOT_FOUND && role != TUF_ROOT)
                return OK;
        if (e == ERR_NOT_FOUND)
                e = read_pinned(refresh->agent, repository, &bytes, why);
        if (e)
                return e;
        bundle_add(&refresh->files, bundle_file(BUNDLE_KEPT, (enum bundle_repository)repository, (enum tuf_role)role), bytes.bytes, bytes.length);
        return buf_check(&refresh->files, why);
}

/* Nothing is judged by an earlier time than the one that was kept. */
static enum err begin(struct refresh *refresh, struct why *why)
{
        struct agent *agent = refresh->agent;
        buf_clear(&refresh->files);
        follow_begin(&refresh->follow);
        enum err e = agent->time.is_unread ? trusted_time_read(&agent->time, agent->disk, why) : OK;
        for (unsigned repository = 0; !e && repository < BUNDLE_REPOSITORIES; repository++) {
                refresh->roots[repository] = BUNDLE_NONE;
                for (unsigned role = 0; !e && role < TUF_ROLES; role++)
                        e = add_kept(refresh, repository, role, why);
        }
        return e;
}

static void begin_stream(struct refresh *refresh)
{
        buf_clear(&refresh->cohort);
        refresh->runs = 0;
        refresh->is_due = true;
}

/* The older release that the policy of this device names, else the server, until it runs; not one that was given up here. */
static uint64_t wanted_of(const struct agent *agent, struct stream *stream)
{
        const struct slot_stream *now = slots_stream(agent->slots, stream->index);
        const uint64_t running = slots_in(agent->slots, stream->index, (enum slot_id)now->current)->counter, instead = holding_instead(stream);
        if (running == stream->wanted)
                stream->wanted = 0;
        const uint64_t wanted = instead > running ? instead : stream->wanted;
        return slots_is_denied(agent->slots, stream->index, wanted) ? 0 : wanted;
}

static enum err make_bundle(struct refresh *refresh, struct buf *bundle, struct why *why)
{
        const struct agent *agent = refresh->agent;
        struct stream *stream = &refresh->agent->streams[refresh->stream];
        refresh->judged_s = agent_time_s(agent);
        const struct question question = {
                .files = &refresh->files, .cohort = &refresh->cohort, .slots = slots_stream(agent->slots, stream->index),
                .device = agent->device, .ring = agent->config->ring, .platform = agent->config->platform, .stream = stream->config->name,
                .now_s = refresh->judged_s, .wanted = wanted_of(agent, stream),
        };
        question_write(&question, bundle);
        return buf_check(bundle, why);
}

/* Whoever changes an anchor makes a new root, too. */
static void root_kept(struct refresh *refresh, unsigned repository, unsigned index)
{
        if (refresh->roots[repository] != index)
                follow_want(&refresh->follow, (enum bundle_repository)repository);
        refresh->roots[repository] = index;
}

/* A file that is trusted now and was not before goes to disk, so that nothing older is taken after this. */
static enum err keep(struct refresh *refresh, unsigned repository, unsigned role, struct why *why)
{
        struct buf bytes = { 0 };
        if (!question_is_news(&refresh->files, &refresh->verdict, repository, role, &bytes))
                return OK;
        struct disk *disk = refresh->agent->disk;
        enum err e = disk->ops->replace(disk, kept_path(repository, role).text, bytes.bytes, bytes.length, why);
        if (!e && role == TUF_ROOT)
                root_kept(refresh, repository, refresh->verdict.kept[repository][role]);
        return e;
}

/* In the order in which one vouches for the next. The other way round, power lost in between would leave new targets below an old timestamp, and whoever
 * replays what was before takes them back. */
static enum err keep_all(struct refresh *refresh, struct why *why)
{
        static const enum tuf_role order[TUF_ROLES] = { TUF_ROOT, TUF_TIMESTAMP, TUF_SNAPSHOT, TUF_TARGETS };
        enum err e = OK;
        for (unsigned repository = 0; !e && repository < BUNDLE_REPOSITORIES; repository++)
                for (unsigned role = 0; !e && role < TUF_ROLES; role++)
                        e = keep(refresh, repository, order[role], why);
        return e;
}

static void try_again(struct refresh *refresh)
{
        int64_t pause = refresh->pause_ms ? refresh->pause_ms * 2 : RETRY_FIRST_MS;
        refresh->pause_ms = pause < RETRY_MAX_MS ? pause : RETRY_MAX_MS;
        refresh->retry_at_ms = agent_steady_ms(refresh->agent) + agent_jitter_ms(refresh->agent, refresh->pause_ms);
        refresh->is_running = false;
        refresh->is_wanted = true;
}

static void complain(const struct refresh *refresh, const char *text)
{
        agent_note(refresh->agent, EVENT_METADATA_REFUSED, &refresh->agent->streams[refresh->stream], text);
}

static void give_up(struct refresh *refresh, const char *text)
{
        complain(refresh, text);
        try_again(refresh);
}

static void next_stream(struct refresh *refresh)
{
        if (++refresh->stream < refresh->agent->stream_count) {
                begin_stream(refresh);
                return;
        }
        if (refresh->has_refused || follow_is_behind(&refresh->follow)) {
                try_again(refresh);
                return;
        }
        refresh->is_running = false;
        refresh->pause_ms = 0;
        refresh->retry_at_ms = 0;
}

/* What it said was fresh by our clock: as that was then, for an anchor may have been waited for since. */
static void remember_time(const struct refresh *refresh)
{
        struct agent *agent = refresh->agent;
        struct why why;
        if (trusted_time_verified(&agent->time, refresh->judged_s) && trusted_time_keep(&agent->time, agent->disk, &why))
                agent_note(agent, EVENT_DEVICE_TROUBLE, NULL, why.text);
}

/* Nothing new starts while we do not know whether newer keys have taken the place of ours. */
static void accepted(struct refresh *refresh)
{
        remember_time(refresh);
        refresh->agent->self.has_heard = true;
        struct offer offer = offer_of(&refresh->verdict);
        if (offer.state == OFFER_GO && follow_is_away(&refresh->follow))
                offer.state = OFFER_HOLD;
        stream_offer(&refresh->agent->streams[refresh->stream], &offer);
        next_stream(refresh);
}

/* A stream whose offer is refused keeps what it has; nothing new starts. The others have their turn all the same. */
static void refused(struct refresh *refresh, const char *text)
{
        struct stream *stream = &refresh->agent->streams[refresh->stream];
        struct offer offer = stream->offer;
        offer_hold(&offer);
        stream_offer(stream, &offer);
        complain(refresh, text);
        refresh->has_refused = true;
        next_stream(refresh);
}

/* Something of both was good once, so both pinned roots are of this server's publisher. */
static bool was_ever_trusted(const struct refresh *refresh)
{
        struct disk *disk = refresh->agent->disk;
        bool is_trusted = true;
        for (unsigned repository = 0; repository < BUNDLE_REPOSITORIES; repository++) {
                OWN(buf) struct buf bytes;
                buf_init(&bytes, LIMIT_METADATA_BYTES);
                struct why why;
                is_trusted &= disk->ops->read(disk, kept_path(repository, TUF_TIMESTAMP).text, &bytes, &why) != ERR_NOT_FOUND;
        }
        return is_trusted;
}

static void refused_by_verifier(struct refresh *refresh)
{
        const struct verdict *verdict = &refresh->verdict;
        char text[VERDICT_REASON_BYTES + 256];
        bool may_be_other_keys = verdict->err == ERR_UNTRUSTED && !was_ever_trusted(refresh);
        snprintf(text, sizeof(text), "%s%s", verdict->reason, may_be_other_keys ? "; if it stays so, this device has the keys of another publisher: give it "
                 "the public/ folder that belongs to this server" : "");
        refused(refresh, text);
}

/* 404 for a root means that there is no newer one. */
static void got_file(struct refresh *refresh, const struct fetch_answer *answer)
{
        const struct verdict *want = &refresh->verdict;
        char name[VERDICT_NAME_BYTES];
        verdict_want_name(want, name);
        const enum bundle_repository repository = (enum bundle_repository)want->want_repository;
        const enum tuf_role role = (enum tuf_role)want->want_role;
        struct disk *disk = refresh->agent->disk;
        struct why why;
        OWN(buf) struct buf bytes;
        buf_init(&bytes, (size_t)want->want_bytes_max);
        enum err e = OK;
        if (answer->status == 200)
                e = disk->ops->read(disk, wanted_path, &bytes, &why);
        else if (answer->status != 404 || role != TUF_ROOT)
                e = FAIL(&why, ERR_UNAVAILABLE, "fetching %s: %.100s", name, answer->text);
        if (e) {
                (want->want_role == VERDICT_COHORT_ROLE ? refused : give_up)(refresh, why.text);
                return;
        }
        if (want->want_role == VERDICT_COHORT_ROLE)
                buf_add(&refresh->cohort, bytes.bytes, bytes.length);
        else
                bundle_add(&refresh->files, bundle_file(answer->status == 200 ? BUNDLE_FRESH : BUNDLE_ABSENT, repository, role), bytes.bytes, bytes.length);
        refresh->is_due = true;
}

static void fetched(void *user, enum err e, const struct fetch_answer *answer)
{
        struct refresh *refresh = user;
        refresh->is_calling = false;
        if (!refresh->is_running)
                return;
        if (e)
                give_up(refresh, answer ? answer->text : "the fetcher ended");
        else
                got_file(refresh, answer);
}

static void fetch_wanted(struct refresh *refresh)
{
        char name[VERDICT_NAME_BYTES], path[FETCH_PATH_BYTES];
        struct why why;
        if (spool_remove(refresh->agent->disk, wanted_spool, &why))
                agent_note(refresh->agent, EVENT_DEVICE_TROUBLE, NULL, why.text);
        verdict_want_name(&refresh->verdict, name);
        snprintf(path, sizeof(path), "/v1/%s", name);
        refresh->is_calling = true;
        caller_get(refresh->agent->caller, &(struct caller_get){ path, wanted_spool, refresh->verdict.want_bytes_max, false }, fetched, refresh);
}

static void decide(struct refresh *refresh)
{
        if (refresh->verdict.status == VERDICT_ACCEPT)
                accepted(refresh);
        else
                refused_by_verifier(refresh);
}

static void followed(void *user)
{
        struct refresh *refresh = user;
        refresh->is_calling = false;
        if (refresh->is_running && !follow_is_due(&refresh->follow))
                decide(refresh);
}

/* What has to be there before it can go on: a file for the verifier, or else an anchor. */
static void call_for_more(struct refresh *refresh)
{
        if (refresh->verdict.status == VERDICT_WANT) {
                fetch_wanted(refresh);
                return;
        }
        refresh->is_calling = true;
        follow_call(&refresh->follow, followed, refresh);
}

static enum err run_verifier(struct refresh *refresh, const struct buf *bundle, struct why *why)
{
        struct worker_state state = { .is_known = false };
        const struct verify_setup setup = { &refresh->agent->workers, bundle, question_walk(bundle, 0, NULL, NULL), &state };
        enum err e = verify_run(&setup, &refresh->verdict, why);
        if (state.is_known)
                agent_note_worker(refresh->agent, WORKER_VERIFY, &state);
        return e;
}

/* One run of the verifier. */
static enum err judge(struct refresh *refresh, struct why *why)
{
        OWN(buf) struct buf bundle;
        buf_init(&bundle, BUNDLE_BYTES_MAX);
        enum err e = make_bundle(refresh, &bundle, why);
        if (!e && ++refresh->runs > VERDICT_RUNS_MAX)
                e = FAIL(why, ERR_LIMIT, "the verifier never had enough");
        if (!e)
                e = run_verifier(refresh, &bundle, why);
        if (!e && refresh->verdict.status != VERDICT_WANT)
                e = keep_all(refresh, why);
        return e;
}

static bool start(struct refresh *refresh)
{
        if (!refresh->is_wanted || agent_steady_ms(refresh->agent) < refresh->retry_at_ms)
                return false;
        refresh->is_wanted = false;
        refresh->is_running = true;
        refresh->has_refused = false;
        refresh->stream = 0;
        struct why why;
        if (begin(refresh, &why)) {
                give_up(refresh, why.text);
                return false;
        }
        begin_stream(refresh);
        return true;
}

bool refresh_call(struct refresh *refresh)
{
        if (refresh->is_calling || (!refresh->is_running && !start(refresh)))
                return false;
        while (refresh->is_running && refresh->is_due) {
                struct why why;
                refresh->is_due = false;
                if (judge(refresh, &why))
                        give_up(refresh, why.text);
                else if (refresh->verdict.status != VERDICT_WANT && !follow_is_due(&refresh->follow))
                        decide(refresh);
        }
        if (!refresh->is_running)
                return false;
        call_for_more(refresh);
        return true;
}

/* An offer that waits must not run out unseen: the server may be frozen, or we may have missed that it moved on. */
static int64_t expiry_ms(const struct refresh *refresh)
{
        const struct agent *agent = refresh->agent;
        int64_t soonest = INT64_MAX;
        for (size_t i = 0; i < agent->stream_count; i++) {
                const struct offer *offer = &agent->streams[i].offer;
                int64_t left = offer->expires - EXPIRY_SPARE_S - agent_time_s(agent);
                if (agent->streams[i].life == LIFE_WAITING && left < soonest)
                        soonest = left;
        }
        return soonest;
}

int64_t refresh_wake_ms(struct refresh *refresh)
{
        int64_t left_s = expiry_ms(refresh), now_ms = agent_steady_ms(refresh->agent);
        if (left_s <= 0)
                refresh->is_wanted = true;
        if (!refresh->is_running && refresh->is_wanted)
                return refresh->retry_at_ms;
        return left_s > 0 && left_s < 86400 ? now_ms + left_s * 1000 : INT64_MAX;
}
