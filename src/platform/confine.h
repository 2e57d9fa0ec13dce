/* confine.h - a process gives up what it does not need, for good. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* What is in force then, also where it is not all: to be told, and passed between two programs of one machine. */
struct confined {
        uint32_t user;                   /* number; 0: root */
        uint8_t landlock;                /* version of the kernel's interface, as far as we know how to use it; 0: not in force */
        uint8_t has_filter;              /* of system calls */
        uint8_t has_capabilities;        /* some are left */
        uint8_t unused;
};
enum { CONFINED_TEXT_MAX = 96 };
/* "user 993, landlock 6, system calls limited", "root, no landlock, any system call, with capabilities". */
void confined_text(const struct confined *confined, char text[CONFINED_TEXT_MAX]);

/* `ret_confined` may be NULL in each.
 *
 * From here on: read, write and wait for files that are open, memory, time. No new file, socket, process or program.
 * ERR_UNAVAILABLE: this system does not let us; the network may be gone all the same. */
MUST_CHECK enum err confine_to_open_files(struct confined *ret_confined, struct why *why);

/* From here on: the network, what is needed to find and trust a server, the files of `spool` (NULL: none) to read and write, and
 * `readable` (may be NULL) to read. No other file, no program, no capability. ERR_UNAVAILABLE: this system has no landlock. */
MUST_CHECK enum err confine_to_network(const char *spool, const char *readable, struct confined *ret_confined, struct why *why);

/* From here on: what confine_to_open_files() leaves, who connects to a socket that listens already, and `folder` to look into, the files in it and in its folders to read,
 * make, replace and remove; where `folder` is a link, of what it points to now. No other file, no program, no process, no socket of one's own
 * making, no capability. ERR_UNAVAILABLE: this system has no landlock or no seccomp; the one that it has is in force. */
MUST_CHECK enum err confine_to_folder(const char *folder, struct confined *ret_confined, struct why *why);

/* From here on: what confine_to_open_files() leaves, and files to look at and to read: those of this user, and for root everybody's. Nothing to
 * write, no socket, process or program, no other capability. ERR_UNAVAILABLE: this system has no seccomp. */
MUST_CHECK enum err confine_to_reading(struct confined *ret_confined, struct why *why);

/* From here on, for this process and the programs that it starts: files to read and programs to run, and sockets of this machine. Nothing to write but
 * /dev/null, no network, no other process, no capability. ERR_UNAVAILABLE: this system has no landlock or no seccomp; the one that it has is in force. */
MUST_CHECK enum err confine_to_programs(struct confined *ret_confined, struct why *why);

/* From here on: files to read, those of `folder` to write as well, the sockets that are open and who connects to them. No program, no socket of
 * one's own making, no other process; of the capabilities only, where it is there, the one to read what belongs to others. ERR_UNAVAILABLE as above. */
MUST_CHECK enum err confine_to_answering(const char *folder, struct confined *ret_confined, struct why *why);
