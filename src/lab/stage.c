#include "lab/stage.h"

const struct stage stages[] = {
#define STAGE(name, check, version, run, title) { #name, check, title, version, run },
#include "lab/stages.def"
#undef STAGE
};
const unsigned stage_count = sizeof(stages) / sizeof(stages[0]);

const struct stage *stage_named(const char *name, size_t length)
{
        for (unsigned i = 0; i < stage_count; i++)
                if (strlen(stages[i].name) == length && memcmp(stages[i].name, name, length) == 0)
                        return &stages[i];
        return NULL;
}

void stage_try(const struct stage *stage, const struct trial *trial, struct found *found)
{
        struct why why;
        found_init(found);
        if (stage->run(trial, found, &why))
                found_broken(found, "%s", why.text);
        found_end(found);
}
