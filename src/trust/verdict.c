#include "trust/verdict.h"

#include "base/mem.h"
#include "format/hex.h"
#include "format/json.h"
#include "trust/cohort.h"
#include "trust/release_custom.h"
#include "trust/sha.h"
#include "trust/tuf_client.h"

#include <inttypes.h>
#include <string.h>

static const char *const repository_names[] = { "release", "director" };

/* One run. `is_wanting` ends it early: the verdict then says what is missing. */
struct run {
        struct bundle bundle;
        struct verdict *verdict;
        bool is_wanting;
        size_t withdrawal_count;
        struct withdrawal withdrawals[WITHDRAWALS_MAX];
};
OWN_DEFINE(run, struct run *, mem_free)

static struct buf record_buf(const struct run *run, unsigned index)
{
        const struct bundle_record *record = &run->bundle.records[index];
        return (struct buf){ .bytes = (char *)record->bytes, .length = record->length };
}

static void want(struct run *run, enum bundle_repository repository, uint32_t role, const struct tuf_want *what)
{
        struct verdict *verdict = run->verdict;
        run->is_wanting = true;
        verdict->want_repository = repository;
        verdict->want_role = role;
        verdict->want_version = what->version;
        verdict->want_bytes_max = what->bytes_max;
        verdict->want_has_sha256 = what->digest.has_sha256;
        memcpy(verdict->want_sha256, what->digest.sha256, sizeof(verdict->want_sha256));
}

/* The next new root from `from` on, BUNDLE_NONE when there is none. */
static unsigned next_root(const struct run *run, enum bundle_repository repository, unsigned from)
{
        while (from < run->bundle.count && run->bundle.records[from].kind != bundle_file(BUNDLE_FRESH, repository, TUF_ROOT))
                from++;
        return from < run->bundle.count ? from : BUNDLE_NONE;
}

/* One repository's conversation with the client, from what is in the bundle. */
struct talk { enum bundle_repository repository; struct tuf_client *client; unsigned roots_from, given; };

static enum err answer(struct run *run, struct talk *talk, enum bundle_kind kind, const struct tuf_task *task, struct why *why)
{
        bool is_root = task->role == TUF_ROOT;
        unsigned index = is_root ? next_root(run, talk->repository, talk->roots_from) : bundle_find(&run->bundle, bundle_file(kind, talk->repository, task->role));
        if (index == BUNDLE_NONE) {
                bool is_absent = is_root && bundle_find(&run->bundle, bundle_file(BUNDLE_ABSENT, talk->repository, TUF_ROOT)) != BUNDLE_NONE;
                if (kind == BUNDLE_KEPT || is_absent)
                        return tuf_client_lacks(talk->client, why);
                want(run, talk->repository, task->role, &(struct tuf_want){ task->version, task->bytes_max, task->digest });
                return OK;
        }
        if (is_root)
                talk->roots_from = index + 1;
        talk->given = index;
        struct buf file = record_buf(run, index);
        return tuf_client_give(talk->client, &file, why);
}

static enum err take_turn(struct run *run, struct talk *talk, const struct tuf_task *task, struct why *why)
{
        switch (task->kind) {
        case TUF_LOAD: return answer(run, talk, BUNDLE_KEPT, task, why);
        case TUF_FETCH: return answer(run, talk, BUNDLE_FRESH, task, why);
        case TUF_STORE:
                run->verdict->kept[talk->repository][task->role] = (uint16_t)talk->given;
                tuf_client_stored(talk->client);
                break;
        case TUF_DONE: break;
        }
        return OK;
}

/* *ret_client is only for use when nothing is wanting. */
static enum err follow(struct run *run, enum bundle_repository repository, struct tuf_client **ret_client, struct why *why)
{
        unsigned pinned = bundle_find(&run->bundle, bundle_file(BUNDLE_KEPT, repository, TUF_ROOT));
        OWN(tuf_client) struct tuf_client *client = NULL;
        if (pinned == BUNDLE_NONE)
                return FAIL(why, ERR_SYNTAX, "there is no pinned root; install the device again");
        struct buf root = record_buf(run, pinned);
        enum err e = tuf_client_open(&root, run->bundle.now, &client, why);
        struct talk talk = { .repository = repository, .client = client };
        struct tuf_task task = { .kind = TUF_LOAD };
        while (!e && !run->is_wanting && task.kind != TUF_DONE) {
                e = tuf_client_next(client, &task, why);
                if (!e)
                        e = take_turn(run, &talk, &task, why);
        }
        if (!e)
                *ret_client = GIVE(client);
        return e;
}

static enum err read_cohort(struct run *run, const struct tuf_target *target, struct cohort *cohort, struct why *why)
{
        unsigned index = bundle_find(&run->bundle, BUNDLE_COHORT);
        uint8_t digest[32];
        if (index == BUNDLE_NONE) {
                struct tuf_want what = { .bytes_max = target->length, .digest.has_sha256 = true };
                memcpy(what.digest.sha256, target->sha256, sizeof(what.digest.sha256));
                want(run, BUNDLE_DIRECTOR, VERDICT_COHORT_ROLE, &what);
                return OK;
        }
        struct buf bytes = record_buf(run, index);
        sha256(bytes.bytes, bytes.length, digest);
        if (bytes.length != target->length || memcmp(digest, target->sha256, sizeof(digest)) != 0)
                return FAIL(why, ERR_UNTRUSTED, "the cohort document has other bytes than the director's targets say");
        enum err e = cohort_parse(bytes.bytes, bytes.length, cohort, why);
        if (e)
                return e;
        if (strcmp(cohort->stream, run->bundle.stream) != 0)
                return FAIL(why, ERR_UNTRUSTED, "the cohort document is for stream %s", cohort->stream);
        if (run->bundle.now >= cohort->expires)
                return FAIL(why, ERR_EXPIRED, "the cohort document expired %" PRId64 " s ago", run->bundle.now - cohort->expires);
        return OK;
}

static bool is_named(const struct cohort *cohort, uint64_t counter)
{
        size_t at = 0;
        while (at < cohort->older_count && cohort->older[at].counter != counter)
                at++;
        return at < cohort->older_count;
}

/* The older release that the device is to hear of instead of the newest; 0: none. What the server named for it goes first. Where the newest is not to be
 * had, because it is held or taken back or was given up here, the device cannot ask about it, and so is named none: it asks for the newest that is
 * named for anybody, and the server says which one it may have. Never one below what it runs. */
static uint64_t choose_older(const struct bundle *bundle, const struct cohort *cohort)
{
        if (is_named(cohort, bundle->wanted) && (!bundle->has_above || bundle->wanted > bundle->above))
                return bundle->wanted;
        if (!bundle->has_above || (cohort->state == COHORT_GO && !bundle_denies(bundle, cohort->counter)))
                return 0;
        for (size_t at = cohort->older_count; at > 0 && cohort->older[at - 1].counter > bundle->above; at--)
                if (!bundle_denies(bundle, cohort->older[at - 1].counter))
                        return cohort->older[at - 1].counter;
        return 0;
}

/* An offer lives no longer than what it stands on: nothing newly starts on metadata that has expired since. */
static void end_with(const struct tuf *tuf, struct cohort *cohort)
{
        for (int role = 0; role < TUF_ROLES; role++)
                if (tuf_expires(tuf, (enum tuf_role)role) < cohort->expires)
                        cohort->expires = tuf_expires(tuf, (enum tuf_role)role);
}

/* Success without a word about a release when the director lists nothing for the stream. */
static enum err hear_director(struct run *run, struct cohort *cohort, struct why *why)
{
        OWN(tuf_client) struct tuf_client *client = NULL;
        struct tuf_target target;
        enum err e = follow(run, BUNDLE_DIRECTOR, &client, why);
        if (e || run->is_wanting)
                return e;
        const struct tuf *tuf = tuf_client_trusted(client);
        *cohort = (struct cohort){ .state = COHORT_HOLD, .expires = INT64_MAX };
        end_with(tuf, cohort);
        e = tuf_find(tuf, run->bundle.stream, &target, why);
        if (e)
                return e == ERR_NOT_FOUND ? OK : e;
        if (target.length > COHORT_BYTES_MAX)
                return FAIL(why, ERR_LIMIT, "a cohort document has at most %d bytes", COHORT_BYTES_MAX);
        e = read_cohort(run, &target, cohort, why);
        if (!e && !run->is_wanting)
                cohort_turn_to(cohort, choose_older(&run->bundle, cohort));
        run->withdrawal_count = withdrawals_read(target.custom, run->withdrawals);
        end_with(tuf, cohort);
        return e;
}

/* The highest that any listed release of the stream sets, also one that this device has not: a server that keeps it back changes
 * nothing about it. What cannot be read is for agents of a later version, and binds those. */
static uint64_t find_floor(const struct tuf *tuf, const char *stream)
{
        const size_t length = strlen(stream);
        uint64_t floor = 0;
        for (size_t i = 0; i < tuf_target_count(tuf); i++) {
                const char *path = tuf_target_path(tuf, i);
                struct tuf_target target;
                struct release_custom custom;
                if (strncmp(path, stream, length) != 0 || path[length] != '/')
                        continue;
                if (tuf_find(tuf, path, &target, NULL) == OK && release_custom_read(target.custom, &custom, NULL) == OK && floor < custom.floor)
                        floor = custom.floor;
        }
        return floor;
}

static enum err check_custom(struct run *run, const struct cohort *cohort, const struct tuf_target *target, struct why *why)
{
        struct release_custom custom;
        enum err e = release_custom_read(target->custom, &custom, why);
        if (e)
                return e;
        if (strcmp(custom.stream, cohort->stream) != 0 || custom.counter != cohort->counter)
                return FAIL(why, ERR_UNTRUSTED, "the release says of itself that it is %s/%" PRIu64, custom.stream, custom.counter);
        const uint64_t floor = run->verdict->floor > run->bundle.floor ? run->verdict->floor : run->bundle.floor;
        if (cohort->counter < floor)
                return FAIL(why, ERR_ROLLBACK, "release %" PRIu64 " is below the floor %" PRIu64, cohort->counter, floor);
        if (!release_custom_is_for(&custom, run->bundle.platform))
                return FAIL(why, ERR_REFUSED, "the release is not for platform %s", run->bundle.platform);
        return OK;
}

static enum err hear_publisher(struct run *run, struct cohort *cohort, struct why *why)
{
        OWN(tuf_client) struct tuf_client *client = NULL;
        struct tuf_target target;
        char path[LIMIT_NAME_BYTES + 24];
        enum err e = follow(run, BUNDLE_RELEASE, &client, why);
        if (e || run->is_wanting)
                return e;
        const struct tuf *tuf = tuf_client_trusted(client);
        snprintf(path, sizeof(path), "%s/%" PRIu64, cohort->stream, cohort->counter);
        e = tuf_find(tuf, path, &target, why);
        if (e == ERR_NOT_FOUND)
                return FAIL(why, ERR_UNTRUSTED, "the publisher approved no release %s", path);
        if (e)
                return e;
        if (target.length != cohort->length || memcmp(target.sha256, cohort->sha256, sizeof(target.sha256)) != 0)
                return FAIL(why, ERR_UNTRUSTED, "the director offers another release %s than the publisher approved", path);
        end_with(tuf, cohort);
        run->verdict->floor = find_floor(tuf, cohort->stream);
        return check_custom(run, cohort, &target, why);
}

static void accept(struct run *run, const struct cohort *cohort)
{
        struct verdict *verdict = run->verdict;
        verdict->status = VERDICT_ACCEPT;
        verdict->state = cohort->state;
        verdict->is_admitted = cohort->counter && cohort_admits(cohort, run->bundle.device, run->bundle.ring, run->bundle.platform);
        verdict->seq = cohort->seq;
        verdict->counter = cohort->counter;
        verdict->fallback = cohort->fallback;
        verdict->note_length = cohort->length;
        verdict->expires = cohort->expires;
        memcpy(verdict->target, cohort->sha256, sizeof(verdict->target));
        verdict->withdrawn_count = (uint32_t)cohort->withdrawn_count;
        memcpy(verdict->withdrawn, cohort->withdrawn, sizeof(verdict->withdrawn));
        verdict->withdrawal_count = run->withdrawal_count;
        memcpy(verdict->withdrawals, run->withdrawals, sizeof(verdict->withdrawals));
}

static enum err decide(struct run *run, struct why *why)
{
        struct cohort cohort = { 0 };
        enum err e = hear_director(run, &cohort, why);
        if (e)
                return DURING(why, e, "director");
        if (run->is_wanting)
                return OK;
        bool is_admitted = cohort.counter && cohort_admits(&cohort, run->bundle.device, run->bundle.ring, run->bundle.platform);
        if (cohort.state == COHORT_GO && is_admitted)
                e = hear_publisher(run, &cohort, why);
        if (e)
                return DURING(why, e, "release");
        if (!run->is_wanting)
                accept(run, &cohort);
        return OK;
}

static void begin(struct verdict *verdict)
{
        memset(verdict, 0, sizeof(*verdict));
        verdict->version = VERDICT_VERSION;
        for (int repository = 0; repository < BUNDLE_REPOSITORIES; repository++)
                for (int role = 0; role < TUF_ROLES; role++)
                        verdict->kept[repository][role] = BUNDLE_NONE;
}

void verdict_decide(const void *bundle, size_t length, struct verdict *verdict)
{
        struct why why = { .err = OK };
        OWN(run) struct run *run = mem_new(1, sizeof(*run));
        begin(verdict);
        enum err e = run ? bundle_parse(bundle, length, &run->bundle, &why) : FAIL(&why, ERR_NOMEM, "no memory for the verifier");
        if (run)
                run->verdict = verdict;
        if (!e)
                e = decide(run, &why);
        if (!e) {
                verdict->status = run->is_wanting ? VERDICT_WANT : VERDICT_ACCEPT;
                return;
        }
        verdict->status = VERDICT_REFUSE;
        verdict->err = e;
        snprintf(verdict->reason, sizeof(verdict->reason), "%.*s", VERDICT_REASON_BYTES - 1, why.text);
}

enum err verdict_check(const struct verdict *verdict, size_t records, struct why *why)
{
        bool is_good = verdict->version == VERDICT_VERSION && verdict->status <= VERDICT_WANT && verdict->want_repository < BUNDLE_REPOSITORIES &&
                       verdict->want_role <= VERDICT_COHORT_ROLE && verdict->want_bytes_max <= LIMIT_METADATA_BYTES && verdict->state <= COHORT_WITHDRAW &&
                       verdict->is_admitted <= 1 && verdict->expires >= 0 && verdict->note_length <= LIMIT_NOTE_BYTES && verdict->err < ERR_COUNT && verdict->withdrawn_count <= COHORT_WITHDRAWN_MAX &&
                       verdict->withdrawal_count <= WITHDRAWALS_MAX && memchr(verdict->reason, 0, sizeof(verdict->reason));
        for (size_t i = 0; is_good && i < verdict->withdrawal_count; i++)
                is_good = withdrawal_is_valid(&verdict->withdrawals[i]);
        for (int repository = 0; repository < BUNDLE_REPOSITORIES; repository++)
                for (int role = 0; role < TUF_ROLES; role++)
                        is_good = is_good && (verdict->kept[repository][role] == BUNDLE_NONE || verdict->kept[repository][role] < records);
        return is_good ? OK : FAIL(why, ERR_SYNTAX, "the verifier's answer is none; it may have been taken over");
}

void verdict_want_name(const struct verdict *verdict, char name[VERDICT_NAME_BYTES])
{
        char file[65];
        if (verdict->want_role == VERDICT_COHORT_ROLE) {
                hex_encode(verdict->want_sha256, sizeof(verdict->want_sha256), file);
                snprintf(name, VERDICT_NAME_BYTES, "artifacts/%s", file);
                return;
        }
        tuf_file_name((enum tuf_role)verdict->want_role, verdict->want_version, file);
        snprintf(name, VERDICT_NAME_BYTES, "tuf/%s/%s", repository_names[verdict->want_repository], file);
}
