/* child.h - a long-lived child process: started, signalled, asked whether it ended.
 *
 * A child leads its own process group and dies with the process that started it (the thread, strictly: start children from
 * the main thread). Its signals are as after boot, its files closed but the three given ones. No shell.
 * One run with limits, output and time measured: see sandbox.h. */
#pragma once

#include "base/err.h"

#include "platform/user.h"

#include <stdbool.h>
#include <stdint.h>

/* Zero: no limit. */
struct child_limits {
        uint64_t cpu_s, memory_bytes, file_bytes, files;
        bool is_offline;               /* no network, where the system lets us; see child_offline_works() */
};

struct child_setup {
        const char *const *argv;       /* NULL-ended; argv[0] is looked up in PATH */
        int input, output, errors;     /* -1: nothing to read, thrown away, ours */
        const struct child_limits *limits;   /* NULL: none */
        const struct user *user;       /* whom it becomes; NULL: it stays who we are */
        const char *folder;            /* where it starts, also if only we may go there; NULL: where we are */
};

struct child { int pid; };             /* 0: none */

struct child_end {
        bool is_signal;
        int code;                      /* exit code or number of the signal */
};

/* ERR_NOT_FOUND: no such program; ERR_REFUSED: may not be executed, or may not become that user. */
MUST_CHECK enum err child_start(const struct child_setup *setup, struct child *ret_child, struct why *why);
/* The same, by fork alone: the child runs `run(user)` and ends with what it returns. It keeps its copy of everything: open
 * files, memory, and with it every secret in there. */
MUST_CHECK enum err child_fork(int (*run)(void *user), void *user, struct child *ret_child, struct why *why);
/* In the child, before exec: what was ignored or blocked would stay so, and an engine that was started below nohup never heard a SIGHUP. */
void child_reset_signals(void);
/* Without a parent, in a session of its own, without a terminal: it outlives us, and whoever kills our group or what we started. Nobody
 * is told how it ends. */
MUST_CHECK enum err child_detach(const struct child_setup *setup, struct why *why);
/* This program again. */
extern const char child_self[];
/* Its standard input by name, in the child: a file that was given as `input`, from its start. */
extern const char child_input[];
/* From here on this process runs when nobody else wants to: what it makes is not waited for. */
void child_give_way(void);
/* Signal names as in configuration: HUP USR1 USR2 TERM KILL. False when it is gone. */
bool child_signal(const struct child *child, const char *name);
/* True once when it has ended; the child is then none. Never waits. */
bool child_ended(struct child *child, struct child_end *ret_end);
/* SIGKILL to its whole group, waits for the end. None is fine. */
void child_kill(struct child *child);
/* "signal 11", "exit 3"; "ended, not by us": of signal 0, for one whose end somebody else saw. */
void child_end_text(const struct child_end *end, char *text, int size);

/* Somebody else's process, by the number in its pid file. */
bool child_pid_signal(int pid, const char *name);
bool child_pid_lives(int pid);
int child_own_pid(void);
/* Does this system let us take the network from a child? */
bool child_offline_works(void);
/* From here on this process, and what it starts, has a network of its own in which there is nothing; it may set rules there. ERR_UNAVAILABLE:
 * the system does not let us; all is as it was. */
MUST_CHECK enum err child_leave_network(struct why *why);
/* Is there nothing in our network but the loop to ourselves? */
bool child_is_alone(void);
