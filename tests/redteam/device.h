/* device.h - one device under attack. What it decides, the agent's own code decides: agent/{question,offer,judge,slot,trusted_time}.h and
 * all of trust/. Here is only what refresh.c, stream.c, stream_candidate.c and stream_vouch.c do with the network, in the same order, with a scene in its place.
 *
 * Devices share what is the same: files that were kept, and which files the verifier asked for. Each device's last run of the verifier, with its own
 * facts, is its own. */
#pragma once

#include "agent/judge.h"
#include "agent/offer.h"
#include "agent/slot.h"
#include "agent/trusted_time.h"
#include "redteam/red.h"

struct tally {
        uint64_t requests, runs, installs, harm[HARMS], by_release[TRUTH_RELEASES + 1];
        uint64_t bytes, bytes_max;       /* that devices took; the most of one in one scene */
};

/* Where devices live: those of one attack. */
struct yard;
/* `is_exact`: every device runs the verifier itself, see past.h. */
struct yard *yard_new(const struct red *red, bool is_exact);
void yard_free(struct yard *yard);
OWN_DEFINE(yard, struct yard *, yard_free)

/* Device `index` from its first day through all scenes of the attack. */
void yard_run(struct yard *yard, uint32_t index, uint64_t seed, struct tally *tally);
