#include "agent/source.h"

#include "format/hex.h"

#include <assert.h>
#include <string.h>

enum { DOUBTS_MAX = LIMIT_MIRRORS + 1 };         /* as often it may be begun anew: a fetcher that was taken over may say what it likes */
static const uint32_t all_tried = UINT32_MAX;

void sources_init(struct sources *sources, size_t mirrors)
{
        assert(mirrors <= LIMIT_MIRRORS);
        *sources = (struct sources){ .count = 1 + mirrors };
}

bool source_is_content(const char *path, uint8_t ret_sha256[32])
{
        static const char folder[] = "/v1/artifacts/";
        struct why unsaid;
        return strncmp(path, folder, sizeof(folder) - 1) == 0 && hex_decode(path + sizeof(folder) - 1, ret_sha256, 32, &unsaid) == OK;
}

static struct source_file *find(struct sources *sources, const uint8_t sha256[32])
{
        for (size_t i = 0; i < SOURCE_FILES; i++)
                if (memcmp(sources->files[i].sha256, sha256, 32) == 0)
                        return &sources->files[i];
        struct source_file *file = &sources->files[sources->next_file];
        sources->next_file = (sources->next_file + 1) % SOURCE_FILES;
        *file = (struct source_file){ .tried = 0 };
        memcpy(file->sha256, sha256, 32);
        return file;
}

unsigned sources_pick(struct sources *sources, const uint8_t sha256[32], int64_t now_ms)
{
        const struct source_file *file = find(sources, sha256);
        for (unsigned i = SOURCE_SERVER + 1; i < sources->count; i++)
                if (!(file->tried >> i & 1) && now_ms >= sources->each[i].aside_until_ms)
                        return i;
        return SOURCE_SERVER;
}

enum source_end source_came(uint64_t came, uint64_t wanted, int64_t took_ms, bool is_whole)
{
        const bool is_slow = took_ms >= SOURCE_SLOW_MS && came / SOURCE_BYTES_PER_S < (uint64_t)took_ms / 1000;
        if (is_whole)
                return is_slow ? SOURCE_WAS_SLOW : SOURCE_DID_WELL;
        /* Short, without having used its time: it broke off. */
        return came && !is_slow && (came >= wanted || took_ms >= SOURCE_SLOW_MS) ? SOURCE_GOES_ON : SOURCE_FAILED;
}

static int64_t doubled(int64_t first_ms, int64_t most_ms, uint32_t times)
{
        int64_t pause_ms = first_ms;
        while (--times && pause_ms < most_ms)
                pause_ms *= 2;
        return pause_ms < most_ms ? pause_ms : most_ms;
}

static void put_aside(struct source *source, bool has_lied, int64_t now_ms)
{
        int64_t pause_ms;
        if (has_lied) {
                source->lies++;
                pause_ms = doubled(SOURCE_LIED_MS, SOURCE_LIED_MAX_MS, ++source->lies_row);
        } else {
                source->failures++;
                pause_ms = doubled(SOURCE_ASIDE_MS, SOURCE_ASIDE_MAX_MS, ++source->failures_row);
        }
        source->lacks_row = 0;
        source->is_news = true;
        if (now_ms + pause_ms > source->aside_until_ms)
                source->aside_until_ms = now_ms + pause_ms;
}

/* What is there of the file is thrown away by then. */
static bool lied(struct sources *sources, struct source_file *file, unsigned source, int64_t now_ms)
{
        const uint32_t others = file->gave & ~(1u << source);
        const bool is_alone = file->doubts == DOUBTS_MAX || (file->is_known && !others);
        const uint32_t guilty = is_alone && source != SOURCE_SERVER ? 1u << source : others;
        for (unsigned i = SOURCE_SERVER + 1; i < sources->count; i++)
                if (guilty >> i & 1)
                        put_aside(&sources->each[i], true, now_ms);
        file->tried = is_alone ? all_tried : file->tried | others;
        file->doubts += !is_alone;
        file->gave = 0;
        file->is_known = false;
        return !is_alone || source != SOURCE_SERVER;
}

static void did_well(struct sources *sources, struct source_file *file, unsigned source)
{
        struct source *one = &sources->each[source];
        one->failures_row = one->lies_row = one->lacks_row = 0;
        *file = (struct source_file){ .tried = 0 };
}

void sources_count(struct sources *sources, unsigned source, uint64_t bytes)
{
        assert(source < sources->count);
        sources->each[source].bytes += bytes;
}

bool sources_have_news(const struct sources *sources)
{
        for (unsigned i = SOURCE_SERVER + 1; i < sources->count; i++)
                if (sources->each[i].is_news)
                        return true;
        return false;
}

bool sources_news(struct sources *sources, int64_t now_ms, struct source_news *ret_news)
{
        for (unsigned i = SOURCE_SERVER + 1; i < sources->count; i++) {
                struct source *source = &sources->each[i];
                if (!source->is_news)
                        continue;
                source->is_news = false;
                *ret_news = (struct source_news){ i, source->lies_row, source->aside_until_ms - now_ms };
                return true;
        }
        return false;
}

bool sources_heard(struct sources *sources, const struct source_heard *heard, int64_t now_ms)
{
        assert(heard->source < sources->count);
        struct source_file *file = find(sources, heard->sha256);
        struct source *source = &sources->each[heard->source];
        const bool is_mirror = heard->source != SOURCE_SERVER;
        if (heard->from == 0 && (heard->bytes || heard->end == SOURCE_LIED)) {
                file->is_known = true;
                file->gave = 0;
        }
        if (is_mirror && heard->bytes)
                file->gave |= 1u << heard->source;
        switch (heard->end) {
        case SOURCE_DID_WELL:
                did_well(sources, file, heard->source);
                return false;
        case SOURCE_GOES_ON:
                return false;
        case SOURCE_LIED:
                return lied(sources, file, heard->source, now_ms);
        case SOURCE_WAS_SLOW:
                break;
        case SOURCE_LACKS:
                if (++source->lacks_row < SOURCE_LACKS_MAX) {
                        file->tried |= 1u << heard->source;
                        return is_mirror;
                }
                break;
        case SOURCE_FAILED:
                break;
        }
        if (is_mirror)
                put_aside(source, false, now_ms);
        file->tried |= 1u << heard->source;
        return is_mirror && heard->end != SOURCE_WAS_SLOW;
}
