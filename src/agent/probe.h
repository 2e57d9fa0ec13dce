/* probe.h - one run of one probe of a stream, as a child: a command of the stream's own, or `firebreak-agent probe` for what is looked at by ourselves.
 *
 * Passed is exit code 0. What it wrote first is the evidence: of a command the first line on standard output or error, which are one pipe; of ours the
 * one line on standard output. In what order probes run, and what follows, is probing.h's. Resources are no child's: usage.h. */
#pragma once

#include "agent/config.h"
#include "agent/engine.h"
#include "agent/murmur.h"
#include "agent/slot_record.h"
#include "platform/child.h"

struct probe {
        struct child child;              /* none: nothing runs, and nothing else counts */
        struct murmur said;
        int64_t until_ms;
        enum agent_probe_kind kind;
        char line[SLOT_DETAIL_BYTES];    /* the first that it wrote, printable; "": it has not */
};

struct probe_of {
        const char *config_path, *stream;
        int config_copy;                         /* a memory file with what the supervisor read, to be read instead; 0: none */
        const struct agent_probe *probe;         /* number `number` of its stream; not for probe_main() */
        size_t number;
        const char *was;                         /* its word of before the trial; "" and NULL: nothing is known */
        bool is_before;                          /* say that word, judge nothing */
        const struct engine_words *words;        /* for a command */
        int errors;                              /* standard error of ours; -1: our own */
};
/* `probe` has no child, and none after a failure. */
MUST_CHECK enum err probe_start(const struct probe_of *of, int64_t now_ms, struct probe *probe, struct why *why);
/* Takes what it wrote; `say` gets each line of a command, and may be NULL. */
void probe_listen(struct probe *probe, int64_t now_ms, murmur_say *say, void *user);
/* True once when it has ended or its time is up. Listen before. The text is for a report: why it has not passed. */
struct probe_end { bool has_passed; char text[SLOT_DETAIL_BYTES]; };
bool probe_ended(struct probe *probe, int64_t now_ms, struct probe_end *ret_end);
void probe_kill(struct probe *probe);                    /* none is fine */
/* For the supervisor's poll(2): -1: nothing runs. */
int probe_file(const struct probe *probe);

/* In the child. Says its line on standard output. */
MUST_CHECK enum err probe_main(const struct probe_of *of, struct why *why);
