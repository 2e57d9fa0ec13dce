/* sim_disk.h - a disk in memory that loses power and fails on demand.
 *
 *      OWN(sim_disk) struct sim_disk sim = { 0 };
 *      SWEEP_POWER(&sim) {                    an empty disk each time; the power goes at the 1st, 2nd, 3rd ... change
 *              (void)install(&sim.disk);
 *              sim_disk_power_on(&sim);       what was not durable is now kept, lost or torn
 *              ...                            reopen, check what must hold
 *      }
 *
 * Each cut is tried in SIM_FATES ways: everything that was not durable is lost; everything is kept; and mixtures from
 * seeds, where each file keeps a part of what was written (or has the length without the bytes) and each name in a
 * folder is old or new by itself. What disk.h calls durable is never lost. A change that the power interrupts has
 * happened wholly or not at all where disk.h says atomic, else in part. The loop ends with the first run that needs no cut.
 *
 * Opaque inside: look with the disk's own calls. Its memory is not the product's: SWEEP_MEMORY does not see it. */
#pragma once

#include "base/own.h"
#include "platform/disk.h"
#include "support/sim_random.h"

#include <limits.h>

enum { SIM_FATES = 6, SIM_FILES_MAX = 64 };

struct sim_node;

struct sim_disk {
        struct disk disk;
        struct sim_node *root, *nodes;                  /* `nodes`: all there ever were, freed together */
        struct { struct sim_node *node; size_t at; bool is_writable; } files[SIM_FILES_MAX];
        struct sim_random random;                       /* of the fate after a cut */
        uint64_t free_bytes;                            /* writing takes from it; ERR_FULL at the end */
        unsigned changes, calls;                        /* so far */
        unsigned cut_at, fate;                          /* the change at which the power goes */
        unsigned fail_at;                               /* the call that fails with `failure` */
        enum err failure;
        unsigned unread;                                /* so many readings of a whole file from here fail with ERR_IO */
        bool is_readonly;                               /* from now on each change fails with ERR_IO; what is replaced, pointed or removed stays */
        bool is_dark, was_cut, has_failed;              /* the last two stay until sim_disk_init() */
};

void sim_disk_init(struct sim_disk *sim);               /* empty, with power, no faults, 1 GiB free */
void sim_disk_done(struct sim_disk *sim);               /* fine on a zeroed one */
static inline void sim_disk_release(struct sim_disk *sim) { sim_disk_done(sim); }

/* Cut the power now or at the n-th change from here (0 is the next one); then it stays dark until power_on,
 * which also ends a fault that has not come yet. */
void sim_disk_power_off(struct sim_disk *sim);
void sim_disk_cut_at(struct sim_disk *sim, unsigned n, unsigned fate);
void sim_disk_power_on(struct sim_disk *sim);

/* The n-th call from here (0 is the next one) changes nothing and fails with this code, once:
 * ERR_FULL as ENOSPC, ERR_IO as EIO or EROFS. Closing a file cannot fail. */
void sim_disk_fail_at(struct sim_disk *sim, unsigned n, enum err failure);

/* Where a link points, NULL when the path is no link. Borrowed until sim_disk_done(). */
const char *sim_disk_link(struct sim_disk *sim, const char *path);

/* Somebody else changed the mode or the owner of what is there, or gave it another name: is_as_made() is false of it. */
void sim_disk_change(struct sim_disk *sim, const char *path);

struct sim_sweep {
        struct sim_disk *disk;
        void (*prepare)(struct disk *disk);             /* fills the disk before faults begin; or NULL */
        enum err failure;                               /* OK: the power goes */
        unsigned step, fate;
        bool started;
};
bool sim_sweep_next(struct sim_sweep *sweep);

#define SWEEP_POWER(sim) SWEEP_POWER_AFTER(sim, NULL)
#define SWEEP_POWER_AFTER(sim, prepare_) \
        for (struct sim_sweep sweep_ = { .disk = (sim), .prepare = (prepare_) }; sim_sweep_next(&sweep_);)
/* One call fails, each in turn. Say sim_disk_power_on() before checking, so that the fault does not hit the checks. */
#define SWEEP_DISK_FAULT(sim, prepare_, failure_) \
        for (struct sim_sweep sweep_ = { .disk = (sim), .prepare = (prepare_), .failure = (failure_) }; sim_sweep_next(&sweep_);)
