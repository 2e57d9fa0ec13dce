/* Whatever stands in a log, an entry is one line of UTF-8 that does not command the terminal, and a document of JSON. */
#include "base/text.h"
#include "cli/log_line.h"
#include "format/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        const struct entry entry = { bytes, length };
        OWN(buf) struct buf line, text;
        buf_init(&line, 4096);
        buf_init(&text, 1 << 16);
        log_line(length, &entry, &line);
        OWN(json) struct json *json = log_line_json(length, &entry);
        if (buf_check(&line, NULL) || !line.length || strcspn(buf_text(&line), "\n") != line.length - 1 || !text_is_utf8(buf_text(&line), line.length) || json_write(json, 0, &text, NULL))
                abort();
        for (size_t i = 0; i + 1 < line.length; i++)
                if ((unsigned char)line.bytes[i] < 0x20)
                        abort();
        return 0;
}
