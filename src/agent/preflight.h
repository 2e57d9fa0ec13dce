/* preflight.h - the stream's own command over the candidate, in a child that is walled in (platform/sandbox.h).
 *
 * Exit 0: it passed. The exit code of ERR_CONTENT: the content is at fault. Anything else: it could not be tried. Says in one
 * line on standard output, which is a channel, how it ended and which walls stood. */
#pragma once

#include "agent/config.h"
#include "agent/slot_record.h"
#include "platform/child.h"

enum { PREFLIGHT_TEXT_BYTES = 96 };

struct preflight { struct child child; int channel; };

struct preflight_of {
        const char *config_path;         /* to be read */
        const char *config_name;         /* where it lies: {config} */
        const char *stream;
        int config_copy;                 /* a memory file with what the supervisor read, to be read instead; 0: none */
        enum slot_id slot;
        const struct user *user;         /* of the child; NULL: ours */
};
MUST_CHECK enum err preflight_start(const struct preflight_of *of, struct preflight *ret_preflight, struct why *why);
/* True once when it has ended: OK, ERR_CONTENT, or ERR_IO; with its line. */
bool preflight_ended(struct preflight *preflight, enum err *ret_verdict, char text[PREFLIGHT_TEXT_BYTES]);
void preflight_kill(struct preflight *preflight);        /* none is fine */

/* In the child. */
MUST_CHECK enum err preflight_main(const struct preflight_of *of, struct why *why);
