#include "agent/refusal.h"

#include "format/json.h"

#include <string.h>

static enum err err_of(const char *code, int status)
{
        for (int e = OK + 1; code && e < ERR_COUNT; e++)
                if (strcmp(err_info((enum err)e)->name, code) == 0)
                        return (enum err)e;
        for (int e = OK + 1; e < ERR_COUNT; e++)
                if (err_info((enum err)e)->http == status)
                        return (enum err)e;
        return status >= 500 ? ERR_UNAVAILABLE : ERR_REFUSED;
}

/* One line; it goes to a terminal. */
static void take_line(const char *from, char *line, size_t size)
{
        snprintf(line, size, "%.*s", (int)strcspn(from, "\r\n"), from);
        for (char *at = line; *at; at++)
                if ((unsigned char)*at < ' ' || *at == 127)
                        *at = ' ';
}

enum err refusal_read(int status, const struct buf *body, struct why *why)
{
        OWN(json) struct json *problem = NULL;
        const char *code = NULL, *detail = NULL;
        char line[WHY_TEXT_MAX];
        if (json_parse(buf_text(body), body->length, body->length, &problem, NULL) == OK) {
                code = json_text(json_get(problem, "code"));
                detail = json_text(json_get(problem, "detail"));
        } else if (buf_text(body)[0] != '<') {   /* no page that some proxy made */
                detail = buf_text(body);
        }
        enum err e = err_of(code, status);
        take_line(detail ? detail : "", line, sizeof(line));
        if (!line[0])
                return FAIL(why, e, "it answered with status %d and no reason; is this a firebreak server?", status);
        return FAIL(why, e, "%s", line);
}
