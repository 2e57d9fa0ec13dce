/* key_name.h - what a key is called: as --name says, else root-1 of /media/x/root-1.pem, and of a token the label. */
#pragma once

#include "cli/options.h"
#include "trust/key.h"

/* ERR_USAGE: that would be no name. */
MUST_CHECK enum err key_name(const struct args *args, const char *place, char name[static LIMIT_NAME_BYTES + 1], struct why *why);
