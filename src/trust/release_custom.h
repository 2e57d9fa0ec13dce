/* release_custom.h - what the release repository's targets say of a release: `custom` of docs/guide/formats.md, 2. */
#pragma once

#include "trust/release_note.h"

struct json;

/* Of a release note; the caller owns it. Built as json.h says: incomplete when out of memory, which writing it tells. */
struct json *release_custom_new(const struct release_note *note);
/* The steps alone: [{"after_s","ppm"}]. */
struct json *release_ceiling_json(const struct ceiling *ceiling);

/* The parts that a device's verifier looks at; platforms are borrowed from the JSON. */
struct release_custom {
        const char *stream;
        uint64_t counter, floor;
        const struct json *platforms;
};
/* ERR_SYNTAX; NULL is no object. */
MUST_CHECK enum err release_custom_read(const struct json *json, struct release_custom *ret_custom, struct why *why);
bool release_custom_is_for(const struct release_custom *custom, const char *platform);

/* Does it say of the note what release_custom_new() says? ERR_UNTRUSTED: the targets and the note were not made together. */
MUST_CHECK enum err release_custom_fits(const struct json *json, const struct release_note *note, struct why *why);
