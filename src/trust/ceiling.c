#include "trust/ceiling.h"

#include <string.h>

bool ceiling_is_valid(const struct ceiling *ceiling)
{
        if (!ceiling->count || ceiling->count > CEILING_STEPS_MAX || ceiling->start < 0)
                return false;
        for (size_t i = 0; i < ceiling->count; i++) {
                const struct ceiling_step *step = &ceiling->steps[i];
                if (step->after_s < 0 || step->ppm > CEILING_ALL_PPM || step->after_s > CEILING_AFTER_S_MAX)
                        return false;
                if (i && (step->after_s <= step[-1].after_s || step->ppm <= step[-1].ppm))
                        return false;
        }
        return true;
}

bool ceiling_equal(const struct ceiling *a, const struct ceiling *b)
{
        if (a->start != b->start || a->count != b->count)
                return false;
        for (size_t i = 0; i < a->count; i++)
                if (a->steps[i].after_s != b->steps[i].after_s || a->steps[i].ppm != b->steps[i].ppm)
                        return false;
        return true;
}

uint32_t ceiling_ppm(const struct ceiling *ceiling, int64_t now)
{
        uint32_t ppm = 0;
        const int64_t since_s = now < ceiling->start ? -1 : now - ceiling->start;
        for (size_t i = 0; i < ceiling->count && since_s >= ceiling->steps[i].after_s; i++)
                ppm = ceiling->steps[i].ppm;
        return ppm;
}

bool ceiling_admits(const struct ceiling *ceiling, int64_t now, uint64_t bucket, const char *ring)
{
        uint32_t ppm = ceiling_ppm(ceiling, now);
        unsigned __int128 bound = ((unsigned __int128)ppm << 64) / CEILING_ALL_PPM;
        return bucket < bound || (ppm && strcmp(ring, "early") == 0);
}
