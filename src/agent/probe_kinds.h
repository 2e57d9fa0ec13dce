/* probe_kinds.h - the probes that look at something themselves, each in the child (`firebreak-agent probe`), each in a file of its own.
 *
 * A look gives up what it does not need before it reads or connects. OK: all is well. ERR_CONTENT, with a text that says what was seen: it is not. Any
 * other error: it could not be looked at. */
#pragma once

#include "agent/before.h"
#include "agent/config.h"
#include "base/buf.h"

struct probe_task {
        const struct agent_probe *probe;
        const char *const *paths;        /* of hash and files, with the places filled in */
        const char *was;                 /* the word of before the trial; NULL: nothing is known */
        struct buf *before;              /* not NULL: add the word for now, and judge nothing */
};
typedef enum err probe_look(const struct probe_task *task, struct why *why);
probe_look probe_look_http, probe_look_hash, probe_look_unit, probe_look_files;

/* One letter for a path: of what kind it is, and whether it is empty. */
enum { PROBE_PATH_ABSENT = '-' };
char probe_path_letter(const char *path);
/* What became of it, by its letters; NULL: it is as it was. `was` 0: nothing is known. */
const char *probe_path_change(char was, char now);

/* What `systemctl show` says of a unit. */
#define UNIT_PROPERTIES "--property=LoadState,ActiveState,SubState,Result,NRestarts,MainPID,ExecMainCode,ExecMainStatus"
struct unit_state {
        char load[32], active[32], sub[32], result[32];
        uint64_t restarts;
        int pid;                         /* 0: it has no main process */
        uint64_t exit_kind, exit_code;   /* of the main process that ended: 1 by exit, 2 and 3 by a signal; 0: none has */
};
/* ERR_SYNTAX: it says less than what is needed. */
MUST_CHECK enum err unit_state_read(const char *text, struct unit_state *ret_state, struct why *why);
/* How often it was started again; and, when it had failed or nobody ran it, with unit_was_down after that: "2-down". */
extern const char unit_was_down[];
void unit_state_word(const struct unit_state *state, struct buf *into);
/* The same, as it counts now: systemd counts anew from each start of the machine; the stream's own engine has to run with a release, whatever it did before. */
struct unit_since { bool is_rebooted, is_engine; };
void unit_word_since(const char *word, const struct unit_since *since, char ret_word[static BEFORE_WORD_BYTES]);
/* ERR_CONTENT: it is not active, or was started again since. `was`: its word of before; what was down then is nobody's fault now. NULL and "": nothing is known. */
MUST_CHECK enum err unit_state_judge(const char *unit, const struct unit_state *state, const char *was, struct why *why);
