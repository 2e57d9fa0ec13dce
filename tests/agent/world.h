/* world.h - one device for tests of a stream's life: the real stream, slots, content and unpacking, over a simulated disk.
 *
 * The network, the judge and the clock are stand-ins: whatever is asked of the server is there, and each lease is granted. The engine
 * is a pid file of somebody else's process, ours. */
#pragma once

#include "agent/stream.h"
#include "support/sim_disk.h"
#include "support/sim_random.h"

struct world {
        struct sim_disk sim;
        struct sim_random random;
        struct agent agent;
        struct agent_config config;
        struct agent_stream_config stream_config;
        struct stream stream;
        struct refresh *refresh;
        struct anchors *anchors;                 /* the test's own; NULL is fine for those who have no use for them */
        /* What the server has under that path, if it is no artifact, or the status; NULL here: none. */
        bool is_spool_flooded;           /* the fetcher writes more than it was asked for */
        const struct buf *delta;         /* what the server has for the release that is offered, as a delta; NULL: none */
        const struct buf *(*document)(const char *path, struct fetch_answer *answer);
        enum err (*post)(const struct caller_post *post, struct fetch_answer *answer);       /* NULL: all is 200 */
        char noted[WHY_TEXT_MAX];        /* last line of the log about trouble, ... */
        char told[WHY_TEXT_MAX];         /* ... about the server, ... */
        char lived[WHY_TEXT_MAX];        /* ... and about a release */
        char delta_path[200];            /* asked for last */
        int64_t now_ms, lease_bake_s;
        char pid_file[64], deaf_file[64];        /* the latter "": the engine is none that has to become deaf first */
        unsigned lines;                  /* in the log */
        int64_t ready_ms;                /* from when on the limit lets files come */
        unsigned artifacts;              /* that were asked for */
        struct buf notes[10];            /* by counter, of 4 to 7 */
};
extern struct world world;

/* The disk and the dice are the test's to init. */
void world_open(void);
void world_close(void);

/* The machine starts: what the guard and the supervisor do. */
enum err world_start(void);
void world_end(void);

struct offer world_offer(uint64_t counter, enum offer_state state);
/* Time goes by until nothing more happens, or the light goes out. */
void world_live(void);
/* Both. */
void world_hear(uint64_t counter, enum offer_state state);
void world_turn(int64_t ms);
void world_until(enum life_state life);

/* Whose pid the engine's file names. */
void world_set_pid(int pid);
uint64_t world_running(void);
/* What a release has for its VERSION. */
void world_content(uint64_t counter, char text[32]);
