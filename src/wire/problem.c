#include "wire/problem.h"

#include "base/text.h"

#include <stddef.h>

static const struct {
        int status;
        const char *title;
} titles[] = {
        { 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" }, { 206, "Partial Content" }, { 304, "Not Modified" },
        { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
        { 408, "Request Timeout" }, { 409, "Conflict" }, { 411, "Length Required" }, { 412, "Precondition Failed" },
        { 413, "Content Too Large" }, { 414, "URI Too Long" }, { 415, "Unsupported Media Type" }, { 416, "Range Not Satisfiable" },
        { 417, "Expectation Failed" }, { 422, "Unprocessable Content" }, { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" }, { 501, "Not Implemented" },
        { 503, "Service Unavailable" }, { 504, "Gateway Timeout" }, { 505, "HTTP Version Not Supported" }, { 507, "Insufficient Storage" },
};

const char *problem_title(int status)
{
        for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
                if (titles[i].status == status)
                        return titles[i].title;
        return "Error";
}

void problem_write_status(int status, enum err e, const char *detail, struct buf *into)
{
        buf_add_text(into, "{\"type\":\"about:blank\",\"title\":");
        text_quote(problem_title(status), into);
        buf_addf(into, ",\"status\":%d,\"detail\":", status);
        text_quote(detail, into);
        buf_add_text(into, ",\"code\":");
        text_quote(err_info(e)->name, into);
        buf_add_text(into, "}");
}

void problem_write(enum err e, const struct why *why, struct buf *into)
{
        problem_write_status(err_info(e)->http, e, why && why->text[0] ? why->text : err_info(e)->text, into);
}
