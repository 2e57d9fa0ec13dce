#include "server/store/call.h"

#include "base/limits.h"

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

static bool is_alphanumeric(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

enum err name_check(const char *name, const char *field, struct why *why)
{
        size_t length = strlen(name);
        bool is_good = length >= 1 && length <= LIMIT_NAME_BYTES && is_alphanumeric(name[0]);
        for (size_t i = 1; i < length && is_good; i++)
                is_good = is_alphanumeric(name[i]) || strchr("._+-", name[i]);
        if (!is_good)
                return FAIL(why, ERR_SYNTAX, "%s: a name has 1 to 64 of A-Z a-z 0-9 . _ + - and begins with a letter or digit", field);
        return OK;
}

enum err call_name(const struct call *call, unsigned at, char name[65], struct why *why)
{
        const struct store_text *text = &call->request->captures[at];
        if (!text->bytes || text->length > LIMIT_NAME_BYTES)
                return FAIL(why, ERR_NOT_FOUND, "no such thing: a name in the path is longer than 64 bytes");
        memcpy(name, text->bytes, text->length);
        name[text->length] = 0;
        return name_check(name, "path", why);
}

enum err call_number(const struct call *call, unsigned at, int64_t *ret_number, struct why *why)
{
        const struct store_text *text = &call->request->captures[at];
        int64_t number = 0;
        bool is_good = text->length >= 1 && text->length <= 15 && text->bytes[0] != '0';
        for (size_t i = 0; i < text->length && is_good; i++) {
                is_good = text->bytes[i] >= '0' && text->bytes[i] <= '9';
                number = number * 10 + (text->bytes[i] - '0');
        }
        if (!is_good)
                return FAIL(why, ERR_NOT_FOUND, "no such thing: a release is named STREAM/COUNTER, as edr-rules/4");
        *ret_number = number;
        return OK;
}

enum err call_body(const struct call *call, struct json **ret_json, struct why *why)
{
        const struct store_text *body = &call->request->body;
        enum err e = json_parse(body->bytes ? body->bytes : "", body->length, LIMIT_REQUEST_BYTES, ret_json, why);
        return e ? DURING(why, e, "body") : OK;
}
