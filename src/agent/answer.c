#include "agent/answer.h"

#include "agent/asked.h"
#include "agent/platform_file.h"
#include "agent/platform_index.h"
#include "agent/packages.h"
#include "platform/channel.h"
#include "platform/child.h"
#include "platform/clock.h"
#include "platform/confine.h"
#include "platform/disk_folder.h"
#include "platform/local.h"
#include "platform/paths.h"

#include <inttypes.h>
#include <string.h>

enum {
        SUPERVISOR = 0,                          /* its channel is our standard input */
        MAKE_AGAIN_MS = 60000,                   /* after a failure */
        MAKE_PAUSE_MS = 5000,                    /* while packages go on changing */
        IDLE_MS = 60000,                         /* between two looks whether they changed; a question looks, too */
        LINE_BYTES = BREAKER_REASON_BYTES + 96,
        OWN_PLACES = 4,
        OTHERS = 3,                              /* supervisor, signals, listener */
};

struct asker {
        int end;
        unsigned user;
        int64_t heard_ms;
};

struct answer {
        const struct answer_setup *setup;
        struct disk *disk;
        int listener, signals;
        unsigned group;
        struct asker askers[LIMIT_ASK_CONNECTIONS];
        size_t count, turn;
        struct { int64_t at_ms, left; } budget;  /* of questions */
        uint64_t asked, allowed;

        char own[OWN_PLACES][PATH_MAX];          /* without which there is no agent; the first is the state folder */
        const char *owned[OWN_PLACES];
        size_t own_count;
        char folder[PATH_MAX], index[PATH_MAX], index_name[DISK_NAME_MAX + 1];
        struct owners *owners;
        struct child maker;
        int64_t make_at_ms;
};

static int64_t now_ms(void)
{
        struct clock *clock = clock_system();
        return clock->ops->steady_ms(clock);
}

static void answer_release(struct answer *answer)
{
        for (size_t i = 0; i < answer->count; i++)
                channel_close(answer->askers[i].end);
        channel_close(answer->listener);
        owners_close(answer->owners);
        disk_folder_close(answer->disk);
}

static enum err note(const char *text, struct why *why)
{
        struct asked_message message = { .version = ASKED_VERSION, .kind = ASKED_NOTE };
        snprintf(message.question.path, sizeof(message.question.path), "%s", text);
        return channel_send(SUPERVISOR, &message, sizeof(message), why);
}

/* The list of the platform's files. */

static int make_index(void *user)
{
        struct answer *answer = user;
        struct why why;
        size_t count;
        return (int)platform_index_make(&(struct platform_index){ answer->setup->database, answer->disk, answer->index_name }, &count, &why);
}

static bool is_stale(const struct answer *answer)
{
        return answer->setup->database && (!answer->owners || owners_mark(answer->owners) != packages_mark(answer->setup->database));
}

static enum err index_open(struct answer *answer, struct why *why)
{
        struct owners *owners = NULL;
        enum err e = owners_open(answer->index, &owners, why);
        if (e)
                return e;
        owners_close(answer->owners);
        answer->owners = owners;
        return OK;
}

/* In a child, whose memory is gone with it. */
static void index_tick(struct answer *answer)
{
        struct why why;
        if (answer->maker.pid || now_ms() < answer->make_at_ms || !is_stale(answer))
                return;
        answer->make_at_ms = now_ms() + MAKE_AGAIN_MS;
        if (child_fork(make_index, answer, &answer->maker, &why))
                answer->maker.pid = 0;
}

static enum err index_made(struct answer *answer, struct why *why)
{
        struct child_end end;
        struct why trouble = { .err = OK };
        char text[WHY_TEXT_MAX];
        if (!answer->maker.pid || !child_ended(&answer->maker, &end))
                return OK;
        enum err e = end.is_signal || end.code >= ERR_COUNT ? ERR_IO : (enum err)end.code;
        if (!e)
                e = index_open(answer, &trouble);
        if (!e) {
                answer->make_at_ms = now_ms() + MAKE_PAUSE_MS;
                snprintf(text, sizeof(text), "%zu names of the platform's files are known", owners_count(answer->owners));
        } else if (e == ERR_NOT_FOUND) {
                answer->make_at_ms = INT64_MAX;
                snprintf(text, sizeof(text), "there is no package database in %s: only the rate and the folders of `protect` hold", answer->setup->database);
        } else {
                snprintf(text, sizeof(text), "the platform's files could not be listed: %s", err_info(e)->text);
        }
        return note(text, why);
}

/* Questions. */

static enum breaker_file file_of(const struct answer *answer, const char *path)
{
        const struct yaml_texts *protect = &answer->setup->stream->breaker.protect;
        return platform_file(&(struct platform){ answer->owners, answer->setup->database, protect->items, protect->count, answer->owned, answer->own_count }, path);
}

static enum err decide(struct answer *answer, const struct asked_question *question, struct asked_answer *ret_answer, struct why *why)
{
        const struct asked_message message = {
                .version = ASKED_VERSION, .kind = ASKED_QUESTION, .file = (uint8_t)file_of(answer, question->path), .question = *question,
        };
        size_t length = 0;
        enum err e = channel_send(SUPERVISOR, &message, sizeof(message), why);
        if (!e)
                e = channel_receive(SUPERVISOR, ret_answer, sizeof(*ret_answer), &length, why);
        if (!e && (length != sizeof(*ret_answer) || ret_answer->version != ASKED_VERSION))
                e = FAIL(why, ERR_SYNTAX, "the supervisor's answer is none");
        ret_answer->reason[BREAKER_REASON_BYTES - 1] = 0;
        answer->asked++;
        answer->allowed += !e && ret_answer->is_allowed;
        return e;
}

static void drop(struct answer *answer, size_t index)
{
        channel_close(answer->askers[index].end);
        answer->askers[index] = answer->askers[--answer->count];
}

/* False: who asked is not to be heard any more. */
static bool tell(const struct asker *asker, const char *line)
{
        return local_give(asker->end, line, strlen(line));
}

static enum err answer_question(struct answer *answer, struct asker *asker, const struct asked_question *question, bool *ret_goes_on, struct why *why)
{
        struct asked_answer decided = { .version = 0 };
        char line[LINE_BYTES];
        enum err e = decide(answer, question, &decided, why);
        if (e)
                return e;
        snprintf(line, sizeof(line), decided.is_allowed ? "allow\n" : "deny %s\n", decided.reason);
        *ret_goes_on = tell(asker, line);
        return OK;
}

static bool tell_counts(const struct answer *answer, const struct asker *asker)
{
        char line[LINE_BYTES];
        snprintf(line, sizeof(line), "counts asked=%" PRIu64 " allowed=%" PRIu64 " denied=%" PRIu64 " known=%zu\n", answer->asked, answer->allowed,
                 answer->asked - answer->allowed, answer->owners ? owners_count(answer->owners) : 0);
        return tell(asker, line);
}

static enum err hear(struct answer *answer, size_t index, struct why *why)
{
        static char bytes[ASKED_BYTES_MAX];
        struct asker *asker = &answer->askers[index];
        struct asked_question question;
        size_t length = 0;
        bool goes_on = false;
        enum err e = OK;
        enum local_taken taken = local_take(asker->end, bytes, sizeof(bytes), &length);
        asker->heard_ms = now_ms();
        if (taken == LOCAL_NOTHING)
                return OK;
        if (taken == LOCAL_MESSAGE && asked_is_counts(bytes, length))
                goes_on = tell_counts(answer, asker);
        else if (taken == LOCAL_MESSAGE && asked_read(bytes, length, &question))
                e = answer_question(answer, asker, &question, &goes_on, why);
        else if (taken != LOCAL_GONE)
                (void)tell(asker, "deny this is no question\n");
        if (!goes_on)
                drop(answer, index);
        return e;
}

/* Who connects. */

static size_t connections_of(const struct answer *answer, unsigned user)
{
        size_t count = 0;
        for (size_t i = 0; i < answer->count; i++)
                count += answer->askers[i].user == user;
        return count;
}

/* Of the user who has most, the one that was silent longest: whoever floods us makes room at his own cost. */
static void make_room(struct answer *answer)
{
        size_t worst = 0;
        for (size_t i = 1; i < answer->count; i++) {
                size_t has = connections_of(answer, answer->askers[i].user), most = connections_of(answer, answer->askers[worst].user);
                if (has > most || (has == most && answer->askers[i].heard_ms < answer->askers[worst].heard_ms))
                        worst = i;
        }
        if (answer->count == LIMIT_ASK_CONNECTIONS)
                drop(answer, worst);
}

static void let_in(struct answer *answer)
{
        struct local_peer peer;
        if (local_accept(answer->listener, answer->group, &peer))
                return;
        make_room(answer);
        answer->askers[answer->count++] = (struct asker){ peer.end, peer.user, now_ms() };
}

/* A question or a connection costs one; a second brings LIMIT_ASKED_PER_S, and no more are kept. */
static bool has_budget(struct answer *answer)
{
        enum { STEP_MS = 1000 / LIMIT_ASKED_PER_S };
        int64_t steps = (now_ms() - answer->budget.at_ms) / STEP_MS;
        answer->budget.at_ms += steps * STEP_MS;
        answer->budget.left = answer->budget.left + steps < LIMIT_ASKED_PER_S ? answer->budget.left + steps : LIMIT_ASKED_PER_S;
        return answer->budget.left > 0;
}

/* The one whose turn it is among those who said something. */
static enum err hear_next(struct answer *answer, const bool *ready, struct why *why)
{
        for (size_t i = 0; i < answer->count; i++) {
                size_t index = (answer->turn + i) % answer->count;
                if (!ready[index])
                        continue;
                answer->turn = index + 1;
                answer->budget.left--;
                return hear(answer, index, why);
        }
        return OK;
}

static int64_t idle_ms(const struct answer *answer)
{
        int64_t left = answer->maker.pid || !is_stale(answer) ? IDLE_MS : answer->make_at_ms - now_ms();
        return left < 0 ? 0 : left < IDLE_MS ? left : IDLE_MS;
}

/* One thing of each kind. Without budget nobody is looked at but the supervisor, for as long as the next question takes to be due. */
static enum err turn(struct answer *answer, bool *ret_ends, struct why *why)
{
        enum { FILES_MAX = OTHERS + LIMIT_ASK_CONNECTIONS, PAUSE_MS = 1000 / LIMIT_ASKED_PER_S };
        _Static_assert(FILES_MAX <= (int)CHANNEL_WAIT_MAX, "one wait for all");
        bool may_hear = has_budget(answer), ready[FILES_MAX];
        int files[FILES_MAX] = { SUPERVISOR, answer->signals, may_hear ? answer->listener : -1 };
        for (size_t i = 0; i < answer->count; i++)
                files[OTHERS + i] = may_hear ? answer->askers[i].end : -1;
        enum err e = channel_wait(files, OTHERS + answer->count, may_hear ? idle_ms(answer) : PAUSE_MS, ready, why);
        if (e)
                return e;
        /* The supervisor says nothing unasked: it is gone. */
        *ret_ends = ready[0] || (ready[1] && channel_signals_take(answer->signals));
        e = index_made(answer, why);
        if (!e && !*ret_ends)
                e = hear_next(answer, ready + OTHERS, why);
        if (ready[2]) {
                answer->budget.left--;
                let_in(answer);
        }
        index_tick(answer);
        return e;
}

/* Where they are really. What is not there needs no protection. */
static enum err find_own(struct answer *answer, struct why *why)
{
        const struct agent_config *config = answer->setup->config;
        char program[PATH_MAX];
        struct why unknown;
        if (paths_own_program(program, &unknown))
                program[0] = 0;
        const char *const places[OWN_PLACES] = { config->state_dir, config->trust, answer->setup->config_path, program };
        enum err e = paths_real(config->state_dir, answer->own[0], why);
        for (size_t i = 0; !e && i < OWN_PLACES; i++) {
                struct why nothing;
                char *real = answer->own[answer->own_count];
                if (paths_real(places[i], real, &nothing) == OK)
                        answer->owned[answer->own_count++] = real;
        }
        return e;
}

static enum err prepare(struct answer *answer, struct why *why)
{
        const struct answer_setup *setup = answer->setup;
        struct why trouble;
        enum err e = channel_signals(&answer->signals, why);
        if (!e)
                e = find_own(answer, why);
        snprintf(answer->folder, sizeof(answer->folder), "%.3000s/breaker", answer->own[0]);
        if (!e)
                e = disk_folder_open(answer->folder, &answer->disk, why);
        if (!e)
                e = local_listen(setup->stream->breaker.socket, setup->stream->breaker.group, &answer->listener, &answer->group, why);
        if (e)
                return e;
        snprintf(answer->index_name, sizeof(answer->index_name), "%s.files", setup->stream->name);
        snprintf(answer->index, sizeof(answer->index), "%.3500s/%s", answer->folder, answer->index_name);
        if (confine_to_answering(answer->folder, NULL, &trouble))
                e = note(trouble.text, why);
        if (setup->database)
                (void)!index_open(answer, &trouble);      /* of an earlier start; else it is made */
        else if (!e)
                e = note("this system keeps no list of its files: only the rate and the folders of `protect` hold", why);
        return e;
}

enum err answer_main(const struct answer_setup *setup, struct why *why)
{
        OWN(answer) struct answer answer = { .setup = setup, .listener = -1, .signals = -1, .budget = { now_ms(), LIMIT_ASKED_PER_S } };
        bool ends = false;
        enum err e = prepare(&answer, why);
        if (e) {
                struct why nothing;
                (void)!note(why->text, &nothing);
        }
        while (!e && !ends) {
                index_tick(&answer);
                e = turn(&answer, &ends, why);
        }
        return e;
}
