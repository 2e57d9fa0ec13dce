#include "content/yara/engine/fields.h"

#include <stdbool.h>
#include <yara.h>

#ifdef YARAD_DEFECT
const char engine_version[] = "1.9";
/* The planted defect: this version believes that no rule has more than FIELDS_MAX meta entries. */
static bool has_room(const struct fields *fields)
{
        (void)fields;
        return true;
}
#else
const char engine_version[] = "2.1";
static bool has_room(const struct fields *fields)
{
        return fields->count < FIELDS_MAX;
}
#endif

void fields_collect(struct YR_RULE *rule, struct fields *fields)
{
        YR_META *meta;
        yr_rule_metas_foreach(rule, meta) {
                if (!has_room(fields))
                        return;
                fields->list[fields->count++] = (struct field){
                        .key = meta->identifier,
                        .text = meta->type == META_TYPE_STRING ? meta->string : NULL,
                        .number = meta->integer,
                };
        }
}
