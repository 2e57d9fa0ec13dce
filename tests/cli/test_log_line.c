#include "cli/log_line.h"

#include "format/json.h"
#include "log/logged.h"
#include "support/test.h"

#include <string.h>

static void check_line(const void *bytes, size_t length, const char *line, const char *json_text)
{
        OWN(buf) struct buf text, written;
        const struct entry entry = { bytes, length };
        buf_init(&text, 4096);
        buf_init(&written, 4096);
        log_line(12, &entry, &text);
        OWN(json) struct json *json = log_line_json(12, &entry);
        CHECK(buf_check(&text, NULL) == OK && json_write(json, 0, &written, NULL) == OK);
        if (strcmp(buf_text(&text), line) != 0 || strcmp(buf_text(&written), json_text) != 0)
                printf("# %s# %s\n", buf_text(&text), buf_text(&written));
        CHECK(strcmp(buf_text(&text), line) == 0 && strcmp(buf_text(&written), json_text) == 0);
}

#define DIGEST "abababababababababababababababababababababababababababababababab"

TEST(log_line, says_what_we_know)
{
        for (enum logged_kind kind = 0; kind < LOGGED_KINDS; kind++) {
                OWN(buf) struct buf text;
                struct logged logged = { .kind = kind, .name = "edr-rules", .number = INT64_MAX };
                char line[256], json[512];
                memset(logged.digest, 0xab, sizeof(logged.digest));
                buf_init(&text, LOGGED_BYTES_MAX);
                logged_write(&logged, &text);
                snprintf(line, sizeof(line), "12  %-8s  edr-rules/9223372036854775807  " DIGEST "\n", logged_kind_name(kind));
                snprintf(json, sizeof(json), "{\"index\":12,\"kind\":\"%s\",\"name\":\"edr-rules\",\"number\":9223372036854775807,\"digest\":\"" DIGEST "\"}", logged_kind_name(kind));
                check_line(text.bytes, text.length, line, json);
        }
}

TEST(log_line, shows_what_we_do_not_know_and_lets_it_command_nothing)
{
        check_line("", 0, "12  unknown   0 bytes: \n", "{\"index\":12,\"kind\":null,\"length\":0,\"text\":\"\"}");
        check_line("firebreak log entry v2\nkind party\n", 34, "12  unknown   34 bytes: firebreak log entry v2?kind party?\n",
                   "{\"index\":12,\"kind\":null,\"length\":34,\"text\":\"firebreak log entry v2\\nkind party\\n\"}");
        check_line("a\0\x1b[2J\xff\xe2\x80\xaez", 11, "12  unknown   11 bytes: a??[2J\xef\xbf\xbd?z\n", "{\"index\":12,\"kind\":null,\"length\":11,\"text\":\"a?\\u001b[2J\xef\xbf\xbd\xe2\x80\xaez\"}");
}

TEST(log_line, cuts_a_long_text)
{
        static char bytes[LIMIT_ENTRY_BYTES];
        OWN(buf) struct buf text;
        for (int fill = 'x'; fill <= 0xff; fill += 0xff - 'x') {         /* each 0xff is no UTF-8, and becomes three bytes */
                memset(bytes, fill, sizeof(bytes));
                buf_init(&text, 4096);
                log_line(0, &(struct entry){ (const uint8_t *)bytes, sizeof(bytes) }, &text);
                CHECK(buf_check(&text, NULL) == OK && strstr(buf_text(&text), "65535 bytes: ") && text.length < 600 && strcmp(buf_text(&text) + text.length - 4, "...\n") == 0);
                if (fill == 'x')
                        buf_done(&text);
        }
}
