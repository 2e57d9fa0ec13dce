/* dossier_canary.h - the one thing that the lab takes from a dossier: the text that the content must be seen to match. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

/* NULL when it names none. Lives in the arena. ERR_SYNTAX: it is no dossier. */
MUST_CHECK enum err dossier_canary_yaml(const struct buf *text, struct arena *arena, const char **ret_canary, struct why *why);
MUST_CHECK enum err dossier_canary_json(const struct buf *text, struct arena *arena, const char **ret_canary, struct why *why);
