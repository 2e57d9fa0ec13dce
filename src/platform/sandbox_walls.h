/* sandbox_walls.h - the walls of a sandbox, one call each. Used by sandbox_inside.c, nobody else.
 *
 * Each says whether it stands; a system that refuses one may allow the next. */
#pragma once

#include "platform/sandbox.h"

unsigned walls_name_spaces(void);                          /* OFFLINE and PROCESSES (for children), or 0 */
bool walls_readonly(const char *scratch, uint64_t temporary_bytes);      /* needs name spaces; scratch may be NULL */
bool walls_capabilities(const struct sandbox_limits *limits);      /* none are left, or that to set up its own network */
bool walls_limits(const struct sandbox_limits *limits);
bool walls_seccomp(const struct sandbox_limits *limits);   /* the last one: after it, no other can be built */
