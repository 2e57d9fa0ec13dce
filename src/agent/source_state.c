#include "agent/source_state.h"

#include "base/buf.h"

#include <stdio.h>
#include <string.h>

enum { STATES_VERSION = 1, STATES_BYTES_MAX = 4096 };

static const char states_path[] = "sources";
static const char states_magic[4] = "FBSR";

struct source_states source_states_of(const struct sources *sources, const char *const *names, int64_t now_ms, int64_t now_s)
{
        struct source_states states = { .version = STATES_VERSION, .count = (uint32_t)sources->count };
        memcpy(states.magic, states_magic, sizeof(states.magic));
        for (size_t i = 0; i < sources->count; i++) {
                const struct source *source = &sources->each[i];
                struct source_state *state = &states.each[i];
                *state = (struct source_state){ .bytes = source->bytes, .failures = source->failures, .lies = source->lies };
                if (source->aside_until_ms > now_ms)
                        state->aside_until_s = now_s + (source->aside_until_ms - now_ms + 999) / 1000;
                if (i != SOURCE_SERVER)
                        snprintf(state->name, sizeof(state->name), "%s", names[i - 1]);
        }
        return states;
}

static bool is_sound(const struct source_states *states)
{
        bool is_sound = memcmp(states->magic, states_magic, sizeof(states->magic)) == 0 && states->version == STATES_VERSION && states->count <= SOURCES_MAX;
        for (size_t i = 0; is_sound && i < states->count; i++)
                is_sound = memchr(states->each[i].name, 0, SOURCE_NAME_BYTES) && states->each[i].aside_until_s >= 0 && states->each[i].bytes <= INT64_MAX;
        return is_sound;
}

void source_states_read(struct disk *disk, struct source_states *ret_states)
{
        struct why why;
        OWN(buf) struct buf bytes;
        buf_init(&bytes, STATES_BYTES_MAX);
        const bool is_there = disk->ops->read(disk, states_path, &bytes, &why) == OK && bytes.length == sizeof(*ret_states);
        if (is_there)
                memcpy(ret_states, bytes.bytes, sizeof(*ret_states));
        if (!is_there || !is_sound(ret_states))
                *ret_states = (struct source_states){ .count = 0 };
}

enum err source_states_write(struct disk *disk, const struct source_states *states, struct why *why)
{
        return disk->ops->replace(disk, states_path, states, sizeof(*states), why);
}
