/* ledger.h - a rollout's books, kept a second time and simply, and what they must never show.
 *
 * It is told of the same inputs as the library, in the same order, and decides nothing: it knows who was picked, what was
 * granted, reported and missed, and looks whether what the library decided was allowed. `broken` says which promise was the
 * first that was not kept. The library's own counts are only ever compared with these, never believed. */
#pragma once

#include "base/err.h"
#include "base/own.h"
#include "rollout/rollout.h"
#include "rollout/view.h"

enum ledger_status {
        LEDGER_RESERVED, LEDGER_OPEN, LEDGER_PROVEN, LEDGER_HARMED, LEDGER_DARK, LEDGER_DECLINED, LEDGER_PREFLIGHT_FAILED, LEDGER_LAPSED, LEDGER_STATUSES,
};

struct ledger_lease {
        int64_t picked_ms, due_ms;
        uint32_t device, nonce;                  /* nonce: what the device asked with */
        uint8_t status;
        bool is_control, is_stand_in, is_due, never_began;
};

enum { LEDGER_TREATED, LEDGER_CONTROL, LEDGER_ARMS, LEDGER_RECENT = 8, LEDGER_NOBODY = UINT32_MAX };

struct ledger_arm { uint32_t by_status[LEDGER_STATUSES], never_began, silent, trials, harmed; };

/* cleared: some exposure was answered by anything but harm, so that more than the budget may have been out. */
struct ledger_group { struct ledger_arm arms[LEDGER_ARMS]; uint32_t young, accepted; bool was_cleared; };

struct ledger_config {
        struct rollout_policy policy;
        const struct rollout_device *devices;    /* by number; borrowed */
        uint32_t device_count, leases_max;       /* leases_max: 0: enough */
        uint16_t strata;
};

struct ledger {
        struct ledger_config config;
        struct ledger_group *groups;
        struct ledger_lease *leases;
        uint32_t group_count, lease_count, lease_room;
        uint32_t *alive, alive_count;            /* handles of those that are not due, ascending */
        uint32_t *newest, *newest_exposure;      /* by device: its newest handle of all, and of exposures; or NOBODY */
        uint32_t *current, *watched;             /* by device: the handle under which it may be watched, and is; or NOBODY */
        bool *is_held_out;                       /* by device */
        uint8_t *tries;                          /* by device: its exposures */
        uint32_t *windows, *picked;              /* of each group: before a pick, and in it */
        int64_t lease_ms, now_ms, next_due_ms, spent_slot;      /* spent_slot: since when it should hold; -1: it need not */
        bool recent[LEDGER_RECENT];              /* the last deadlines of control: silent? */
        bool is_inexact;                         /* control was hurt, or a watched device late: then harm is explained, and the books cannot say how much */
        bool is_loose;                           /* one was harmed while control was the fewer: then some of it may be chance, and the books cannot say how much */
        bool is_halted, is_over;                 /* over: withdrawn, superseded or cancelled */
        bool is_frozen, is_thawed;               /* thawed: two people passed over the freeze */
        enum rollout_state state;
        enum rollout_reason reason;
        char broken[200];                        /* "": nothing */
};

MUST_CHECK enum err ledger_open(const struct ledger_config *config, struct ledger **ret_ledger, struct why *why);
/* Never exposed; said once, before anything else. */
void ledger_hold_out(struct ledger *ledger, uint32_t device);
void ledger_close(struct ledger *ledger);
OWN_DEFINE(ledger, struct ledger *, ledger_close)

void ledger_break(struct ledger *ledger, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What came to pass. A time that is older than the last one counts as that one. Deadlines pass before a tick, a report and what was seen. */
void ledger_pass(struct ledger *ledger, int64_t now_ms);
void ledger_passed_by(struct ledger *ledger, int64_t now_ms);      /* a tick that said it changed nothing, not even the time */
/* Who may be exposed now, for the next pick. */
void ledger_look_at_windows(struct ledger *ledger, const struct rollout *rollout);
struct ledger_asker { uint32_t device, nonce; };
void ledger_picked(struct ledger *ledger, int64_t now_ms, const struct ledger_asker *line, const struct rollout_pick *picks, uint32_t count);
void ledger_granted(struct ledger *ledger, uint32_t handle, int64_t now_ms, int64_t deadline_ms);
void ledger_reported(struct ledger *ledger, const struct rollout_report *report);
void ledger_left(struct ledger *ledger, const struct ledger_asker *left, uint32_t count);
void ledger_commanded(struct ledger *ledger, int64_t now_ms, enum rollout_event event, bool by_two);

void ledger_froze(struct ledger *ledger, int64_t now_ms, bool is_frozen);

bool ledger_is_unknown(const struct ledger *ledger);
/* After an input: does the library say the same, and may it be in this state? */
void ledger_look(struct ledger *ledger, const struct rollout *rollout);
void ledger_look_at_strata(struct ledger *ledger, const struct rollout *rollout);
