/* user.h - another user of this machine, for a process to become. */
#pragma once

#include "base/err.h"

#include <stdbool.h>

struct user { unsigned number, group; };

/* By name. ERR_NOT_FOUND: there is none. */
MUST_CHECK enum err user_find(const char *name, struct user *ret_user, struct why *why);
bool user_may_change(void);                      /* may we become another, as root may? */
/* Gives a folder to another user, and to nobody else: mode 0700. A link is not followed. ERR_REFUSED: only root may. */
MUST_CHECK enum err user_give_folder(const char *path, const struct user *user, struct why *why);
/* Becomes that user, for good. Safe between fork and exec. False: nothing changed, or not all; end then. */
bool user_become(const struct user *user);
