#include "delta/code.h"

#include "base/mem.h"

#include <zstd.h>

enum {
        LEVEL = 19,                      /* made once, fetched by every device: two megabytes a second */
        WINDOW_LOG = 21,                 /* a base and its segment, to be seen at once */
};
_Static_assert((int)DELTA_EXPANDED_MAX + (int)DELTA_EXPANDED_MAX <= 1 << WINDOW_LOG, "the window holds both");

static void free_encoder(ZSTD_CCtx *encoder) { (void)ZSTD_freeCCtx(encoder); }
static void free_decoder(ZSTD_DCtx *decoder) { (void)ZSTD_freeDCtx(decoder); }
OWN_DEFINE(encoder, ZSTD_CCtx *, free_encoder)
OWN_DEFINE(decoder, ZSTD_DCtx *, free_decoder)

static size_t compress(ZSTD_CCtx *encoder, struct delta_bytes base, struct delta_bytes segment, void *into, size_t into_max)
{
        size_t code = ZSTD_CCtx_setParameter(encoder, ZSTD_c_compressionLevel, LEVEL);
        if (!ZSTD_isError(code))
                code = ZSTD_CCtx_setParameter(encoder, ZSTD_c_windowLog, WINDOW_LOG);
        if (!ZSTD_isError(code) && base.length)
                code = ZSTD_CCtx_refPrefix(encoder, base.bytes, base.length);
        return ZSTD_isError(code) ? code : ZSTD_compress2(encoder, into, into_max, segment.bytes, segment.length);
}

enum err delta_compress(struct delta_bytes base, struct delta_bytes segment, struct buf *into, struct why *why)
{
        if (base.length > DELTA_EXPANDED_MAX || segment.length > DELTA_EXPANDED_MAX)
                return FAIL(why, ERR_LIMIT, "a segment of %zu bytes with a base of %zu", segment.length, base.length);
        OWN(encoder) ZSTD_CCtx *encoder = ZSTD_createCCtx();
        OWN(memory) void *packed = mem_new(1, DELTA_PACKED_MAX);
        if (!encoder || !packed)
                return FAIL(why, ERR_NOMEM, "compressing a segment");
        const size_t length = compress(encoder, base, segment, packed, DELTA_PACKED_MAX);
        if (ZSTD_isError(length))
                return FAIL(why, ERR_NOMEM, "compressing a segment: %s", ZSTD_getErrorName(length));
        buf_add(into, packed, length);
        return buf_check(into, why);
}

enum err delta_expand(struct delta_bytes base, struct delta_bytes packed, void *into, size_t length, struct why *why)
{
        if (base.length > DELTA_EXPANDED_MAX || packed.length > DELTA_PACKED_MAX || length > DELTA_EXPANDED_MAX)
                return FAIL(why, ERR_LIMIT, "a segment of %zu bytes with a base of %zu", length, base.length);
        OWN(decoder) ZSTD_DCtx *decoder = ZSTD_createDCtx();
        if (!decoder)
                return FAIL(why, ERR_NOMEM, "expanding a segment");
        size_t code = ZSTD_DCtx_setParameter(decoder, ZSTD_d_windowLogMax, WINDOW_LOG);
        if (!ZSTD_isError(code) && base.length)
                code = ZSTD_DCtx_refPrefix(decoder, base.bytes, base.length);
        if (!ZSTD_isError(code))
                code = ZSTD_decompressDCtx(decoder, into, length, packed.bytes, packed.length);
        if (ZSTD_isError(code))
                return FAIL(why, ERR_CONTENT, "a segment that does not expand: %s", ZSTD_getErrorName(code));
        return code == length ? OK : FAIL(why, ERR_CONTENT, "a segment of %zu bytes, not %zu", code, length);
}
