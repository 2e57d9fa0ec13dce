#include "trust/lines.h"

#include "format/hex.h"
#include "trust/word.h"

#include <inttypes.h>
#include <string.h>

enum err lines_fail(const struct lines *lines, const char *claim, struct why *why)
{
        return FAIL(why, ERR_SYNTAX, "%s, line %u: %s", lines->what, lines->number, claim);
}

/* NULL at the end. Every line of a note that was parsed is ended. */
static char *take_line(struct lines *lines)
{
        char *line = lines->at, *newline = line < lines->end ? memchr(line, '\n', (size_t)(lines->end - line)) : NULL;
        lines->number++;
        if (!newline)
                return NULL;
        *newline = 0;
        lines->at = newline + 1;
        return line;
}

enum err lines_first(struct lines *lines, const char *heading, struct why *why)
{
        const char *line = take_line(lines);
        if (!line || strcmp(line, heading) != 0)
                return FAIL(why, ERR_SYNTAX, "%s: does not begin with `%s`", lines->what, heading);
        return OK;
}

bool lines_is_next(const struct lines *lines, const char *word)
{
        size_t length = strlen(word);
        return (size_t)(lines->end - lines->at) > length && memcmp(lines->at, word, length) == 0 && lines->at[length] == ' ';
}

enum err lines_next(struct lines *lines, const char *word, char **ret_value, struct why *why)
{
        bool is_next = lines_is_next(lines, word);
        char *line = take_line(lines);
        if (!line || !is_next)
                return FAIL(why, ERR_SYNTAX, "%s, line %u: not `%s ...`", lines->what, lines->number, word);
        *ret_value = line + strlen(word) + 1;
        return OK;
}

enum err lines_end(struct lines *lines, struct why *why)
{
        if (lines->at == lines->end)
                return OK;
        lines->number++;
        return lines_fail(lines, "more than there should be", why);
}

enum err lines_number(struct lines *lines, const char *word, uint64_t *ret_number, struct why *why)
{
        char *value;
        enum err e = lines_next(lines, word, &value, why);
        if (e)
                return e;
        return word_number(value, ret_number) ? OK : FAIL(why, ERR_SYNTAX, "%s, line %u: %s is not a number", lines->what, lines->number, word);
}

enum err lines_name(struct lines *lines, const char *word, char name[static LIMIT_NAME_BYTES + 1], struct why *why)
{
        char *value;
        enum err e = lines_next(lines, word, &value, why);
        if (e)
                return e;
        if (!word_is_name(value))
                return FAIL(why, ERR_SYNTAX, "%s, line %u: %s is not a name", lines->what, lines->number, word);
        memcpy(name, value, strlen(value) + 1);
        return OK;
}

enum err lines_vkey(struct lines *lines, const char *word, struct vkey *ret_vkey, struct why *why)
{
        char *value;
        enum err e = lines_next(lines, word, &value, why);
        if (!e)
                e = vkey_parse(value, ret_vkey, why);
        return e ? DURING(why, e, "%s, line %u", lines->what, lines->number) : OK;
}

static enum err read_step(struct lines *lines, const char *word, struct ceiling_step *step, struct why *why)
{
        char *value, *share;
        uint64_t after_s, ppm;
        enum err e = lines_next(lines, word, &value, why);
        if (e)
                return e;
        if (!lines_cut(value, &share) || !word_number(value, &after_s) || !word_number(share, &ppm) || ppm > CEILING_ALL_PPM)
                return FAIL(why, ERR_SYNTAX, "%s, line %u: not `%s AFTER_S PPM`", lines->what, lines->number, word);
        *step = (struct ceiling_step){ (int64_t)after_s, (uint32_t)ppm };
        return OK;
}

enum err lines_steps(struct lines *lines, const char *word, struct ceiling *ceiling, struct why *why)
{
        enum err e = OK;
        for (ceiling->count = 0; !e && (!ceiling->count || lines_is_next(lines, word)); ceiling->count++)
                e = ceiling->count < CEILING_STEPS_MAX ? read_step(lines, word, &ceiling->steps[ceiling->count], why)
                                                       : FAIL(why, ERR_LIMIT, "%s: at most %d lines of %s", lines->what, CEILING_STEPS_MAX, word);
        return e;
}

void lines_write_steps(const char *word, const struct ceiling *ceiling, struct buf *into)
{
        for (size_t i = 0; i < ceiling->count; i++)
                buf_addf(into, "%s %" PRId64 " %" PRIu32 "\n", word, ceiling->steps[i].after_s, ceiling->steps[i].ppm);
}

enum err lines_digest(struct lines *lines, const char *word, struct lines_hex into, struct why *why)
{
        char *value;
        enum err e = lines_next(lines, word, &value, why);
        if (!e)
                e = hex_decode(value, into.bytes, into.length, why);
        return e ? DURING(why, e, "%s, line %u: %s", lines->what, lines->number, word) : OK;
}

char *lines_cut(char *value, char **rest)
{
        char *space = strchr(value, ' ');
        if (!space)
                return NULL;
        *space = 0;
        *rest = space + 1;
        return value;
}
