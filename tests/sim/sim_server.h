/* sim_server.h - what a server does around one rollout: a durable log of inputs, a clock of its own, crashes.
 *
 * As server/rollouts/inputs.c: what the library took and what changed something is appended; what was refused, and what changed
 * nothing, is not. Appended is not durable: that is said by sim_server_commit(), for all of it at once. A crash loses the
 * rest; then the log is told to a new rollout, which has to decide as the old one did, input by input. */
#pragma once

#include "sim/ledger.h"

enum sim_what { SIM_START, SIM_TICK, SIM_PICK, SIM_GRANTED, SIM_REPORT, SIM_SEEN, SIM_HEARD, SIM_LEFT, SIM_FREEZE, SIM_COMMAND };
enum sim_people { SIM_NOBODY, SIM_ONE, SIM_SAME_TWICE, SIM_NO_REASON, SIM_TWO };

struct sim_input {
        enum sim_what what;
        int64_t at_ms;                           /* told: the server's clock; kept: the rollout's own time */
        uint32_t number;                         /* a handle, or how many, or whether it is frozen */
        struct rollout_report report;
        enum rollout_event event;
        enum sim_people people;
        const struct ledger_asker *line;         /* told; of HEARD the nonces are handles */
        uint32_t line_at, line_count;            /* kept: in `askers` */
        uint64_t decision;                       /* kept: what the library answered, in short */
        enum rollout_state state;                /* kept: afterwards */
        enum rollout_reason reason;
};

struct sim_fed { const struct rollout_pick *picks; uint32_t picked; int64_t deadline_ms; };      /* picks: borrowed until the next input */

struct sim_server {
        struct rollout_config config;
        struct ledger_config books;
        struct rollout *rollout;
        struct ledger *ledger;
        struct sim_input *inputs;
        struct ledger_asker *askers;
        uint32_t input_count, input_room, asker_count, asker_room, durable;      /* durable: so many of the inputs */
        struct rollout_device *line;
        struct rollout_pick *picks;
        int64_t last_ms, ahead_ms;
        bool is_naive;                           /* passes the clock on as it is: then the library itself has to keep time from going back */
        bool was_over;                           /* somebody was told, durably, that it is withdrawn */
        unsigned crashes, clean_starts;
};

MUST_CHECK enum err sim_server_open(const struct rollout_config *config, const struct ledger_config *books, int64_t now_ms, struct sim_server **ret_server,
                                    struct why *why);
void sim_server_close(struct sim_server *server);
OWN_DEFINE(sim_server, struct sim_server *, sim_server_close)

/* The library's own refusals are passed on. A promise that was not kept is ERR_CONTENT, and everything after it. */
MUST_CHECK enum err sim_server_tell(struct sim_server *server, const struct sim_input *input, struct sim_fed *ret_fed, struct why *why);

void sim_server_commit(struct sim_server *server);
/* Another rollout, told the whole log, says what this one says. */
MUST_CHECK enum err sim_server_compare(struct sim_server *server, struct why *why);
/* What is not durable is lost, and everything begins again from the log. */
MUST_CHECK enum err sim_server_crash(struct sim_server *server, struct why *why);
