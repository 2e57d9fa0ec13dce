#include "agent/follow.h"

#include "agent/anchors.h"
#include "agent/spool.h"
#include "agent/stream.h"

#include <inttypes.h>

static const char spool_name[] = "anchor", spool_path[] = "spool/anchor";
static const char *const repository_names[BUNDLE_REPOSITORIES] = { [BUNDLE_RELEASE] = "release", [BUNDLE_DIRECTOR] = "director" };

void follow_init(struct follow *follow, struct agent *agent)
{
        *follow = (struct follow){ .agent = agent };
        for (unsigned repository = 0; repository < BUNDLE_REPOSITORIES; repository++)
                follow->states[repository] = FOLLOW_DUE;
}

void follow_want(struct follow *follow, enum bundle_repository repository)
{
        follow->states[repository] = FOLLOW_DUE;
}

void follow_begin(struct follow *follow)
{
        for (unsigned repository = 0; repository < BUNDLE_REPOSITORIES; repository++) {
                follow->counts[repository] = 0;
                if (follow->states[repository] != FOLLOW_NEWEST)
                        follow->states[repository] = FOLLOW_DUE;
        }
}

static bool has(const struct follow *follow, enum follow_state state)
{
        bool has_one = false;
        for (unsigned repository = 0; repository < BUNDLE_REPOSITORIES; repository++)
                has_one |= follow->states[repository] == state;
        return has_one;
}

bool follow_is_due(const struct follow *follow)
{
        return has(follow, FOLLOW_DUE);
}

bool follow_is_away(const struct follow *follow)
{
        return has(follow, FOLLOW_AWAY);
}

bool follow_is_behind(const struct follow *follow)
{
        return has(follow, FOLLOW_REFUSED) || has(follow, FOLLOW_AWAY);
}

static void complain(const struct follow *follow, const char *text)
{
        char line[WHY_TEXT_MAX];
        snprintf(line, sizeof(line), "the %s anchor after version %" PRIu64 ": %.300s", repository_names[follow->asked],
                 anchors_version(follow->agent->anchors, follow->asked), text);
        agent_note(follow->agent, EVENT_METADATA_REFUSED, NULL, line);
}

static void refuse(struct follow *follow, const char *text)
{
        complain(follow, text);
        follow->states[follow->asked] = FOLLOW_REFUSED;
}

/* Where one is out of reach the other is, too; a withdrawal should not wait for both. */
static void away(struct follow *follow, const char *text)
{
        complain(follow, text);
        for (unsigned repository = 0; repository < BUNDLE_REPOSITORIES; repository++)
                if (follow->states[repository] == FOLLOW_DUE)
                        follow->states[repository] = FOLLOW_AWAY;
}

static bool is_its_own_fault(enum err e)
{
        return e == ERR_SYNTAX || e == ERR_LIMIT || e == ERR_ROLLBACK || e == ERR_UNTRUSTED;
}

static void followed(struct follow *follow)
{
        struct agent *agent = follow->agent;
        char line[80];
        snprintf(line, sizeof(line), "the %s anchor, version %" PRIu64, repository_names[follow->asked], anchors_version(agent->anchors, follow->asked));
        agent_note(agent, EVENT_ANCHOR_FOLLOWED, NULL, line);
        for (size_t i = 0; i < agent->stream_count; i++)
                stream_keys_changed(&agent->streams[i], follow->asked == BUNDLE_RELEASE);
        if (++follow->counts[follow->asked] >= LIMIT_ROOTS)
                refuse(follow, "no end of new ones");
}

static void take(struct follow *follow)
{
        struct agent *agent = follow->agent;
        struct why why;
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LIMIT_METADATA_BYTES);
        enum err e = agent->disk->ops->read(agent->disk, spool_path, &bytes, &why);
        if (!e)
                e = anchors_follow(agent->anchors, follow->asked, &bytes, &why);
        if (!e)
                followed(follow);
        else
                (is_its_own_fault(e) ? refuse : away)(follow, why.text);
}

static void fetched(void *user, enum err e, const struct fetch_answer *answer)
{
        struct follow *follow = user;
        if (!e && answer->status == 200)
                take(follow);
        else if (!e && answer->status == 404)
                follow->states[follow->asked] = FOLLOW_NEWEST;
        else
                away(follow, answer && answer->text[0] ? answer->text : "the fetcher ended");
        follow->done(follow->user);
}

void follow_call(struct follow *follow, follow_done *done, void *user)
{
        struct agent *agent = follow->agent;
        char path[FETCH_PATH_BYTES];
        struct why why;
        follow->asked = follow->states[BUNDLE_RELEASE] == FOLLOW_DUE ? BUNDLE_RELEASE : BUNDLE_DIRECTOR;
        follow->done = done;
        follow->user = user;
        if (spool_remove(agent->disk, spool_name, &why))
                agent_note(agent, EVENT_DEVICE_TROUBLE, NULL, why.text);
        snprintf(path, sizeof(path), "/v1/tuf/%s/%" PRIu64 ".anchor", repository_names[follow->asked], anchors_version(agent->anchors, follow->asked) + 1);
        caller_get(agent->caller, &(struct caller_get){ path, spool_name, LIMIT_METADATA_BYTES, false }, fetched, follow);
}
