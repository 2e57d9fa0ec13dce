/* settings.h - which server, with which key: from options, the environment, or ~/.config/firebreak/cli.yaml. */
#pragma once

#include "base/arena.h"
#include "cli/cli.h"

struct settings {
        const char *server, *key_file, *ca;     /* NULL: not said anywhere */
};

/* Texts live in the arena or are borrowed from the arguments and the environment. */
MUST_CHECK enum err settings_read(const struct args *args, struct arena *arena, struct settings *ret_settings, struct why *why);
