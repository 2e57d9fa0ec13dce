#include "trust/tuf_form.h"

#include "base/limits.h"
#include "format/json.h"
#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

#define HEAD(type) "{\"signatures\":[{\"keyid\":\"a\",\"sig\":\"00\"}],\"signed\":{\"_type\":\"" type "\",\"expires\":\"2030-01-02T03:04:05Z\","
#define TAIL "\"spec_version\":\"1.0.31\",\"version\":7}}"
#define ROLE(name) "\"" name "\":{\"keyids\":[\"" name "-1\",\"" name "-2\"],\"threshold\":2}"

#define NAMING "\"meta\":{\"snapshot.json\":{\"version\":1}},"
static const char *const good[TUF_ROLES] = {
        [TUF_ROOT] = HEAD("root") "\"keys\":{},\"roles\":{" ROLE("root") "," ROLE("snapshot") "," ROLE("targets") "," ROLE("timestamp") "}," TAIL,
        [TUF_TARGETS] = HEAD("targets") "\"targets\":{}," TAIL,
        [TUF_SNAPSHOT] = HEAD("snapshot") "\"meta\":{}," TAIL,
        [TUF_TIMESTAMP] = HEAD("timestamp") NAMING TAIL,
};

#define ONE "{\"name\":\"one\",\"keyids\":[\"a\"],\"threshold\":1,\"terminating\":false,\"paths\":[\"*\"]}"
#define TWO "{\"name\":\"two\",\"keyids\":[],\"threshold\":1,\"terminating\":true,\"path_hash_prefixes\":[\"00\",\"01\"]}"
static const char delegating[] = HEAD("targets") "\"delegations\":{\"keys\":{},\"roles\":[" ONE "," TWO "]},\"targets\":{}," TAIL;

static enum err check(enum tuf_role role, const char *text)
{
        OWN(json) struct json *json = NULL;
        uint64_t version = 0;
        int64_t expires = 0;
        enum err e = json_parse(text, strlen(text), LIMIT_METADATA_BYTES, &json, NULL);
        if (!e)
                e = tuf_form_check(role, json, &version, &expires, NULL);
        CHECK(e || (version && expires));
        return e;
}

/* `text`, with the first `from` in it made `to`. */
struct change { const char *from, *to; };
static enum err check_changed(enum tuf_role role, const char *text, struct change change)
{
        const char *at = strstr(text, change.from);
        OWN(buf) struct buf other;
        CHECK(at);
        buf_init(&other, LIMIT_METADATA_BYTES);
        buf_add(&other, text, (size_t)(at - text));
        buf_add_text(&other, change.to);
        buf_add_text(&other, at + strlen(change.from));
        CHECK(buf_check(&other, NULL) == OK);
        return check(role, buf_text(&other));
}

static void check_all(enum tuf_role role, const char *text, const struct change *changes, size_t count, enum err expected)
{
        for (size_t i = 0; i < count; i++)
                if (check_changed(role, text, changes[i]) != expected) {
                        char claim[400];
                        snprintf(claim, sizeof(claim), "%s with `%s` for `%s` is %s", tuf_role_name(role), changes[i].to, changes[i].from, expected ? err_info(expected)->name : "good");
                        test_fail(__FILE__, __LINE__, claim);
                }
}
#define CHECK_ALL(role, text, changes, expected) check_all((role), (text), (changes), sizeof(changes) / sizeof((changes)[0]), (expected))

TEST(tuf_form, takes_the_least_of_each_role_and_of_no_other)
{
        for (enum tuf_role is = TUF_ROOT; is < TUF_ROLES; is++)
                for (enum tuf_role wanted = TUF_ROOT; wanted < TUF_ROLES; wanted++)
                        CHECK(check(wanted, good[is]) == (is == wanted ? OK : ERR_SYNTAX));
        CHECK(check(TUF_TARGETS, delegating) == OK);
}

TEST(tuf_form, says_version_and_expiry)
{
        OWN(json) struct json *json = NULL;
        uint64_t version = 0;
        int64_t expires = 0;
        CHECK(json_parse(good[TUF_ROOT], strlen(good[TUF_ROOT]), LIMIT_METADATA_BYTES, &json, NULL) == OK);
        CHECK(tuf_form_check(TUF_ROOT, json, &version, &expires, NULL) == OK && version == 7 && expires == 1893553445);
}

TEST(tuf_form, leaves_alone_what_it_does_not_know)
{
        static const struct change everywhere[] = {
                { "{\"signatures\"", "{\"x\":[],\"signatures\"" }, { "{\"_type\"", "{\"x\":{\"y\":null},\"_type\"" },
                { "\"sig\"", "\"x\":1,\"sig\"" }, { "{\"keyid\":\"a\",\"sig\":\"00\"}", "" }, { "{\"keyid\":\"a\",\"sig\":\"00\"}", "7,null,{},{},{\"keyid\":1}" },
                { "1.0.31", "1.0" }, { "1.0.31", "1.99.0" }, { "\"version\":7", "\"version\":9223372036854775807" },
        };
        static const struct change root[] = {
                { "\"keys\":{}", "\"keys\":{\"a\":7}" }, { "\"roles\":{", "\"roles\":{\"mirrors\":7," }, { "\"keyids\":[\"root", "\"x\":1,\"keyids\":[\"root" },
                { "\"keys\"", "\"consistent_snapshot\":true,\"keys\"" }, { "\"keys\"", "\"consistent_snapshot\":false,\"keys\"" },
        };
        static const struct change targets[] = {
                { ",\"terminating\":false", "" }, { "\"roles\":", "\"x\":1,\"roles\":" }, { "\"name\":", "\"x\":1,\"name\":" }, { "[\"*\"]", "[]" },
                { ONE "," TWO, "" }, { "one", "One/../\xc3\xa4 %" }, { "one", "Roots" }, { "one", "root.json" },
        };
        for (enum tuf_role role = TUF_ROOT; role < TUF_ROLES; role++)
                CHECK_ALL(role, good[role], everywhere, OK);
        CHECK_ALL(TUF_ROOT, good[TUF_ROOT], root, OK);
        CHECK_ALL(TUF_TARGETS, delegating, targets, OK);
}

TEST(tuf_form, needs_a_head_and_signatures)
{
        static const struct change changes[] = {
                { "\"signatures\"", "\"signature\"" }, { "[{\"keyid\":\"a\",\"sig\":\"00\"}]", "{}" }, { "[{\"keyid\":\"a\",\"sig\":\"00\"}]", "null" },
                { "{\"keyid\":\"a\"", "{\"keyid\":\"a\"},{\"keyid\":\"b\"},{\"keyid\":\"a\"" }, { "\"signed\":", "\"signed\":[],\"was\":" }, { "\"signed\"", "\"sign\"" },
                { "\"_type\":\"", "\"_type\":\"x" }, { "\"_type\"", "\"type\"" }, { "\"_type\":\"", "\"_type\":1,\"x\":\"" },
                { "1.0.31", "2.0" }, { "1.0.31", "10.0" }, { "1.0.31", "1" }, { "1.0.31", "" }, { "\"1.0.31\"", "1" }, { "\"spec_version\"", "\"spec\"" },
                { "\"version\":7", "\"version\":0" }, { "\"version\":7", "\"version\":-1" }, { "\"version\":7", "\"version\":\"7\"" }, { "\"version\":7", "\"x\":7" },
                { "\"version\":7", "\"version\":1.0" }, { "\"version\":7", "\"version\":1e0" }, { "\"version\":7", "\"version\":9223372036854775808" },
                { "\"version\":7", "\"version\":null" }, { "\"version\":7", "\"version\":7,\"version\":7" },
                { "05Z", "05" }, { "05Z", "05z" }, { "05Z", "05+00:00" }, { "05Z", "05.0Z" }, { "01-02T", "02-30T" }, { "01-02T", "13-02T" }, { "2030-01-02T", "2030-01-02 " },
                { "\"2030-01-02T03:04:05Z\"", "1893553445" }, { "\"expires\"", "\"expiry\"" }, { "T03", "T25" },
        };
        for (enum tuf_role role = TUF_ROOT; role < TUF_ROLES; role++)
                CHECK_ALL(role, good[role], changes, ERR_SYNTAX);
}

/* Refused before its form is looked at: json.h knows no reals. */
TEST(tuf_form, takes_a_real_for_no_number)
{
        struct json *json = NULL;
        CHECK(json_parse("{\"version\":1.0}", 15, 100, &json, NULL) == ERR_SYNTAX && json_parse("{\"threshold\":1.0}", 17, 100, &json, NULL) == ERR_SYNTAX);
}

TEST(tuf_form, of_a_snapshot_and_a_timestamp_has_a_meta_object)
{
        static const struct change changes[] = { { "\"meta\":{}", "\"meta\":[]" }, { "\"meta\":{}", "\"meta\":null" }, { "\"meta\":{},", "" }, { "\"meta\"", "\"targets\"" } };
        CHECK_ALL(TUF_SNAPSHOT, good[TUF_SNAPSHOT], changes, ERR_SYNTAX);
        static const struct change more[] = {
                { NAMING, "\"meta\":[]," }, { NAMING, "" }, { NAMING, "\"meta\":{}," }, { "snapshot.json", "targets.json" }, { "\"version\":1}", "\"version\":0}" },
                { "\"version\":1}", "\"version\":\"1\"}" }, { "{\"version\":1}", "1" }, { "\"meta\":{", "\"meta\":{\"x.json\":{}," },
        };
        CHECK_ALL(TUF_TIMESTAMP, good[TUF_TIMESTAMP], more, ERR_SYNTAX);
}

/* Another role's file may be too large for us, or of digests that we do not know: that is for whoever asks for it. */
TEST(tuf_form, takes_what_is_said_of_files_that_nobody_asks_for)
{
        static const struct change changes[] = {
                { "\"meta\":{", "\"meta\":{\"big.json\":{\"version\":1,\"length\":9999999999}," }, { "\"meta\":{", "\"meta\":{\"b.json\":{\"version\":1,\"hashes\":{\"blake2b\":\"00\"}}," },
        };
        CHECK_ALL(TUF_TIMESTAMP, good[TUF_TIMESTAMP], changes, OK);
}

TEST(tuf_form, of_a_root_names_the_keys_of_all_four_roles)
{
        static const struct change changes[] = {
                { "\"keys\":{}", "\"keys\":[]" }, { "\"keys\":{},", "" }, { "\"roles\":{", "\"roles\":[],\"was\":{" }, { "\"roles\":{", "\"x\":{" },
                { ROLE("root") ",", "" }, { ROLE("snapshot") ",", "" }, { ROLE("targets") ",", "" }, { "," ROLE("timestamp"), "" }, { ROLE("targets"), "\"targets\":[]" },
                { "\"keys\"", "\"consistent_snapshot\":1,\"keys\"" }, { "\"keys\"", "\"consistent_snapshot\":\"true\",\"keys\"" },
                { "\"keys\"", "\"consistent_snapshot\":null,\"keys\"" },
        };
        CHECK_ALL(TUF_ROOT, good[TUF_ROOT], changes, ERR_SYNTAX);
}

TEST(tuf_form, of_a_root_has_whole_keyrings)
{
        static const char *const names[] = { "root", "snapshot", "targets", "timestamp" };
        static const struct change changes[] = {
                { "\"threshold\":2", "\"threshold\":0" }, { "\"threshold\":2", "\"threshold\":-1" }, { "\"threshold\":2", "\"x\":2" },
                { "\"threshold\":2", "\"threshold\":\"1\"" },
                { "\"threshold\":2", "\"threshold\":1.0" }, { "\"threshold\":2", "\"threshold\":true" }, { "\"keyids\":[", "\"keyids\":{},\"was\":[" },
                { "\"keyids\":[", "\"keyids\":\"a\",\"was\":[" }, { "\"keyids\":[", "\"x\":[" }, { "\"keyids\":[", "\"keyids\":[7," }, { "\"keyids\":[", "\"keyids\":[null," },
                { "\"keyids\":[", "\"keyids\":[\"b\",\"a\",\"b\"," },
        };
        for (size_t i = 0; i < 4; i++)
                for (size_t k = 0; k < sizeof(changes) / sizeof(changes[0]); k++) {
                        char from[80], to[120];
                        snprintf(from, sizeof(from), "\"%s\":{\"keyids\":[\"%s-1\",\"%s-2\"],\"threshold\":2}", names[i], names[i], names[i]);
                        const char *field = strstr(from, changes[k].from);
                        CHECK(field);
                        snprintf(to, sizeof(to), "%.*s%s%s", (int)(field - from), from, changes[k].to, field + strlen(changes[k].from));
                        CHECK(check_changed(TUF_ROOT, good[TUF_ROOT], (struct change){ from, to }) == ERR_SYNTAX);
                }
}

TEST(tuf_form, of_targets_has_a_targets_object)
{
        static const struct change changes[] = {
                { "\"targets\":{}", "\"targets\":[]" }, { "\"targets\":{},", "" }, { "\"targets\":{}", "\"targets\":null" },
                { "\"targets\":{}", "\"targets\":{},\"delegations\":null" }, { "\"targets\":{}", "\"targets\":{},\"delegations\":[]" },
                { "\"targets\":{}", "\"targets\":{},\"delegations\":{}" },
        };
        CHECK_ALL(TUF_TARGETS, good[TUF_TARGETS], changes, ERR_SYNTAX);
}

TEST(tuf_form, of_delegations_is_whole)
{
        static const struct change changes[] = {
                { "\"keys\":{},", "" }, { "\"keys\":{}", "\"keys\":[]" }, { "\"roles\":[", "\"x\":[" }, { "\"roles\":[", "\"roles\":{},\"was\":[" },
                { "\"keys\":{}", "\"keys\":{},\"succinct_roles\":{}" }, { "\"roles\":[", "\"roles\":[7," }, { "\"roles\":[", "\"roles\":[[]," },
                { "\"name\":\"one\",", "" }, { "\"name\":\"one\"", "\"name\":\"\"" }, { "\"name\":\"one\"", "\"name\":1" },
                { "\"one\"", "\"root\"" }, { "\"one\"", "\"targets\"" }, { "\"one\"", "\"snapshot\"" }, { "\"one\"", "\"timestamp\"" }, { "\"one\"", "\"Root\"" }, { "\"one\"", "\"two\"" },
                { "\"paths\":[\"*\"]", "\"paths\":[\"*\"],\"path_hash_prefixes\":[\"00\"]" }, { "\"paths\":[\"*\"]", "\"paths\":[\"*\"],\"path_hash_prefixes\":[]" },
                { ",\"paths\":[\"*\"]", "" }, { "[\"*\"]", "[\"*\",7]" }, { "[\"*\"]", "\"*\"" }, { "[\"*\"]", "{}" },
                { "[\"00\",\"01\"]", "[0]" }, { "[\"00\",\"01\"]", "\"00\"" }, { "\"terminating\":false", "\"terminating\":\"yes\"" },
                { "\"terminating\":true", "\"terminating\":1" }, { "\"terminating\":true", "\"terminating\":null" },
                { "\"threshold\":1", "\"threshold\":0" }, { "\"threshold\":1", "\"threshold\":-1" }, { ",\"threshold\":1", "" }, { "\"threshold\":1", "\"threshold\":\"1\"" },
                { "\"keyids\":[\"a\"]", "\"keyids\":[\"a\",\"a\"]" }, { "\"keyids\":[\"a\"]", "\"keyids\":\"a\"" }, { "\"keyids\":[\"a\"]", "\"keyids\":[1]" },
                { "\"keyids\":[\"a\"],", "" },
        };
        CHECK_ALL(TUF_TARGETS, delegating, changes, ERR_SYNTAX);
}

TEST(tuf_form, of_a_role_has_a_name_of_at_most_80_bytes)
{
        char name[LIMIT_ROLE_NAME_BYTES + 2];
        memset(name, 'n', sizeof(name));
        name[LIMIT_ROLE_NAME_BYTES] = 0;
        CHECK(check_changed(TUF_TARGETS, delegating, (struct change){ "one", name }) == OK);
        memcpy(name + LIMIT_ROLE_NAME_BYTES, "n", 2);
        CHECK(check_changed(TUF_TARGETS, delegating, (struct change){ "one", name }) == ERR_LIMIT);
}

/* How many there may be of each: so many are taken, and one more is not. */
TEST(tuf_form, has_its_limits)
{
        static const struct { const char *text, *at, *item; enum tuf_role role; int count, there; } limits[] = {
                { HEAD("timestamp") NAMING TAIL, "{\"keyid\":\"a\"", "{\"keyid\":\"%d\"},", TUF_TIMESTAMP, LIMIT_SIGNATURES, 1 },
                { HEAD("timestamp") NAMING TAIL, "{\"keyid\":\"a\"", "{\"nobody\":%d},", TUF_TIMESTAMP, LIMIT_SIGNATURES, 1 },
                { HEAD("targets") "\"delegations\":{\"keys\":{},\"roles\":[" ONE "]},\"targets\":{}," TAIL, "\"a\"],\"thr", "\"%d\",", TUF_TARGETS, LIMIT_KEYS, 1 },
                { HEAD("targets") "\"delegations\":{\"keys\":{},\"roles\":[" ONE "]},\"targets\":{}," TAIL, "{\"name\":",
                  "{\"name\":\"%d\",\"keyids\":[],\"threshold\":1,\"paths\":[]},", TUF_TARGETS, LIMIT_DELEGATIONS, 1 },
                { HEAD("root") "\"keys\":{},\"roles\":{" ROLE("root") "," ROLE("snapshot") "," ROLE("targets") "," ROLE("timestamp") "}," TAIL, "\"snapshot-1\"", "\"%d\",", TUF_ROOT,
                  LIMIT_KEYS, 2 },
        };
        for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
                for (int over = 0; over < 2; over++) {
                        OWN(buf) struct buf text;
                        const char *at = strstr(limits[i].text, limits[i].at);
                        CHECK(at);
                        buf_init(&text, LIMIT_METADATA_BYTES);
                        buf_add(&text, limits[i].text, (size_t)(at - limits[i].text));
                        for (int k = limits[i].there; k < limits[i].count + over; k++) {
                                const char *number = strstr(limits[i].item, "%d");
                                buf_addf(&text, "%.*s%d%s", (int)(number - limits[i].item), limits[i].item, k, number + 2);
                        }
                        buf_add_text(&text, at);
                        CHECK(check(limits[i].role, buf_text(&text)) == (over ? ERR_LIMIT : OK));
                }
}

TEST(tuf_form, survives_running_out_of_memory)
{
        enum err e = OK;
        SWEEP_MEMORY {
                e = check(TUF_TARGETS, delegating);
                CHECK(e == OK || e == ERR_NOMEM);
        }
        CHECK(e == OK);
}

TEST(tuf_form, gives_nothing_of_a_file_that_it_refuses)
{
        static const char text[] = "{\"signatures\":[],\"signed\":{\"_type\":\"timestamp\",\"expires\":\"2030-01-02T03:04:05Z\",\"spec_version\":\"1.0\",\"version\":7}}";
        OWN(json) struct json *json = NULL;
        uint64_t version = 0;
        int64_t expires = 0;
        CHECK(json_parse(text, strlen(text), LIMIT_METADATA_BYTES, &json, NULL) == OK);
        CHECK(tuf_form_check(TUF_TIMESTAMP, json, &version, &expires, NULL) == ERR_SYNTAX && !version && !expires);
}
