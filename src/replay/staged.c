#include "replay/staged.h"

#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

const uint32_t staged_ramp_ppm[RAMP_STAGES] = { 50000, 100000, 250000, 500000, 1000000 };

enum err staged_open(const struct practice *practice, const struct director_fleet *fleet, const struct rollout_policy *policy,
                     struct director **ret_director, struct why *why)
{
        assert(practice->stages <= STAGES_MAX && practice->ends_ppm[practice->stages - 1] == 1000000);
        OWN(staged) struct director *director = mem_new(1, sizeof(*director));
        if (!director)
                return FAIL(why, ERR_NOMEM, "out of memory for a director");
        *director = (struct director){ .practice = practice, .now_ms = fleet->start_ms, .opened_ms = fleet->start_ms,
                                       .bake_ms = policy->bake_s * 1000, .complete_ppm = policy->complete_ppm };
        director->sentence = mem_new(1, STAGED_TEXT_MAX);
        if (!director->sentence)
                return FAIL(why, ERR_NOMEM, "out of memory for a director");
        enum err e = lease_table_open(&director->leases, fleet, policy, why);
        if (e)
                return e;
        *ret_director = GIVE(director);
        return OK;
}

void staged_close(struct director *director)
{
        if (!director)
                return;
        lease_table_close(&director->leases);
        mem_free(director->sentence);
        mem_free(director);
}

static uint32_t end_of(const struct director *director, unsigned stage)
{
        return (uint32_t)((uint64_t)director->leases.devices * director->practice->ends_ppm[stage] / 1000000);
}

uint32_t staged_size(const struct director *director, unsigned stage)
{
        return end_of(director, stage) - (stage ? end_of(director, stage - 1) : 0);
}

static unsigned stage_of(const struct director *director, const struct rollout_device *device)
{
        const struct practice *practice = director->practice;
        uint32_t ppm = bucket_ppm(device->bucket);
        unsigned stage = 0;
        while (practice->order == STAGED_BY_BUCKET ? ppm >= practice->ends_ppm[stage] : device->device >= end_of(director, stage))
                stage++;
        return stage;
}

/* Asked of everybody in line, at each pick. */
static bool is_open_to(const struct director *director, const struct rollout_device *device)
{
        if (director->practice->order == STAGED_BY_BUCKET)
                return bucket_ppm(device->bucket) < director->practice->ends_ppm[director->open];
        return device->device < end_of(director, director->open);
}

bool staged_is_last(const struct director *director)
{
        return director->open + 1 == director->practice->stages;
}

void staged_open_next(struct director *director)
{
        assert(!staged_is_last(director));
        director->open++;
        director->opened_ms = director->now_ms;
        director->heard = (struct tally){ .proven = 0 };
        director->look.next_ms = director->look.done = director->look.failed = 0;
        director->look.is_waiting = false;
}

void staged_stop(struct director *director, const char *format, ...)
{
        va_list arguments;
        assert(!director->stopped_by);
        director->stopped_by = ROLLOUT_BY_GATE;
        director->stopped_ms = director->now_ms;
        va_start(arguments, format);
        vsnprintf(director->because, sizeof(director->because), format, arguments);
        va_end(arguments);
}

static void pass(struct director *director, int64_t now_ms)
{
        if (now_ms > director->now_ms)
                director->now_ms = now_ms;
}

static void count(struct tally *tally, uint8_t status, uint32_t by)
{
        if (status == ROW_PROVEN)
                tally->proven += by;
        if (status == ROW_HARMED || status == ROW_PREFLIGHT_FAILED || status == ROW_DARK)
                tally->failed += by;
}

static void settle(struct director *director, struct lease_row *row, uint8_t status)
{
        struct tally *own = row->is_control ? &director->control : &director->stages[row->stage];
        count(own, row->status, -1u);
        count(own, status, 1);
        if (!row->is_control) {
                count(&director->all, row->status, -1u);
                count(&director->all, status, 1);
                count(&director->heard, status, 1);
        }
        row->status = status;
        if (director->practice->hear && !director->stopped_by)
                director->practice->hear(director);
}

static void find_the_silent(struct director *director)
{
        for (uint32_t handle; (handle = lease_table_next_due(&director->leases, director->now_ms)) != NO_ROW;)
                settle(director, &director->leases.rows[handle], ROW_DARK);
}

static void see_whether_complete(struct director *director)
{
        bool has_most = director->seen && (int64_t)director->all.proven * 1000000 >= director->complete_ppm * director->seen;
        if (has_most && !director->completed_ms && !director->stopped_by)
                director->completed_ms = director->now_ms;
}

enum err staged_tick(struct director *director, int64_t now_ms, struct why *why)
{
        (void)why;
        pass(director, now_ms);
        if (director->practice->has_control)
                find_the_silent(director);
        if (director->practice->judge && !director->stopped_by)
                director->practice->judge(director);
        see_whether_complete(director);
        return OK;
}

bool staged_may_pick(const struct director *director)
{
        return !director->stopped_by;
}

static enum err take(struct director *director, struct rollout_line *line, size_t at, bool is_control, struct why *why)
{
        const struct rollout_device *device = &line->devices[at];
        const struct lease_row row = { .device = device->device, .stage = (uint8_t)stage_of(director, device), .is_control = is_control };
        enum err e = lease_table_reserve(&director->leases, &row, director->now_ms, &line->picks[at].handle, why);
        if (e)
                return e;
        line->picks[at].kind = is_control ? ROLLOUT_SHADOW : ROLLOUT_EXPOSE;
        line->picked++;
        director->controls_wanted += !is_control && director->practice->has_control;
        director->controls_wanted -= is_control;
        return OK;
}

static enum err pick_exposures(struct director *director, struct rollout_line *line, struct why *why)
{
        enum err e = OK;
        for (size_t i = 0; i < line->count && !e; i++)
                if (is_open_to(director, &line->devices[i]) && lease_table_is_free(&director->leases, line->devices[i].device, director->now_ms))
                        e = take(director, line, i, false, why);
        return e;
}

static bool may_be_control(const struct director *director, const struct rollout_line *line, size_t at)
{
        return line->picks[at].kind == ROLLOUT_WAIT && !is_open_to(director, &line->devices[at]) &&
               lease_table_is_free(&director->leases, line->devices[at].device, director->now_ms);
}

/* splitmix64's finaliser. */
static uint64_t mix(uint64_t z)
{
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
}

/* Selection sampling (Knuth, algorithm S): each of those left is as likely as the others. */
static enum err pick_controls(struct director *director, struct rollout_line *line, struct why *why)
{
        uint64_t left = 0;
        enum err e = OK;
        for (size_t i = 0; i < line->count; i++)
                left += may_be_control(director, line, i);
        for (size_t i = 0; i < line->count && director->controls_wanted && !e; i++) {
                if (!may_be_control(director, line, i))
                        continue;
                if (mix(line->devices[i].bucket ^ mix(director->leases.count)) % left < director->controls_wanted)
                        e = take(director, line, i, true, why);
                left--;
        }
        return e;
}

static enum err check(const struct director *director, struct rollout_line *line, struct why *why)
{
        if (line->count > director->leases.devices)
                return FAIL(why, ERR_LIMIT, "%zu devices in line, but the fleet has %u", line->count, director->leases.devices);
        line->picked = 0;
        for (size_t i = 0; i < line->count; i++) {
                if (line->devices[i].device >= director->leases.devices)
                        return FAIL(why, ERR_NOT_FOUND, "device %u is not in this rollout", line->devices[i].device);
                line->picks[i] = (struct rollout_pick){ ROLLOUT_WAIT, NO_ROW, false };
        }
        return OK;
}

enum err staged_pick(struct director *director, struct rollout_line *line, struct why *why)
{
        enum err e = check(director, line, why);
        if (e)
                return e;
        pass(director, line->now_ms);
        if (!staged_may_pick(director))
                return OK;
        e = pick_exposures(director, line, why);
        if (!e && director->controls_wanted)
                e = pick_controls(director, line, why);
        return e;
}

enum err staged_granted(struct director *director, uint32_t handle, int64_t now_ms, int64_t *ret_deadline_ms, struct why *why)
{
        if (handle < director->leases.count && !staged_may_pick(director))
                return FAIL(why, ERR_REFUSED, "the rollout is stopped; nothing starts now");
        pass(director, now_ms);
        enum err e = lease_table_grant(&director->leases, handle, director->now_ms, ret_deadline_ms, why);
        if (e)
                return e;
        const struct lease_row *row = &director->leases.rows[handle];
        if (row->is_control) {
                director->control.exposed++;
        } else {
                director->stages[row->stage].exposed++;
                director->all.exposed++;
        }
        return OK;
}

/* Like rollout/: the first answer counts, one that comes after its deadline mends silence, and harm mends anything. */
static bool is_news(const struct director *director, const struct lease_row *row, enum rollout_outcome outcome)
{
        bool is_late_harm = outcome == ROLLOUT_HARMED && row->status != ROW_HARMED && !director->practice->is_first_answer_final;
        return row->status == ROW_OPEN || row->status == ROW_DARK || is_late_harm;
}

enum err staged_report(struct director *director, const struct rollout_report *report, struct why *why)
{
        static const enum row_status answers[ROLLOUT_OUTCOMES] = { ROW_PROVEN, ROW_HARMED, ROW_DECLINED, ROW_PREFLIGHT_FAILED };
        struct lease_row *row = NULL;
        enum err e = lease_table_find(&director->leases, report->handle, &row, why);
        if (e)
                return e;
        if (report->outcome >= ROLLOUT_OUTCOMES)
                return FAIL(why, ERR_USAGE, "there is no outcome %u", report->outcome);
        pass(director, report->now_ms);
        if (is_news(director, row, report->outcome))
                settle(director, row, (uint8_t)answers[report->outcome]);
        return OK;
}

void staged_seen(struct director *director, int64_t now_ms, uint32_t devices)
{
        pass(director, now_ms);
        director->seen = devices;
}

enum err staged_withdraw(struct director *director, int64_t now_ms, struct why *why)
{
        (void)why;
        pass(director, now_ms);
        if (!director->stopped_by) {
                staged_stop(director, "People withdrew it: %u reports of trouble among %u that have it.", director->all.failed, director->all.exposed);
                director->stopped_by = ROLLOUT_BY_OPERATOR;
        }
        return OK;
}

static void say(const struct director *director, char *text)
{
        if (director->stopped_by)
                snprintf(text, STAGED_TEXT_MAX, "%s", director->because);
        else
                director->practice->say(director, text, STAGED_TEXT_MAX);
}

void staged_view(const struct director *director, struct director_view *ret_view)
{
        uint32_t end = director->stopped_by ? 0 : end_of(director, director->open), exposed = director->all.exposed;
        say(director, director->sentence);
        *ret_view = (struct director_view){
                .is_stopped = director->stopped_by, .is_complete = director->completed_ms > 0, .stopped_by = director->stopped_by,
                .stopped_ms = director->stopped_ms, .completed_ms = director->completed_ms, .exposed = exposed, .seen_hurt = director->all.failed,
                .window = end > exposed ? end - exposed : 0, .limit = end > exposed ? end : exposed,
                .evidence = director->evidence, .evidence_needed = director->evidence_needed, .sentence = director->sentence,
        };
}
