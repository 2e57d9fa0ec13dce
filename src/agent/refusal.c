#include "agent/refusal.h"

#include "format/json.h"

#include <string.h>

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
        enum err e = err_from_http(code, status);
        take_line(detail ? detail : "", line, sizeof(line));
        if (!line[0])
                return FAIL(why, e, "it answered with status %d and no reason; is this a firebreak server?", status);
        return FAIL(why, e, "%s", line);
}
