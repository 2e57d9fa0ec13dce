#include "trust/install_rule.h"

#include "format/hex.h"
#include "trust/cohort.h"

#include <inttypes.h>
#include <string.h>

static enum err check_share(const struct install_facts *facts, const struct ceiling *ceiling, const char *salt, const char *whose, struct why *why)
{
        if (!ceiling_admits(ceiling, facts->now, cohort_bucket(salt, facts->device), facts->ring))
                return FAIL(why, ERR_REFUSED, "%s admits %" PRIu32 " of a million by now, and this device is not among them", whose, ceiling_ppm(ceiling, facts->now));
        return OK;
}

static enum err check_pace(const struct install_facts *facts, struct why *why)
{
        char salt[LIMIT_NAME_BYTES + 32];
        snprintf(salt, sizeof(salt), "pace/%s/%" PRId64, facts->note->stream, facts->pace->start / PACE_WEEK_S);
        return check_share(facts, facts->pace, salt, "the publisher's pace", why);
}

static enum err check_ceiling(const struct install_facts *facts, struct why *why)
{
        const struct ceiling *ceiling = &facts->note->ceiling;
        char target[65];
        hex_encode(facts->target, 32, target);
        if (facts->now < ceiling->start)
                return FAIL(why, ERR_REFUSED, "the release starts in %" PRId64 " s", ceiling->start - facts->now);
        enum err e = check_share(facts, ceiling, target, "the release's ceiling", why);
        return e || !facts->pace ? e : check_pace(facts, why);
}

enum err install_candidate(const struct install_facts *facts, struct why *why)
{
        const struct release_note *note = facts->note;
        if (strcmp(note->stream, facts->stream) != 0)
                return FAIL(why, ERR_REFUSED, "the release is of stream %s", note->stream);
        if (note->counter < facts->floor)
                return FAIL(why, ERR_ROLLBACK, "release %" PRIu64 " is below the floor %" PRIu64, note->counter, facts->floor);
        if (!release_note_is_for(note, facts->platform))
                return FAIL(why, ERR_REFUSED, "the release is not for platform %s", facts->platform);
        return check_ceiling(facts, why);
}

enum err install_lease_is_ours(const struct install_facts *facts, struct why *why)
{
        const struct lease *lease = facts->lease;
        if (!lease || !facts->nonce)
                return FAIL(why, ERR_REFUSED, "there is no lease");
        if (strcmp(lease->device, facts->device) != 0)
                return FAIL(why, ERR_REFUSED, "the lease is for device %s", lease->device);
        if (strcmp(lease->stream, facts->stream) != 0)
                return FAIL(why, ERR_REFUSED, "the lease is for stream %s", lease->stream);
        if (memcmp(lease->nonce, facts->nonce, sizeof(lease->nonce)) != 0)
                return FAIL(why, ERR_REFUSED, "the lease answers another request");
        if (facts->now >= lease->deadline)
                return FAIL(why, ERR_EXPIRED, "the lease ended %" PRId64 " s ago", facts->now - lease->deadline);
        return OK;
}

enum err install_rule(const struct install_facts *facts, struct why *why)
{
        enum err e = install_candidate(facts, why);
        if (!e && !facts->is_vouched)
                e = FAIL(why, ERR_REFUSED, "not all have vouched for it who must");
        if (!e)
                e = install_lease_is_ours(facts, why);
        if (e)
                return e;
        if (facts->lease->is_shadow)
                return FAIL(why, ERR_REFUSED, "the lease is a shadow: it lets nothing be installed");
        if (facts->lease->counter != facts->note->counter || memcmp(facts->lease->target, facts->target, sizeof(facts->lease->target)) != 0)
                return FAIL(why, ERR_REFUSED, "the lease is for another release (%" PRIu64 ")", facts->lease->counter);
        return OK;
}
