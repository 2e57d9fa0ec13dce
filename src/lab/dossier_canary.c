#include "lab/dossier_canary.h"

#include "base/limits.h"
#include "format/json.h"
#include "format/yaml.h"

struct dossier {
        const char *what, *why, *risk, *undo, *canary;
        struct yaml_texts new_features;
};

/* The same fields as the publisher's program takes; see formats.md, 6. */
static const struct yaml_key keys[] = {
        { "what", YAML_TEXT, true, offsetof(struct dossier, what), 0, 0, NULL },
        { "why", YAML_TEXT, true, offsetof(struct dossier, why), 0, 0, NULL },
        { "risk", YAML_TEXT, true, offsetof(struct dossier, risk), 0, 0, NULL },
        { "undo", YAML_TEXT, true, offsetof(struct dossier, undo), 0, 0, NULL },
        { "new_features", YAML_TEXTS, false, offsetof(struct dossier, new_features), 0, 0, NULL },
        { "canary", YAML_TEXT, false, offsetof(struct dossier, canary), 1, LIMIT_YAML_BYTES, NULL },
};
static const struct yaml_schema schema = { keys, sizeof(keys) / sizeof(keys[0]), sizeof(struct dossier) };

enum err dossier_canary_yaml(const struct buf *text, struct arena *arena, const char **ret_canary, struct why *why)
{
        struct dossier dossier = { 0 };
        enum err e = yaml_read(arena, "dossier.yaml", buf_text(text), text->length, &schema, &dossier, why);
        if (!e)
                *ret_canary = dossier.canary;
        return e;
}

enum err dossier_canary_json(const struct buf *text, struct arena *arena, const char **ret_canary, struct why *why)
{
        OWN(json) struct json *json = NULL;
        enum err e = json_parse(buf_text(text), text->length, LIMIT_REQUEST_BYTES, &json, why);
        if (e)
                return DURING(why, e, "dossier.json");
        const char *canary = json_text(json_get(json, "canary"));
        const char *kept = canary && canary[0] ? arena_strdup(arena, canary) : NULL;
        if (canary && canary[0] && !kept)
                return FAIL(why, ERR_NOMEM, "dossier.json");
        *ret_canary = kept;
        return OK;
}
