#include "server/rollouts/survey.h"

#include "base/limits.h"
#include "base/mem.h"
#include "server/rollouts/groups.h"

#include <stdlib.h>
#include <string.h>

enum { DEVICES, SEEN_7D, SEEN_1D, HOUR_S = 3600, DAY_S = 86400 };      /* the counts of a profile */
enum { NO_STRATUM = UINT16_MAX, RINGS = 3 };

/* A profile's key; what is unused is NO_STRATUM, and the rest ascends: the order in which a device tells its attributes is of no matter. */
struct key { uint32_t block; uint16_t strata[LIMIT_ATTRIBUTES]; };
_Static_assert(sizeof(struct key) == 4 + 2 * LIMIT_ATTRIBUTES, "a key is hashed as bytes");

struct surveyor {
        struct survey *survey;
        struct tally *profiles, *groups;         /* groups: those with a rule; counts[0]: it keeps them back */
        int64_t now_s;
        uint32_t lost[RINGS][TALLY_COUNTS];      /* of devices without a profile */
        uint32_t ages[HOUR_S + 1];               /* of those seen within the hour, in seconds */
};

void survey_done(struct survey *survey)
{
        tally_free(survey->strata);
        tally_free(survey->blocks);
        mem_free(survey->profiles);
        *survey = (struct survey){ 0 };
}

static int compare_strata(const void *left, const void *right)
{
        return *(const uint16_t *)left - *(const uint16_t *)right;
}

static enum err find_strata(struct survey *survey, const struct resident *resident, struct key *key, struct why *why)
{
        char names[RESIDENT_STRATA][RESIDENT_NAME_BYTES];
        size_t name_count = resident_strata(resident, names), count = 0;
        bool has_all = true;
        enum err e = OK;
        for (size_t i = 0; i < name_count && count < LIMIT_ATTRIBUTES && !e; i++) {
                uint32_t number = tally_none;
                e = tally_number(survey->strata, names[i], strlen(names[i]), &number, why);
                has_all = has_all && number != tally_none;
                if (e || number == tally_none)
                        continue;
                tally_counts(survey->strata, number)[DEVICES]++;
                key->strata[count++] = (uint16_t)number;
        }
        survey->no_stratum += !has_all;
        qsort(key->strata, count, sizeof(key->strata[0]), compare_strata);
        return e;
}

static void count_seen(uint32_t counts[TALLY_COUNTS], int64_t age_s)
{
        counts[DEVICES]++;
        counts[SEEN_7D] += age_s <= 7 * DAY_S;
        counts[SEEN_1D] += age_s <= DAY_S;
}

static void count_age(struct surveyor *surveyor, int64_t age_s)
{
        struct survey *survey = surveyor->survey;
        survey->devices++;
        survey->seen_1h += age_s <= HOUR_S;
        survey->seen_1d += age_s <= DAY_S;
        survey->seen_7d += age_s <= 7 * DAY_S;
        if (age_s <= HOUR_S)
                surveyor->ages[age_s > 0 ? age_s : 0]++;
}

static void find_median(struct surveyor *surveyor)
{
        int64_t left = surveyor->survey->seen_1h / 2, age_s = 0;
        while (age_s < HOUR_S && left >= surveyor->ages[age_s])
                left -= surveyor->ages[age_s++];
        surveyor->survey->seen_median_s = surveyor->survey->seen_1h ? age_s : -1;
}

static enum err add_resident(struct surveyor *surveyor, const struct resident *resident, int64_t age_s, struct why *why)
{
        struct survey *survey = surveyor->survey;
        struct key key;
        char name[RESIDENT_NAME_BYTES];
        uint32_t number = tally_none;
        memset(&key, 0xff, sizeof(key));
        resident_block(resident, name);
        count_age(surveyor, age_s);
        enum err e = tally_number(survey->blocks, name, strlen(name), &key.block, why);
        if (!e)
                e = find_strata(survey, resident, &key, why);
        if (!e && key.block != tally_none) {
                tally_counts(survey->blocks, key.block)[DEVICES]++;
                e = tally_number(surveyor->profiles, &key, sizeof(key), &number, why);
        }
        if (!e)
                count_seen(number != tally_none ? tally_counts(surveyor->profiles, number) : surveyor->lost[resident_ring(resident->ring)], age_s);
        return e;
}

static enum err keep(struct surveyor *surveyor, struct db *db, struct query *q, struct why *why)
{
        const struct group_rule rule = { query_int(q, 1), query_int(q, 2) };
        int64_t newest = 0;
        uint32_t group = tally_none;
        enum err e = group_newest(db, query_text(q, 3), &rule, &newest, why);
        if (!e)
                e = tally_number(surveyor->groups, query_text(q, 0), strlen(query_text(q, 0)), &group, why);
        if (!e && group != tally_none)
                tally_counts(surveyor->groups, group)[0] = query_int(q, 4) > newest;
        return e;
}

/* Afterwards there is no room for more: whoever is not found has no rule. */
static enum err find_kept(struct surveyor *surveyor, struct db *db, int64_t release, struct why *why)
{
        OWN(query) struct query *q = NULL;
        int64_t rules = 0;
        bool has = false;
        enum err e = db_number(db, "SELECT count(*) FROM group_rules g JOIN releases r ON r.stream = g.stream WHERE r.number = ?", VALUES(bind_int(release)), 0, &rules, why);
        if (!e)
                e = tally_new((uint32_t)rules, &surveyor->groups, why);
        if (!e)
                e = db_query(db, "SELECT g.device_group, g.pin, g.behind, r.stream, r.counter FROM group_rules g JOIN releases r ON r.stream = g.stream WHERE r.number = ?",
                             VALUES(bind_int(release)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has)
                e = keep(surveyor, db, q, why);
        return e;
}

static enum err is_kept(const struct surveyor *surveyor, const char *name, bool *ret_is, struct why *why)
{
        uint32_t group = tally_none;
        enum err e = tally_number(surveyor->groups, name, strlen(name), &group, why);
        *ret_is = !e && group != tally_none && tally_counts(surveyor->groups, group)[0];
        return e;
}

static enum err visit(struct surveyor *surveyor, struct query *q, struct why *why)
{
        struct resident resident = { .ring = query_text(q, 0), .group = query_text(q, 1), .agent = query_text(q, 2) };
        bool is_in_time = query_int(q, 5), runs_it = query_int(q, 6);
        surveyor->survey->enrolled_later += runs_it && !is_in_time;
        surveyor->survey->other_platform += !runs_it;
        if (!is_in_time || !runs_it)
                return OK;
        bool is_of_kept = false;
        enum err e = is_kept(surveyor, resident.group, &is_of_kept, why);
        surveyor->survey->kept_back += is_of_kept;
        if (e || is_of_kept)
                return e;
        e = attributes_parse(query_text(q, 3), &resident.attributes, why);
        return e ? e : add_resident(surveyor, &resident, surveyor->now_s - query_int(q, 4), why);
}

/* In the order of a census. */
static enum err count(struct surveyor *surveyor, struct db *db, int64_t release, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = db_query(db, "SELECT d.ring, d.device_group, d.agent, d.attributes, d.seen_at, " RESIDENT_IN_TIME ", " RESIDENT_RUNS_IT
                                  " FROM devices d, releases r WHERE r.number = ? AND d.revoked_at IS NULL ORDER BY d.number",
                              VALUES(bind_int(release)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has)
                e = visit(surveyor, q, why);
        return e;
}

static void read_profile(const struct tally *profiles, uint32_t number, struct survey_profile *profile)
{
        const uint32_t *counts = tally_counts(profiles, number);
        struct key key;
        memcpy(&key, tally_bytes(profiles, number), sizeof(key));
        *profile = (struct survey_profile){ .block = key.block, .devices = counts[DEVICES], .seen_7d = counts[SEEN_7D], .seen_1d = counts[SEEN_1D] };
        while (profile->strata_count < LIMIT_ATTRIBUTES && key.strata[profile->strata_count] != NO_STRATUM) {
                profile->strata[profile->strata_count] = key.strata[profile->strata_count];
                profile->strata_count++;
        }
}

/* The most common first; of equals the one that was met first, as its block was. */
static int compare_profiles(const void *left, const void *right)
{
        const struct survey_profile *a = left, *b = right;
        if (a->devices != b->devices)
                return a->devices < b->devices ? 1 : -1;
        if (a->block != b->block)
                return a->block < b->block ? -1 : 1;
        return memcmp(a->strata, b->strata, sizeof(a->strata));
}

/* Where those go that have no place of their own: for each block, and for each ring's order, its most common profile + 1; 0: none is kept. */
struct heirs { uint32_t *of_block, of_ring[RINGS]; };

static enum rollout_ring ring_of_block(const struct survey *survey, uint32_t block)
{
        char ring[RESIDENT_NAME_BYTES];
        const char *name = tally_bytes(survey->blocks, block);
        snprintf(ring, sizeof(ring), "%.*s", (int)strcspn(name, "/"), name);
        return resident_ring(ring);
}

static void find_heirs(const struct survey *survey, struct heirs *heirs)
{
        for (size_t i = survey->profile_count; i-- > 0;) {
                heirs->of_block[survey->profiles[i].block] = (uint32_t)i + 1;
                heirs->of_ring[ring_of_block(survey, survey->profiles[i].block)] = (uint32_t)i + 1;
        }
}

static void inherit(struct survey *survey, const struct heirs *heirs, uint32_t heir, const uint32_t counts[TALLY_COUNTS])
{
        struct survey_profile *profile = &survey->profiles[heir ? heir - 1 : heirs->of_ring[ROLLOUT_RING_ALL] ? heirs->of_ring[ROLLOUT_RING_ALL] - 1 : 0];
        profile->devices += counts[DEVICES];
        profile->seen_7d += counts[SEEN_7D];
        profile->seen_1d += counts[SEEN_1D];
        survey->merged_devices += counts[DEVICES];
}

static enum err merge(struct surveyor *surveyor, size_t all, struct why *why)
{
        struct survey *survey = surveyor->survey;
        struct heirs heirs = { .of_block = mem_new(tally_size(survey->blocks) + 1u, sizeof(*heirs.of_block)) };
        if (!heirs.of_block)
                return FAIL(why, ERR_NOMEM, "out of memory for a survey");
        find_heirs(survey, &heirs);
        for (size_t i = survey->profile_count; i < all; i++) {
                const struct survey_profile *of = &survey->profiles[i];
                uint32_t heir = heirs.of_block[of->block], counts[TALLY_COUNTS] = { of->devices, of->seen_7d, of->seen_1d };
                inherit(survey, &heirs, heir ? heir : heirs.of_ring[ring_of_block(survey, of->block)], counts);
                survey->merged_profiles++;
        }
        for (unsigned ring = 0; ring < RINGS && all; ring++)
                inherit(survey, &heirs, heirs.of_ring[ring], surveyor->lost[ring]);
        mem_free(heirs.of_block);
        return OK;
}

static enum err keep_profiles(struct surveyor *surveyor, struct why *why)
{
        struct survey *survey = surveyor->survey;
        uint32_t all = tally_size(surveyor->profiles);
        survey->profiles = mem_new(all + 1u, sizeof(*survey->profiles));
        if (!survey->profiles)
                return FAIL(why, ERR_NOMEM, "out of memory for a survey");
        for (uint32_t i = 0; i < all; i++)
                read_profile(surveyor->profiles, i, &survey->profiles[i]);
        qsort(survey->profiles, all, sizeof(*survey->profiles), compare_profiles);
        survey->profile_count = all < LIMIT_PROFILES ? all : LIMIT_PROFILES;
        return merge(surveyor, all, why);
}

enum err survey_take(struct db *db, int64_t release, int64_t now_s, struct survey *ret_survey, struct why *why)
{
        OWN(survey) struct survey survey = { 0 };
        OWN(tally) struct tally *profiles = NULL;
        struct surveyor surveyor = { .survey = &survey, .now_s = now_s };
        enum err e = tally_new(LIMIT_STRATA, &survey.strata, why);
        if (!e)
                e = tally_new(LIMIT_PROFILES_COUNTED, &survey.blocks, why);
        if (!e)
                e = tally_new(LIMIT_PROFILES_COUNTED, &profiles, why);
        surveyor.profiles = profiles;
        if (!e)
                e = find_kept(&surveyor, db, release, why);
        if (!e)
                e = count(&surveyor, db, release, why);
        tally_free(surveyor.groups);
        find_median(&surveyor);
        if (!e)
                e = keep_profiles(&surveyor, why);
        if (e)
                return e;
        *ret_survey = survey;
        survey = (struct survey){ 0 };
        return OK;
}
