/* The side of the supervisor: its keeper is at the other end of its standard input, see keeper.h. */
#include "platform/handover.h"

#include "base/buf.h"
#include "platform/channel.h"
#include "platform/windows/keeper.h"
#include "platform/windows/pair.h"
#include "platform/windows/wide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

enum { KEEPER = 0 };                             /* standard input */

static enum err tell(uint32_t kind, int64_t silence_ms, struct why *why)
{
        const struct keeper_head head = { kind, 0, silence_ms };
        return channel_send(KEEPER, &head, sizeof(head), why);
}

/* What a memory file holds, from its start. */
static enum err add_file(int file, struct buf *message, struct why *why)
{
        char bytes[4096];
        DWORD got = 0;
        OVERLAPPED at = { .Offset = 0 };
        while (ReadFile(wide_handle(file), bytes, sizeof(bytes), &got, &at) && got) {
                buf_add(message, bytes, got);
                at.Offset += got;
        }
        return GetLastError() == ERROR_HANDLE_EOF ? buf_check(message, why) : WIN_FAIL(why, GetLastError(), "what is to be handed over");
}

static enum err ask(const struct handover *handover, struct keeper_answer *ret_answer, struct why *why)
{
        OWN(buf) struct buf message;
        struct keeper_head head = { .kind = KEEPER_GO };
        size_t length = 0;
        buf_init(&message, KEEPER_MESSAGE_MAX);
        for (size_t i = 0; handover->argv[i]; i++)
                head.words_bytes += (uint32_t)strlen(handover->argv[i]) + 1;
        buf_add(&message, &head, sizeof(head));
        for (size_t i = 0; handover->argv[i]; i++)
                buf_add(&message, handover->argv[i], strlen(handover->argv[i]) + 1);
        enum err e = add_file(handover->files[0], &message, why);
        if (!e)
                e = channel_send(KEEPER, message.bytes, message.length, why);
        if (!e)
                e = channel_receive(KEEPER, ret_answer, sizeof(*ret_answer), &length, why);
        if (!e && (length != sizeof(*ret_answer) || ret_answer->head.kind != KEEPER_ANSWER))
                e = FAIL(why, ERR_IO, "the keeper says what this agent does not understand");
        ret_answer->text[KEEPER_TEXT_BYTES - 1] = 0;
        return e;
}

static enum err error_of(uint32_t fault)
{
        static const enum err errors[] = { [KEEPER_MISSING] = ERR_NOT_FOUND, [KEEPER_BARRED] = ERR_REFUSED, [KEEPER_NO_PROGRAM] = ERR_CONTENT, [KEEPER_LATER] = ERR_UNAVAILABLE };
        return fault < sizeof(errors) / sizeof(errors[0]) ? errors[fault] : ERR_UNAVAILABLE;
}

enum err handover_to(const struct handover *handover, struct why *why)
{
        struct keeper_answer answer;
        enum err e = ask(handover, &answer, why);
        if (!e && answer.fault != KEEPER_WELL)
                e = FAIL(why, error_of(answer.fault), "%s", answer.text);
        if (e)
                return DURING(why, e, "going on as %.200s", handover->argv[0]);
        if (handover->leave)
                handover->leave(handover->user);
        (void)fflush(NULL);
        _exit(0);
}

static bool is_kept(void)
{
        return pair_is_socket(KEEPER);
}

enum err handover_receive(const char *number, void *bytes, size_t length, bool *ret_is_handed, struct why *why)
{
        char message[KEEPER_MESSAGE_MAX];
        struct keeper_head head = { 0 };
        size_t got = 0;
        if (!is_kept())
                return FAIL(why, ERR_USAGE, "--handed %.20s: no keeper; only one that starts an agent says this", number);
        enum err e = channel_receive(KEEPER, message, sizeof(message), &got, why);
        if (!e && got >= sizeof(head))
                memcpy(&head, message, sizeof(head));
        if (!e && head.kind != KEEPER_HANDED)
                e = FAIL(why, ERR_SYNTAX, "the keeper says what this agent does not understand");
        if (e)
                return e;
        got -= sizeof(head);
        if (got && got != length)
                return FAIL(why, got > length ? ERR_LIMIT : ERR_SYNTAX, "what was handed over has %zu bytes, not %zu", got, length);
        memcpy(bytes, message + sizeof(head), got);
        *ret_is_handed = got;
        return OK;
}

bool handover_take(int file)
{
        return file == KEEPER_BEAT && is_kept();
}

/* What the agent before this one has started went with it. */
bool handover_is_child(int pid)
{
        (void)pid;
        return false;
}

enum err handover_watch(int64_t silence_ms, int *ret_beat, struct child *ret_watcher, struct why *why)
{
        enum err e = is_kept() ? tell(KEEPER_WATCH, silence_ms, why) : FAIL(why, ERR_UNAVAILABLE, "nobody keeps this agent");
        if (e)
                return e;
        *ret_beat = KEEPER_BEAT;
        *ret_watcher = (struct child){ 0 };
        return OK;
}

/* A keeper that does not read has enough of them. */
void handover_beat(int beat)
{
        struct why why;
        if (beat == KEEPER_BEAT && pair_wait(KEEPER, true, 0))
                (void)!tell(KEEPER_LIVES, 0, &why);
}

void handover_unwatch(int beat, struct child *watcher)
{
        struct why why;
        (void)watcher;
        if (beat == KEEPER_BEAT)
                (void)!tell(KEEPER_UNWATCH, 0, &why);
}
