/* answer.h - the process that engines ask: it listens on one stream's socket, finds out whose the file is, and has the supervisor decide.
 *
 * By itself, so that neither whoever connects nor a slow disk ever holds up the supervisor: one question at a time, LIMIT_ASKED_PER_S a second, each
 * connection in its turn, and LIMIT_ASK_CONNECTIONS of them; beyond that the user who has most loses the one that was silent longest. It makes the list of
 * the platform's files, anew whenever packages change, in a child of its own.
 *
 * After its start it can read files, write the list, answer who connects, and nothing else (platform/confine.h). */
#pragma once

#include "agent/config.h"

/* Standard input is the channel to the supervisor. Ends when that does. */
struct answer_setup { const char *config_path; const struct agent_config *config; const struct agent_stream_config *stream; const char *database; };        /* NULL: this system has no list of its files */
MUST_CHECK enum err answer_main(const struct answer_setup *setup, struct why *why);
