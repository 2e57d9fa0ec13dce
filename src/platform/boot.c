#include "platform/boot.h"

#include "base/buf.h"
#include "platform/file.h"

uint32_t boot_number(void)
{
        OWN(buf) struct buf text;
        buf_init(&text, 128);
        struct why why;
        uint32_t number = 0;
        if (file_read("/proc/sys/kernel/random/boot_id", &text, &why))
                return 0;
        for (const char *at = buf_text(&text); *at; at++)
                number = number * 31 + (unsigned char)*at;
        return number;
}
