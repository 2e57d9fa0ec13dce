#include "replay/events.h"

#include "base/mem.h"

enum { NONE = UINT32_MAX, DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

/* offset_ms: in its round. */
struct waiting { uint32_t offset_ms, device, handle, next; uint8_t kind, detail; };
_Static_assert(sizeof(struct waiting) == 20, "a waiting event is as small as the header says");

struct chain { uint32_t first, last; };

struct events {
        int64_t round_ms;
        uint32_t rounds, round, waiting;         /* round: the first that may still get some */
        struct chain *chains;                    /* one a round */
        struct waiting *pool;
        uint32_t pool_max, pool_used, pool_free;
        struct event *taken, *sorted;
        size_t taken_max;
};

enum err events_open(uint32_t rounds, int64_t round_ms, struct events **ret_events, struct why *why)
{
        OWN(events) struct events *events = mem_new(1, sizeof(*events));
        if (!events)
                return FAIL(why, ERR_NOMEM, "out of memory for events");
        events->chains = mem_new(rounds, sizeof(*events->chains));
        if (!events->chains)
                return FAIL(why, ERR_NOMEM, "out of memory for %u rounds", rounds);
        for (uint32_t i = 0; i < rounds; i++)
                events->chains[i] = (struct chain){ NONE, NONE };
        events->rounds = rounds;
        events->round_ms = round_ms;
        events->pool_free = NONE;
        *ret_events = GIVE(events);
        return OK;
}

void events_close(struct events *events)
{
        if (!events)
                return;
        mem_free(events->chains);
        mem_free(events->pool);
        mem_free(events->taken);
        mem_free(events->sorted);
        mem_free(events);
}

/* By half: millions wait at once, and doubling would hold twice what is needed. */
static enum err grow_pool(struct events *events, struct why *why)
{
        uint64_t most = events->pool_max + (uint64_t)events->pool_max / 2 + 1024;
        struct waiting *pool = most < NONE ? mem_resize(events->pool, most * sizeof(*pool)) : NULL;
        if (!pool)
                return FAIL(why, ERR_NOMEM, "out of memory for %llu events", (unsigned long long)most);
        events->pool = pool;
        events->pool_max = (uint32_t)most;
        return OK;
}

static enum err take_place(struct events *events, uint32_t *ret_place, struct why *why)
{
        if (events->pool_free != NONE) {
                *ret_place = events->pool_free;
                events->pool_free = events->pool[events->pool_free].next;
                return OK;
        }
        enum err e = events->pool_used < events->pool_max ? OK : grow_pool(events, why);
        if (!e)
                *ret_place = events->pool_used++;
        return e;
}

enum err events_put(struct events *events, const struct event *event, struct why *why)
{
        int64_t round = event->at_ms / events->round_ms, offset_ms = event->at_ms % events->round_ms;
        uint32_t place = NONE;
        if (round >= events->rounds)
                return OK;
        if (event->at_ms < 0 || round < events->round) {
                round = events->round;
                offset_ms = 0;
        }
        enum err e = take_place(events, &place, why);
        if (e)
                return e;
        struct chain *chain = &events->chains[round];
        events->pool[place] = (struct waiting){ (uint32_t)offset_ms, event->device, event->handle, NONE, event->kind, event->detail };
        if (chain->last == NONE)
                chain->first = place;
        else
                events->pool[chain->last].next = place;
        chain->last = place;
        events->waiting++;
        return OK;
}

static enum err make_room(struct events *events, size_t count, struct why *why)
{
        if (count <= events->taken_max)
                return OK;
        size_t most = count + count / 2;
        struct event *taken = mem_resize(events->taken, most * sizeof(*taken));
        if (taken)
                events->taken = taken;
        struct event *sorted = mem_resize(events->sorted, most * sizeof(*sorted));
        if (sorted)
                events->sorted = sorted;
        if (!taken || !sorted)
                return FAIL(why, ERR_NOMEM, "out of memory for %zu events of one round", count);
        events->taken_max = most;
        return OK;
}

static size_t chain_length(const struct events *events, const struct chain *chain)
{
        size_t count = 0;
        for (uint32_t at = chain->first; at != NONE; at = events->pool[at].next)
                count++;
        return count;
}

static void unchain(struct events *events, struct chain *chain, int64_t base_ms)
{
        size_t count = 0;
        for (uint32_t at = chain->first, next; at != NONE; at = next) {
                struct waiting *waiting = &events->pool[at];
                events->taken[count++] = (struct event){ base_ms + waiting->offset_ms, waiting->device, waiting->handle, waiting->kind, waiting->detail };
                next = waiting->next;
                waiting->next = events->pool_free;
                events->pool_free = at;
        }
        *chain = (struct chain){ NONE, NONE };
        events->waiting -= (uint32_t)count;
}

/* One digit of a radix sort, which keeps the order of equals. */
static void sort_digit(struct events *events, size_t count, int64_t base_ms, unsigned shift)
{
        size_t starts[DIGITS + 1] = { 0 };
        for (size_t i = 0; i < count; i++)
                starts[1 + ((events->taken[i].at_ms - base_ms) >> shift) % DIGITS]++;
        for (unsigned i = 0; i < DIGITS; i++)
                starts[i + 1] += starts[i];
        for (size_t i = 0; i < count; i++)
                events->sorted[starts[((events->taken[i].at_ms - base_ms) >> shift) % DIGITS]++] = events->taken[i];
        struct event *swap = events->taken;
        events->taken = events->sorted;
        events->sorted = swap;
}

static void sort_few(struct event *items, size_t count)
{
        for (size_t i = 1; i < count; i++) {
                struct event item = items[i];
                size_t at = i;
                for (; at && items[at - 1].at_ms > item.at_ms; at--)
                        items[at] = items[at - 1];
                items[at] = item;
        }
}

enum err events_take(struct events *events, uint32_t round, const struct event **ret_items, size_t *ret_count, struct why *why)
{
        enum { FEW = 64 };
        struct chain *chain = &events->chains[round];
        size_t count = chain_length(events, chain);
        int64_t base_ms = round * events->round_ms;
        enum err e = make_room(events, count, why);
        if (e)
                return e;
        events->round = round;
        unchain(events, chain, base_ms);
        if (count <= FEW)
                sort_few(events->taken, count);
        else
                for (unsigned shift = 0; events->round_ms >> shift; shift += DIGIT_BITS)
                        sort_digit(events, count, base_ms, shift);
        *ret_items = events->taken;
        *ret_count = count;
        return OK;
}

uint32_t events_waiting(const struct events *events) { return events->waiting; }
