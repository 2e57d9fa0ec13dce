#include "rollout/due.h"

static int64_t due_at(const struct rollout *rollout, uint32_t place)
{
        return rollout->leases[rollout->due[place]].due_ms;
}

static void put(struct rollout *rollout, uint32_t place, uint32_t handle)
{
        rollout->due[place] = handle;
        rollout->leases[handle].due_place = place;
}

static void swap(struct rollout *rollout, uint32_t a, uint32_t b)
{
        uint32_t handle = rollout->due[a];
        put(rollout, a, rollout->due[b]);
        put(rollout, b, handle);
}

static void sink(struct rollout *rollout, uint32_t place)
{
        for (uint64_t child = 2 * (uint64_t)place + 1; child < rollout->due_count; child = 2 * child + 1) {
                if (child + 1 < rollout->due_count && due_at(rollout, (uint32_t)child + 1) < due_at(rollout, (uint32_t)child))
                        child++;
                if (due_at(rollout, place) <= due_at(rollout, (uint32_t)child))
                        return;
                swap(rollout, place, (uint32_t)child);
                place = (uint32_t)child;
        }
}

void due_add(struct rollout *rollout, uint32_t handle)
{
        uint32_t place = rollout->due_count++;
        put(rollout, place, handle);
        while (place && due_at(rollout, place) < due_at(rollout, (place - 1) / 2)) {
                swap(rollout, place, (place - 1) / 2);
                place = (place - 1) / 2;
        }
}

void due_moved(struct rollout *rollout, uint32_t handle)
{
        sink(rollout, rollout->leases[handle].due_place);
}

int64_t due_next_ms(const struct rollout *rollout)
{
        return rollout->due_count ? due_at(rollout, 0) : NEVER;
}

/* Sorting needs no memory: a heap with the highest on top, taken apart from behind. */
static void sink_handle(uint32_t *handles, uint32_t count, uint32_t place)
{
        for (uint64_t child = 2 * (uint64_t)place + 1; child < count; child = 2 * child + 1) {
                if (child + 1 < count && handles[child + 1] > handles[child])
                        child++;
                if (handles[place] >= handles[child])
                        return;
                uint32_t handle = handles[place];
                handles[place] = handles[child];
                handles[child] = handle;
                place = (uint32_t)child;
        }
}

static void sort(uint32_t *handles, uint32_t count)
{
        for (uint32_t i = count / 2; i-- > 0;)
                sink_handle(handles, count, i);
        for (uint32_t left = count; left > 1;) {
                uint32_t highest = handles[0];
                handles[0] = handles[--left];
                handles[left] = highest;
                sink_handle(handles, left, 0);
        }
}

const uint32_t *due_take(struct rollout *rollout, int64_t until_ms, uint32_t *ret_count)
{
        uint32_t before = rollout->due_count;
        while (rollout->due_count && due_at(rollout, 0) <= until_ms) {
                swap(rollout, 0, --rollout->due_count);         /* what was taken stays behind the heap's end */
                sink(rollout, 0);
        }
        *ret_count = before - rollout->due_count;
        sort(rollout->due + rollout->due_count, *ret_count);
        return rollout->due + rollout->due_count;
}
