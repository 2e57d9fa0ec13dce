#include "nft/change.h"

#include "nft/dead_man.h"
#include "nft/program.h"
#include "platform/channel.h"
#include "platform/clock.h"
#include "platform/lock.h"

enum { LOOK_AGAIN_MS = 10, MAKE_MS = 30000, SPARE_MS = 300 };

static int64_t now_ms(void)
{
        struct clock *clock = clock_system();
        return clock->ops->steady_ms(clock);
}

enum err change_settle(const struct record *record, struct why *why)
{
        struct record_armed armed;
        enum err e = record_is_armed(record, &armed, why);
        if (e)
                return e == ERR_NOT_FOUND ? OK : e;
        return armed.is_this_boot ? record_bring_back(record, why) : record_disarm(record, why);
}

/* In a process of its own, which gives up the network for good. */
static enum err make_text(const struct change *change, struct buf *text, struct why *why)
{
        const char *argv[6 + 2 * RULES_OWNED_MAX] = { child_self, "make", "--rules", change->rules };
        for (size_t i = 0; i < change->owned->count; i++) {
                argv[4 + 2 * i] = "--owns";
                argv[5 + 2 * i] = change->owned->tables[i];
        }
        return program_run(argv, MAKE_MS, text, why);
}

static enum err keep_for_people(const struct record *record, struct why *why)
{
        OWN(buf) struct buf all;
        buf_init(&all, 2 * RULES_BYTES_MAX);
        enum err e = rules_all(&all, why);
        return e ? e : record_keep(record, "before", &all, why);
}

/* The script that brings back what stands now. */
static enum err script_back(const struct change *change, struct buf *script, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, RULES_BYTES_MAX);
        enum err e = rules_standing(change->owned, &text, why);
        rules_script(change->owned, &text, script);
        return e ? e : buf_check(script, why);
}

/* Until all answered: OK. ERR_UNAVAILABLE: not in time, or nobody watches; ERR_BUSY: told to end. `dead_man` NULL: nothing is at stake yet. */
static enum err wait_for_answer(const struct change *change, const struct dead_man *dead_man, int64_t until_ms, struct why *why)
{
        const int files[2] = { change->signals, dead_man ? dead_man->channel : -1 };
        struct answering answering = { .places = change->places };
        bool ready[2] = { false, false };
        enum err e = OK;
        while (!e && !answering_tick(&answering, now_ms())) {
                e = channel_wait(files, 2, LOOK_AGAIN_MS, ready, why);
                if (!e && ready[0] && channel_signals_take(change->signals))
                        e = FAIL(why, ERR_BUSY, "told to end");
                if (!e && ready[1])
                        e = FAIL(why, ERR_UNAVAILABLE, "the dead man's switch is gone");
                if (!e && now_ms() >= until_ms)
                        e = FAIL(why, ERR_UNAVAILABLE, "no answer from %.120s within %lld ms", change->places->places[answering.at], (long long)change->within_ms);
        }
        answering_stop(&answering);
        return e;
}

static bool is_still_armed(const struct change *change, int64_t until_ms)
{
        struct record_armed armed;
        struct why why;
        return record_is_armed(change->record, &armed, &why) == OK && armed.until_ms == until_ms;
}

static enum err apply(const struct change *change, struct why *why)
{
        char path[PATH_MAX + 16];
        record_path(change->record, "next", path);
        return rules_apply(path, why);
}

static enum err give_up(const struct change *change, const struct buf *back, int64_t until_ms, enum err e, struct why *why)
{
        char path[PATH_MAX + 16];
        struct why back_why;
        if (is_still_armed(change, until_ms)) {
                enum err failed = record_bring_back(change->record, &back_why);
                return failed ? FAIL(why, failed, "%s", back_why.text) : e;
        }
        /* The switch was first; but what it brought back, a late apply of ours may have replaced. */
        record_path(change->record, "back.new", path);
        enum err failed = record_keep(change->record, "back.new", back, &back_why);
        if (!failed)
                failed = rules_apply(path, &back_why);
        return failed ? FAIL(why, failed, "%s", back_why.text) : e;
}

/* While we hold the lock: all but the waiting. */
static enum err change_over(const struct change *change, int64_t until_ms, const struct dead_man *dead_man, int *lock, struct why *why)
{
        enum err e = apply(change, why);
        lock_give(*lock);
        *lock = -1;
        if (!e)
                e = wait_for_answer(change, dead_man, until_ms - SPARE_MS, why);
        struct why locked;
        enum err other = record_lock(change->record, RECORD_LOCK_MS, lock, e ? &locked : why);
        if (!e)
                e = other;
        if (!e && !is_still_armed(change, until_ms))
                e = FAIL(why, ERR_UNAVAILABLE, "its time was over");
        return e ? e : record_disarm(change->record, why);
}

static enum err risk(const struct change *change, const struct buf *script, int *lock, struct why *why)
{
        OWN(buf) struct buf back;
        struct dead_man dead_man = { -1 };
        buf_init(&back, RULES_BYTES_MAX + 4096);
        enum err e = keep_for_people(change->record, why);
        if (!e)
                e = script_back(change, &back, why);
        const int64_t until_ms = now_ms() + change->within_ms;
        if (!e)
                e = record_arm(change->record, &back, until_ms, why);
        if (e)
                return e;
        e = dead_man_start(change->record, &dead_man, why);
        if (!e)
                e = change_over(change, until_ms, &dead_man, lock, why);
        if (e)
                e = give_up(change, &back, until_ms, e, why);
        else
                e = record_good(change->record, script, why);
        dead_man_leave(&dead_man);
        /* Applied, and then no answer: that is what the rules do. */
        return e == ERR_UNAVAILABLE ? DURING(why, ERR_CONTENT, "the rules of before stand again") : e;
}

static enum err make(const struct change *change, const struct buf *script, int *lock, struct why *why)
{
        enum err e = record_keep(change->record, "next", script, why);
        if (e)
                return e;
        if (record_knows(change->record, script)) {
                e = apply(change, why);
                return e ? e : record_good(change->record, script, why);
        }
        e = wait_for_answer(change, NULL, now_ms() + change->within_ms, why);
        return e ? DURING(why, e, "before anything was changed") : risk(change, script, lock, why);
}

enum err change_make(const struct change *change, struct why *why)
{
        OWN(buf) struct buf text, script;
        int lock = -1;
        buf_init(&text, RULES_BYTES_MAX);
        buf_init(&script, RULES_BYTES_MAX + 4096);
        enum err e = record_lock(change->record, RECORD_LOCK_MS, &lock, why);
        if (!e)
                e = change_settle(change->record, why);
        if (!e)
                e = make_text(change, &text, why);
        rules_script(change->owned, &text, &script);
        if (!e)
                e = buf_check(&script, why);
        if (!e)
                e = make(change, &script, &lock, why);
        lock_give(lock);
        return e;
}
