#include "agent/murmur.h"

#include "platform/channel.h"

#include <inttypes.h>
#include <stdio.h>

enum err murmur_open(struct murmur *murmur, struct why *why)
{
        int ends[2] = { -1, -1 };
        enum err e = channel_pipe(ends, why);
        *murmur = (struct murmur){ .read_end = ends[0], .write_end = ends[1] };
        return e;
}

void murmur_close(struct murmur *murmur)
{
        channel_close(murmur->read_end);
        channel_close(murmur->write_end);
        murmur->read_end = murmur->write_end = -1;
}

static void say_lost(struct murmur *murmur, murmur_say *say, void *user)
{
        char text[64];
        snprintf(text, sizeof(text), "(%" PRIu64 " lines more were left out)", murmur->lost);
        murmur->lost = 0;
        say(user, text);
}

static void end_line(struct murmur *murmur, int64_t now_ms, murmur_say *say, void *user)
{
        if (murmur->second != now_ms / 1000) {
                murmur->second = now_ms / 1000;
                murmur->said = 0;
        }
        murmur->line[murmur->length] = '\0';
        murmur->length = 0;
        if (murmur->said >= MURMUR_LINES_A_SECOND) {
                murmur->lost++;
                return;
        }
        murmur->said++;
        if (murmur->lost)
                say_lost(murmur, say, user);
        if (murmur->line[0])
                say(user, murmur->line);
}

void murmur_take(struct murmur *murmur, int64_t now_ms, murmur_say *say, void *user)
{
        char bytes[4096];
        size_t got = 1, all = 0;
        for (; got && all < MURMUR_BYTES_A_TURN; all += got) {
                got = channel_pipe_take(murmur->read_end, bytes, sizeof(bytes));
                for (size_t i = 0; i < got; i++) {
                        if (bytes[i] == '\n')
                                end_line(murmur, now_ms, say, user);
                        else if (murmur->length < sizeof(murmur->line) - 1)
                                murmur->line[murmur->length++] = bytes[i];
                }
        }
}
