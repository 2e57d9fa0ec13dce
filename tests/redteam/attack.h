/* attack.h - the attacks, as a table. Each sets up its scenes; in a control it also gets the guard that stops it out of its way, and then must do
 * harm, or it is no attack. */
#pragma once

#include "redteam/red.h"

enum attack_part { PART_NONE, PART_SERVER, PART_CONTENT, PART_CLOCK, PART_PACE, PART_PACE_CLOCK };

struct attack {
        const char *name;
        unsigned holds;
        enum attack_part part;           /* PART_NONE: the honest server; what it may not do, redteam.c says */
        void (*prepare)(struct red *red);
        const char *control;             /* what is out of the way then; NULL: there is nothing to control */
};
extern const struct attack attacks_server[], attacks_lease[], attacks_content[], attacks_clock[], attacks_pace[], attacks_chaos[];      /* each ends with a NULL name */

/* Scenes that several attacks begin with. */
enum { RUSH_S = 10 * 60 };               /* after the start of release 4 */
enum { WAIT_S = 3 * DAY };               /* then the pace lets everybody have it: whoever has the log's key logs in good time what the pace is not to hold */
struct scene *attack_offer(struct red *red, unsigned release, int64_t at_s);     /* what was published, offered to all, leases for all */
/* A release of his own, or another one in its place: its note signed by these keys, listed with these, offered to all. */
struct attack_made { struct truth_release release; const char *path; enum key note[2]; size_t note_count; struct red_keys keys; };
struct scene *attack_made(struct red *red, const struct attack_made *made, int64_t at_s);
/* The same, and not in the log. *ret_target: its note's SHA-256. */
struct scene *attack_unlogged(struct red *red, const struct attack_made *made, int64_t at_s, uint8_t ret_target[32]);
struct truth_release attack_evil(uint64_t counter);
extern const struct red_keys attack_offline_keys, attack_online_keys;
