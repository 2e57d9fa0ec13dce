/* content.h - a stream's folders below the state folder, and the link that the engine follows.
 *
 *      streams/NAME/{a,b,factory,none}/      none: empty, what safe mode runs
 *      streams/NAME/current -> a             always what the slot record says
 *
 * The record is changed first, the link after it; whoever starts settles the link again, so a power cut between the two
 * costs nothing. */
#pragma once

#include "agent/slot.h"
#include "platform/disk.h"

enum { CONTENT_PATH_BYTES = 16 + SLOT_NAME_BYTES + 16 };

struct content_path { char text[CONTENT_PATH_BYTES]; };
struct content_path content_slot(const char *stream, enum slot_id slot);

/* Makes the folders; copies the factory content in once, all or nothing. `factory` NULL: it is empty. */
MUST_CHECK enum err content_prepare(struct disk *disk, const char *stream, const char *factory, struct why *why);
/* What the record names is there: a stream can run although nothing can be written. */
bool content_is_there(struct disk *disk, const struct slots *slots, size_t stream);
/* The link `current` leads to what the record names. */
bool content_is_settled(struct disk *disk, const struct slots *slots, size_t stream);
/* Makes it so; nothing is written when it is. */
MUST_CHECK enum err content_settle(struct disk *disk, const struct slots *slots, size_t stream, struct why *why);
/* What {current} stands for, by the system's own path: the link, or where programs do not follow such links, the folder it leads to now. */
enum { CONTENT_CURRENT_BYTES = 1100 };
void content_current(const char *state_dir, const char *stream, char current[CONTENT_CURRENT_BYTES]);
/* First line of VERSION in the slot, as one word; empty when there is none. */
enum { CONTENT_VERSION_BYTES = 65 };
/* What is no letter, digit or one of ._+:- becomes _ , so that a line and the word that an engine makes of it are the same. */
void content_version_word(char *version);
void content_version(struct disk *disk, const struct slots *slots, size_t stream, char version[CONTENT_VERSION_BYTES]);
