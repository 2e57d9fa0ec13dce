#include "cli/release_spec.h"

#include "cli/ramp.h"
#include "platform/disk.h"

#include <stdio.h>
#include <string.h>

static const struct yaml_key keys[] = {
        { "stream", YAML_TEXT, false, offsetof(struct release_spec, stream), 1, LIMIT_NAME_BYTES, NULL },
        { "version", YAML_TEXT, false, offsetof(struct release_spec, version), 1, LIMIT_NAME_BYTES, NULL },
        { "counter", YAML_INT, false, offsetof(struct release_spec, counter), 1, 999999999, NULL },
        { "floor", YAML_INT, false, offsetof(struct release_spec, floor), 1, 999999999, NULL },
        { "start", YAML_INT, false, offsetof(struct release_spec, start), 0, 253402300799, NULL },
        { "platforms", YAML_TEXTS, false, offsetof(struct release_spec, platforms), 1, ARG_REPEATS, NULL },
        { "ceiling", YAML_TEXTS, false, offsetof(struct release_spec, ceiling_texts), 1, CEILING_STEPS_MAX, NULL },
};
static const struct yaml_schema schema = { keys, sizeof(keys) / sizeof(keys[0]), sizeof(struct release_spec) };

static enum err read_file(struct disk *content, struct arena *arena, struct release_spec *spec, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_YAML_BYTES);
        enum err e = content->ops->read(content, "release.yaml", &text, NULL);
        if (e == ERR_NOT_FOUND)
                return OK;
        if (e)
                return FAIL(why, e, "release.yaml cannot be read: %s", err_info(e)->text);
        return yaml_read(arena, "release.yaml", buf_text(&text), text.length, &schema, spec, why);
}

static void take_options(const struct args *args, struct release_spec *spec)
{
        spec->stream = arg_text(args, OPTION_STREAM, spec->stream);
        spec->version = arg_text(args, OPTION_VERSION, spec->version);
        spec->counter = arg_int(args, OPTION_COUNTER, spec->counter);
        spec->floor = arg_int(args, OPTION_FLOOR, spec->floor);
        spec->start = arg_int(args, OPTION_START, spec->start);
        if (arg_has(args, OPTION_PLATFORM))
                spec->platforms = (struct yaml_texts){ args->of[OPTION_PLATFORM].count, (const char **)args->of[OPTION_PLATFORM].texts };
        if (arg_has(args, OPTION_CEILING))
                spec->ceiling_texts = (struct yaml_texts){ args->of[OPTION_CEILING].count, (const char **)args->of[OPTION_CEILING].texts };
}

/* Open to all at once when it is not said. */
static enum err read_ceiling(struct release_spec *spec, struct why *why)
{
        spec->ceiling = (struct ceiling){ .count = 1, .steps = { { 0, CEILING_ALL_PPM } } };
        if (!spec->ceiling_texts.count)
                return OK;
        return ramp_read("ceiling", &(struct ramp_texts){ spec->ceiling_texts.items, spec->ceiling_texts.count }, &spec->ceiling, why);
}

enum err release_spec_read(const struct args *args, struct disk *content, struct arena *arena, struct release_spec *ret_spec, struct why *why)
{
        struct release_spec spec = { 0 };
        enum err e = read_file(content, arena, &spec, why);
        if (e)
                return e;
        take_options(args, &spec);
        if (!spec.stream)
                return FAIL(why, ERR_USAGE, "which stream? give --stream NAME, or the line `stream: NAME` in release.yaml");
        if (!name_is_good(spec.stream) || (spec.version && !name_is_good(spec.version)))
                return FAIL(why, ERR_USAGE, "release.yaml: stream and version take letters, digits and ._+-");
        if (!spec.platforms.count) {
                const char **any = arena_alloc(arena, 1, sizeof(*any));
                if (!any)
                        return FAIL(why, ERR_NOMEM, "release.yaml");
                any[0] = "any";
                spec.platforms = (struct yaml_texts){ 1, any };
        }
        e = read_ceiling(&spec, why);
        if (!e)
                *ret_spec = spec;
        return e;
}
