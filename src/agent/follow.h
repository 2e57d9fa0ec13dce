/* follow.h - asks the server for the version after each anchor of this device, and follows it (anchors.h).
 *
 * A part of a refresh (refresh.h), which takes no verdict before nothing is due any more. One that is refused changes nothing: the
 * old one stays in force, and the next refresh asks again. One that cannot be fetched or kept, too; but until then nothing new starts, as
 * the key that approves it may have been taken back. */
#pragma once

#include "agent/agent.h"
#include "trust/bundle.h"

enum follow_state {
        FOLLOW_NEWEST,                           /* the server has no newer one, as far as we know */
        FOLLOW_DUE,                              /* it may have one */
        FOLLOW_REFUSED,                          /* it has one that does not follow ours */
        FOLLOW_AWAY,                             /* it did not say, or our disk did not take it */
};

typedef void follow_done(void *user);

struct follow {
        struct agent *agent;
        enum follow_state states[BUNDLE_REPOSITORIES];
        unsigned counts[BUNDLE_REPOSITORIES];    /* new ones, in this refresh */
        enum bundle_repository asked;
        follow_done *done;
        void *user;
};

void follow_init(struct follow *follow, struct agent *agent);    /* both are due */
/* There may be a newer one of this repository: it has a new root. */
void follow_want(struct follow *follow, enum bundle_repository repository);
/* Of a refresh: what was refused or away is due again. */
void follow_begin(struct follow *follow);

bool follow_is_due(const struct follow *follow);
bool follow_is_away(const struct follow *follow);
/* One is refused or away: to be tried again. */
bool follow_is_behind(const struct follow *follow);

/* Asks for one of those that are due; the caller is free. `done`: the answer was taken, whatever it was. */
void follow_call(struct follow *follow, follow_done *done, void *user);
