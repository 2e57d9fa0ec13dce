/* self.h - the agent as the content of one of its own streams: it goes on as the program that the record names.
 *
 * The program that the package installed always starts first (at boot, after a crash), and it is what the factory copy and safe mode stand for. It counts
 * the start, as the guard does, and goes on as `firebreak-agent` from the slot that the record names: the same process, so that engines are
 * handed over while they run. A new agent is on trial as any release: one that dies was counted before it began; one that falls silent, on trial or in its first minute,
 * is ended by a watcher that runs the former agent's code; one that does not reach the server, and could never be mended from there, is not proven.
 * Where a process keeps its program (handover.h) it is another process below the same keeper, and engines are started again.
 * Started from a slot it uses no units (worker.h): theirs would be the package's code. */
#pragma once

#include "agent/slot.h"
#include "platform/child.h"

#include <limits.h>

struct agent;
struct stream;

enum {
        SELF_HANDED_VERSION = 1,
        SELF_PATH_BYTES = 1024,
        SELF_SILENCE_MS = 60000,         /* of an agent that was gone on as: then it hangs. A disk may take a while */
        SELF_BEAT_MS = 5000,             /* as often it says that it lives, while it is watched */
        SELF_WATCHED_MS = 60000,         /* at least, from its start; on trial until that ends */
        SELF_LATER_MS = 5000,            /* to try again what this moment did not allow */
        SELF_REACH_MS = 3600000,         /* after its bake, to have reached the server */
        SELF_CRASHES_MAX = 3,            /* in a row, of an agent that was proven: then one level down */
};

extern const char self_program[];        /* its name in the content: firebreak-agent, with .exe on Windows */
/* Of the one in a slot, a or b. */
void self_path(const struct agent *agent, enum slot_id slot, char path[static PATH_MAX]);

/* What one agent gives the next one, as a file: of another version, or contradicting itself, it is not taken, and the process ends with all
 * its children. Frozen: the next one may be years older or younger. */
struct self_engine { char stream[SLOT_NAME_BYTES]; int64_t started_ms; int32_t pid, read_end, write_end, unused; };
struct self_handed {
        char magic[4];                           /* "FBHO" */
        uint32_t version;
        char home[SELF_PATH_BYTES], units[SELF_PATH_BYTES];      /* of the package's program; units empty: none */
        int32_t beat, watcher;                   /* -1, 0: none */
        uint32_t engine_count;
        uint32_t slot;                           /* enum slot_id: which one it shall be */
        struct self_engine engines[LIMIT_STREAMS];
};
_Static_assert(sizeof(struct self_engine) == 72 + 8 + 16, "what agents of different versions hand over");
_Static_assert(sizeof(struct self_handed) == 8 + 2048 + 16 + 16 * sizeof(struct self_engine), "what agents of different versions hand over");
/* ERR_SYNTAX. */
MUST_CHECK enum err self_handed_check(const struct self_handed *handed, struct why *why);

struct self {
        size_t stream;                   /* in the record and in agent->streams; SELF_NONE: the agent is no content here */
        enum slot_id slot;               /* that this program came from; SLOT_FACTORY: none */
        bool is_handed;                  /* another agent went on as this one */
        struct self_handed handed;       /* by it */
        char home[SELF_PATH_BYTES], units[SELF_PATH_BYTES];
        int beat;                        /* -1: nobody watches */
        struct child watcher;
        int64_t watched_until_ms, again_at_ms;   /* steady; 0: not set */
        bool is_unfit;                           /* the program that was to be gone on as is none */
        bool has_heard;                  /* something of the server's was verified since the start */
};
#define SELF_NONE SIZE_MAX

/* `handed`: number of the file that another agent left open; NULL: none did. */
MUST_CHECK enum err self_open(struct agent *agent, const char *handed, struct why *why);
/* The engine that the other agent left to us; false: there is none. */
bool self_adopt(struct stream *stream);
/* Is it what the record names that runs? */
bool self_is_current(const struct agent *agent);
