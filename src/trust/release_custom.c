#include "trust/release_custom.h"

#include "format/canon.h"
#include "format/hex.h"
#include "format/json.h"

#include <string.h>

struct json *release_ceiling_json(const struct ceiling *ceiling)
{
        struct json *array = json_new_array();
        for (size_t i = 0; i < ceiling->count; i++) {
                struct json *step = json_new_object();
                json_set_int(step, "after_s", ceiling->steps[i].after_s);
                json_set_int(step, "ppm", ceiling->steps[i].ppm);
                json_add(array, step);
        }
        return array;
}

struct json *release_custom_new(const struct release_note *note)
{
        char dossier[65];
        struct json *json = json_new_object(), *platforms = json_new_array();
        hex_encode(note->dossier, sizeof(note->dossier), dossier);
        for (size_t i = 0; i < note->platform_count; i++)
                json_add(platforms, json_new_text(note->platforms[i]));
        json_set(json, "ceiling", release_ceiling_json(&note->ceiling));
        json_set_int(json, "counter", (int64_t)note->counter);
        json_set_text(json, "dossier", dossier);
        json_set_int(json, "floor", (int64_t)note->floor);
        json_set(json, "platforms", platforms);
        json_set_int(json, "start", note->ceiling.start);
        json_set_text(json, "stream", note->stream);
        json_set_text(json, "version", note->version);
        return json;
}

struct custom_fields {
        const char *stream, *version, *dossier;
        int64_t counter, floor, start;
        const struct json *platforms, *ceiling;
};

static const struct json_field fields[] = {
        { "ceiling", JSON_ARRAY, true, offsetof(struct custom_fields, ceiling), 1, CEILING_STEPS_MAX },
        { "counter", JSON_INT, true, offsetof(struct custom_fields, counter), 1, INT64_MAX },
        { "dossier", JSON_TEXT, true, offsetof(struct custom_fields, dossier), 64, 64 },
        { "floor", JSON_INT, true, offsetof(struct custom_fields, floor), 0, INT64_MAX },
        { "platforms", JSON_ARRAY, true, offsetof(struct custom_fields, platforms), 1, RELEASE_PLATFORMS_MAX },
        { "start", JSON_INT, true, offsetof(struct custom_fields, start), 0, INT64_MAX },
        { "stream", JSON_TEXT, true, offsetof(struct custom_fields, stream), 1, LIMIT_NAME_BYTES },
        { "version", JSON_TEXT, true, offsetof(struct custom_fields, version), 1, LIMIT_NAME_BYTES },
};

enum err release_custom_read(const struct json *json, struct release_custom *ret_custom, struct why *why)
{
        struct custom_fields from = { 0 };
        enum err e = json ? JSON_READ(json, fields, &from, why) : FAIL(why, ERR_SYNTAX, "nothing there");
        if (e)
                return DURING(why, e, "custom of the target");
        *ret_custom = (struct release_custom){ from.stream, (uint64_t)from.counter, (uint64_t)from.floor, from.platforms };
        return OK;
}

bool release_custom_is_for(const struct release_custom *custom, const char *platform)
{
        for (size_t i = 0; i < json_count(custom->platforms); i++) {
                const char *of = json_text(json_at(custom->platforms, i));
                if (of && (strcmp(of, "any") == 0 || strcmp(of, platform) == 0))
                        return true;
        }
        return false;
}

enum err release_custom_fits(const struct json *json, const struct release_note *note, struct why *why)
{
        OWN(json) struct json *wanted = release_custom_new(note);
        OWN(buf) struct buf has, should;
        buf_init(&has, LIMIT_METADATA_BYTES);
        buf_init(&should, LIMIT_METADATA_BYTES);
        enum err e = json ? canon_write(json, &has, why) : FAIL(why, ERR_UNTRUSTED, "the target has no custom part");
        if (!e)
                e = canon_write(wanted, &should, why);
        if (e)
                return e;
        if (has.length != should.length || memcmp(has.bytes, should.bytes, has.length) != 0)
                return FAIL(why, ERR_UNTRUSTED, "the targets say something else of the release than its note");
        return OK;
}
