#include "server/supervisor.h"

#include "platform/channel.h"
#include "platform/child.h"
#include "platform/clock.h"

#include <assert.h>

enum {
        STOP_MS = 20000,                       /* twice what the network takes to finish */
        LAST_WORDS_MS = 500,                   /* after a first death, for the one that caused it */
        LOOK_MS = 1000,
};

struct supervision {
        const struct supervisor_config *config;
        struct child children[SUPERVISOR_MAX];
        int signals;
        bool is_stopping, has_died, has_cause;
        size_t bereaved;                       /* the first that ended because another was gone, and how */
        int bereaved_code;
        int code;
        int64_t until_ms;
};

static int64_t now_ms(void)
{
        return clock_system()->ops->steady_ms(clock_system());
}

static bool is_any_alive(const struct supervision *supervision)
{
        for (size_t i = 0; i < supervision->config->count; i++)
                if (supervision->children[i].pid)
                        return true;
        return false;
}

/* One that only lost another ends with 0 or UNAVAILABLE: the other's own code tells more. */
static void keep_code(struct supervision *supervision, int code)
{
        int lost = err_info(ERR_UNAVAILABLE)->exit;
        if (!supervision->code || (supervision->code == lost && code && code != lost))
                supervision->code = code ? code : lost;
}

static void tell_death(const struct supervision *supervision, size_t index, const struct child_end *end)
{
        char how[32];
        child_end_text(end, how, sizeof(how));
        LOG(supervision->config->log, EVENT_CHILD_DIED, log_text("process", supervision->config->processes[index].name), log_text("how", how));
}

static void note_end(struct supervision *supervision, size_t index, const struct child_end *end)
{
        int lost = err_info(ERR_UNAVAILABLE)->exit;
        bool is_orderly = !end->is_signal && end->code == 0, is_bereaved = !end->is_signal && (end->code == lost || end->code == 0);
        if (is_orderly && (supervision->is_stopping || supervision->has_died))
                return;
        keep_code(supervision, end->is_signal ? lost : end->code);
        if (!is_bereaved)
                tell_death(supervision, index, end);
        if (!supervision->has_died)
                supervision->until_ms = now_ms() + LAST_WORDS_MS;
        if (is_bereaved && !supervision->has_died) {
                supervision->bereaved = index;
                supervision->bereaved_code = end->code;
        }
        supervision->has_died = true;
        supervision->has_cause |= !is_bereaved;
}

/* None that died said more than that another was gone, and that one is not known. */
static void tell_riddle(const struct supervision *supervision)
{
        if (supervision->has_died && !supervision->has_cause)
                tell_death(supervision, supervision->bereaved, &(struct child_end){ .code = supervision->bereaved_code });
}

static void collect(struct supervision *supervision)
{
        for (size_t i = 0; i < supervision->config->count; i++) {
                struct child_end end;
                if (supervision->children[i].pid && child_ended(&supervision->children[i], &end))
                        note_end(supervision, i, &end);
        }
}

static void stop(struct supervision *supervision)
{
        if (supervision->is_stopping)
                return;
        supervision->is_stopping = true;
        supervision->until_ms = now_ms() + STOP_MS;
        LOG(supervision->config->log, EVENT_STOPPING);
        (void)child_signal(&supervision->children[supervision->config->count - 1], "TERM");
}

static void kill_all(struct supervision *supervision)
{
        for (size_t i = supervision->config->count; i-- > 0;)
                child_kill(&supervision->children[i]);
}

static void watch(struct supervision *supervision)
{
        bool has_signal = false;
        while (is_any_alive(supervision)) {
                bool has_end = supervision->is_stopping || supervision->has_died;
                int64_t left = has_end ? supervision->until_ms - now_ms() : LOOK_MS;
                if (has_end && left <= 0) {
                        if (!supervision->code)        /* after a death its own code stands: the others were not slow, only in ignorance */
                                supervision->code = err_info(ERR_TIMEOUT)->exit;
                        kill_all(supervision);
                        return;
                }
                if (channel_wait(&supervision->signals, 1, left, &has_signal, NULL) != OK)
                        continue;
                if (channel_signals_take(supervision->signals))
                        stop(supervision);
                collect(supervision);
        }
}

struct start { const struct supervisor_config *config; size_t index; };

/* A service manager tells every process of a service, and not only the first, to end: those that others still need do not listen. */
static int run_child(void *user)
{
        const struct start *start = user;
        if (start->index + 1 < start->config->count)
                channel_child_deaf();
        return start->config->processes[start->index].run(start->config->user);
}

static enum err start_all(struct supervision *supervision, struct why *why)
{
        const struct supervisor_config *config = supervision->config;
        enum err e = channel_signals(&supervision->signals, why);
        for (size_t i = 0; i < config->count && !e; i++) {
                e = child_fork(run_child, &(struct start){ config, i }, &supervision->children[i], why);
                if (e)
                        e = DURING(why, e, "%s", config->processes[i].name);
        }
        return e;
}

int supervise(const struct supervisor_config *config)
{
        assert(config->count && config->count <= SUPERVISOR_MAX);
        struct supervision supervision = { .config = config, .signals = -1 };
        struct why why = { 0 };
        enum err e = start_all(&supervision, &why);
        config->started(config->user);
        if (e) {
                kill_all(&supervision);
                LOG_WHY(config->log, EVENT_FAILED, &why);
                channel_close(supervision.signals);
                return err_info(e)->exit;
        }
        watch(&supervision);
        tell_riddle(&supervision);
        channel_close(supervision.signals);
        if (!supervision.code)
                LOG(config->log, EVENT_STOPPED);
        return supervision.code;
}
