/* before.h - what a stream's probes saw just before a release came on trial: a word each, to which the same probes hold it later.
 *
 * Kept on disk, because a trial goes on after a restart. Words are said by the probes themselves (probe_kinds.h) and are theirs to understand. */
#pragma once

#include "agent/config.h"
#include "platform/disk.h"

enum { BEFORE_WORD_BYTES = 40 };
_Static_assert((int)BEFORE_WORD_BYTES > (int)AGENT_PROBE_FILES_MAX, "a letter for each file");

struct before {
        uint32_t boot;                   /* which start of the machine it was */
        uint32_t probes;                 /* before_probes(): of other probes it says nothing */
        char words[AGENT_PROBES_MAX][BEFORE_WORD_BYTES];         /* "": nothing is known */
};

/* On disk (streams/NAME/before), and therefore frozen. */
struct before_record {
        char magic[4];                   /* "FBBF" */
        uint32_t crc;                    /* of everything after it */
        uint32_t version;
        struct before before;
};
_Static_assert(sizeof(struct before_record) == 12 + 8 + 16 * 40, "on-disk format");

/* A checksum of what the probes of a stream are. */
uint32_t before_probes(const struct agent_stream_config *stream);
/* Lower-case letters, digits and -, and fits; the empty word is one. */
bool before_is_word(const char *text);

MUST_CHECK enum err before_keep(struct disk *disk, const char *stream, const struct before *before, struct why *why);
/* False: nothing is kept, or nothing that makes sense. */
bool before_read(struct disk *disk, const char *stream, struct before *ret_before);
