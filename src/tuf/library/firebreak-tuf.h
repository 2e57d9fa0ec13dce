/* firebreak-tuf.h - a client of The Update Framework (TUF) 1.0, as one C file that needs nothing but libcrypto of OpenSSL 3.
 *
 *      cc -c firebreak-tuf.c                   and link with -lcrypto; C11 with GNU extensions, gcc or clang
 *
 * It is a conversation. The library says which file to load, fetch or store next, and the program does it, with whatever disk and network
 * it has; the library has neither, nor a clock. A whole update:
 *
 *      struct ftuf *tuf;
 *      struct ftuf_why why;
 *      struct ftuf_task task;
 *      enum ftuf_error e = ftuf_open(root, root_length, time(NULL), &tuf, &why);        the root.json that you trust, or the newest you stored
 *      while (!e && !(e = ftuf_next(tuf, &task, &why)) && task.step != FTUF_DONE)
 *              switch (task.step) {
 *              case FTUF_LOAD:   the local file task.name: ftuf_give(tuf, bytes, length, &why), or ftuf_lacks(tuf, &why) if there is none
 *              case FTUF_FETCH:  BASE_URL/task.name, and never more than task.bytes_max bytes: the same; 404 is ftuf_lacks
 *              case FTUF_STORE:  task.bytes become the local file task.name, durably, all or nothing; then ftuf_stored(tuf)
 *              }
 *      ftuf_seek(tuf, "path/of/a/target", &why), the loop again, and ftuf_found(tuf, &target) says what its bytes must be
 *
 * Whatever was stored is trusted, also when the conversation ended with an error: the next one goes on from there. Nothing is ever trusted
 * that the threshold of different keys did not sign, that is older than what was, or that has expired. Safe against hostile input of any
 * size and shape: every size has a ceiling, which firebreak-tuf(3) lists. One struct ftuf is used by one thread at a time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ftuf;

enum ftuf_error {
        FTUF_OK,
        FTUF_NO_MEMORY,
        FTUF_TOO_LARGE,                  /* a ceiling was reached */
        FTUF_MALFORMED,
        FTUF_MISUSED,                    /* a call out of turn */
        FTUF_NOT_FOUND,                  /* what a trusted file names is not there */
        FTUF_UNTRUSTED,                  /* not signed by enough of the right keys, or other bytes than announced */
        FTUF_EXPIRED,
        FTUF_OLDER,                      /* than what was trusted before */
};
const char *ftuf_error_text(enum ftuf_error error);

/* What went wrong, for people, outermost step first. Every `why` may be NULL. */
struct ftuf_why { char text[512]; };

/* The root must be signed by its own keys; that it is the right one, only the way it came can say. `now`: unix seconds, for all checks of expiry. */
enum ftuf_error ftuf_open(const void *root, size_t length, int64_t now, struct ftuf **ret_tuf, struct ftuf_why *why);
void ftuf_close(struct ftuf *tuf);                                       /* NULL is fine */

enum ftuf_step { FTUF_DONE, FTUF_LOAD, FTUF_FETCH, FTUF_STORE };
struct ftuf_task {
        enum ftuf_step step;
        char name[288];                  /* a file's; what is not a letter, digit or one of _-.~ is percent-encoded, so it names a file of one folder */
        uint64_t bytes_max;              /* of FETCH */
        const void *bytes;               /* of STORE; valid until ftuf_stored() */
        size_t length;
};
enum ftuf_error ftuf_next(struct ftuf *tuf, struct ftuf_task *ret_task, struct ftuf_why *why);
enum ftuf_error ftuf_give(struct ftuf *tuf, const void *bytes, size_t length, struct ftuf_why *why);
enum ftuf_error ftuf_lacks(struct ftuf *tuf, struct ftuf_why *why);
void ftuf_stored(struct ftuf *tuf);

/* After DONE: look for a target, with all that is delegated. */
enum ftuf_error ftuf_seek(struct ftuf *tuf, const char *path, struct ftuf_why *why);
struct ftuf_target {
        uint64_t length;
        int has_sha256, has_sha512;      /* one at least */
        unsigned char sha256[32], sha512[64];
};
/* 0: no role that speaks for this path lists it. */
int ftuf_found(const struct ftuf *tuf, struct ftuf_target *ret_target);
/* Its `custom`, canonical JSON, to be freed with ftuf_free(); NULL: none, or no memory. */
char *ftuf_custom(const struct ftuf *tuf);
void ftuf_free(void *memory);

/* Are these all of a target's bytes? 1: yes. For what comes in pieces, hash them yourself. */
int ftuf_fits(const struct ftuf_target *target, const void *bytes, size_t length);

/* Do the names of the repository's target files begin with their digest? */
int ftuf_is_consistent(const struct ftuf *tuf);
/* `role`: "root", "timestamp", "snapshot" or "targets". 0: none. */
uint64_t ftuf_version(const struct ftuf *tuf, const char *role);
int64_t ftuf_expires(const struct ftuf *tuf, const char *role);

#ifdef __cplusplus
}
#endif
