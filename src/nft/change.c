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
        struct why good;
        e = armed.is_this_boot ? record_bring_back(record, why) : OK;
        /* It was checked when it was written: the disk has lost it, and what answered last is the next best. */
        if (e && (e != ERR_CONTENT || record_apply_good(record, &good)))
                return e;
        /* A disk that takes nothing does not take another arming either: what is known may be applied all the same. */
        struct why unwritten;
        (void)!(armed.is_this_boot ? record_returned(record, &unwritten) : record_disarm(record, &unwritten));
        return OK;
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

/* What others have may be too much to be listed: that is no reason to go without a change. */
static void keep_for_people(const struct record *record)
{
        OWN(buf) struct buf all;
        struct why why;
        buf_init(&all, 2 * RULES_BYTES_MAX);
        if (rules_all(&all, &why) == OK)
                (void)!record_keep(record, "before", &all, &why);
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

static enum err apply(const struct change *change, const char *name, int64_t timeout_ms, struct why *why)
{
        char path[PATH_MAX + 16];
        record_path(change->record, name, path);
        return rules_apply(path, timeout_ms, why);
}

static enum err give_up(const struct change *change, const struct buf *back, int64_t until_ms, enum err e, struct why *why)
{
        char path[PATH_MAX + 16];
        struct why back_why;
        if (is_still_armed(change, until_ms)) {
                enum err failed = record_bring_back(change->record, &back_why);
                if (!failed)
                        failed = record_returned(change->record, &back_why);
                return failed ? FAIL(why, failed, "%s", back_why.text) : e;
        }
        /* The switch was first; but what it brought back, a late apply of ours may have replaced. */
        record_path(change->record, "back.new", path);
        enum err failed = record_keep(change->record, "back.new", back, &back_why);
        if (!failed)
                failed = rules_apply(path, RULES_BACK_MS, &back_why);
        return failed ? FAIL(why, failed, "%s", back_why.text) : e;
}

/* While we hold the lock: all but the waiting. */
static enum err change_over(const struct change *change, int64_t until_ms, const struct dead_man *dead_man, int *lock, struct why *why)
{
        const int64_t left_ms = until_ms - SPARE_MS - now_ms();
        /* What begins when the switch has gone back already would be watched by nobody. */
        enum err e = left_ms <= 0 ? FAIL(why, ERR_UNAVAILABLE, "its time was over before it was applied") : apply(change, "next", left_ms, why);
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
        keep_for_people(change->record);
        enum err e = script_back(change, &back, why);
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

/* From where it stands: a roll-back needs no room. Which of the two was the last one is not worth a failure: rules that answered stand. */
static enum err apply_known(const struct change *change, const char *name, const struct buf *script, struct why *why)
{
        struct why unwritten;
        enum err e = apply(change, name, RULES_BACK_MS, why);
        if (!e)
                (void)!record_good(change->record, script, &unwritten);
        return e;
}

static enum err make(const struct change *change, const struct buf *script, int *lock, struct why *why)
{
        const char *known = record_knows(change->record, script);
        if (known)
                return apply_known(change, known, script, why);
        enum err e = record_keep(change->record, "next", script, why);
        if (e)
                return e;
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
        if (e == ERR_BUSY)
                return DURING(why, ERR_TIMEOUT, "waiting for it");
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
