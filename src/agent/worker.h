/* worker.h - the processes that work for the supervisor on what strangers send: who starts them, as whom, and what is in force there.
 *
 * fetch and verify each speak through one socket, their standard input and output. Where the service manager has them as units of its own
 * (firebreak-fetch.socket, firebreak-verify.socket) we connect to theirs; else, and when nobody is there or it ended without an answer, they are children. Either way
 * they confine themselves before the first byte, and say with their answer what of it is in force. */
#pragma once

#include "base/own.h"
#include "platform/channel.h"
#include "platform/child.h"
#include "platform/confine.h"
#include "platform/disk.h"

enum worker { WORKER_FETCH, WORKER_VERIFY, WORKER_PREFLIGHT, WORKERS };
const char *worker_name(enum worker worker);

struct agent_config;

struct workers {
        const char *units;               /* folder of the sockets `fetch` and `verify`; NULL: there are none */
        struct user users[WORKERS];      /* whom a child becomes; ... */
        bool has_user[WORKERS];          /* ... else it stays who we are */
};
/* The users that the configuration names, or those of the usual names where they are there and we are root; `units` stays. preflight has to reach
 * the candidate by its path: it has a user of its own only where others may pass through the state folder (mode 0711).
 * ERR_NOT_FOUND: it names one that is not there. ERR_REFUSED: it names one, and we are not root, preflight's could not
 * pass, or there is a unit, which has a user of its own. */
MUST_CHECK enum err workers_find(const struct agent_config *config, struct workers *workers, struct why *why);
const struct user *workers_user(const struct workers *workers, enum worker worker);      /* NULL: ours */

struct worker_link {
        int channel;                     /* -1: none */
        struct child child;              /* none when a unit is at the other end */
        bool lacks_unit;                 /* one should be there, and does not answer */
};
static const struct worker_link worker_none = { .channel = -1 };
struct worker_setup {
        enum worker worker;
        enum channel_kind kind;
        const char *const *argv;         /* of the child */
        const struct child_limits *limits;
        const char *folder;              /* NULL: where we are */
        bool skips_unit;                 /* it was tried, and was of no use */
};
MUST_CHECK enum err worker_start(const struct workers *workers, const struct worker_setup *setup, struct worker_link *ret_link, struct why *why);
void worker_end(struct worker_link *link);
static inline void worker_link_release(struct worker_link *link) { worker_end(link); }

/* What was in force in each when it was heard last, in the file `processes` of the state folder. */
struct worker_state { struct confined confined; uint8_t is_known, is_unit, lacks_unit, unused[5]; };
struct worker_state worker_state_of(const struct worker_link *link, const struct confined *confined);
struct worker_states { char magic[4]; uint32_t version; struct worker_state each[WORKERS]; };
_Static_assert(sizeof(struct worker_states) == 8 + 16 * WORKERS, "on disk");
void worker_states_read(struct disk *disk, struct worker_states *ret_states);    /* nothing is known where it cannot be read */
MUST_CHECK enum err worker_states_write(struct disk *disk, const struct worker_states *states, struct why *why);
enum { WORKER_TEXT_MAX = CONFINED_TEXT_MAX + 32 };
/* "fetch, a unit of its own: user 993, landlock 6, system calls limited". */
void worker_text(enum worker worker, const struct worker_state *state, char text[WORKER_TEXT_MAX]);
