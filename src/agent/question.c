#include "agent/question.h"

/* What was given up here, and in the place of all that is denied by its height alone, a lower bound. */
static void add_choice(const struct slot_stream *slots, struct buf *bundle)
{
        uint64_t running = slots->current < SLOT_FACTORY ? slots->release[slots->current].counter : 0;
        bool is_lower = slots->denied_below && running < slots->denied_below - 1;
        bundle_add_number(bundle, BUNDLE_ABOVE, is_lower ? slots->denied_below - 1 : running);
        bundle_add_numbers(bundle, BUNDLE_DENIED, slots->denied, slots->denied_count);
}

void question_write(const struct question *question, struct buf *bundle)
{
        buf_add(bundle, question->files->bytes, question->files->length);
        bundle_add_number(bundle, BUNDLE_NOW, (uint64_t)question->now_s);
        bundle_add_text(bundle, BUNDLE_DEVICE, question->device);
        bundle_add_text(bundle, BUNDLE_RING, question->ring);
        bundle_add_text(bundle, BUNDLE_PLATFORM, question->platform);
        bundle_add_text(bundle, BUNDLE_STREAM, question->stream);
        bundle_add_number(bundle, BUNDLE_WANTED, question->wanted);
        add_choice(question->slots, bundle);
        bundle_add_number(bundle, BUNDLE_FLOOR, question->slots->floor);
        if (question->cohort->length)
                bundle_add(bundle, BUNDLE_COHORT, question->cohort->bytes, question->cohort->length);
}

size_t question_walk(const struct buf *bundle, size_t index, uint8_t *ret_kind, struct buf *ret_bytes)
{
        size_t count = 0;
        for (size_t at = 0; at + 5 <= bundle->length; count++) {
                const uint8_t *head = (const uint8_t *)bundle->bytes + at;
                size_t length = head[1] | (size_t)head[2] << 8 | (size_t)head[3] << 16 | (size_t)head[4] << 24;
                if (count == index && ret_kind) {
                        *ret_kind = head[0];
                        *ret_bytes = (struct buf){ .bytes = bundle->bytes + at + 5, .length = length };
                }
                at += 5 + length;
        }
        return count;
}

bool question_is_news(const struct buf *files, const struct verdict *verdict, unsigned repository, unsigned role, struct buf *ret_bytes)
{
        unsigned index = verdict->kept[repository][role];
        uint8_t kind = 0;
        if (index == BUNDLE_NONE || index >= question_walk(files, index, &kind, ret_bytes))
                return false;
        return kind == bundle_file(BUNDLE_FRESH, (enum bundle_repository)repository, (enum tuf_role)role);
}
