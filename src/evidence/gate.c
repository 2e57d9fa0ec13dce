#include "evidence/gate.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const default_stages[] = { "S1", "S2", "S4" };
const struct gate_policy gate_policy_default = { default_stages, 3, 0 };

__attribute__((format(printf, 2, 3)))
static void unmet(struct gate_decision *decision, const char *format, ...)
{
        va_list args;
        size_t index = decision->unmet_count++;
        if (index >= GATE_UNMET_MAX)
                return;
        char *text = decision->unmet[index];
        va_start(args, format);
        vsnprintf(text, GATE_TEXT_MAX, format, args);
        va_end(args);
        for (size_t length = strlen(text); length && !text_is_utf8(text, length); length--)      /* cut inside a character */
                text[length - 1] = 0;
}

static bool is_same_check(const struct record *a, const struct record *b)
{
        return strcmp(a->origin, b->origin) == 0 && strcmp(a->stage, b->stage) == 0 && strcmp(a->check, b->check) == 0 && strcmp(a->platform, b->platform) == 0;
}

static bool counts(const struct gate_question *question, const struct record *record)
{
        return strcmp(record->target, question->target) == 0 && record->finished <= question->now + GATE_AHEAD_S;
}

/* Does `other` replace `record`? Of two that finished in one second, the worse stands. */
static bool is_replaced_by(const struct record *record, const struct record *other)
{
        if (other->finished != record->finished)
                return other->finished > record->finished;
        if (other->status != record->status)
                return other->status < record->status;
        return other->is_critical != record->is_critical ? other->is_critical : other < record;
}

static bool is_latest(const struct gate_question *question, const struct record *record)
{
        for (size_t i = 0; i < question->record_count; i++) {
                const struct record *other = &question->records[i];
                if (other != record && counts(question, other) && is_same_check(record, other) && is_replaced_by(record, other))
                        return false;
        }
        return true;
}

static bool is_bad(const struct record *record)
{
        return record->status < RECORD_PASS;
}

static bool is_critical(const struct record *record)
{
        return record->is_critical && record->status == RECORD_FAIL && strcmp(record->stage, "S4") == 0;
}

static bool is_pass(const struct gate_question *question, const struct record *record)
{
        int64_t age_max_s = question->policy->age_max_s;
        return record->status == RECORD_PASS && (!age_max_s || record->finished >= question->now - age_max_s);
}

static void look_at_faults(const struct gate_question *question, struct gate_decision *decision)
{
        for (size_t i = 0; i < question->record_count; i++) {
                const struct record *record = &question->records[i];
                if (strcmp(record->target, question->target) != 0)
                        continue;
                bool is_future = !counts(question, record);
                if (is_future)
                        unmet(decision, "%s by %s: dated %" PRId64 " s ahead of our time; set the lab's clock and run it again", record->stage, record->origin,
                              record->finished - question->now);
                else if (is_bad(record) && is_latest(question, record))
                        unmet(decision, "%s by %s (%s): %s: %s", record->stage, record->origin, record->platform, record_status_name(record->status), record->why);
                else
                        continue;
                decision->is_critical |= is_critical(record);
        }
}

/* Has this origin a pass of the stage among its latest records? */
static bool has_pass(const struct gate_question *question, const struct record *of)
{
        for (size_t i = 0; i < question->record_count; i++) {
                const struct record *record = &question->records[i];
                if (counts(question, record) && strcmp(record->origin, of->origin) == 0 && strcmp(record->stage, of->stage) == 0 &&
                    is_pass(question, record) && is_latest(question, record))
                        return true;
        }
        return false;
}

/* The first record of this origin and stage stands for all of them. */
static bool is_first(const struct gate_question *question, const struct record *record)
{
        for (const struct record *other = question->records; other < record; other++)
                if (counts(question, other) && strcmp(other->origin, record->origin) == 0 && strcmp(other->stage, record->stage) == 0)
                        return false;
        return true;
}

static void look_at_stage(const struct gate_question *question, const char *stage, struct gate_decision *decision)
{
        size_t origins = 0;
        for (size_t i = 0; i < question->record_count; i++) {
                const struct record *record = &question->records[i];
                if (!counts(question, record) || strcmp(record->stage, stage) != 0 || !is_first(question, record))
                        continue;
                origins++;
                if (!has_pass(question, record))
                        unmet(decision, "%s by %s: no PASS that counts", stage, record->origin);
        }
        if (!origins)
                unmet(decision, "%s: no lab has run it", stage);
}

/* Comparing them all would take too long, and what is beyond them was not kept: it may be critical. */
static void refuse_many(struct gate_decision *decision)
{
        unmet(decision, "more than %d lab records; publish the content as a new release", GATE_RECORDS_MAX);
        decision->is_critical = true;
}

void gate_decide(const struct gate_question *question, struct gate_decision *ret_decision)
{
        *ret_decision = (struct gate_decision){ 0 };
        if (question->record_count > GATE_RECORDS_MAX)
                refuse_many(ret_decision);
        else {
                look_at_faults(question, ret_decision);
                for (size_t i = 0; i < question->policy->stage_count; i++)
                        look_at_stage(question, question->policy->stages[i], ret_decision);
        }
        ret_decision->is_open = !ret_decision->unmet_count;
}

static bool is_said(const char *text)
{
        return text && text[strspn(text, " \t\r\n")];
}

enum err gate_override(const struct gate_decision *decision, const struct gate_people *people, struct why *why)
{
        if (!is_said(people->first) || !is_said(people->second) || !is_said(people->reason))
                return FAIL(why, ERR_USAGE, "an override takes two people and a reason");
        if (text_is_same_name(people->first, people->second))
                return FAIL(why, ERR_REFUSED, "an override takes two different people, and %s is one", people->first);
        if (decision->is_critical)
                return FAIL(why, ERR_REFUSED, "a lab says that devices would not start with it (S4, critical), or there are too many records to tell; nobody can override that: publish a corrected release");
        return OK;
}
