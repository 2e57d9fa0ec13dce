#include "trust/word.h"

#include "base/limits.h"

#include <string.h>

static bool is_alnum(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool word_is_name(const char *text)
{
        size_t length = strlen(text);
        if (!length || length > LIMIT_NAME_BYTES || !is_alnum(text[0]))
                return false;
        for (size_t i = 0; i < length; i++)
                if (!is_alnum(text[i]) && !strchr("._+-", text[i]))
                        return false;
        return true;
}

static bool is_component(const char *text, size_t length)
{
        for (size_t i = 0; i < length; i++)
                if (!is_alnum(text[i]) && !strchr("._+@-", text[i]))
                        return false;
        bool is_dots = (length == 1 && text[0] == '.') || (length == 2 && text[0] == '.' && text[1] == '.');
        return length && !is_dots;
}

bool word_is_path(const char *text)
{
        if (strlen(text) > LIMIT_PATH_BYTES)
                return false;
        for (;;) {
                size_t length = strcspn(text, "/");
                if (!is_component(text, length))
                        return false;
                if (!text[length])
                        return true;
                text += length + 1;
        }
}

bool word_is_device(const char *text)
{
        return strlen(text) == 32 && strspn(text, "0123456789abcdef") == 32;
}

bool word_number(const char *text, uint64_t *ret_number)
{
        uint64_t number = 0;
        size_t length = strlen(text);
        if (!length || length > 19 || (length > 1 && text[0] == '0'))
                return false;
        for (size_t i = 0; i < length; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return false;
                number = number * 10 + (uint64_t)(text[i] - '0');
        }
        if (number > INT64_MAX)
                return false;
        *ret_number = number;
        return true;
}
