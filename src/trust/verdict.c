#include "trust/verdict.h"

#include "base/mem.h"
#include "format/hex.h"
#include "format/json.h"
#include "trust/cohort.h"
#include "trust/release_custom.h"
#include "trust/sha.h"
#include "trust/tuf.h"

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
        verdict->want_has_sha256 = what->has_sha256;
        memcpy(verdict->want_sha256, what->sha256, sizeof(verdict->want_sha256));
}

static enum err take_roots(struct run *run, enum bundle_repository repository, struct tuf *tuf, struct why *why)
{
        enum err e = OK;
        struct tuf_want what;
        for (unsigned i = 0; !e && i < run->bundle.count; i++) {
                if (run->bundle.records[i].kind != bundle_file(BUNDLE_FRESH, repository, TUF_ROOT))
                        continue;
                struct buf file = record_buf(run, i);
                e = tuf_update(tuf, TUF_ROOT, &file, why);
                if (!e)
                        run->verdict->kept[repository][TUF_ROOT] = (uint16_t)i;
        }
        if (e || bundle_find(&run->bundle, bundle_file(BUNDLE_ABSENT, repository, TUF_ROOT)) != BUNDLE_NONE)
                return e;
        e = tuf_wanted(tuf, TUF_ROOT, &what, why);
        if (!e)
                want(run, repository, TUF_ROOT, &what);
        return e;
}

/* What was trusted and is no longer is as if it had never been. */
static enum err take_kept(struct run *run, enum bundle_repository repository, struct tuf *tuf, struct why *why)
{
        static const enum tuf_role roles[] = { TUF_TIMESTAMP, TUF_SNAPSHOT, TUF_TARGETS };
        for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
                unsigned index = bundle_find(&run->bundle, bundle_file(BUNDLE_KEPT, repository, roles[i]));
                struct buf file = index == BUNDLE_NONE ? (struct buf){ 0 } : record_buf(run, index);
                enum err e = index == BUNDLE_NONE ? OK : tuf_keep(tuf, roles[i], &file, why);
                if (e == ERR_NOMEM)
                        return e;
        }
        return OK;
}

static enum err take_role(struct run *run, enum bundle_repository repository, enum tuf_role role, struct tuf *tuf, struct why *why)
{
        unsigned index = bundle_find(&run->bundle, bundle_file(BUNDLE_FRESH, repository, role));
        struct tuf_want what;
        bool may_be_newer = role == TUF_TIMESTAMP;       /* only for it nothing above says whether there is a newer one */
        if (tuf_is_current(tuf, role) && !(may_be_newer))
                return OK;
        if (index == BUNDLE_NONE) {
                enum err e = tuf_wanted(tuf, role, &what, why);
                if (!e)
                        want(run, repository, role, &what);
                return e;
        }
        struct buf file = record_buf(run, index);
        uint64_t before = tuf_version(tuf, role);
        enum err e = tuf_update(tuf, role, &file, why);
        if (!e && tuf_version(tuf, role) != before)
                run->verdict->kept[repository][role] = (uint16_t)index;
        return e;
}

/* *ret_tuf is only for use when nothing is wanting. */
static enum err follow(struct run *run, enum bundle_repository repository, struct tuf **ret_tuf, struct why *why)
{
        static const enum tuf_role roles[] = { TUF_TIMESTAMP, TUF_SNAPSHOT, TUF_TARGETS };
        unsigned pinned = bundle_find(&run->bundle, bundle_file(BUNDLE_KEPT, repository, TUF_ROOT));
        OWN(tuf) struct tuf *tuf = NULL;
        if (pinned == BUNDLE_NONE)
                return FAIL(why, ERR_SYNTAX, "there is no pinned root; install the device again");
        struct buf root = record_buf(run, pinned);
        enum err e = tuf_open(&root, run->bundle.now, &tuf, why);
        if (!e)
                e = take_roots(run, repository, tuf, why);
        if (!e && !run->is_wanting)
                e = take_kept(run, repository, tuf, why);
        for (size_t i = 0; !e && !run->is_wanting && i < sizeof(roles) / sizeof(roles[0]); i++)
                e = take_role(run, repository, roles[i], tuf, why);
        if (!e)
                *ret_tuf = GIVE(tuf);
        return e;
}

static enum err read_cohort(struct run *run, const struct tuf_target *target, struct cohort *cohort, struct why *why)
{
        unsigned index = bundle_find(&run->bundle, BUNDLE_COHORT);
        uint8_t digest[32];
        if (index == BUNDLE_NONE) {
                struct tuf_want what = { .bytes_max = target->length, .has_sha256 = true };
                memcpy(what.sha256, target->sha256, sizeof(what.sha256));
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

/* Success without a word about a release when the director lists nothing for the stream. */
static enum err hear_director(struct run *run, struct cohort *cohort, struct why *why)
{
        OWN(tuf) struct tuf *tuf = NULL;
        struct tuf_target target;
        enum err e = follow(run, BUNDLE_DIRECTOR, &tuf, why);
        if (e || run->is_wanting)
                return e;
        *cohort = (struct cohort){ .state = COHORT_HOLD, .expires = tuf_expires(tuf, TUF_TIMESTAMP) };
        e = tuf_find(tuf, run->bundle.stream, &target, why);
        if (e)
                return e == ERR_NOT_FOUND ? OK : e;
        if (target.length > COHORT_BYTES_MAX)
                return FAIL(why, ERR_LIMIT, "a cohort document has at most %d bytes", COHORT_BYTES_MAX);
        e = read_cohort(run, &target, cohort, why);
        if (!e && !run->is_wanting)
                cohort_turn_to(cohort, choose_older(&run->bundle, cohort));
        run->withdrawal_count = withdrawals_read(target.custom, run->withdrawals);
        if (!e && tuf_expires(tuf, TUF_TIMESTAMP) < cohort->expires)
                cohort->expires = tuf_expires(tuf, TUF_TIMESTAMP);
        return e;
}

static enum err check_custom(struct run *run, const struct cohort *cohort, const struct tuf_target *target, struct why *why)
{
        struct release_custom custom;
        enum err e = release_custom_read(target->custom, &custom, why);
        if (e)
                return e;
        if (strcmp(custom.stream, cohort->stream) != 0 || custom.counter != cohort->counter)
                return FAIL(why, ERR_UNTRUSTED, "the release says of itself that it is %s/%" PRIu64, custom.stream, custom.counter);
        if (cohort->counter < run->bundle.floor || cohort->counter < custom.floor)
                return FAIL(why, ERR_ROLLBACK, "release %" PRIu64 " is below the floor %" PRIu64, cohort->counter, run->bundle.floor);
        if (!release_custom_is_for(&custom, run->bundle.platform))
                return FAIL(why, ERR_REFUSED, "the release is not for platform %s", run->bundle.platform);
        run->verdict->floor = custom.floor;
        return OK;
}

static enum err hear_publisher(struct run *run, const struct cohort *cohort, struct why *why)
{
        OWN(tuf) struct tuf *tuf = NULL;
        struct tuf_target target;
        char path[LIMIT_NAME_BYTES + 24];
        enum err e = follow(run, BUNDLE_RELEASE, &tuf, why);
        if (e || run->is_wanting)
                return e;
        snprintf(path, sizeof(path), "%s/%" PRIu64, cohort->stream, cohort->counter);
        e = tuf_find(tuf, path, &target, why);
        if (e == ERR_NOT_FOUND)
                return FAIL(why, ERR_UNTRUSTED, "the publisher approved no release %s", path);
        if (e)
                return e;
        if (target.length != cohort->length || memcmp(target.sha256, cohort->sha256, sizeof(target.sha256)) != 0)
                return FAIL(why, ERR_UNTRUSTED, "the director offers another release %s than the publisher approved", path);
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
                       verdict->is_admitted <= 1 && verdict->note_length <= LIMIT_NOTE_BYTES && verdict->err < ERR_COUNT && verdict->withdrawn_count <= COHORT_WITHDRAWN_MAX &&
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
