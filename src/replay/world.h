/* world.h - the devices of a replay while it runs: who waits, who runs the release, whom it harmed, what they say.
 *
 * The world does not know who decides. It is told of leases and of what people do, and it says what a server would hear.
 * Times are milliseconds since the start. 15 bytes a device, and 20 for each thing that is about to happen. */
#pragma once

#include "replay/events.h"
#include "replay/truth.h"
#include "replay/weather.h"
#include "trust/withdrawal.h"

struct world_config {
        const struct scenario *scenario;
        uint32_t devices, rounds;
        int64_t round_ms, bake_ms;
        uint64_t seed;
};

/* What a server hears: now_ms is unix time. */
struct world_ear { enum err (*heard)(void *user, const struct rollout_report *report, struct why *why); void *user; };

/* Devices. unwell: of the hurt, now; dark: of the hurt, those that ever fell silent; refused: by their own preflight, never ran it. */
struct world_counts { uint32_t seen, exposed, refused, proven, hurt, dark, unwell; double hours_lost; };

struct world {
        struct fleet *fleet;
        struct weather weather;
        struct truth truth;
        struct events *events;
        struct withdrawal withdrawal;            /* since the start; all go at once if nobody said otherwise */
        int64_t bake_ms, poll_ms, switch_ms, end_ms, now_ms, stop_ms;      /* stop: -1: nobody did */
        uint8_t *states;
        uint16_t *ills;                          /* a bit for each fault that is broken out */
        uint64_t *waiting, *unseen, *running, *held_out;      /* a bit a device */
        uint32_t running_count, idle;            /* idle: events to come that nobody has to wait for */
        struct world_counts counts;
        struct world_ear ear;
};

MUST_CHECK enum err world_open(const struct world_config *config, struct world **ret_world, struct why *why);
void world_close(struct world *world);
OWN_DEFINE(world, struct world *, world_close)

/* All that happens in a round, in the order of time. */
MUST_CHECK enum err world_happen(struct world *world, uint32_t round, struct why *why);

/* The devices that ask within [from_ms, from_ms + length): numbers in two ranges, the second often empty. */
struct world_range { uint32_t from, to; };
void world_polls(const struct world *world, int64_t from_ms, int64_t length_ms, struct world_range ret_ranges[2]);

/* Of a range: those that are on, free and have it prepared; into `devices`, which has room for all of the range. */
size_t world_line(const struct world *world, struct world_range range, int64_t now_ms, struct rollout_device *devices);
/* It asks or says anything at all these days: on, and not silenced. */
bool world_speaks(const struct world *world, uint32_t device, int64_t now_ms);
/* Of a range: is there anybody in line who is not held out? */
bool world_has_candidate(const struct world *world, struct world_range range, int64_t now_ms);
void world_hold_out(struct world *world, uint32_t device);
/* Of a range: the next device from *at on that is on for the first time, marked as seen; false: no more. */
bool world_next_seen(struct world *world, struct world_range range, int64_t now_ms, uint32_t *at, uint32_t *ret_device);

/* A lease from now on. */
struct world_lease { uint32_t device, handle; bool is_control; int64_t now_ms, deadline_ms; };
MUST_CHECK enum err world_grant(struct world *world, const struct world_lease *lease, struct why *why);

/* Nothing new starts. Those that people cure by hand get well from here on. */
MUST_CHECK enum err world_stop(struct world *world, int64_t now_ms, struct why *why);
/* From now on whoever asks hears that it is taken back. */
void world_withdraw(struct world *world, int64_t now_ms, int64_t over_s);
/* Of a range: whoever runs the release hears of it, and goes back: at once if it is harmed, else when it is its turn. */
MUST_CHECK enum err world_take_back(struct world *world, struct world_range range, int64_t now_ms, struct why *why);

bool world_is_at_rest(const struct world *world);      /* nothing is about to happen by itself */
bool world_is_back(const struct world *world);         /* nobody runs the release, or will ever hear that it was taken back */
/* The counts at `now_ms`, which is the end if nothing happens any more. */
struct world_counts world_counts_at(struct world *world, int64_t now_ms);
