#include "server/store/call.h"

#include "base/limits.h"
#include "wire/device.h"

#include <assert.h>
#include <string.h>

enum err call_answer_json(struct call *call, int status, struct json *take_json, struct why *why)
{
        OWN(json) struct json *json = take_json;
        if (!json)
                return FAIL(why, ERR_NOMEM, "out of memory");
        call->answer->status = status;
        call->answer->type = "application/json";
        return json_write(json, 0, &call->answer->body, why);
}

void call_answer_text(struct call *call, int status, const char *type, const char *text)
{
        call->answer->status = status;
        call->answer->type = type;
        buf_add_text(&call->answer->body, text);
}

enum err call_name(const struct call *call, unsigned at, char name[65], struct why *why)
{
        const struct route_captures *captures = &call->request->captures;
        assert(at < captures->count && captures->items[at].length <= LIMIT_NAME_BYTES);
        memcpy(name, captures->items[at].bytes, captures->items[at].length);
        name[captures->items[at].length] = 0;
        if (wire_name_check(name, "path", why) != OK)
                return FAIL(why, ERR_NOT_FOUND, "no such thing: names have 1 to 64 of A-Z a-z 0-9 . _ + - and begin with a letter or digit");
        return OK;
}

enum err call_number(const struct call *call, unsigned at, int64_t *ret_number, struct why *why)
{
        char text[65];
        enum err e = call_name(call, at, text, why);
        if (e)
                return e;
        int64_t number = 0;
        size_t length = strlen(text);
        bool is_good = length <= 15 && text[0] != '0';
        for (size_t i = 0; i < length && is_good; i++) {
                is_good = text[i] >= '0' && text[i] <= '9';
                number = number * 10 + (text[i] - '0');
        }
        if (!is_good)
                return FAIL(why, ERR_NOT_FOUND, "no such thing: a release is named STREAM/COUNTER, as edr-rules/4");
        *ret_number = number;
        return OK;
}

enum err call_body(const struct call *call, struct json **ret_json, struct why *why)
{
        const struct store_text *body = &call->request->body;
        enum err e = json_parse(body->bytes ? body->bytes : "", body->length, LIMIT_PUBLISH_BYTES, ret_json, why);
        return e ? DURING(why, e, "body") : OK;
}
