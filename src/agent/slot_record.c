#include "agent/slot_record.h"

#include "base/crc32.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

uint32_t slot_record_crc(const struct slot_record *record)
{
        size_t skip = offsetof(struct slot_record, crc) + sizeof(record->crc);
        return crc32_of((const uint8_t *)record + skip, sizeof(*record) - skip);
}

static bool stream_is_sound(const struct slot_stream *stream)
{
        const struct slot_trial *trial = &stream->trial;
        bool is_trial = trial->lease != SLOT_LEASE_NONE;
        return memchr(stream->name, 0, sizeof(stream->name)) && stream->name[0] && stream->current < SLOT_IDS
               && stream->last_good <= SLOT_FACTORY && stream->state[0] < SLOT_STATES && stream->state[1] < SLOT_STATES
               && stream->denied_count <= SLOT_DENIED_MAX && trial->lease < SLOT_LEASES
               && (stream->last_good == SLOT_FACTORY || stream->state[stream->last_good] == SLOT_GOOD)
               && (!is_trial || trial->slot == stream->current);
}

static bool report_is_sound(const struct slot_report *report)
{
        return memchr(report->stream, 0, sizeof(report->stream)) && memchr(report->detail, 0, sizeof(report->detail))
               && report->outcome < SLOT_OUTCOMES && report->kind < SLOT_KINDS;
}

enum err slot_record_check(const struct slot_record *record, struct why *why)
{
        if (memcmp(record->magic, "FBSR", 4) != 0 || record->crc != slot_record_crc(record))
                return FAIL(why, ERR_SYNTAX, "the slot record is damaged (checksum)");
        if (record->version != SLOT_RECORD_VERSION)
                return FAIL(why, ERR_SYNTAX, "slot record version %u, this agent reads %d", record->version, SLOT_RECORD_VERSION);
        if (record->stream_count > LIMIT_STREAMS || record->report_count > SLOT_REPORTS_MAX)
                return FAIL(why, ERR_SYNTAX, "the slot record counts more than it holds");
        for (size_t i = 0; i < record->stream_count; i++)
                if (!stream_is_sound(&record->streams[i]))
                        return FAIL(why, ERR_SYNTAX, "the slot record contradicts itself in stream %zu", i);
        for (size_t i = 0; i < record->report_count; i++)
                if (!report_is_sound(&record->reports[i]))
                        return FAIL(why, ERR_SYNTAX, "the slot record contradicts itself in report %zu", i);
        return OK;
}
