/* confine.h - a process gives up what it does not need, for good. */
#pragma once

#include "base/err.h"

/* From here on: read, write and wait for files that are open, memory, time. No new file, socket, process or program.
 * ERR_UNAVAILABLE: this system does not let us; the network may be gone all the same. */
MUST_CHECK enum err confine_to_open_files(struct why *why);

/* From here on: the network, what is needed to find and trust a server, the files of `spool` to read and write, and `readable` (may be
 * NULL) to read. No other file, no program, no capability. ERR_UNAVAILABLE: this system has no landlock. */
MUST_CHECK enum err confine_to_network(const char *spool, const char *readable, struct why *why);

/* From here on: what confine_to_open_files() leaves, who connects to a socket that listens already, and the files of `folder` to read, make,
 * replace and remove; where `folder` is a link, of what it points to now. No other file, no program, no process, no socket of one's own
 * making, no capability. ERR_UNAVAILABLE: this system has no landlock or no seccomp; the one that it has is in force. */
MUST_CHECK enum err confine_to_folder(const char *folder, struct why *why);
