/* schema.h - the tables of firebreak.db and how older databases become newer ones.
 *
 * Steps are numbered, forward only, and never edited once released: a change is a new step at the end. */
#pragma once

#include "server/store/db.h"

MUST_CHECK enum err schema_migrate(struct db *db, struct why *why);
