#include "format/percent.h"

#include "support/test.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

TEST(percent, escapes_all_but_what_a_url_may_have_anywhere)
{
        for (int byte = 0; byte < 256; byte++) {
                char into[4] = "", expected[8];
                bool is_plain = byte < 128 && byte && (isalnum(byte) || strchr("_-.~", byte));
                snprintf(expected, sizeof(expected), is_plain ? "%c" : "%%%02X", byte);
                CHECK(percent_byte((char)byte, into) == strlen(expected) && memcmp(into, expected, strlen(expected)) == 0);
        }
}
