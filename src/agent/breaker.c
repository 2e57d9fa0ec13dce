#include "agent/breaker.h"

#include "base/crc32.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void breaker_init(struct breaker *breaker, unsigned actions_max, int64_t window_ms)
{
        assert(actions_max >= 1 && actions_max <= LIMIT_BREAKER_ACTIONS);
        *breaker = (struct breaker){ .actions_max = actions_max, .window_ms = window_ms };
}

void breaker_begin(struct breaker *breaker)
{
        breaker->next = breaker->count = breaker->unknown_next = breaker->unknown_count = 0;
        breaker->is_tripped = false;
}

/* What was allowed at t counts until t + window, and not then. */
static bool has_room(const struct breaker *breaker, int64_t now_ms)
{
        return breaker->count < breaker->actions_max || now_ms - breaker->allowed_ms[breaker->next] >= breaker->window_ms;
}

static void allowed(struct breaker *breaker, int64_t now_ms)
{
        breaker->allowed_ms[breaker->next] = now_ms;
        breaker->next = (breaker->next + 1) % breaker->actions_max;
        breaker->count += breaker->count < breaker->actions_max;
}

/* Each path counts once within the window: an engine may look at the same file again and again. */
static bool is_storm_over_unknown(struct breaker *breaker, const struct breaker_question *question)
{
        const uint32_t path = crc32_of(question->path, strlen(question->path));
        unsigned recent = 0;
        for (unsigned i = 0; i < breaker->unknown_count; i++) {
                bool is_recent = question->now_ms - breaker->unknown[i].now_ms < breaker->window_ms;
                if (is_recent && breaker->unknown[i].path == path)
                        return false;
                recent += is_recent;
        }
        if (recent == breaker->actions_max)
                return true;
        breaker->unknown[breaker->unknown_next].now_ms = question->now_ms;
        breaker->unknown[breaker->unknown_next].path = path;
        breaker->unknown_next = (breaker->unknown_next + 1) % breaker->actions_max;
        breaker->unknown_count += breaker->unknown_count < breaker->actions_max;
        return false;
}

/* What fits of a path into `room` bytes with the NUL, its middle left out: the name at its end says most. */
static void print_path(const char *path, char *text, size_t room)
{
        static const char dots[] = "...";
        size_t length = strlen(path), most = room - 1, gap = sizeof(dots) - 1;
        size_t head = length <= most ? length : (most - gap) / 3, tail = length <= most ? 0 : most - gap - head;
        snprintf(text, room, "%.*s%s%s", (int)head, path, length <= most ? "" : dots, path + length - tail);
        for (char *at = text; *at; at++)
                if (*at < ' ' || *at > '~')
                        *at = '?';
}

/* `before` and `after` the path, which takes what they leave. */
static void say(char *reason, const char *before, const char *path, const char *after)
{
        char text[BREAKER_REASON_BYTES];
        print_path(path, text, BREAKER_REASON_BYTES - strlen(before) - strlen(after));
        snprintf(reason, BREAKER_REASON_BYTES, "%s%s%s", before, text, after);
}

static void say_file(char *reason, const struct breaker_question *question)
{
        static const char *const whose[BREAKER_FILES] = {
                [BREAKER_ORDINARY] = "", [BREAKER_PLATFORM] = ", which the platform ships", [BREAKER_OWN] = ", which the agent keeps",
                [BREAKER_UNKNOWN] = ": not known whose it is",
        };
        char before[48];
        snprintf(before, sizeof(before), "%.32s of ", question->action);
        say(reason, before, question->path, whose[question->file]);
}

static const char *ordinal(unsigned number)
{
        static const char *const endings[] = { "th", "st", "nd", "rd" };
        unsigned last = number % 100 / 10 == 1 ? 0 : number % 10;
        return endings[last < 4 ? last : 0];
}

static void say_rate(char *reason, const struct breaker *breaker, const struct breaker_question *question)
{
        char before[80];
        unsigned number = breaker->actions_max + 1;
        snprintf(before, sizeof(before), "%u%s %.32s in %" PRId64 " s: ", number, ordinal(number), question->action, breaker->window_ms / 1000);
        say(reason, before, question->path, "");
}

enum breaker_verdict breaker_ask(struct breaker *breaker, const struct breaker_question *question, char reason[static BREAKER_REASON_BYTES])
{
        const bool is_needed = question->file == BREAKER_PLATFORM || question->file == BREAKER_OWN;
        reason[0] = 0;
        if (breaker->is_tripped) {
                snprintf(reason, BREAKER_REASON_BYTES, "the breaker has tripped, and the content before is not back yet");
                return BREAKER_DENY;
        }
        bool is_storm = question->file == BREAKER_UNKNOWN && question->is_on_trial && is_storm_over_unknown(breaker, question);
        if ((question->file == BREAKER_UNKNOWN && !is_storm) || (is_needed && !question->is_on_trial)) {
                say_file(reason, question);
                return BREAKER_DENY;
        }
        if (is_storm)
                say_rate(reason, breaker, question);
        else if (is_needed)
                say_file(reason, question);
        else if (!has_room(breaker, question->now_ms))
                say_rate(reason, breaker, question);
        else
                allowed(breaker, question->now_ms);
        if (!reason[0])
                return BREAKER_ALLOW;
        breaker->is_tripped = question->is_on_trial;
        return question->is_on_trial ? BREAKER_TRIP : BREAKER_DENY;
}
