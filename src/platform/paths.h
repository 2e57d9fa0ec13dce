/* paths.h - which files this machine has, by pattern, and what a path really names. */
#pragma once

#include "base/err.h"

#include <limits.h>
#include <stdbool.h>

typedef enum err paths_visit(void *user, const char *path, struct why *why);

/* Each path that a shell's pattern stands for, sorted; none is fine. ERR_NOMEM, or what `visit` returned. */
MUST_CHECK enum err paths_like(const char *pattern, paths_visit *visit, void *user, struct why *why);

bool paths_is_absolute(const char *path);

/* Absolute and without links. ERR_NOT_FOUND, ERR_REFUSED, ERR_IO. */
MUST_CHECK enum err paths_real(const char *path, char real[static PATH_MAX], struct why *why);

/* The program that runs, and its folder. */
MUST_CHECK enum err paths_own_program(char program[static PATH_MAX], struct why *why);
MUST_CHECK enum err paths_own_folder(char folder[static PATH_MAX], struct why *why);
/* Is this file, which may be absent, the program that runs? */
bool paths_is_own_program(const char *path);
