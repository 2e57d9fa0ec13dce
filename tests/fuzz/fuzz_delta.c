/* A delta from a stranger, as the device reads it: its head, then each segment against a base of ours. What comes out has the length that was asked for. */
#include "base/mem.h"
#include "delta/code.h"

#include <assert.h>
#include <string.h>

enum { BASE_BYTES = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void expand(const char *at, const struct delta_form *form, const char *base)
{
        static const size_t lengths[] = { 0, 1, 300, 65536 };
        OWN(memory) void *out = mem_new(65536, 1);
        assert(out);
        for (size_t i = 0; i < form->count && i < 8; i++) {
                for (size_t j = 0; j < sizeof(lengths) / sizeof(lengths[0]); j++)
                        (void)!delta_expand((struct delta_bytes){ base, j ? BASE_BYTES : 0 }, (struct delta_bytes){ at, form->packed[i] }, out, lengths[j], NULL);
                at += form->packed[i];
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        static struct delta_form form;
        char base[BASE_BYTES];
        size_t head = 0;
        for (size_t i = 0; i < sizeof(base); i++)
                base[i] = (char)(i * 31 ^ i >> 3);
        if (length < DELTA_HEAD_BYTES || delta_form_length((const char *)bytes, &head, NULL) != OK || head > length)
                return 0;
        if (delta_form_read((const char *)bytes, head, length, &form, NULL) != OK)
                return 0;
        OWN(buf) struct buf again;
        buf_init(&again, DELTA_FORM_BYTES_MAX);
        delta_form_write(&form, &again);
        assert(again.length == head && memcmp(again.bytes, bytes, head) == 0);
        expand((const char *)bytes + head, &form, base);
        return 0;
}
