#include "agent/past.h"

#include "base/crc32.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { PAST_VERSION = 1, NEWS_PART = 8 };

static uint64_t larger(uint64_t a, uint64_t b)
{
        return a > b ? a : b;
}

static struct past_use most_of(const struct past_use *a, const struct past_use *b)
{
        return (struct past_use){ larger(a->cpu_permille, b->cpu_permille), larger(a->memory_kib, b->memory_kib) };
}

static void next_day(struct past *past)
{
        memmove(&past->days[1], &past->days[0], (PAST_DAYS - 1) * sizeof(past->days[0]));
        past->days[0] = (struct past_day){ 0 };
        past->day_ms -= PAST_DAY_MS;
}

void past_add(struct past *past, const struct past_use *use, int64_t passed_ms)
{
        const int64_t most_ms = (int64_t)PAST_DAYS * PAST_DAY_MS;
        past->day_ms += (uint64_t)(passed_ms < 0 ? 0 : passed_ms > most_ms ? most_ms : passed_ms);
        while (past->day_ms >= PAST_DAY_MS)
                next_day(past);
        past->days[0].windows++;
        past->days[0].most = most_of(&past->days[0].most, use);
}

static uint64_t windows_of(const struct past *past)
{
        uint64_t windows = 0;
        for (size_t i = 0; i < PAST_DAYS; i++)
                windows += past->days[i].windows;
        return windows;
}

bool past_is_enough(const struct past *past)
{
        return windows_of(past) >= PAST_WINDOWS_MIN;
}

struct past_use past_most(const struct past *past)
{
        struct past_use most = { 0, 0 };
        for (size_t i = 0; i < PAST_DAYS; i++)
                most = most_of(&most, &past->days[i].most);
        return most;
}

static bool is_an_eighth_more(uint64_t now, uint64_t kept)
{
        return now > kept + kept / NEWS_PART;
}

bool past_is_news(const struct past *now, const struct past *kept)
{
        const struct past_use *today = &now->days[0].most, *then = &kept->days[0].most;
        return windows_of(kept) < PAST_WINDOWS_MIN || memcmp(&now->days[1], &kept->days[1], (PAST_DAYS - 1) * sizeof(now->days[0])) != 0
               || is_an_eighth_more(today->cpu_permille, then->cpu_permille)
               || is_an_eighth_more(today->memory_kib, then->memory_kib);
}

static uint32_t record_crc(const struct past_record *record)
{
        const size_t skip = offsetof(struct past_record, version);
        return crc32_of((const uint8_t *)record + skip, sizeof(*record) - skip);
}

struct past_record past_pack(const struct past *past)
{
        struct past_record record = { { 'F', 'B', 'P', 'S' }, 0, PAST_VERSION, 0, *past };
        record.crc = record_crc(&record);
        return record;
}

/* Sums of what is kept do not overflow. */
static bool is_sound(const struct past *past)
{
        const uint64_t most = UINT64_C(1) << 48;
        for (size_t i = 0; i < PAST_DAYS; i++)
                if (past->days[i].windows > most || past->days[i].most.cpu_permille > most || past->days[i].most.memory_kib > most)
                        return false;
        return past->day_ms < PAST_DAY_MS;
}

bool past_unpack(const void *bytes, size_t length, struct past *ret_past)
{
        struct past_record record;
        if (length != sizeof(record))
                return false;
        memcpy(&record, bytes, sizeof(record));
        if (memcmp(record.magic, "FBPS", 4) != 0 || record.crc != record_crc(&record) || record.version != PAST_VERSION || !is_sound(&record.past))
                return false;
        *ret_past = record.past;
        return true;
}

static bool is_too_much(uint64_t now, uint64_t before, int64_t percent, uint64_t least)
{
        return percent && now > least && now * 100 > before * (uint64_t)percent;
}

/* A window that is not too much begins the count anew. */
static bool has_lasted(int64_t *ms, bool is_over, int64_t length_ms, int64_t for_s)
{
        *ms = is_over ? *ms + length_ms : 0;
        return *ms >= for_s * 1000;
}

bool past_judge(struct past_watch *watch, const struct agent_resources *limits, const struct past_use *most, const struct past_window *window,
                char text[PAST_TEXT_BYTES])
{
        const struct past_use *now = &window->use;
        bool is_cpu = is_too_much(now->cpu_permille, most->cpu_permille, limits->cpu, (uint64_t)limits->cpu_least * 10);
        bool is_memory = is_too_much(now->memory_kib, most->memory_kib, limits->memory, (uint64_t)limits->memory_least_mb * 1024);
        watch->windows++;
        bool has_cpu_lasted = has_lasted(&watch->cpu_ms, is_cpu, window->length_ms, limits->for_s);
        bool has_memory_lasted = has_lasted(&watch->memory_ms, is_memory, window->length_ms, limits->for_s);
        if (has_cpu_lasted)
                snprintf(text, PAST_TEXT_BYTES, "cpu %" PRIu64 " %% of a processor for %" PRId64 " s, %" PRIu64 " %% at most before", now->cpu_permille / 10,
                         watch->cpu_ms / 1000, most->cpu_permille / 10);
        else if (has_memory_lasted)
                snprintf(text, PAST_TEXT_BYTES, "memory %" PRIu64 " MiB for %" PRId64 " s, %" PRIu64 " MiB at most before", now->memory_kib / 1024,
                         watch->memory_ms / 1000, most->memory_kib / 1024);
        return has_cpu_lasted || has_memory_lasted;
}

bool past_is_over(const struct past_watch *watch)
{
        return watch->cpu_ms || watch->memory_ms;
}
