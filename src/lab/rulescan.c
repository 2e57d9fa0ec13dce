#include "lab/rulescan.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_NUMBER, TOKEN_QUOTED, TOKEN_REGEX, TOKEN_HEX, TOKEN_MARK };

struct token {
        enum token_kind kind;
        const char *start;
        size_t length;
        unsigned line;
};

struct reader {
        const char *at, *end;
        unsigned line;
        struct token now, before;        /* `before` tells a regular expression from a division */
};

enum { SHAPE_MAX = 3 };          /* words of the longest condition that matches all: filesize > 0 */

struct condition {
        struct token first[SHAPE_MAX];
        size_t count;                    /* of its tokens, brackets left out */
        bool has_or_true;
};

static bool is_word_byte(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_text(const struct token *token, const char *text)
{
        return token->length == strlen(text) && memcmp(token->start, text, token->length) == 0;
}

static void step(struct reader *reader)
{
        reader->line += *reader->at == '\n';
        reader->at++;
}

static bool is_at(const struct reader *reader, const char *two)
{
        return reader->end - reader->at >= 2 && reader->at[0] == two[0] && reader->at[1] == two[1];
}

static void skip_comment(struct reader *reader)
{
        bool is_line = reader->at[1] == '/';
        step(reader);
        step(reader);
        while (reader->at < reader->end && !(is_line ? *reader->at == '\n' : is_at(reader, "*/")))
                step(reader);
        if (!is_line && reader->at < reader->end) {
                step(reader);
                step(reader);
        }
}

static void skip_blank(struct reader *reader)
{
        while (reader->at < reader->end) {
                if (is_at(reader, "//") || is_at(reader, "/*"))
                        skip_comment(reader);
                else if (strchr(" \t\r\n", *reader->at) && *reader->at)
                        step(reader);
                else
                        return;
        }
}

/* To the closing byte, a backslash hiding the one behind it; a text or expression ends with its line at the latest. */
static void read_closed(struct reader *reader, char close)
{
        step(reader);
        while (reader->at < reader->end && *reader->at != close && *reader->at != '\n') {
                if (*reader->at == '\\' && reader->end - reader->at >= 2)
                        step(reader);
                step(reader);
        }
        if (reader->at < reader->end)
                step(reader);
}

static void read_hex(struct reader *reader)
{
        while (reader->at < reader->end && *reader->at != '}') {
                if (is_at(reader, "//") || is_at(reader, "/*"))
                        skip_comment(reader);
                else
                        step(reader);
        }
        if (reader->at < reader->end)
                step(reader);
}

static enum token_kind read_token(struct reader *reader)
{
        char c = *reader->at;
        bool is_after_equals = is_text(&reader->before, "=");
        if (c == '"')
                return read_closed(reader, '"'), TOKEN_QUOTED;
        if (c == '/' && (is_after_equals || is_text(&reader->before, "matches") || is_text(&reader->before, "(") || is_text(&reader->before, ",")))
                return read_closed(reader, '/'), TOKEN_REGEX;
        if (c == '{' && is_after_equals)
                return read_hex(reader), TOKEN_HEX;
        if (!is_word_byte(c))
                return step(reader), TOKEN_MARK;
        while (reader->at < reader->end && is_word_byte(*reader->at))
                step(reader);
        return c >= '0' && c <= '9' ? TOKEN_NUMBER : TOKEN_WORD;
}

static bool next(struct reader *reader)
{
        reader->before = reader->now;
        skip_blank(reader);
        reader->now = (struct token){ .start = reader->at, .line = reader->line };
        if (reader->at < reader->end)
                reader->now.kind = read_token(reader);
        reader->now.length = (size_t)(reader->at - reader->now.start);
        return reader->now.kind != TOKEN_END;
}

/* 0x10, 10, 10KB, 10MB; the largest there is when it is more than that. */
static uint64_t number_of(const struct token *token)
{
        bool is_hex = token->length > 2 && (token->start[1] == 'x' || token->start[1] == 'X');
        uint64_t value = 0, base = is_hex ? 16 : 10;
        for (size_t i = is_hex ? 2 : 0; i < token->length; i++) {
                char c = token->start[i];
                uint64_t digit = c <= '9' ? (uint64_t)(c - '0') : (uint64_t)((c | 0x20) - 'a' + 10);
                if (digit >= base)
                        return c == 'K' ? value << 10 : c == 'M' ? value << 20 : value;
                value = value > (UINT64_MAX >> 24) / base ? UINT64_MAX >> 24 : value * base + digit;
        }
        return value;
}

static bool is_always(const struct condition *condition)
{
        static const struct { size_t count; const char *words[SHAPE_MAX]; } shapes[] = {
                { 1, { "true" } }, { 1, { "filesize" } }, { 1, { "1" } }, { 2, { "not", "false" } },
                { 3, { "filesize", ">", "0" } },
        };
        if (condition->has_or_true)
                return true;
        for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
                bool is_same = condition->count == shapes[i].count;
                for (size_t word = 0; is_same && word < shapes[i].count; word++)
                        is_same = shapes[i].words[word] && is_text(&condition->first[word], shapes[i].words[word]);
                if (is_same)
                        return true;
        }
        return false;
}

struct walk {
        struct reader reader;
        rulescan_visit *visit;
        void *user;
};

static void tell(const struct walk *walk, enum rulescan_kind kind, const struct token *name, unsigned line)
{
        walk->visit(walk->user, &(struct rulescan_event){ kind, line, name->start, name->length });
}

static void add_to_condition(struct walk *walk, struct condition *condition, const struct token *rule)
{
        struct reader *reader = &walk->reader;
        const struct token *now = &reader->now;
        if (is_text(now, "(") || is_text(now, ")"))
                return;
        if (is_text(&reader->before, ".") && now->kind == TOKEN_NUMBER && number_of(now) > RULESCAN_LOOP_MAX)
                tell(walk, RULESCAN_LOOP, rule, now->line);
        condition->has_or_true |= (is_text(now, "true") && is_text(&reader->before, "or")) || (is_text(now, "or") && is_text(&reader->before, "true"));
        if (condition->count < SHAPE_MAX)
                condition->first[condition->count] = *now;
        condition->count++;
}

/* From behind the rule's name to its closing brace. */
static void read_rule(struct walk *walk, const struct token *rule)
{
        struct reader *reader = &walk->reader;
        struct condition condition = { 0 };
        bool is_open = false, in_condition = false;
        while (next(reader)) {
                if (is_text(&reader->now, "}"))
                        break;
                if (in_condition)
                        add_to_condition(walk, &condition, rule);
                is_open |= is_text(&reader->now, "{");
                in_condition |= is_open && is_text(&reader->now, ":") && is_text(&reader->before, "condition");
        }
        if (is_always(&condition))
                tell(walk, RULESCAN_MATCH_ALL, rule, rule->line);
}

void rulescan(const char *text, size_t length, rulescan_visit *visit, void *user)
{
        struct walk walk = { { .at = text, .end = text + length, .line = 1, .now = { .start = text }, .before = { .start = text } }, visit, user };
        struct reader *reader = &walk.reader;
        while (next(reader)) {
                if (is_text(&reader->before, "include") && reader->now.kind == TOKEN_QUOTED)
                        tell(&walk, RULESCAN_INCLUDE, &reader->now, reader->now.line);
                if (!is_text(&reader->before, "rule") || reader->now.kind != TOKEN_WORD)
                        continue;
                struct token rule = reader->now;
                tell(&walk, RULESCAN_RULE, &rule, rule.line);
                read_rule(&walk, &rule);
        }
}
