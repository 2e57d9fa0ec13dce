#include "cli/print.h"

#include "base/limits.h"
#include "format/json.h"
#include "replay/words.h"

#include <assert.h>
#include <string.h>

/* Bytes of the character that commands a terminal at `text`, or turns the direction of what follows it; 0: it does neither. */
static size_t command_length(const char *text)
{
        static const struct { const char *first; unsigned char last; } ranges[] = {      /* first, and the last byte of the last */
                { "\xc2\x80", 0x9f },                    /* C1 */
                { "\xd8\x9c", 0x9c },                    /* U+061C, Arabic letter mark */
                { "\xe2\x80\x8e", 0x8f },                /* U+200E and U+200F: direction marks */
                { "\xe2\x80\xaa", 0xae },                /* U+202A to U+202E: embeddings and overrides */
                { "\xe2\x81\xa6", 0xa9 },                /* U+2066 to U+2069: isolates */
        };
        if ((unsigned char)text[0] < 0x20 || text[0] == 0x7f)
                return 1;
        for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
                size_t last = strlen(ranges[i].first) - 1;
                unsigned char c = strncmp(text, ranges[i].first, last) == 0 ? (unsigned char)text[last] : 0;
                if (c >= (unsigned char)ranges[i].first[last] && c <= ranges[i].last)
                        return last + 1;
        }
        return 0;
}

void print_clean(struct buf *into, const char *text)
{
        if (!text)
                text = "-";
        while (*text) {
                size_t length = command_length(text);
                buf_add(into, length ? "?" : text, 1);
                text += length ? length : 1;
        }
}

/* Bytes of `text` that go into a line: to the last blank that fits, within a word only when it is longer than a line. */
static size_t line_length(const char *text, unsigned columns)
{
        size_t length = 0, blank = 0;
        for (unsigned used = 0; text[length]; length++) {
                used += ((unsigned char)text[length] & 0xc0) != 0x80;
                if (used > columns)
                        return blank && text[length] != ' ' ? blank : length;
                if (text[length] == ' ')
                        blank = length;
        }
        return length;
}

void print_wrapped(struct buf *into, const char *text, unsigned columns, unsigned indent)
{
        enum { COLUMNS_UNKNOWN = 80 };
        columns = columns ? columns : COLUMNS_UNKNOWN;
        unsigned before = 0;
        do {
                size_t length = line_length(text, columns - before);
                buf_addf(into, "%*s", (int)before, "");
                buf_add(into, text, length);
                buf_add_text(into, "\n");
                text += length + strspn(text + length, " ");
                before = columns > indent ? indent : 0;
        } while (*text);
}

void print_coloured(struct buf *into, bool is_colour, enum colour colour, const char *text)
{
        static const char *const codes[] = { [PLAIN] = "", [BOLD] = "1", [GREEN] = "32", [YELLOW] = "33", [RED] = "31", [DIM] = "2" };
        if (is_colour && colour != PLAIN)
                buf_addf(into, "\x1b[%sm", codes[colour]);
        print_clean(into, text);
        if (is_colour && colour != PLAIN)
                buf_add_text(into, "\x1b[0m");
}

enum colour state_colour(const char *state)
{
        static const struct {
                const char *word;
                enum colour colour;
        } words[] = {
                { "complete", GREEN },  { "watched", GREEN },    { "PASS", GREEN },        { "GO", GREEN },     { "open", GREEN },
                { "holding", YELLOW },  { "superseded", DIM },   { "cancelled", DIM },     { "UNKNOWN", YELLOW }, { "ERROR", YELLOW },
                { "halted", RED },      { "withdrawn", RED },    { "rolling_back", RED },  { "HALT", RED },     { "FAIL", RED },
                { "MISS", YELLOW },     { "closed", RED },
        };
        for (size_t i = 0; state && i < sizeof(words) / sizeof(words[0]); i++)
                if (strcmp(words[i].word, state) == 0)
                        return words[i].colour;
        return PLAIN;
}

void print_span(struct buf *into, int64_t seconds)
{
        words_span(into, seconds < 0 ? 0 : seconds);
}

void print_bytes(struct buf *into, uint64_t bytes)
{
        static const char *const units[] = { "bytes", "KB", "MB", "GB", "TB" };
        unsigned unit = 0;
        uint64_t tenths = bytes * 10;
        for (; tenths >= 10000 && unit < 4; unit++)
                tenths /= 1000;
        if (unit)
                buf_addf(into, "%llu.%llu %s", (unsigned long long)(tenths / 10), (unsigned long long)(tenths % 10), units[unit]);
        else
                buf_addf(into, "%llu bytes", (unsigned long long)bytes);
}

const struct json *print_field(const struct json *object, const char *path)
{
        char key[64];
        const char *dot = strchr(path, '.');
        if (!dot)
                return json_get(object, path);
        snprintf(key, sizeof(key), "%.*s", (int)(dot - path), path);
        return print_field(json_get(object, key), dot + 1);
}

static void add_list(struct buf *into, const struct json *value)
{
        if (!json_count(value))
                buf_add_text(into, "-");
        for (size_t i = 0; i < json_count(value); i++) {
                if (i)
                        buf_add_text(into, ",");
                print_value(into, json_at(value, i));
        }
}

/* {"os":"debian"} as os=debian: attributes. */
static void add_members(struct buf *into, const struct json *value)
{
        if (!json_count(value))
                buf_add_text(into, "-");
        for (size_t i = 0; i < json_count(value); i++) {
                if (i)
                        buf_add_text(into, ",");
                print_clean(into, json_key_at(value, i));
                buf_add_text(into, "=");
                print_value(into, json_value_at(value, i));
        }
}

void print_value(struct buf *into, const struct json *value)
{
        switch (value ? json_type(value) : JSON_NULL) {
        case JSON_TEXT:
                print_clean(into, json_text(value)[0] ? json_text(value) : "-");
                break;
        case JSON_INT:
                buf_addf(into, "%lld", (long long)json_int(value, 0));
                break;
        case JSON_BOOL:
                buf_add_text(into, json_bool(value, false) ? "yes" : "no");
                break;
        case JSON_ARRAY:
                add_list(into, value);
                break;
        case JSON_OBJECT:
                add_members(into, value);
                break;
        case JSON_NULL:
                buf_add_text(into, "-");
                break;
        }
}

void print_share(struct buf *into, int64_t ppm)
{
        char digits[32];
        snprintf(digits, sizeof(digits), "%lld.%04lld", (long long)(ppm / 10000), (long long)(ppm < 0 ? 0 : ppm % 10000));
        size_t length = strlen(digits);
        while (digits[length - 1] == '0')
                length--;
        length -= digits[length - 1] == '.';
        buf_addf(into, "%.*s%%", (int)length, digits);
}

void print_ceiling(struct buf *into, const struct json *steps)
{
        if (!json_count(steps))
                print_value(into, NULL);
        for (size_t i = 0; i < json_count(steps); i++) {
                buf_add_text(into, i ? ", " : "");
                print_share(into, json_int(json_get(json_at(steps, i), "ppm"), 0));
                buf_add_text(into, " after ");
                print_span(into, json_int(json_get(json_at(steps, i), "after_s"), 0));
        }
}

void print_ago(struct buf *into, const struct json *time, int64_t now)
{
        if (json_int(time, 0) <= 0) {
                print_value(into, NULL);
                return;
        }
        print_span(into, now - json_int(time, 0));
        buf_add_text(into, " ago");
}

void print_seconds(struct buf *into, const struct json *seconds, int64_t now)
{
        (void)now;
        words_span(into, json_int(seconds, -1));
}

void print_count(struct buf *into, const struct json *count, int64_t now)
{
        (void)now;
        words_count(into, json_int(count, -1));
}

void print_streams(struct buf *into, const struct json *streams, int64_t now)
{
        (void)now;
        if (!json_count(streams))
                print_value(into, NULL);
        for (size_t i = 0; i < json_count(streams); i++) {
                int64_t running = json_int(json_get(json_value_at(streams, i), "running"), 0);
                buf_add_text(into, i ? ", " : "");
                print_clean(into, json_key_at(streams, i));
                if (running > 0)
                        buf_addf(into, ": runs %lld", (long long)running);
                else
                        buf_add_text(into, ": runs none");
        }
}

static void cell(struct buf *into, const struct table *table, size_t column, const struct json *row)
{
        const struct json *value = print_field(row, table->columns[column].field);
        if (table->columns[column].as)
                table->columns[column].as(into, value, table->now);
        else
                print_value(into, value);
}

/* Columns that people see, not bytes: continuation bytes take no room. */
static size_t width_of(const char *text)
{
        size_t width = 0;
        for (; *text; text++)
                width += ((unsigned char)*text & 0xc0) != 0x80;
        return width;
}

enum { COLUMNS_MAX = 16 };

struct layout {
        size_t widths[COLUMNS_MAX];
        bool is_number[COLUMNS_MAX];      /* some row has a number there: the column is set to the right */
};

static void measure(const struct table *table, const struct json *rows, struct layout *layout, struct buf *scratch)
{
        for (size_t c = 0; c < table->column_count; c++)
                layout->widths[c] = strlen(table->columns[c].title);
        for (size_t r = 0; r < json_count(rows); r++)
                for (size_t c = 0; c < table->column_count; c++) {
                        const struct json *value = print_field(json_at(rows, r), table->columns[c].field);
                        buf_clear(scratch);
                        cell(scratch, table, c, json_at(rows, r));
                        size_t width = width_of(buf_text(scratch));
                        layout->widths[c] = width > layout->widths[c] ? width : layout->widths[c];
                        layout->is_number[c] = layout->is_number[c] || (value && json_type(value) == JSON_INT);
                }
}

static void add_cell(struct buf *into, const struct layout *layout, size_t column, const char *text)
{
        int gap = (int)(layout->widths[column] - width_of(text));
        bool is_right = layout->is_number[column];
        buf_addf(into, "%*s%s%*s", is_right ? gap : 0, "", text, is_right ? 0 : gap, "");
}

/* Ends a row; no blanks are left at its end. */
static void end_row(struct buf *into)
{
        while (into->length && into->bytes[into->length - 1] == ' ')
                into->bytes[--into->length] = '\0';
        buf_add_text(into, "\n");
}

enum err print_table(const struct table *table, const struct json *rows, struct buf *into, struct why *why)
{
        assert(table->column_count <= COLUMNS_MAX);
        struct layout layout = { 0 };
        OWN(buf) struct buf scratch;
        buf_init(&scratch, LIMIT_REQUEST_BYTES);
        if (json_count(rows) == 0) {
                buf_add_text(into, "none\n");
                return buf_check(into, why);
        }
        measure(table, rows, &layout, &scratch);
        for (size_t c = 0; c < table->column_count; c++) {
                buf_add_text(into, c ? "  " : "");
                add_cell(into, &layout, c, table->columns[c].title);
        }
        end_row(into);
        for (size_t r = 0; r < json_count(rows); r++) {
                for (size_t c = 0; c < table->column_count; c++) {
                        buf_clear(&scratch);
                        cell(&scratch, table, c, json_at(rows, r));
                        buf_add_text(into, c ? "  " : "");
                        add_cell(into, &layout, c, buf_text(&scratch));
                }
                end_row(into);
        }
        enum err e = buf_check(&scratch, why);
        return e ? e : buf_check(into, why);
}

enum err print_buf(struct cli *cli, const struct buf *text, struct why *why)
{
        enum err e = buf_check(text, why);
        if (e)
                return e;
        if (fwrite(buf_text(text), 1, text->length, cli->out) != text->length || fflush(cli->out) != 0)
                return FAIL(why, ERR_IO, "the output could not be written; is the disk full, or the reader gone?");
        return OK;
}

enum err print_json(struct cli *cli, const struct json *json, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, 64 << 20);         /* a list that was itself fetched under a ceiling */
        enum err e = json_write(json, 2, &text, why);
        if (e)
                return e;
        buf_add_text(&text, "\n");
        return print_buf(cli, &text, why);
}
