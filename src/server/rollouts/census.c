#include "server/rollouts/census.h"

#include "base/mem.h"
#include "format/hex.h"
#include "server/rollouts/groups.h"
#include "server/rollouts/resident.h"
#include "server/rollouts/tally.h"
#include "trust/cohort.h"

#include <inttypes.h>
#include <string.h>

/* Names become small numbers in the order in which they are first met. */
struct index {
        struct db *db;
        const char *find, *add;                 /* statements: (rollout, name) -> number; (rollout, number, name) */
        int64_t rollout, count, count_max;
};

enum { NO_NUMBER = -1 };

static enum err index_number(struct index *index, const char *name, int64_t *ret_number, struct why *why)
{
        enum err e = db_number(index->db, index->find, VALUES(bind_int(index->rollout), bind_text(name)), NO_NUMBER, ret_number, why);
        if (e || *ret_number != NO_NUMBER || index->count == index->count_max)
                return e;
        *ret_number = index->count++;
        return db_run(index->db, index->add, VALUES(bind_int(index->rollout), bind_int(*ret_number), bind_text(name)), why);
}

struct census {
        struct index strata, blocks;
        int64_t dense;
};

/* Past LIMIT_STRATA a value has no stratum of its own; the rule for the whole fleet still counts its device. */
static enum err find_strata(struct census *census, const struct resident *resident, uint16_t strata[LIMIT_ATTRIBUTES], size_t *ret_count, struct why *why)
{
        char names[RESIDENT_STRATA][RESIDENT_NAME_BYTES];
        size_t name_count = resident_strata(resident, names), count = 0;
        enum err e = OK;
        for (size_t i = 0; i < name_count && count < LIMIT_ATTRIBUTES && !e; i++) {
                int64_t number = NO_NUMBER;
                e = index_number(&census->strata, names[i], &number, why);
                if (!e && number != NO_NUMBER)
                        strata[count++] = (uint16_t)number;
        }
        *ret_count = count;
        return e;
}

static enum err add_resident(struct census *census, int64_t device, const struct resident *resident, struct why *why)
{
        char name[RESIDENT_NAME_BYTES];
        uint16_t strata[LIMIT_ATTRIBUTES];
        size_t count = 0;
        int64_t block = 0;
        resident_block(resident, name);
        enum err e = index_number(&census->blocks, name, &block, why);
        if (!e)
                e = find_strata(census, resident, strata, &count, why);
        if (e)
                return e;
        return db_run(census->strata.db, "INSERT INTO rollout_devices (rollout, dense, device, ring, block, strata) VALUES (?,?,?,?,?,?)",
                      VALUES(bind_int(census->strata.rollout), bind_int(census->dense++), bind_int(device), bind_text(resident->ring),
                             bind_int(block), bind_blob(strata, count * sizeof(strata[0]))), why);
}

static enum err visit(struct census *census, struct query *q, struct why *why)
{
        struct resident resident = { .ring = query_text(q, 1), .group = query_text(q, 2), .agent = query_text(q, 3) };
        enum err e = attributes_parse(query_text(q, 4), &resident.attributes, why);
        return e ? e : add_resident(census, query_int(q, 0), &resident, why);
}

enum err census_take(struct db *db, int64_t rollout, int64_t release, struct why *why)
{
        struct census census = {
                .strata = { db, "SELECT stratum FROM rollout_strata WHERE rollout = ? AND name = ?", "INSERT INTO rollout_strata VALUES (?,?,?)", rollout, 0, LIMIT_STRATA },
                .blocks = { db, "SELECT block FROM rollout_blocks WHERE rollout = ? AND name = ?", "INSERT INTO rollout_blocks VALUES (?,?,?)", rollout, 0, INT32_MAX },
        };
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = db_query(db, "SELECT d.number, d.ring, d.device_group, d.agent, d.attributes FROM devices d, releases r WHERE r.number = ?"
                                  " AND d.revoked_at IS NULL AND " RESIDENT_IN_TIME " AND " RESIDENT_RUNS_IT
                                  " ORDER BY d.number", VALUES(bind_int(release)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has)
                e = visit(&census, q, why);
        return e;
}

static enum err load_strata(struct db *db, struct run *run, struct why *why)
{
        OWN(query) struct query *q = NULL;
        int64_t most = 0;
        bool has = false;
        enum err e = db_number(db, "SELECT count(*) FROM rollout_strata WHERE rollout = ?", VALUES(bind_int(run->facts.number)), 0, &most, why);
        if (e)
                return e;
        run->strata = mem_new((size_t)most + 1, sizeof(*run->strata));
        run->stratum_sizes = mem_new((size_t)most + 1, sizeof(*run->stratum_sizes));
        if (!run->strata || !run->stratum_sizes)
                return FAIL(why, ERR_NOMEM, "out of memory for strata");
        e = db_query(db, "SELECT name FROM rollout_strata WHERE rollout = ? ORDER BY stratum", VALUES(bind_int(run->facts.number)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has)
                snprintf(run->strata[run->stratum_count++], sizeof(run->strata[0]), "%s", query_text(q, 0));
        return e;
}

static enum err load_member_strata(struct run *run, struct member *member, struct query *q, struct why *why)
{
        size_t length = 0;
        const void *strata = query_blob(q, 4, &length);
        bool is_good = length <= sizeof(member->facts.strata);
        if (is_good)
                memcpy(member->facts.strata, strata, length);
        member->facts.strata_count = (uint8_t)(length / sizeof(member->facts.strata[0]));
        for (size_t i = 0; i < member->facts.strata_count && is_good; i++) {
                is_good = member->facts.strata[i] < run->stratum_count;
                if (is_good)
                        run->stratum_sizes[member->facts.strata[i]]++;
        }
        if (!is_good)
                return FAIL(why, ERR_IO, "the census of rollout %" PRId64 " is damaged; restore firebreak.db from a backup", run->facts.number);
        return OK;
}

static enum err load_zone(struct run *run, struct member *member, const char *text, struct why *why)
{
        struct attributes attributes = { 0 };
        enum err e = calendar_has_device_windows(freeze_calendar(run->freeze)) ? attributes_parse(text, &attributes, why) : OK;
        return e ? e : freeze_add_device(run->freeze, attributes_get(&attributes, "timezone"), &member->zone, why);
}

static enum err load_member(struct run *run, struct query *q, struct why *why)
{
        struct member *member = &run->members[run->member_count];
        size_t length = 0;
        char salt[65], id[33];
        hex_encode(run->facts.target, sizeof(run->facts.target), salt);
        hex_encode(query_blob(q, 1, &length), 16, id);
        member->device = query_int(q, 0);
        member->facts.device = (uint32_t)run->member_count++;
        member->facts.bucket = cohort_bucket(salt, id);
        member->facts.ring = resident_ring(query_text(q, 2));
        member->facts.block = (uint32_t)query_int(q, 3);
        if (member->facts.block >= run->block_count)
                run->block_count = member->facts.block + 1;
        enum err e = load_member_strata(run, member, q, why);
        if (!e)
                e = run_add_to_group(run, member, query_text(q, 6), why);
        return e ? e : load_zone(run, member, query_text(q, 5), why);
}

enum err census_load(struct db *db, struct run *run, struct why *why)
{
        OWN(query) struct query *q = NULL;
        int64_t most = 0, groups = 0;
        bool has = false;
        enum err e = load_strata(db, run, why);
        if (!e)
                e = db_number(db, "SELECT count(*) FROM rollout_devices WHERE rollout = ?", VALUES(bind_int(run->facts.number)), 0, &most, why);
        if (!e)
                e = db_number(db, "SELECT count(DISTINCT device_group) FROM tokens", NO_VALUES, 0, &groups, why);
        if (!e)
                e = tally_new((uint32_t)groups, &run->groups, why);
        if (e)
                return e;
        run->members = mem_new((size_t)most + 1, sizeof(*run->members));
        if (!run->members)
                return FAIL(why, ERR_NOMEM, "out of memory for a fleet of %" PRId64, most);
        e = db_query(db, "SELECT r.device, d.id, r.ring, r.block, r.strata, d.attributes, d.device_group FROM rollout_devices r JOIN devices d ON d.number = r.device"
                         " WHERE r.rollout = ? ORDER BY r.dense", VALUES(bind_int(run->facts.number)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has)
                e = load_member(run, q, why);
        return e;
}
