/* change.h - one change of the firewall, from the file of rules to rules that stand and answer, or to those of before.
 *
 *      known to have answered      applied at once; nobody is asked: without a network, too, the machine gets the rules that it had
 *      else                        asked whether the path answers at all -> armed on disk -> switch watches -> applied -> asked -> disarmed
 *
 * Killed at any moment, and whoever else is, the machine ends with the rules of before or with rules that answered: see dead_man.h, record.h. */
#pragma once

#include "nft/answer.h"
#include "nft/record.h"
#include "nft/rules.h"

struct change {
        const struct record *record;
        const struct rules_owned *owned;
        const struct answer_places *places;
        const char *rules;               /* the file */
        int64_t within_ms;               /* from arming to the answer */
        int signals;                     /* of channel_signals(): told to end meanwhile, it goes back. ERR_BUSY then */
};
/* A change that was cut short is taken back first, whatever becomes of this one. ERR_CONTENT: the rules are at fault: those of before stand.
 * ERR_UNAVAILABLE: the path did not answer even before, and nothing was changed. ERR_TIMEOUT: somebody has the lock. Other errors: neither could it be tried. */
MUST_CHECK enum err change_make(const struct change *change, struct why *why);
/* A change that nobody watches any more: what stood, stands again. After a new start of the machine there is nothing to take back. */
MUST_CHECK enum err change_settle(const struct record *record, struct why *why);
