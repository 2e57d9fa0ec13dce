/* file.h - files that a person names on the command line, read whole. For state that must last see disk.h. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum file_kind { FILE_ABSENT, FILE_REGULAR, FILE_FOLDER, FILE_OTHER };

/* Follows links, as a person expects of a path that he typed. */
enum file_kind file_kind(const char *path);

/* A file without bytes, a folder without entries. False for all else, and for what cannot be looked at. */
bool file_is_empty(const char *path);

/* ERR_REFUSED, in plain words, for what is there and no regular file: a pipe would be waited for without end. */
MUST_CHECK enum err file_check_regular(const char *path, struct why *why);

/* May this process read it, as far as the system says beforehand? */
bool file_can_be_read(const char *path);

/* ERR_REFUSED: it is another user's, or others than its owner may write to it. */
MUST_CHECK enum err file_check_own(const char *path, struct why *why);

/* Appends; ERR_NOT_FOUND, ERR_IO, ERR_LIMIT past `into`'s ceiling. Takes what is not a regular file too (a pipe). */
MUST_CHECK enum err file_read(const char *path, struct buf *into, struct why *why);

/* The same of standard input, whatever that is, which is closed then. */
MUST_CHECK enum err file_read_input(struct buf *into, struct why *why);

/* The same of what anybody may have put there: ERR_REFUSED for all but a file, and never waits for one that writes. */
MUST_CHECK enum err file_read_regular(const char *path, struct buf *into, struct why *why);

/* The same part by part, however long it is. */
typedef void file_take(void *user, const void *bytes, size_t length);
MUST_CHECK enum err file_read_parts(const char *path, file_take *take, void *user, struct why *why);

/* Replace or make `path`; other users cannot read it. Not atomic: for results, not for state. */
MUST_CHECK enum err file_write(const char *path, const void *bytes, size_t length, struct why *why);

/* Who may do what with it, as chmod(1) counts it; of what is absent, what a new file would get. */
unsigned file_mode(const char *path);
/* As far as its file system knows of modes. */
void file_set_mode(const char *path, unsigned mode);

/* Another number after each writing or replacing of the file, as far as its file system tells times apart (4 ms); 0: absent. */
uint64_t file_mark(const char *path);

/* From now on others can neither read nor enter what this process, or a child of it, makes. */
void file_private(void);

/* A file or a link; what is absent, or a folder, stays as it is. */
void file_remove(const char *path);

/* A fresh folder under $TMPDIR or /tmp, and its removal with all that is in it. */
MUST_CHECK enum err file_temporary(char path[static 64], struct why *why);
void file_remove_tree(const char *path);
