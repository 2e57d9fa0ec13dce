#include "server/rollouts/inputs.h"

#include "base/mem.h"
#include "wire/outcome.h"

#include <inttypes.h>
#include <string.h>

typedef enum err feeder(struct run *run, const struct input *input, struct fed *fed, struct why *why);

static enum err feed_start(struct run *run, const struct input *input, struct fed *fed, struct why *why)
{
        (void)fed;
        return rollout_start(run->pure, input->at_ms, why);
}

static enum err feed_tick(struct run *run, const struct input *input, struct fed *fed, struct why *why)
{
        (void)why;
        fed->has_changed = rollout_tick(run->pure, input->at_ms);
        return OK;
}

static enum err feed_pick(struct run *run, const struct input *input, struct fed *fed, struct why *why)
{
        OWN(memory) void *devices_memory = mem_new(input->list_count + 1, sizeof(struct rollout_device));
        OWN(memory) void *picks_memory = fed->picks ? NULL : mem_new(input->list_count + 1, sizeof(struct rollout_pick));
        struct rollout_device *devices = devices_memory;
        struct rollout_line line = { .now_ms = input->at_ms, .devices = devices, .count = input->list_count, .picks = fed->picks ? fed->picks : picks_memory };
        if (!devices || !line.picks)
                return FAIL(why, ERR_NOMEM, "out of memory for a line of %zu", input->list_count);
        for (size_t i = 0; i < input->list_count; i++) {
                if (input->list[i] >= run->member_count)
                        return FAIL(why, ERR_IO, "an input of rollout %" PRId64 " is damaged; restore firebreak.db from a backup", run->facts.number);
                devices[i] = run->members[input->list[i]].facts;
        }
        enum err e = rollout_pick(run->pure, &line, why);
        fed->picked = line.picked;
        fed->has_changed = line.picked > 0;
        return e;
}

static enum err feed_granted(struct run *run, const struct input *input, struct fed *fed, struct why *why)
{
        return rollout_granted(run->pure, (uint32_t)input->number, input->at_ms, &fed->deadline_ms, why);
}

static const enum rollout_outcome outcomes[WIRE_OUTCOMES] = {
        [WIRE_PROVEN] = ROLLOUT_PROVEN, [WIRE_HARMED] = ROLLOUT_HARMED, [WIRE_DECLINED] = ROLLOUT_DECLINED, [WIRE_PREFLIGHT_FAILED] = ROLLOUT_PREFLIGHT_FAILED,
};
static const enum rollout_signal signals[WIRE_KINDS] = {
        [WIRE_KIND_NONE] = 0,                          [WIRE_KIND_CRASH] = ROLLOUT_CRASH,
        [WIRE_KIND_BOOT_LOOP] = ROLLOUT_BOOT_LOOP,     [WIRE_KIND_ROLLED_BACK] = ROLLOUT_ROLLED_BACK,
        [WIRE_KIND_PROBE_FAILED] = ROLLOUT_PROBE_FAILED, [WIRE_KIND_ACTION_STORM] = ROLLOUT_ACTION_STORM,
        [WIRE_KIND_RESOURCE] = ROLLOUT_RESOURCE,       [WIRE_KIND_HUMAN] = ROLLOUT_HUMAN,
};

static enum err feed_report(struct run *run, const struct input *input, struct fed *fed, struct why *why)
{
        enum wire_outcome outcome;
        enum wire_kind kind;
        (void)fed;
        enum err e = wire_outcome_find(input->word, &outcome, why);
        if (!e)
                e = wire_kind_find(input->kind, &kind, why);
        if (e)
                return e;
        struct rollout_report report = { input->at_ms, (uint32_t)input->number, outcomes[outcome], signals[kind] };
        return rollout_report(run->pure, &report, why);
}

static enum err feed_seen(struct run *run, const struct input *input, struct fed *fed, struct why *why)
{
        (void)fed, (void)why;
        rollout_seen(run->pure, input->at_ms, (uint32_t)input->number);
        return OK;
}

static enum err feed_command(struct run *run, const struct input *input, struct fed *fed, struct why *why)
{
        struct rollout_command command = { .now_ms = input->at_ms, .who = input->who, .second = input->second, .because = input->because };
        (void)fed;
        enum err e = rollout_event_find(input->word, &command.event, why);
        return e ? e : rollout_command(run->pure, &command, why);
}

static enum err feed_freeze(struct run *run, const struct input *input, struct fed *fed, struct why *why)
{
        (void)fed, (void)why;
        run->frozen = (struct freeze_answer){ strcmp(input->word, "open") == 0, input->number };
        rollout_freeze(run->pure, input->at_ms, run->frozen.is_frozen, run->frozen.until_ms);
        return OK;
}

/* Kept with the numbers that were found at the start, so that replaying counts nobody anew. */
static enum err feed_ceiling(struct run *run, const struct input *input, struct fed *fed, struct why *why)
{
        struct rollout_step steps[CEILING_STEPS_MAX] = { { 0 } };
        struct ceiling ceiling = { .start = input->number, .count = input->list_count / 3 };
        (void)fed;
        if (ceiling.count > CEILING_STEPS_MAX || input->list_count % 3)
                return FAIL(why, ERR_IO, "the ceiling of rollout %" PRId64 " is damaged; restore firebreak.db from a backup", run->facts.number);
        for (size_t i = 0; i < ceiling.count; i++) {
                const uint32_t *row = &input->list[3 * i];
                ceiling.steps[i] = (struct ceiling_step){ row[0], row[1] };
                steps[i] = (struct rollout_step){ (ceiling.start + row[0]) * 1000, row[2] };
        }
        run->ceiling = ceiling;
        return rollout_ceiling(run->pure, steps, ceiling.count, why);
}

static enum err feed_heard(struct run *run, const struct input *input, struct fed *fed, struct why *why)
{
        (void)fed;
        run->heard_asked_ms = input->at_ms - run->facts.ahead_ms;
        return rollout_heard(run->pure, input->at_ms, input->list, input->list_count, why);
}

static enum err feed_left(struct run *run, const struct input *input, struct fed *fed, struct why *why)
{
        (void)fed;
        return rollout_left(run->pure, input->at_ms, input->list, input->list_count, why);
}

static const struct kind { const char *name; feeder *feed; } kinds[INPUTS] = {
        [INPUT_START] = { "start", feed_start },   [INPUT_TICK] = { "tick", feed_tick },       [INPUT_PICK] = { "pick", feed_pick },
        [INPUT_GRANTED] = { "granted", feed_granted }, [INPUT_REPORT] = { "report", feed_report }, [INPUT_SEEN] = { "seen", feed_seen },
        [INPUT_COMMAND] = { "command", feed_command }, [INPUT_FREEZE] = { "freeze", feed_freeze },
        [INPUT_CEILING] = { "ceiling", feed_ceiling }, [INPUT_HEARD] = { "heard", feed_heard }, [INPUT_LEFT] = { "left", feed_left },
};

static enum err append(struct db *db, struct run *run, const struct input *input, struct why *why)
{
        return db_run(db, "INSERT INTO rollout_inputs VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                      VALUES(bind_int(run->facts.number), bind_int(++run->seq), bind_int(input->at_ms), bind_text(kinds[input->what].name),
                             bind_int(input->number), bind_text(input->word), bind_text(input->kind), bind_text(input->who), bind_text(input->second),
                             bind_text(input->because), bind_blob(input->list, input->list_count * sizeof(*input->list))), why);
}

/* How many of the changes are what somebody said; what follows them, as the ceiling after a resume, the rules say themselves. */
static size_t count_said(const struct input *input, enum rollout_state before)
{
        if (!input->who)
                return 0;
        return strcmp(input->word, rollout_event_word(ROLLOUT_ON_WITHDRAW)) == 0 && rollout_halts_first(before) ? 2 : 1;
}

/* The change, and who said so, and why; `input` is NULL where nobody did. */
static enum err write_change(struct db *db, const struct run *run, const struct rollout_change *change, const struct input *input, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_REQUEST_BYTES);
        buf_add_text(&text, change->text);
        if (input)
                buf_addf(&text, "; by %s%s%s%s%s", input->who, input->second ? " and " : "", input->second ? input->second : "", input->because ? ": " : "",
                         input->because ? input->because : "");
        enum err e = buf_check(&text, why);
        return e ? e : db_run(db, "INSERT INTO rollout_events (rollout, at_ms, what) VALUES (?,?,?)",
                              VALUES(bind_int(run->facts.number), bind_int(change->at_ms), bind_text(buf_text(&text))), why);
}

/* What it now is, for lists and for people. */
static enum err write_down(struct db *db, struct run *run, const struct input *input, struct why *why)
{
        struct rollout_change changes[ROLLOUT_CHANGES];
        enum rollout_state before = run->facts.state;
        size_t count = rollout_take_changes(run->pure, changes), said = count_said(input, before);
        enum err e = OK;
        for (size_t i = 0; i < count && !e; i++)
                e = write_change(db, run, &changes[i], i < said ? input : NULL, why);
        run_refresh(run);
        if (e || before == run->facts.state)
                return e;
        return db_run(db, "UPDATE rollouts SET state = ?, changed_ms = ? WHERE number = ?",
                      VALUES(bind_text(rollout_state_word(run->facts.state)), bind_int(input->at_ms), bind_int(run->facts.number)), why);
}

/* Its own time never goes back, and never stands still: when the clock is put back, the rollout stays ahead by as much. */
static int64_t own_time(struct run *run, int64_t now_ms)
{
        run->last_ms = run_own_ms(run, now_ms);
        run->facts.ahead_ms = run->last_ms - now_ms;
        return run->last_ms;
}

enum err run_input(struct rollouts *rollouts, struct run *run, const struct input *input, struct fed *fed, struct why *why)
{
        struct fed own = { .has_changed = true };
        struct input told = *input;
        if (!fed)
                fed = &own;
        fed->has_changed = true;
        told.at_ms = own_time(run, input->at_ms);
        enum err e = kinds[told.what].feed(run, &told, fed, why);
        if (e || !fed->has_changed)
                return e;
        rollouts->fed++;
        e = append(rollouts->db, run, &told, why);
        return e ? e : write_down(rollouts->db, run, input, why);
}

static const char *text_or_null(struct query *q, int column) { return query_is_null(q, column) ? NULL : query_text(q, column); }

static enum err replay_row(struct run *run, struct query *q, struct why *why)
{
        size_t length = 0;
        const void *bytes = query_blob(q, 9, &length);
        OWN(memory) void *list = mem_new(1, length + 1);     /* a row's bytes are not aligned */
        if (!list)
                return FAIL(why, ERR_NOMEM, "out of memory for a line of %zu bytes", length);
        memcpy(list, bytes, length);
        struct fed fed = { 0 };
        struct input input = { .at_ms = query_int(q, 1), .number = query_int(q, 3), .word = text_or_null(q, 4), .kind = text_or_null(q, 5),
                               .who = text_or_null(q, 6), .second = text_or_null(q, 7), .because = text_or_null(q, 8),
                               .list = list, .list_count = length / sizeof(uint32_t) };
        run->seq = query_int(q, 0);
        run->last_ms = input.at_ms;
        for (int what = 0; what < INPUTS; what++)
                if (strcmp(kinds[what].name, query_text(q, 2)) == 0)
                        return kinds[what].feed(run, &input, &fed, why);
        return FAIL(why, ERR_IO, "input `%s` is not known to this program", query_text(q, 2));
}

enum err run_replay(struct db *db, struct run *run, struct why *why)
{
        OWN(query) struct query *q = NULL;
        struct rollout_change changes[ROLLOUT_CHANGES];
        bool has = false;
        enum err e = db_query(db, "SELECT seq, at_ms, what, number, word, kind, who, second, because, list FROM rollout_inputs WHERE rollout = ? ORDER BY seq",
                              VALUES(bind_int(run->facts.number)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has)
                e = replay_row(run, q, why);
        if (e)
                return DURING(why, e, "input %" PRId64 " of rollout %" PRId64, run->seq, run->facts.number);
        run->heard_asked_ms = run->heard_asked_ms ? run->heard_asked_ms : run->last_ms;      /* nobody was heard of: nor is, by what was said before */
        (void)rollout_take_changes(run->pure, changes);      /* they were written down when they were new */
        run_refresh(run);
        return OK;
}
