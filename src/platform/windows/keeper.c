/* The keeper: the side of handover.h that stays, see keeper.h. It decides nothing of a device: who is started first does, by what it keeps on disk. */
#include "platform/windows/keeper.h"

#include "platform/channel.h"
#include "platform/clock.h"
#include "platform/handover.h"
#include "platform/windows/pair.h"
#include "platform/windows/spawn.h"
#include "platform/windows/wide.h"

#include <string.h>
#include <windows.h>

enum { PAUSE_FIRST_MS = 500, PAUSE_MAX_MS = 30000, WELL_MS = 60000, FOREVER_MS = 1 << 30 };

/* A supervisor, and our end of its standard input; -1: it has closed its own. */
struct kept { struct spawned is; int channel; };

struct keeper {
        const struct handover_keep *keep;
        struct kept now, next;                   /* next.is.pid 0: nobody waits for the end of this one */
        int signals;
        bool is_first, is_told;                  /* it was started for no other one; it is to end, and so are we */
        int64_t next_silence_ms, silence_ms, half_at_ms;         /* 0: not watched */
        unsigned halves;                         /* of its silence */
        int64_t kill_at_ms, started_ms, pause_ms;
        uint32_t heard;                          /* bytes of a message that is not whole yet */
        uint8_t message[sizeof(uint32_t) + KEEPER_MESSAGE_MAX];
};

static int64_t now_ms(void)
{
        struct clock *clock = clock_system();
        return clock->ops->steady_ms(clock);
}

/* ---- starting ---- */

static void drop(struct kept *kept)
{
        if (kept->is.pid) {
                spawn_kill(&kept->is);
                spawn_close(&kept->is);
        }
        channel_close(kept->channel);
        *kept = (struct kept){ .channel = -1 };
}

/* It is there, and waits; what it is handed stands in its channel before its first instruction. */
static enum err prepare(const char *const *argv, const void *handed, size_t length, struct kept *ret_kept, struct why *why)
{
        int ends[2];
        uint8_t message[KEEPER_MESSAGE_MAX];
        const struct keeper_head head = { .kind = KEEPER_HANDED };
        struct kept kept = { .channel = -1 };
        enum err e = pair_open(ends, why);
        if (e)
                return e;
        memcpy(message, &head, sizeof(head));
        if (length)
                memcpy(message + sizeof(head), handed, length);
        kept.channel = ends[0];
        e = channel_send(ends[0], message, sizeof(head) + length, why);
        if (!e)
                e = spawn_start(&(struct spawn){ .argv = argv, .input = ends[1], .output = -1, .errors = -1, .is_held = true }, &kept.is, why);
        channel_close(ends[1]);
        if (e)
                drop(&kept);
        else
                *ret_kept = kept;
        return e;
}

static void run(struct keeper *keeper, struct kept *take_kept, bool is_first)
{
        drop(&keeper->now);
        keeper->now = *take_kept;
        *take_kept = (struct kept){ .channel = -1 };
        keeper->is_first = is_first;
        keeper->heard = 0;
        keeper->halves = 0;
        keeper->silence_ms = is_first ? 0 : keeper->next_silence_ms;
        keeper->next_silence_ms = 0;
        keeper->started_ms = now_ms();
        keeper->half_at_ms = keeper->started_ms + keeper->silence_ms / 2;
        keeper->kill_at_ms = keeper->is_told ? keeper->started_ms + keeper->keep->stop_ms : 0;
        if (keeper->is_told && keeper->now.is.stop)
                SetEvent(keeper->now.is.stop);
        (void)spawn_go(&keeper->now.is);         /* if it cannot, its end is what is found */
}

static enum err run_first(struct keeper *keeper, struct why *why)
{
        struct kept kept;
        enum err e = prepare(keeper->keep->argv, NULL, 0, &kept, why);
        if (!e)
                run(keeper, &kept, true);
        return e;
}

/* ---- what the supervisor says ---- */

/* False: not words as they should be. */
static bool take_words(const char *bytes, size_t length, const char *words[KEEPER_WORDS_MAX + 1])
{
        size_t count = 0;
        if (!length || bytes[length - 1])
                return false;
        for (size_t at = 0; at < length; at += strlen(bytes + at) + 1) {
                if (count == KEEPER_WORDS_MAX)
                        return false;
                words[count++] = bytes + at;
        }
        words[count] = NULL;
        return true;
}

static uint32_t fault_of(enum err e)
{
        return !e ? KEEPER_WELL : e == ERR_NOT_FOUND ? KEEPER_MISSING : e == ERR_REFUSED ? KEEPER_BARRED : e == ERR_CONTENT ? KEEPER_NO_PROGRAM : KEEPER_LATER;
}

static void go_on(struct keeper *keeper, const struct keeper_head *head, const uint8_t *bytes, size_t length)
{
        const char *words[KEEPER_WORDS_MAX + 1];
        struct keeper_answer answer = { .head.kind = KEEPER_ANSWER };
        struct why why = { 0 }, unsaid;
        enum err e = head->words_bytes <= length && take_words((const char *)bytes, head->words_bytes, words) ? OK : FAIL(&why, ERR_SYNTAX, "the keeper does not understand");
        drop(&keeper->next);
        if (!e)
                e = prepare(words, bytes + head->words_bytes, length - head->words_bytes, &keeper->next, &why);
        answer.fault = fault_of(e);
        if (e)
                snprintf(answer.text, sizeof(answer.text), "%.*s", KEEPER_TEXT_BYTES - 1, why.text);
        else
                keeper->kill_at_ms = now_ms() + keeper->keep->stop_ms;
        if (channel_send(keeper->now.channel, &answer, sizeof(answer), &unsaid))
                drop(&keeper->next);             /* it did not hear that it may go; it is gone already, or it stays */
}

static void take_message(struct keeper *keeper, const uint8_t *bytes, size_t length)
{
        struct keeper_head head;
        if (length < sizeof(head))
                return;
        memcpy(&head, bytes, sizeof(head));
        keeper->halves = 0;
        keeper->half_at_ms = now_ms() + keeper->silence_ms / 2;
        switch (head.kind) {
        case KEEPER_WATCH: keeper->next_silence_ms = head.silence_ms; break;
        case KEEPER_UNWATCH: keeper->next_silence_ms = keeper->silence_ms = 0; break;
        case KEEPER_GO: go_on(keeper, &head, bytes + sizeof(head), length - sizeof(head)); break;
        default: break;
        }
}

/* What has come, as far as it is whole: one that stops in the middle of a word must not hold us up. */
static void hear(struct keeper *keeper)
{
        size_t got = channel_pipe_take(keeper->now.channel, keeper->message + keeper->heard, sizeof(keeper->message) - keeper->heard);
        bool is_sound = got;
        keeper->heard += (uint32_t)got;
        for (uint32_t length; is_sound && keeper->heard >= sizeof(length);) {
                memcpy(&length, keeper->message, sizeof(length));
                is_sound = length <= KEEPER_MESSAGE_MAX;
                if (!is_sound || keeper->heard < sizeof(length) + length)
                        break;
                take_message(keeper, keeper->message + sizeof(length), length);
                keeper->heard -= (uint32_t)sizeof(length) + length;
                memmove(keeper->message, keeper->message + sizeof(length) + length, keeper->heard);
        }
        if (!is_sound) {
                channel_close(keeper->now.channel);
                keeper->now.channel = -1;
        }
}

/* ---- its time ---- */

static int64_t wake_at(const struct keeper *keeper, int64_t at_ms)
{
        int64_t wake = at_ms + FOREVER_MS;
        if (keeper->kill_at_ms && keeper->kill_at_ms < wake)
                wake = keeper->kill_at_ms;
        if (keeper->silence_ms && keeper->half_at_ms < wake)
                wake = keeper->half_at_ms;
        return wake;
}

/* Twice half of the time: who was frozen together with what he watches wakes to a time that is over. */
static bool is_over(struct keeper *keeper, int64_t at_ms)
{
        if (keeper->kill_at_ms && at_ms >= keeper->kill_at_ms)
                return true;
        if (!keeper->silence_ms || at_ms < keeper->half_at_ms)
                return false;
        keeper->half_at_ms = at_ms + keeper->silence_ms / 2;
        return ++keeper->halves == 2;
}

/* Until it has ended, with all that it started. */
static enum err keep_it(struct keeper *keeper, uint32_t *ret_code, struct why *why)
{
        DWORD code = 0;
        while (WaitForSingleObject(keeper->now.is.process, 0) != WAIT_OBJECT_0) {
                const int files[] = { keeper->signals, keeper->now.channel, wide_file(keeper->now.is.process) };
                bool ready[3];
                int64_t at_ms = now_ms();
                enum err e = channel_wait(files, 3, wake_at(keeper, at_ms) - at_ms, ready, why);
                if (e)
                        return e;
                if (ready[0] && channel_signals_take(keeper->signals) && !keeper->is_told) {
                        keeper->is_told = true;
                        keeper->kill_at_ms = now_ms() + keeper->keep->stop_ms;
                        if (keeper->now.is.stop)
                                SetEvent(keeper->now.is.stop);
                }
                if (ready[1])
                        hear(keeper);
                if (is_over(keeper, now_ms()))
                        spawn_kill(&keeper->now.is);
        }
        (void)GetExitCodeProcess(keeper->now.is.process, &code);
        *ret_code = code;
        drop(&keeper->now);
        return OK;
}

/* One that ends again and again is not started in a circle. */
static enum err pause_after(struct keeper *keeper, struct why *why)
{
        int64_t longer_ms = keeper->pause_ms ? 2 * keeper->pause_ms : PAUSE_FIRST_MS;
        keeper->pause_ms = now_ms() - keeper->started_ms >= WELL_MS ? 0 : longer_ms < PAUSE_MAX_MS ? longer_ms : PAUSE_MAX_MS;
        const int64_t until_ms = now_ms() + keeper->pause_ms;
        for (int64_t left_ms; !keeper->is_told && (left_ms = until_ms - now_ms()) > 0;) {
                bool is_ready;
                enum err e = channel_wait(&keeper->signals, 1, left_ms, &is_ready, why);
                if (e)
                        return e;
                keeper->is_told = is_ready && channel_signals_take(keeper->signals);
        }
        return OK;
}

/* One after the other, until there is nobody left to run. */
static enum err keep_all(struct keeper *keeper, struct why *why)
{
        enum err e = run_first(keeper, why);
        while (!e) {
                uint32_t code;
                e = keep_it(keeper, &code, why);
                if (e)
                        break;
                if (keeper->next.is.pid) {
                        run(keeper, &keeper->next, false);
                        continue;
                }
                if (keeper->is_told)
                        return OK;
                if (keeper->is_first)
                        return code ? FAIL(why, ERR_UNAVAILABLE, "it ended with %ld", (long)(int32_t)code) : OK;
                e = pause_after(keeper, why);
                if (!e && keeper->is_told)
                        return OK;
                if (!e)
                        e = run_first(keeper, why);
        }
        return e;
}

enum err handover_keep(const struct handover_keep *keep, struct why *why)
{
        struct keeper keeper = { .keep = keep, .now.channel = -1, .next.channel = -1 };
        enum err e = channel_signals(&keeper.signals, why);
        if (!e)
                e = keep_all(&keeper, why);
        drop(&keeper.now);
        drop(&keeper.next);
        return e ? DURING(why, e, "keeping the agent") : OK;
}
