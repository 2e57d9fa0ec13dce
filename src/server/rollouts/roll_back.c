#include "server/rollouts/roll_back.h"

#include "format/json.h"
#include "server/store/db.h"

#include <inttypes.h>

static enum err count_running(struct db *db, const struct run *run, int64_t *ret_devices, struct why *why)
{
        return db_number(db, "SELECT count(*) FROM versions v JOIN devices d ON d.number = v.device WHERE v.stream = ? AND v.running = ? AND d.revoked_at IS NULL",
                         VALUES(bind_text(run_facts(run)->stream), bind_int(run_facts(run)->counter)), 0, ret_devices, why);
}

void roll_back_write_pace(int64_t over_s, struct buf *into)
{
        if (over_s)
                buf_addf(into, "devices go back over %" PRId64 " s", over_s);
        else
                buf_add_text(into, "devices go back at once");
}

static enum err say_pace(struct db *db, const struct run *run, const struct run_word *word, int64_t over_s, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_REQUEST_BYTES);
        roll_back_write_pace(over_s, &text);
        buf_addf(&text, "; by %s: %s", word->who, word->reason);
        enum err e = buf_check(&text, why);
        return e ? e : db_run(db, "INSERT INTO rollout_events (rollout, at_ms, what) VALUES (?,?,?)",
                              VALUES(bind_int(run_facts(run)->number), bind_int(word->now_ms), bind_text(buf_text(&text))), why);
}

enum err roll_back_begin(struct db *db, const struct run *run, const struct run_word *word, int64_t over_s, struct why *why)
{
        int64_t devices = 0;
        enum err e = count_running(db, run, &devices, why);
        if (!e)
                e = db_run(db, "INSERT INTO roll_backs VALUES (?,?,?,?)",
                           VALUES(bind_int(run_facts(run)->number), bind_int(word->now_ms), bind_int(over_s), bind_int(devices)), why);
        return e ? e : say_pace(db, run, word, over_s, why);
}

/* Its word was not kept if a later one was, or if it spoke of more streams than it may have. */
enum err roll_back_add(struct db *db, const char *stream, int64_t counter, int64_t device, struct why *why)
{
        return db_run(db, "UPDATE roll_backs SET devices = devices + 1 WHERE rollout = (SELECT o.number FROM rollouts o JOIN releases r ON r.number = o.release"
                          " WHERE r.stream = ?1 AND r.counter = ?2) AND EXISTS (SELECT 1 FROM versions WHERE device = ?3 AND stream = ?1 AND running = ?2)",
                      VALUES(bind_text(stream), bind_int(counter), bind_int(device)), why);
}

enum err roll_back_find(struct db *db, const struct run *run, struct roll_back *ret_roll_back, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = db_query(db, "SELECT since_ms, over_s, devices FROM roll_backs WHERE rollout = ?", VALUES(bind_int(run_facts(run)->number)), &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (!e)
                *ret_roll_back = has ? (struct roll_back){ query_int(q, 0), query_int(q, 1), query_int(q, 2) } : (struct roll_back){ 0 };
        return e;
}

int64_t roll_back_until_ms(const struct roll_back *roll_back)
{
        return roll_back->since_ms + roll_back->over_s * 1000;
}

/* The same part of the time is over as before, so the same share of the fleet has had its turn. */
enum err roll_back_pace(struct db *db, const struct run *run, const struct run_word *word, struct why *why)
{
        struct roll_back now = { 0 };
        enum err e = roll_back_find(db, run, &now, why);
        if (e)
                return e;
        if (!now.over_s || word->now_ms >= roll_back_until_ms(&now))      /* at once is over, even if the clock was put back since */
                return FAIL(why, ERR_REFUSED, "no device waits for its turn any more: those that still run it have yet to hear of the withdrawal");
        int64_t over_ms = now.over_s * 1000, past_ms = word->now_ms > now.since_ms ? word->now_ms - now.since_ms : 0;
        int64_t since_ms = word->now_ms - past_ms * word->rollback_s * 1000 / over_ms;
        e = db_run(db, "UPDATE roll_backs SET since_ms = ?, over_s = ? WHERE rollout = ?",
                   VALUES(bind_int(since_ms), bind_int(word->rollback_s), bind_int(run_facts(run)->number)), why);
        return e ? e : say_pace(db, run, word, word->rollback_s, why);
}

enum err roll_back_list(struct db *db, const char *stream, struct withdrawal withdrawals[WITHDRAWALS_MAX], size_t *ret_count, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        size_t count = 0;
        enum err e = db_query(db, "SELECT * FROM (SELECT r.counter, b.since_ms, b.over_s FROM roll_backs b JOIN rollouts o ON o.number = b.rollout"
                                  " JOIN releases r ON r.number = o.release WHERE r.stream = ? ORDER BY r.counter DESC LIMIT ?) ORDER BY counter",
                              VALUES(bind_text(stream), bind_int(WITHDRAWALS_MAX)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has)
                withdrawals[count++] = (struct withdrawal){ (uint64_t)query_int(q, 0), query_int(q, 1) / 1000, query_int(q, 2) };
        *ret_count = count;
        return e;
}

enum err roll_back_view(struct db *db, const struct run *run, struct json **ret_json, struct why *why)
{
        struct roll_back roll_back;
        int64_t left = 0;
        enum err e = roll_back_find(db, run, &roll_back, why);
        if (!e && roll_back.since_ms)
                e = count_running(db, run, &left, why);
        if (e)
                return e;
        if (!roll_back.since_ms) {
                *ret_json = json_new_null();
                return OK;
        }
        struct json *json = json_new_object();
        int64_t devices = left > roll_back.devices ? left : roll_back.devices;      /* more: of servers that did not count those who came late */
        json_set_int(json, "since", roll_back.since_ms / 1000);
        json_set_int(json, "over_s", roll_back.over_s);
        json_set_int(json, "until", roll_back_until_ms(&roll_back) / 1000);
        json_set_int(json, "devices", devices);
        json_set_int(json, "gone", devices - left);
        *ret_json = json;
        return OK;
}
