#include "cli/log_line.h"

#include "base/text.h"
#include "cli/print.h"
#include "format/hex.h"
#include "format/json.h"
#include "log/logged.h"

#include <inttypes.h>
#include <string.h>

enum { SHOWN_BYTES = 160, SHOWN_BYTES_MAX = 4 * SHOWN_BYTES };     /* of an unknown text; a byte that is no UTF-8 becomes three */

/* As UTF-8 without NUL, cut. */
static void add_unknown(const struct entry *entry, struct buf *into)
{
        char text[SHOWN_BYTES + 1] = "";
        size_t length = entry->length < SHOWN_BYTES ? entry->length : SHOWN_BYTES;
        for (size_t i = 0; i < length; i++)
                text[i] = entry->bytes[i] ? (char)entry->bytes[i] : '?';
        text_add_utf8(text, into);
        buf_add_text(into, entry->length > length ? "..." : "");
}

void log_line(uint64_t index, const struct entry *entry, struct buf *into)
{
        struct logged logged;
        char digest[65];
        if (!logged_parse(entry->bytes, entry->length, &logged, NULL)) {
                hex_encode(logged.digest, sizeof(logged.digest), digest);
                buf_addf(into, "%" PRIu64 "  %-8s  %s/%" PRIu64 "  %s\n", index, logged_kind_name(logged.kind), logged.name, logged.number, digest);
                return;
        }
        OWN(buf) struct buf text;
        buf_init(&text, SHOWN_BYTES_MAX);
        add_unknown(entry, &text);
        buf_addf(into, "%" PRIu64 "  %-8s  %zu bytes: ", index, "unknown", entry->length);
        print_clean(into, buf_text(&text));
        buf_add_text(into, "\n");
}

struct json *log_line_json(uint64_t index, const struct entry *entry)
{
        struct json *json = json_new_object();
        struct logged logged;
        char digest[65];
        json_set_int(json, "index", (int64_t)index);
        if (!logged_parse(entry->bytes, entry->length, &logged, NULL)) {
                hex_encode(logged.digest, sizeof(logged.digest), digest);
                json_set_text(json, "kind", logged_kind_name(logged.kind));
                json_set_text(json, "name", logged.name);
                json_set_int(json, "number", (int64_t)logged.number);
                json_set_text(json, "digest", digest);
                return json;
        }
        OWN(buf) struct buf text;
        buf_init(&text, SHOWN_BYTES_MAX);
        add_unknown(entry, &text);
        json_set(json, "kind", json_new_null());
        json_set_int(json, "length", (int64_t)entry->length);
        json_set_text(json, "text", buf_text(&text));
        return json;
}
