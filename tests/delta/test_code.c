#include "delta/code.h"

#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

enum { BYTES = 300000 };

/* Words in an order that the seed decides. */
static void fill(char *bytes, size_t length, uint32_t seed)
{
        for (size_t i = 0; i < length; i++) {
                seed = seed * 1664525 + 1013904223;
                bytes[i] = "abcdefgh strings"[seed >> 28];
        }
}

struct sample { char *base, *segment, *out; struct buf packed; };

static void sample_open(struct sample *sample)
{
        *sample = (struct sample){ malloc(BYTES), malloc(BYTES), malloc(BYTES + 1), { 0 } };
        CHECK(sample->base && sample->segment && sample->out);
        fill(sample->base, BYTES, 1);
        memcpy(sample->segment, sample->base, BYTES);
        fill(sample->segment + 1000, 50, 2);
        buf_init(&sample->packed, DELTA_PACKED_MAX);
}

static void sample_release(struct sample *sample)
{
        free(sample->base);
        free(sample->segment);
        free(sample->out);
        buf_done(&sample->packed);
}

static struct delta_bytes of(const void *bytes, size_t length) { return (struct delta_bytes){ bytes, length }; }
static struct delta_bytes packed(const struct sample *sample) { return of(sample->packed.bytes, sample->packed.length); }

TEST(delta_code, makes_little_of_a_small_change)
{
        OWN(sample) struct sample it;
        sample_open(&it);
        CHECK(delta_compress(of(it.base, BYTES), of(it.segment, BYTES), &it.packed, NULL) == OK && it.packed.length < 300);
        CHECK(delta_expand(of(it.base, BYTES), packed(&it), it.out, BYTES, NULL) == OK && memcmp(it.out, it.segment, BYTES) == 0);
}

TEST(delta_code, works_without_a_base_and_for_nothing)
{
        OWN(sample) struct sample it;
        sample_open(&it);
        CHECK(delta_compress(of(NULL, 0), of(it.segment, BYTES), &it.packed, NULL) == OK && it.packed.length < BYTES * 3 / 4);
        CHECK(delta_expand(of(NULL, 0), packed(&it), it.out, BYTES, NULL) == OK && memcmp(it.out, it.segment, BYTES) == 0);
        buf_clear(&it.packed);
        CHECK(delta_compress(of(it.base, BYTES), of("", 0), &it.packed, NULL) == OK && it.packed.length && delta_expand(of(it.base, BYTES), packed(&it), it.out, 0, NULL) == OK);
}

/* Other bytes come out, or none: it is the digest that tells. What matters is that no more come out than there is room for. */
TEST(delta_code, of_another_length_is_refused)
{
        OWN(sample) struct sample it;
        sample_open(&it);
        CHECK(delta_compress(of(it.base, BYTES), of(it.segment, BYTES), &it.packed, NULL) == OK);
        CHECK(delta_expand(of(it.base, BYTES), packed(&it), it.out, BYTES - 1, NULL) == ERR_CONTENT);
        CHECK(delta_expand(of(it.base, BYTES), packed(&it), it.out, BYTES + 1, NULL) == ERR_CONTENT);
        CHECK(delta_expand(of(it.base, BYTES), of(it.packed.bytes, it.packed.length - 1), it.out, BYTES, NULL) == ERR_CONTENT);
        CHECK(delta_expand(of(it.base, BYTES), of("no frame", 8), it.out, BYTES, NULL) == ERR_CONTENT);
        CHECK(delta_expand(of(it.base, 10), packed(&it), it.out, BYTES, NULL) == ERR_CONTENT || memcmp(it.out, it.segment, BYTES) != 0);
        /* Two frames, one after the other, are more than the segment. */
        const size_t length = it.packed.length;
        CHECK(length <= BYTES);
        memcpy(it.out, it.packed.bytes, length);
        buf_add(&it.packed, it.out, length);
        CHECK(delta_expand(of(it.base, BYTES), packed(&it), it.out, BYTES, NULL) == ERR_CONTENT);
}

TEST(delta_code, has_ceilings)
{
        char byte = 0;
        OWN(buf) struct buf into;
        buf_init(&into, 100);
        CHECK(delta_expand(of(&byte, (size_t)DELTA_EXPANDED_MAX + 1), of(&byte, 1), &byte, 1, NULL) == ERR_LIMIT && delta_expand(of(&byte, 1), of(&byte, DELTA_PACKED_MAX + 1), &byte, 1, NULL) == ERR_LIMIT);
        CHECK(delta_expand(of(&byte, 1), of(&byte, 1), &byte, (size_t)DELTA_EXPANDED_MAX + 1, NULL) == ERR_LIMIT && delta_compress(of(&byte, (size_t)DELTA_EXPANDED_MAX + 1), of(&byte, 1), &into, NULL) == ERR_LIMIT);
        CHECK(delta_compress(of(&byte, 1), of(&byte, (size_t)DELTA_EXPANDED_MAX + 1), &into, NULL) == ERR_LIMIT && into.length == 0);
}

TEST(delta_code, survives_a_lack_of_memory)
{
        OWN(sample) struct sample it;
        sample_open(&it);
        enum err e = OK;
        SWEEP_MEMORY {
                buf_clear(&it.packed);
                e = delta_compress(of(it.base, 1000), of(it.segment, 1000), &it.packed, NULL);
                CHECK(e == OK || (e == ERR_NOMEM && it.packed.length == 0));
        }
        CHECK(e == OK);
}
