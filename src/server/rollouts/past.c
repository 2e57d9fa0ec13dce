#include "server/rollouts/past.h"

#include "base/limits.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct times { int64_t *items; size_t count; };

struct looking {
        struct past past;
        struct times answers, lates;
        int64_t rollout;                         /* of the lease before */
};

static void looking_release(struct looking *looking)
{
        mem_free(looking->answers.items);
        mem_free(looking->lates.items);
}

struct lease { bool is_shadow; const char *outcome, *harm; int64_t granted_ms, deadline_ms, outcome_ms, bake_ms, rollout; };

static void note(struct times *times, int64_t ms)
{
        times->items[times->count++] = ms > 0 ? ms : 0;
}

static void count_lease(struct looking *looking, const struct lease *lease)
{
        struct past_arm *arm = lease->is_shadow ? &looking->past.control : &looking->past.treated;
        struct past_hour *hour = &looking->past.hours[lease->deadline_ms / 3600000 % PAST_HOURS];
        bool is_dark = strcmp(lease->harm, "dark") == 0, is_harmed = strcmp(lease->outcome, "harmed") == 0;
        bool is_silent = strcmp(lease->outcome, "dark") == 0;
        int64_t end_ms = lease->outcome_ms < lease->deadline_ms ? lease->outcome_ms : lease->deadline_ms;
        arm->leases++;
        arm->dark += is_dark;
        arm->late += is_dark && !is_silent;
        arm->harmed += is_harmed;
        arm->crashes += is_harmed && strcmp(lease->harm, "crash") == 0;
        arm->lease_ms += end_ms > lease->granted_ms ? end_ms - lease->granted_ms : 0;
        hour->leases++;
        hour->dark += is_dark;
        looking->past.rollouts += lease->rollout != looking->rollout;
        looking->rollout = lease->rollout;
        if (is_dark && !is_silent)
                note(&looking->lates, lease->outcome_ms - lease->deadline_ms);
        else if (!is_dark && !is_harmed)
                note(&looking->answers, lease->outcome_ms - lease->granted_ms - lease->bake_ms);
}

/* The order of the tables is ours: from the newest leases, by their number, whatever SQLite thinks of the indexes. */
static enum err look(struct looking *looking, struct db *db, const char *stream, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = db_query(db, "SELECT l.kind = 'shadow', l.outcome, l.harm, l.granted_ms, l.deadline_ms, l.outcome_ms, o.policy ->> 'bake_s', o.number"
                                  " FROM leases l NOT INDEXED CROSS JOIN rollouts o CROSS JOIN releases r"
                                  " WHERE l.number > (SELECT coalesce(max(number), 0) FROM leases) - ? AND o.number = l.rollout AND r.number = o.release AND r.stream = ?"
                                  " AND l.is_counted AND l.note IS NOT NULL AND l.outcome IN ('proven', 'harmed', 'dark')"
                                  " AND (l.kind = 'shadow' OR o.state IN ('complete', 'watched')) ORDER BY l.number",
                              VALUES(bind_int(LIMIT_PAST_LEASES), bind_text(stream)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has) {
                const struct lease lease = { query_int(q, 0), query_text(q, 1), query_text(q, 2), query_int(q, 3), query_int(q, 4), query_int(q, 5),
                                             query_int(q, 6) * 1000, query_int(q, 7) };
                count_lease(looking, &lease);
        }
        return e;
}

static int compare(const void *left, const void *right)
{
        int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
        return (a > b) - (a < b);
}

static struct past_spread spread_of(const struct times *times)
{
        if (!times->count)
                return (struct past_spread){ -1, -1, -1 };
        qsort(times->items, times->count, sizeof(times->items[0]), compare);
        size_t last = times->count - 1;
        return (struct past_spread){ times->items[last / 2], times->items[last * 90 / 100], times->items[last * 99 / 100] };
}

enum err past_look(struct db *db, const char *stream, struct past *ret_past, struct why *why)
{
        OWN(looking) struct looking looking = { .rollout = -1 };
        looking.answers.items = mem_new(LIMIT_PAST_LEASES, sizeof(int64_t));
        looking.lates.items = mem_new(LIMIT_PAST_LEASES, sizeof(int64_t));
        if (!looking.answers.items || !looking.lates.items)
                return FAIL(why, ERR_NOMEM, "out of memory for the past of %s", stream);
        enum err e = look(&looking, db, stream, why);
        if (e)
                return e;
        looking.past.answer_ms = spread_of(&looking.answers);
        looking.past.late_ms = spread_of(&looking.lates);
        *ret_past = looking.past;
        return OK;
}
