#include "server/rollouts/groups.h"

#include "server/rollouts/tally.h"

#include <string.h>

enum { IS_KEPT, WAS_KEPT };                      /* of a group's counts */

/* A release that was stopped, or that a newer one was started without, is never given to anybody again. */
#define RELEASES_TO_GIVE \
        "FROM releases r LEFT JOIN rollouts o ON o.release = r.number WHERE r.stream = ?1" \
        " AND iif(o.state IS NULL, r.counter > (SELECT coalesce(max(s.counter), 0) FROM rollouts p JOIN releases s ON s.number = p.release WHERE s.stream = ?1)," \
        " o.state NOT IN ('halted', 'rolling_back', 'withdrawn', 'superseded', 'cancelled'))"

/* Of what is published since, the first release that brings devices to the floor and raised it above what they were kept on. Where nothing that they may have
 * is left at the floor, the first above. */
static enum err raise_to_floor(struct db *db, const char *stream, int64_t *counter, struct why *why)
{
        int64_t floor = 0, left = 0;
        enum err e = db_number(db, "SELECT max(floor) FROM releases WHERE stream = ?", VALUES(bind_text(stream)), 0, &floor, why);
        if (e || floor <= 1)                     /* 1 is the floor of every stream */
                return e;
        if (*counter >= floor)
                e = db_number(db, "SELECT count(*) " RELEASES_TO_GIVE " AND r.counter BETWEEN ?2 AND ?3", VALUES(bind_text(stream), bind_int(floor), bind_int(*counter)), 0, &left, why);
        if (e || left)
                return e;
        return db_number(db, "SELECT min(r.counter) " RELEASES_TO_GIVE " AND r.counter >= ?2 AND r.counter > ?3 AND (r.floor > ?3 OR ?3 >= ?2)",
                         VALUES(bind_text(stream), bind_int(floor), bind_int(*counter)), *counter, counter, why);
}

enum err group_newest(struct db *db, const char *stream, const struct group_rule *rule, int64_t *ret_counter, struct why *why)
{
        int64_t newest = 0;
        enum err e = db_number(db, "SELECT max(r.counter) FROM rollouts o JOIN releases r ON r.number = o.release WHERE r.stream = ? AND o.state IN ('complete', 'watched')",
                               VALUES(bind_text(stream)), 0, &newest, why);
        *ret_counter = rule->pin ? rule->pin : newest - 1;
        if (e || *ret_counter >= 0)
                return e ? e : raise_to_floor(db, stream, ret_counter, why);
        *ret_counter = 0;                        /* nothing was completed: there is nothing to be behind of */
        return OK;
}

enum err group_offer(struct db *db, const char *stream, const struct group_rule *rule, int64_t *ret_counter, struct why *why)
{
        int64_t newest = 0;
        enum err e = group_newest(db, stream, rule, &newest, why);
        return e ? e : db_number(db, "SELECT max(r.counter) FROM rollouts o JOIN releases r ON r.number = o.release WHERE r.stream = ?1 AND r.counter <= ?2"
                                     " AND o.state IN ('complete', 'watched') AND r.counter >= (SELECT max(floor) FROM releases WHERE stream = ?1)",
                                 VALUES(bind_text(stream), bind_int(newest)), 0, ret_counter, why);
}

enum err run_add_to_group(struct run *run, struct member *member, const char *name, struct why *why)
{
        return tally_number(run->groups, name, strlen(name), &member->group, why);
}

static bool is_kept(const struct run *run, const struct member *member, int when)
{
        return member->group != tally_none && tally_counts(run->groups, member->group)[when];
}

bool run_passes_by(const struct run *run, const struct member *member) { return is_kept(run, member, IS_KEPT); }

static enum err keep(struct db *db, struct run *run, struct query *q, struct why *why)
{
        const struct group_rule rule = { query_int(q, 1), query_int(q, 2) };
        const char *name = query_text(q, 0);
        int64_t newest = 0;
        uint32_t group = tally_none;
        enum err e = group_newest(db, run->facts.stream, &rule, &newest, why);
        if (!e)
                e = tally_number(run->groups, name, strlen(name), &group, why);
        if (!e && group != tally_none)
                tally_counts(run->groups, group)[IS_KEPT] = run->facts.counter > newest;
        return e;
}

static enum err look(struct db *db, struct run *run, bool *ret_has_changed, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        for (uint32_t i = 0; i < tally_size(run->groups); i++) {
                uint32_t *counts = tally_counts(run->groups, i);
                counts[WAS_KEPT] = counts[IS_KEPT];
                counts[IS_KEPT] = 0;
        }
        enum err e = db_query(db, "SELECT device_group, pin, behind FROM group_rules WHERE stream = ?", VALUES(bind_text(run->facts.stream)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has)
                e = keep(db, run, q, why);
        *ret_has_changed = false;
        for (uint32_t i = 0; i < tally_size(run->groups) && !e; i++)
                *ret_has_changed |= tally_counts(run->groups, i)[IS_KEPT] != tally_counts(run->groups, i)[WAS_KEPT];
        return e;
}

/* Whoever had it before its group was kept back is counted as before. */
static enum err find_owners(struct db *db, struct run *run, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = db_query(db, "SELECT device FROM leases WHERE rollout = ? AND kind = 'exposure' AND is_counted AND note IS NOT NULL AND coalesce(outcome, '') <> 'declined'",
                              VALUES(bind_int(run->facts.number)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has) {
                struct member *member = run_member(run, query_int(q, 0));
                if (member)
                        member->has_had_it = true;
        }
        return e;
}

enum err run_follow_groups(struct rollouts *rollouts, struct run *run, struct why *why)
{
        bool has_changed = false;
        enum err e = look(rollouts->db, run, &has_changed, why);
        if (!e && has_changed)
                e = find_owners(rollouts->db, run, why);
        if (e || !has_changed)
                return e;
        run->kept_back = 0;
        for (size_t i = 0; i < run->member_count; i++) {
                const struct member *member = &run->members[i];
                run->kept_back += run_passes_by(run, member) && !member->has_had_it && !rollout_is_held_out(run->pure, member->facts.bucket);
        }
        run->seen_asked_ms = 0;                  /* they no longer count, or do again */
        return OK;
}

enum err run_keeps_back(struct db *db, const struct run *run, int64_t device, struct run_keep *ret_keep, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        int64_t newest = 0;
        *ret_keep = (struct run_keep){ .is_kept = false };
        enum err e = db_query(db, "SELECT g.pin, g.behind FROM devices d JOIN group_rules g ON g.stream = ?1 AND g.device_group = d.device_group WHERE d.number = ?2",
                              VALUES(bind_text(run->facts.stream), bind_int(device)), &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (e || !has)
                return e;
        const struct group_rule rule = { query_int(q, 0), query_int(q, 1) };
        e = group_newest(db, run->facts.stream, &rule, &newest, why);
        ret_keep->is_kept = !e && run->facts.counter > newest;
        return e || !ret_keep->is_kept ? e : group_offer(db, run->facts.stream, &rule, &ret_keep->instead, why);
}
