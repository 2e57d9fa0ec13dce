#include "replay/director.h"

#include <string.h>

static const struct director_ops *const directors[] = {
        &director_firebreak, &director_all_at_once, &director_rings, &director_error_threshold, &director_steps, &director_peeking,
};

size_t director_count(void)
{
        return sizeof(directors) / sizeof(directors[0]);
}

const struct director_ops *director_at(size_t at)
{
        return directors[at];
}

const struct director_ops *director_find(const char *name)
{
        for (size_t i = 0; i < director_count(); i++)
                if (strcmp(directors[i]->name, name) == 0)
                        return directors[i];
        return NULL;
}
