/* passphrase.h - the words that open the offline keys: from a file's first line, or from the person at the terminal. */
#pragma once

#include "base/err.h"
#include "cli/cli.h"

enum { PASSPHRASE_BYTES_MIN = 8, PASSPHRASE_BYTES_MAX = 1023 };

/* Wiped on release: OWN(passphrase) struct passphrase p = { 0 }; */
struct passphrase {
        char text[PASSPHRASE_BYTES_MAX + 1];      /* empty: none */
};
void passphrase_release(struct passphrase *passphrase);

/* For new keys: asked for twice; none with --no-passphrase. ERR_USAGE when both or a short one are given. */
MUST_CHECK enum err passphrase_choose(const struct args *args, struct passphrase *ret_passphrase, struct why *why);

/* The same for a key that gets another one: --new-passphrase-file, or --no-passphrase. */
MUST_CHECK enum err passphrase_choose_new(const struct args *args, struct passphrase *ret_passphrase, struct why *why);

/* The one line of a file. ERR_USAGE: it is empty, or more than a line. */
MUST_CHECK enum err passphrase_read(const char *path, struct passphrase *ret_passphrase, struct why *why);

/* For keys that are encrypted. ERR_UNAVAILABLE, without a terminal, says how else to give it. */
MUST_CHECK enum err passphrase_ask(const struct args *args, struct passphrase *ret_passphrase, struct why *why);
