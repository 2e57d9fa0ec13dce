#include "cli/dossier.h"

#include "base/limits.h"
#include "format/json.h"
#include "platform/disk.h"

enum { TEXT_MAX = 8192, FEATURES_MAX = 64 };     /* a dossier is read by people */

static const struct yaml_key keys[] = {
        { "what", YAML_TEXT, true, offsetof(struct dossier, what), 1, TEXT_MAX, NULL },
        { "why", YAML_TEXT, true, offsetof(struct dossier, why), 1, TEXT_MAX, NULL },
        { "risk", YAML_TEXT, true, offsetof(struct dossier, risk), 1, TEXT_MAX, NULL },
        { "undo", YAML_TEXT, true, offsetof(struct dossier, undo), 1, TEXT_MAX, NULL },
        { "new_features", YAML_TEXTS, false, offsetof(struct dossier, new_features), 0, FEATURES_MAX, NULL },
        { "canary", YAML_TEXT, false, offsetof(struct dossier, canary), 1, TEXT_MAX, NULL },
};
static const struct yaml_schema schema = { keys, sizeof(keys) / sizeof(keys[0]), sizeof(struct dossier) };

enum err dossier_read(struct disk *disk, struct arena *arena, struct dossier *ret_dossier, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_YAML_BYTES);
        enum err e = disk->ops->read(disk, "dossier.yaml", &text, why);
        if (e == ERR_NOT_FOUND)
                return FAIL(why, e, "no dossier.yaml in the folder; write one with the lines what, why, risk and undo");
        struct dossier dossier = { 0 };
        if (!e)
                e = yaml_read(arena, "dossier.yaml", buf_text(&text), text.length, &schema, &dossier, why);
        if (!e)
                *ret_dossier = dossier;
        return e;
}

enum err dossier_write(const struct dossier *dossier, struct buf *into, struct why *why)
{
        OWN(json) struct json *json = json_new_object();
        struct json *features = json_new_array();
        for (size_t i = 0; i < dossier->new_features.count; i++)
                json_add(features, json_new_text(dossier->new_features.items[i]));
        if (dossier->canary)
                json_set_text(json, "canary", dossier->canary);
        json_set(json, "new_features", features);
        json_set_text(json, "risk", dossier->risk);
        json_set_text(json, "undo", dossier->undo);
        json_set_text(json, "what", dossier->what);
        json_set_text(json, "why", dossier->why);
        if (!json_is_whole(json))
                return FAIL(why, ERR_NOMEM, "the dossier");
        return json_write(json, 0, into, why);
}
