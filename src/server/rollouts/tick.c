/* The rollouts' clock: who waits, who is picked, what has passed its deadline, what is over. */
#include "base/mem.h"
#include "server/rollouts/groups.h"
#include "server/rollouts/inputs.h"
#include "server/rollouts/roll_back.h"
#include "server/rollouts/run.h"

#include <string.h>

enum {
        RETRY_LEAST_MS = 500, RETRY_MOST_MS = 60000,
        PATIENCE = 4,                           /* retries after which a silent asker is out of line */
        SEEN_EVERY_MS = 1000,
};

/* 100 devices ask every half second; a million every minute: the server answers about as many a second. */
int64_t run_retry_ms(const struct run *run)
{
        int64_t ms = RETRY_LEAST_MS + (int64_t)run->line_length / 16;
        return ms < RETRY_MOST_MS ? ms : RETRY_MOST_MS;
}

bool run_line_up(struct run *run, const struct run_asker *asker)
{
        struct member *member = run_member(run, asker->device);
        if (!member)
                return false;
        member->asked_ms = asker->now_ms;
        member->running = asker->running;
        memcpy(member->nonce, asker->nonce, sizeof(member->nonce));
        return true;
}

void rollouts_leave_lines(struct rollouts *rollouts, int64_t device)
{
        for (struct run *run = rollouts->first; run; run = run->next) {
                struct member *member = run_member(run, device);
                if (member)
                        member->asked_ms = 0;
        }
}

static size_t line(struct run *run, int64_t now_ms, uint32_t *dense)
{
        size_t count = 0;
        int64_t since = now_ms - PATIENCE * run_retry_ms(run);
        for (size_t i = 0; i < run->member_count; i++) {
                struct member *member = &run->members[i];
                if (member->asked_ms < since || member->asked_ms > now_ms)      /* later than now: the clock was put back */
                        member->asked_ms = 0;
                if (member->asked_ms && !run_passes_by(run, member) && !run_freezes_member(run, member) && run_ceiling_admits(run, member, now_ms))
                        dense[count++] = (uint32_t)i;
        }
        run->line_length = count;
        return count;
}

/* What a control device's lease names: the version that it runs; zeros for factory content. */
static enum err find_running(struct db *db, const struct run *run, struct lease_row *row, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        size_t length = 0;
        enum err e = db_query(db, "SELECT target FROM releases WHERE stream = ? AND counter = ?", VALUES(bind_text(run->facts.stream), bind_int(row->counter)),
                              &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (!e && has)
                memcpy(row->target, query_blob(q, 0, &length), sizeof(row->target));
        return e;
}

static enum err reserve(struct rollouts *rollouts, struct run *run, struct member *member, const struct rollout_pick *pick, int64_t now_ms, struct why *why)
{
        struct lease_row row = { .device = member->device, .rollout = run->facts.number, .handle = pick->handle, .is_shadow = pick->kind == ROLLOUT_SHADOW,
                                 .is_counted = true, .granted_ms = now_ms, .deadline_ms = run_own_ms(run, now_ms) + run->facts.lease_ms };
        memcpy(row.nonce, member->nonce, sizeof(row.nonce));
        row.counter = row.is_shadow ? member->running : run->facts.counter;
        memcpy(row.target, run->facts.target, sizeof(row.target));
        if (row.is_shadow)
                memset(row.target, 0, sizeof(row.target));
        enum err e = row.is_shadow ? find_running(rollouts->db, run, &row, why) : OK;
        rollouts_leave_lines(rollouts, member->device);
        return e ? e : lease_reserve(rollouts->db, &row, why);
}

/* Of those that were exposed in this line. */
static enum err take_over(struct rollouts *rollouts, struct run *run, const uint32_t *dense, size_t count, const struct rollout_pick *picks, int64_t now_ms, struct why *why)
{
        OWN(memory) void *memory = mem_new(count + 1, sizeof(int64_t));
        int64_t *devices = memory;
        size_t taken = 0;
        if (!devices)
                return FAIL(why, ERR_NOMEM, "out of memory for a line of %zu", count);
        for (size_t i = 0; i < count; i++)
                if (picks[i].kind == ROLLOUT_EXPOSE)
                        devices[taken++] = run->members[dense[i]].device;
        return taken ? run_takes_over(rollouts, run, devices, taken, now_ms, why) : OK;
}

static enum err pick(struct rollouts *rollouts, struct run *run, int64_t now_ms, struct why *why)
{
        OWN(memory) void *dense_memory = mem_new(run->member_count + 1, sizeof(uint32_t));
        OWN(memory) void *picks_memory = mem_new(run->member_count + 1, sizeof(struct rollout_pick));
        uint32_t *dense = dense_memory;
        struct fed fed = { .picks = picks_memory };
        if (!dense || !fed.picks)
                return FAIL(why, ERR_NOMEM, "out of memory for a line of %zu", run->member_count);
        struct input input = { .what = INPUT_PICK, .at_ms = now_ms, .list = dense, .list_count = line(run, now_ms, dense) };
        if (!input.list_count)
                return OK;
        enum err e = run_input(rollouts, run, &input, &fed, why);
        for (size_t i = 0; i < input.list_count && !e && fed.picked; i++)
                if (fed.picks[i].kind != ROLLOUT_WAIT)
                        e = reserve(rollouts, run, &run->members[dense[i]], &fed.picks[i], now_ms, why);
        return e || !fed.picked ? e : take_over(rollouts, run, dense, input.list_count, fed.picks, now_ms, why);
}

/* Nobody waits for those who are held out or kept back. */
static bool counts_as_seen(const struct run *run, const struct member *member)
{
        return !rollout_is_held_out(run->pure, member->facts.bucket) && (!run_passes_by(run, member) || member->has_had_it);
}

static enum err count_seen(struct rollouts *rollouts, struct run *run, int64_t now_ms, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        uint32_t seen = 0;
        if (now_ms >= run->seen_asked_ms && now_ms - run->seen_asked_ms < SEEN_EVERY_MS + (int64_t)run->member_count / 10)
                return OK;
        run->seen_asked_ms = now_ms;
        enum err e = db_query(rollouts->db, "SELECT r.dense FROM rollout_devices r JOIN devices d ON d.number = r.device WHERE r.rollout = ? AND d.seen_at >= ?",
                              VALUES(bind_int(run->facts.number), bind_int(run->facts.started_ms / 1000)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has)
                seen += counts_as_seen(run, &run->members[query_int(q, 0)]);
        struct input input = { .what = INPUT_SEEN, .at_ms = now_ms, .number = seen };
        if (e || seen == run->seen)
                return e;
        run->seen = seen;
        return run_input(rollouts, run, &input, NULL, why);
}

/* Labels for people; the library finds the same by itself. */
static enum err label_overdue(struct db *db, const struct run *run, int64_t now_ms, struct why *why)
{
        return db_run(db, "UPDATE leases SET outcome = iif(note IS NULL, 'unclaimed', 'dark'), harm = iif(note IS NULL, '', 'dark'), outcome_ms = ?1"
                          " WHERE rollout = ?2 AND outcome IS NULL AND deadline_ms <= ?3",
                      VALUES(bind_int(now_ms), bind_int(run->facts.number), bind_int(run_own_ms(run, now_ms))), why);
}

/* A roll-back is done when it was everybody's turn, a lease's time has passed, and none of the devices that still talk to us runs it. */
static enum err end_roll_back(struct rollouts *rollouts, struct run *run, int64_t now_ms, struct why *why)
{
        int64_t since = 0, left = 0;
        struct roll_back roll_back = { 0 };
        enum err e = db_number(rollouts->db, "SELECT changed_ms FROM rollouts WHERE number = ?", VALUES(bind_int(run->facts.number)), 0, &since, why);
        if (!e)
                e = roll_back_find(rollouts->db, run, &roll_back, why);
        if (e || now_ms < since + run->facts.lease_ms || now_ms < roll_back_until_ms(&roll_back) + run->facts.lease_ms)
                return e;
        e = db_number(rollouts->db, "SELECT count(*) FROM versions v JOIN devices d ON d.number = v.device WHERE v.stream = ? AND v.running = ? AND d.seen_at * 1000 >= ?",
                      VALUES(bind_text(run->facts.stream), bind_int(run->facts.counter), bind_int(since)), 0, &left, why);
        struct run_word word = { .action = "rolled_back", .who = "server", .reason = "every device that reports runs something else", .now_ms = now_ms };
        return e || left ? e : run_tell(rollouts, run, &word, why);
}

static enum err tick(struct rollouts *rollouts, struct run *run, int64_t now_ms, struct why *why)
{
        struct input input = { .what = INPUT_TICK, .at_ms = now_ms };
        enum err e = run_follow_groups(rollouts, run, why);
        if (!e)
                e = count_seen(rollouts, run, now_ms, why);
        if (!e)
                e = run_follow_freeze(rollouts, run, now_ms, why);
        if (!e)
                e = run_hear(rollouts, run, now_ms, why);      /* before the round's end passes */
        if (!e)
                e = run_input(rollouts, run, &input, NULL, why);
        if (!e && (run->facts.stand == RUN_PICKS || run->facts.stand == RUN_WATCHES))
                e = pick(rollouts, run, now_ms, why);
        if (!e)
                e = label_overdue(rollouts->db, run, now_ms, why);
        if (!e && run->facts.state == ROLLOUT_ROLLING_BACK)
                e = end_roll_back(rollouts, run, now_ms, why);
        return e;
}

enum err rollouts_tick(struct rollouts *rollouts, int64_t now_ms, struct why *why)
{
        enum err e = OK;
        for (struct run *run = rollouts->first; run && !e; run = run->next)
                e = tick(rollouts, run, now_ms, why);
        return e;
}
