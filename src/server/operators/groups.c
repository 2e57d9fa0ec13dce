/* Groups of devices, and on which release of a stream they are kept. A group begins with its first token. */
#include "base/limits.h"
#include "server/operators/operator.h"
#include "server/operators/releases.h"
#include "server/rollouts/groups.h"
#include "server/store/audit.h"
#include "server/store/inside.h"
#include "server/store/page.h"
#include "wire/device.h"

#include <inttypes.h>
#include <string.h>


/* number, name, devices that are not revoked */
#define GROUP_SELECT \
        "SELECT min(t.number), t.device_group, coalesce(n.devices, 0) FROM tokens t LEFT JOIN (SELECT device_group, count(*) AS devices FROM devices" \
        " WHERE revoked_at IS NULL GROUP BY device_group) n ON n.device_group = t.device_group "

static struct json *number_or_null(int64_t number) { return number ? json_new_int(number) : json_new_null(); }

static enum err add_rule(struct db *db, struct query *q, struct json *streams, struct why *why)
{
        const struct group_rule rule = { query_int(q, 1), query_int(q, 2) };
        int64_t newest = 0, now = 0;
        enum err e = group_newest(db, query_text(q, 0), &rule, &newest, why);
        if (!e)
                e = group_offer(db, query_text(q, 0), &rule, &now, why);
        if (e)
                return e;
        struct json *stream = json_new_object();
        json_set(stream, "pin", number_or_null(rule.pin));
        json_set(stream, "behind", number_or_null(rule.behind));
        json_set_int(stream, "newest", newest);
        json_set(stream, "now", number_or_null(now));
        json_set(streams, query_text(q, 0), stream);
        return OK;
}

/* The row under the query. */
static enum err group_json(struct db *db, struct query *group, struct json **ret_json, struct why *why)
{
        OWN(json) struct json *json = json_new_object();
        OWN(json) struct json *streams = json_new_object();
        OWN(query) struct query *q = NULL;
        bool has = false;
        json_set_text(json, "group", query_text(group, 1));
        json_set_int(json, "devices", query_int(group, 2));
        enum err e = db_query(db, "SELECT stream, pin, behind FROM group_rules WHERE device_group = ? ORDER BY stream", VALUES(bind_text(query_text(group, 1))), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has)
                e = add_rule(db, q, streams, why);
        if (e)
                return e;
        json_set(json, "streams", GIVE(streams));
        *ret_json = GIVE(json);
        return OK;
}

enum err operator_groups(struct call *call, struct why *why)
{
        OWN(page) struct page page = { 0 };
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = page_init(&page, call->request->query, why);
        if (!e)
                e = db_query(call->db, GROUP_SELECT "GROUP BY t.device_group HAVING min(t.number) > ? ORDER BY 1 LIMIT ?",
                             VALUES(bind_int(page.after), bind_int(page_fetch(&page))), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has) {
                struct json *group = NULL;
                e = group_json(call->db, q, &group, why);
                if (!e && !page_add(&page, query_int(q, 0), group))
                        break;
        }
        return e ? e : page_answer(call, &page, why);
}

static enum err check_group(struct db *db, const char *name, struct why *why)
{
        int64_t tokens = 0;
        enum err e = db_number(db, "SELECT count(*) FROM tokens WHERE device_group = ?", VALUES(bind_text(name)), 0, &tokens, why);
        if (!e && !tokens)
                return FAIL(why, ERR_NOT_FOUND, "no group `%s`: a group begins with its first token; see firebreak group list", name);
        return e;
}

static enum err answer_group(struct call *call, const char *name, struct why *why)
{
        OWN(query) struct query *q = NULL;
        struct json *json = NULL;
        bool has = false;
        enum err e = check_group(call->db, name, why);
        if (!e)
                e = db_query(call->db, GROUP_SELECT "WHERE t.device_group = ? GROUP BY t.device_group", VALUES(bind_text(name)), &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (!e)
                e = group_json(call->db, q, &json, why);
        return e ? e : call_answer_json(call, 200, json, why);
}

enum err operator_group(struct call *call, struct why *why)
{
        char name[65];
        enum err e = call_name(call, 0, name, why);
        return e ? e : answer_group(call, name, why);
}

struct set_order { const char *stream, *who, *reason; int64_t pin, behind; bool latest; };
static const struct json_field set_fields[] = {
        { "stream", JSON_TEXT, false, offsetof(struct set_order, stream), 1, LIMIT_NAME_BYTES },
        { "pin", JSON_INT, false, offsetof(struct set_order, pin), 1, INT64_MAX },
        { "behind", JSON_INT, false, offsetof(struct set_order, behind), 1, GROUP_BEHIND_MAX },
        { "latest", JSON_BOOL, false, offsetof(struct set_order, latest), 0, 0 },
        { "who", JSON_TEXT, true, offsetof(struct set_order, who), 1, LIMIT_NAME_BYTES },
        { "reason", JSON_TEXT, true, offsetof(struct set_order, reason), 1, LIMIT_REASON_BYTES },
};

static enum err read_order(const struct json *body, struct set_order *order, struct why *why)
{
        enum err e = JSON_READ(body, set_fields, order, why);
        if (!e && (order->pin > 0) + (order->behind > 0) + order->latest != 1)
                e = FAIL(why, ERR_SYNTAX, "say one of pin, behind and latest");
        if (!e && order->stream)
                e = wire_name_check(order->stream, "stream", why);
        return e ? e : wire_name_check(order->who, "who", why);
}

/* Named, or the only one that there is. */
static enum err find_stream(struct db *db, const struct set_order *order, char stream[65], struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        int64_t count = 0;
        enum err e = db_query(db, "SELECT min(stream), count(DISTINCT stream) FROM releases WHERE ?1 IS NULL OR stream = ?1", VALUES(bind_text(order->stream)), &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (e)
                return e;
        count = query_int(q, 1);
        if (!count)
                return FAIL(why, ERR_NOT_FOUND, "no release of %s%s is published here; see firebreak release list", order->stream ? "stream " : "any stream",
                            order->stream ? order->stream : "");
        if (count > 1)
                return FAIL(why, ERR_SYNTAX, "there are %" PRId64 " streams: say which one (--stream)", count);
        snprintf(stream, 65, "%s", query_text(q, 0));
        return OK;
}

static enum err check_pin(struct db *db, const char *stream, int64_t counter, struct why *why)
{
        struct release release;
        int64_t floor = 0;
        enum err e = release_find(db, stream, counter, &release, why);
        if (!e)
                e = db_number(db, "SELECT max(floor) FROM releases WHERE stream = ?", VALUES(bind_text(stream)), 0, &floor, why);
        if (!e && counter < floor)
                return FAIL(why, ERR_REFUSED, "%s is below the security floor %" PRId64 " of its stream: pin %" PRId64 " or a later one", release.name, floor, floor);
        return e;
}

static enum err keep_rule(struct db *db, const char *group, const char *stream, const struct set_order *order, struct why *why)
{
        enum err e = db_run(db, "DELETE FROM group_rules WHERE stream = ? AND device_group = ?", VALUES(bind_text(stream), bind_text(group)), why);
        if (e || order->latest)
                return e;
        return db_run(db, "INSERT INTO group_rules VALUES (?,?,?,?)", VALUES(bind_text(stream), bind_text(group), bind_int(order->pin), bind_int(order->behind)), why);
}

static enum err note(struct call *call, const char *group, const char *stream, const struct set_order *order, struct why *why)
{
        char what[40], detail[LIMIT_REASON_BYTES + 160];
        snprintf(what, sizeof(what), "pinned to %" PRId64, order->pin);
        snprintf(detail, sizeof(detail), "%s: %s; %s", stream, order->pin ? what : order->behind ? "one release behind" : "latest", order->reason);
        struct audit_line line = { call->now_ms, order->who, "group.set", group, detail };
        return audit_add(call->db, &line, why);
}

static enum err set(struct call *call, const char *group, const struct set_order *order, struct why *why)
{
        char stream[65];
        enum err e = check_group(call->db, group, why);
        if (!e)
                e = find_stream(call->db, order, stream, why);
        if (!e && order->pin)
                e = check_pin(call->db, stream, order->pin, why);
        if (!e)
                e = keep_rule(call->db, group, stream, order, why);
        if (!e)
                e = note(call, group, stream, order, why);
        return e ? e : answer_group(call, group, why);
}

enum err operator_group_set(struct call *call, struct why *why)
{
        OWN(json) struct json *body = NULL;
        struct set_order order = { 0 };
        char group[65];
        enum err e = call_name(call, 0, group, why);
        if (!e)
                e = call_body(call, &body, why);
        if (!e)
                e = read_order(body, &order, why);
        return e ? e : set(call, group, &order, why);
}
