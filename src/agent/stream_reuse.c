/* The candidate between its note and its files: what of it is here already, and whether there is room for the rest. */
#include "agent/spool.h"
#include "agent/stream.h"

#include <string.h>

enum { ROOM_SPARE_BYTES = 16 << 20 };    /* left to the rest of the machine */

void reusing_end(struct stream *stream)
{
        reuse_close(stream->reuse);
        stream->reuse = NULL;
        stream->is_looked = false;
}

/* Without it everything is fetched. */
void reusing_begin(struct stream *stream)
{
        const struct agent *agent = stream->agent;
        struct why why;
        reusing_end(stream);
        if (reuse_open(&(struct reuse_of){ agent->disk, agent->slots, stream->index, stream->note, &stream->doubts }, &stream->reuse, &why))
                agent_note(agent, EVENT_DEVICE_TROUBLE, stream, why.text);
}

const char *reusing_path(const struct stream *stream, size_t file)
{
        return stream->reuse ? reuse_path(stream->reuse, file) : NULL;
}

bool reusing_brings(const struct stream *stream, size_t file)
{
        return reusing_path(stream, file) || spool_has(stream->agent->disk, &stream->note->files[file]);
}

/* Emptied to be filled again with the same. */
static bool is_staged(const struct stream *stream)
{
        const struct slot_stream *now = slots_stream(stream->agent->slots, stream->index);
        for (unsigned slot = 0; slot < SLOT_FACTORY; slot++)
                if (now->state[slot] == SLOT_STAGED && memcmp(now->release[slot].target, stream->release.target, sizeof(stream->release.target)) == 0)
                        return true;
        return false;
}

/* What the spool still lacks, what the slot does, and some for everybody else. */
static enum err check_room(const struct stream *stream, struct why *why)
{
        struct disk *disk = stream->agent->disk;
        const bool is_there = is_staged(stream);
        uint64_t free_bytes, wanted = ROOM_SPARE_BYTES;
        enum err e = disk->ops->free_bytes(disk, &free_bytes, why);
        if (e)
                return e;
        for (size_t i = 0; i < stream->note->file_count; i++) {
                const uint64_t length = stream->note->files[i].length;
                wanted += reusing_brings(stream, i) ? 0 : length;
                wanted += is_there || (stream->reuse && reuse_stands(stream->reuse, i)) ? 0 : length;
        }
        if (free_bytes < wanted)
                return FAIL(why, ERR_FULL, "needs %llu bytes, %llu are free", (unsigned long long)wanted, (unsigned long long)free_bytes);
        return OK;
}

bool reusing_looks(const struct stream *stream)
{
        return stream->life == LIFE_FETCHING && stream->note && !stream->is_looked;
}

void reusing_tick(struct stream *stream)
{
        struct why why;
        if (stream->reuse && !reuse_step(stream->reuse))
                return;
        stream->is_looked = true;
        enum err e = check_room(stream, &why);
        if (e)
                stream_event(stream, LIFE_FAILED, why.text);
}

void reusing_doubt(struct stream *stream, size_t file)
{
        reuse_doubt(&stream->doubts, stream->release.counter, stream->note->files[file].sha256);
        if (reuse_is_current(stream->reuse, file))
                rechecking_begin(stream);
}
