/* settings.h - what firebreakd was told: command line and configuration file, by one table (settings.def). */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct settings {
        const char *data, *listen, *keys, *tenant, *log;
        int64_t pace_ms, metadata_s, connections, ready_fd;
        bool plain;
        bool wants_help, wants_version;        /* then nothing else was looked at */
};

/* Texts live in the arena or in argv. ERR_USAGE, ERR_SYNTAX and what file_read() says of the file. */
MUST_CHECK enum err settings_read(struct arena *arena, int argc, char **argv, struct settings *ret_settings, struct why *why);
void settings_help(FILE *to);
