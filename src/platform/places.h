/* places.h - the names of one file: as it was said, with the links of its folders followed, with all links followed, and at the other places where its
 * file system is mounted. To act on any of them is to act on the file. */
#pragma once

#include "platform/paths.h"

#include <stddef.h>

enum { PLACES_MAX = 16 };
struct places {
        char path[PLACES_MAX][PATH_MAX];         /* absolute, each once */
        size_t count;
        bool is_hidden;                          /* where its links lead could not be found out, or it has more names */
};

/* `path` is absolute. What is not there has the names that it would have. */
void places_find(const char *path, struct places *places);
/* Folders of this system where what nobody knows is better left alone. */
const char **places_of_platform(size_t *ret_count);
/* Is `path` the folder, or in it? Both absolute. On Windows a folder may be told without its drive: then it is one of whichever drive. */
bool places_is_below(const char *path, const char *folder);
