#include "agent/goodbye.h"

#include "platform/channel.h"

#include <stdlib.h>
#include <string.h>

/* What was heard: `err` of the exchange, then its status. */
struct heard { bool is_answered; enum err err; int status; char text[200]; };

static void hear(void *user, enum err e, const struct fetch_answer *answer)
{
        struct heard *heard = user;
        heard->is_answered = true;
        heard->err = e;
        heard->status = answer ? answer->status : 0;
        snprintf(heard->text, sizeof(heard->text), "%.199s", answer ? answer->text : "the fetcher ended");
}

static int64_t left_ms(const struct goodbye *goodbye)
{
        return goodbye->until_ms - goodbye->clock->ops->steady_ms(goodbye->clock);
}

static enum err post(const struct goodbye *goodbye, const char *body, struct heard *heard, struct why *why)
{
        enum err e = OK;
        *heard = (struct heard){ .is_answered = false };
        caller_post(goodbye->caller, &(struct caller_post){ "/v1/goodbyes", body, FETCH_ACK, true }, hear, heard);
        while (!e && !heard->is_answered && left_ms(goodbye) > 0) {
                const int file = caller_file(goodbye->caller);
                bool is_ready = false;
                e = channel_wait(&file, 1, left_ms(goodbye), &is_ready, why);
                if (!e && is_ready)
                        caller_take(goodbye->caller);
        }
        caller_forget(goodbye->caller, heard);
        if (!e && !heard->is_answered)
                e = FAIL(why, ERR_TIMEOUT, "nobody answered in time");
        return e;
}

enum err goodbye_say(const struct goodbye *goodbye, struct why *why)
{
        struct heard heard;
        OWN(buf) struct buf body;
        buf_init(&body, LIMIT_DEVICE_REQUEST_BYTES - 1);
        wire_goodbye_write(goodbye->body, &body);
        enum err e = buf_check(&body, why);
        if (!e)
                e = post(goodbye, buf_text(&body), &heard, why);
        if (!e && !heard.err && fetch_is_refused(heard.status))
                e = post(goodbye, buf_text(&body), &heard, why);
        if (e)
                return e;
        if (heard.err)
                return FAIL(why, heard.err, "%s", heard.text);
        return heard.status == 200 ? OK : FAIL(why, ERR_REFUSED, "the server answered %s", heard.text);
}

/* The final targets of systemd that a machine can be on its way to: what has a job is to come. */
static const struct { const char *target; enum wire_goodbye_kind kind; } ways[] = {
        { "reboot.target", WIRE_GOODBYE_REBOOT },     { "kexec.target", WIRE_GOODBYE_REBOOT },   { "soft-reboot.target", WIRE_GOODBYE_REBOOT },
        { "poweroff.target", WIRE_GOODBYE_SHUTDOWN }, { "halt.target", WIRE_GOODBYE_SHUTDOWN },
};
enum { WAYS = sizeof(ways) / sizeof(ways[0]) };
const char *const goodbye_targets[] = { "reboot.target", "kexec.target", "soft-reboot.target", "poweroff.target", "halt.target", NULL };

static size_t way_of(const char *line, size_t length)
{
        size_t at = 0;
        while (at < WAYS && (strlen(ways[at].target) + 3 != length || memcmp(line, "Id=", 3) != 0 || memcmp(line + 3, ways[at].target, length - 3) != 0))
                at++;
        return at;
}

/* One block of lines a target, an empty line between them, in any order; a target without a job has no line for it, or one of 0. */
enum err goodbye_stop_read(const char *text, struct goodbye_stop *ret_stop, struct why *why)
{
        struct goodbye_stop stop = { .is_stopping = false };
        size_t at = WAYS, length;
        bool is_known = false, has_job = false;
        for (const char *line = text; *line; line += length + (line[length] == '\n')) {
                length = strcspn(line, "\n");
                if (!length) {
                        at = WAYS;
                        has_job = false;
                } else if (strncmp(line, "Job=", 4) == 0) {
                        has_job = strtoul(line + 4, NULL, 10) > 0;
                } else if (way_of(line, length) < WAYS) {
                        at = way_of(line, length);
                        is_known = true;
                }
                if (at < WAYS && has_job && !stop.is_stopping)
                        stop = (struct goodbye_stop){ true, ways[at].kind };
        }
        if (!is_known)
                return FAIL(why, ERR_SYNTAX, "systemctl says `%.*s`", (int)strcspn(text, "\n"), text);
        *ret_stop = stop;
        return OK;
}
