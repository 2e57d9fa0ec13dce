#include "format/percent.h"

#include <string.h>

size_t percent_byte(char byte, char into[PERCENT_BYTES])
{
        static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.~", digits[] = "0123456789ABCDEF";
        into[0] = memchr(plain, byte, sizeof(plain) - 1) ? byte : '%';
        if (into[0] == byte && byte != '%')
                return 1;
        into[1] = digits[(unsigned char)byte >> 4];
        into[2] = digits[(unsigned char)byte & 15];
        return PERCENT_BYTES;
}
