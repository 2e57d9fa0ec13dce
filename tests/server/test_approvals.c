/* What others say of a release beside its note: taken, given out as files, and what is refused. */
#include "server/log_view.h"

#include "format/hex.h"
#include "trust/approval.h"

static const char route[] = "/api/v1/approvals";
enum { ANNA = 61, BERT, BANK, SHOP };

static void open_paced(struct world *world)
{
        *world = (struct world){ .has_log = true, .witnesses = 3, .witness_threshold = 2, .has_emergency = true };
        world_open_file(world);
}

static struct vkey vkey_of(uint8_t key)
{
        char name[16];
        snprintf(name, sizeof(name), "key-%u", key);
        return test_vkey(name, key);
}

/* Signed by the keys in `by`, each under its own name; a customer's is that of the first. */
static struct buf approval_of(const uint8_t *target, enum approval_kind kind, const uint8_t *by, size_t count)
{
        struct buf note;
        char name[16];
        struct approval approval = { .kind = kind, .by = vkey_of(by[0]) };
        memcpy(approval.release, target, sizeof(approval.release));
        buf_init(&note, LIMIT_APPROVAL_BYTES);
        approval_write(&approval, &note);
        for (size_t i = 0; i < count; i++) {
                snprintf(name, sizeof(name), "key-%u", by[i]);
                test_sign(&note, name, by[i]);
        }
        return note;
}

static int give(struct world *world, const struct buf *note)
{
        OWN(buf) struct buf body;
        OWN(json) struct json *json = json_new_object();
        buf_init(&body, LIMIT_REQUEST_BYTES);
        json_set_text(json, "approval", buf_text(note));
        CHECK(json_write(json, 0, &body, NULL) == OK);
        int status = world_ask(world, "POST", route, buf_text(&body));
        log_tick(world);
        return status;
}

#define GIVE_APPROVAL(world, kind, ...) give_by((world), (kind), (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))
static int give_by(struct world *world, enum approval_kind kind, const uint8_t *by, size_t count)
{
        OWN(buf) struct buf note = approval_of(world->target, kind, by, count);
        return give(world, &note);
}

static void path_of(const struct world *world, const char *file, char path[160])
{
        char hex[65];
        hex_encode(world->target, 32, hex);
        snprintf(path, 160, "approval/%s/%s", hex, file);
}

/* Where a customer's is. */
static const char *place_of(uint8_t key)
{
        static char hex[65];
        const struct vkey vkey = vkey_of(key);
        hex_encode(vkey.key.bytes, 32, hex);
        return hex;
}

/* As a device would. */
static enum err judged(struct world *world, const char *file, enum approval_kind kind, uint8_t key)
{
        OWN(buf) struct buf note = { 0 };
        char path[160];
        const struct vkey vkey = vkey_of(key);
        struct approval approval = { .kind = kind, .by = vkey };
        memcpy(approval.release, world->target, sizeof(approval.release));
        path_of(world, file, path);
        return view_file(world, path, &note) ? approval_verify(&note, &approval, &(struct note_keys){ &vkey, 1, 1 }, NULL) : ERR_NOT_FOUND;
}

/* Lines of nobody that this one has a say, under these names. */
static void add_junk(struct buf *note, const char *const *names, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                struct note_signature junk = { .signature = { (uint8_t)(i + 1) } };
                snprintf(junk.name, sizeof(junk.name), "%s", names[i]);
                const struct vkey anna = vkey_of(ANNA);
                vkey_id(&anna, junk.id);
                CHECK(note_add_line(note, &junk, NULL) == OK);
        }
}

TEST(approvals, of_customers_are_given_out_each_by_its_own_name)
{
        OWN(world) struct world world = { 0 };
        open_paced(&world);
        CHECK(world_publish(&world, 1) == 201 && judged(&world, place_of(BANK), APPROVAL_CUSTOMER, BANK) == ERR_NOT_FOUND);
        CHECK(GIVE_APPROVAL(&world, APPROVAL_CUSTOMER, BANK) == 201 && strcmp(world_text(&world, "stream"), "edr-rules") == 0 && world_int(&world, "counter") == 1);
        CHECK(judged(&world, place_of(BANK), APPROVAL_CUSTOMER, BANK) == OK && judged(&world, place_of(SHOP), APPROVAL_CUSTOMER, SHOP) == ERR_NOT_FOUND);
        CHECK(GIVE_APPROVAL(&world, APPROVAL_CUSTOMER, SHOP, BANK) == 201 && judged(&world, place_of(SHOP), APPROVAL_CUSTOMER, SHOP) == OK && judged(&world, place_of(BANK), APPROVAL_CUSTOMER, BANK) == OK);
        CHECK(GIVE_APPROVAL(&world, APPROVAL_CUSTOMER, SHOP) == 200);
        CHECK(log_count(&world, "SELECT count(*) FROM log_entries WHERE kind = 'approval'") == 2 && log_count(&world, "SELECT count(*) FROM audit WHERE what = 'approval.add'") == 2);
        CHECK(world_ask(&world, "GET", "/api/v1/releases/edr-rules/1", NULL) == 200 && json_count(json_get(world.json, "approvals")) == 2);
}

TEST(approvals, of_emergency_keys_take_their_threshold)
{
        OWN(world) struct world world = { 0 };
        open_paced(&world);
        CHECK(world_publish(&world, 1) == 201);
        CHECK(GIVE_APPROVAL(&world, APPROVAL_EMERGENCY, ANNA) == 403 && GIVE_APPROVAL(&world, APPROVAL_EMERGENCY, ANNA, ANNA) == 403 && GIVE_APPROVAL(&world, APPROVAL_EMERGENCY, ANNA, BANK) == 403);
        CHECK(judged(&world, "emergency", APPROVAL_EMERGENCY, ANNA) == ERR_NOT_FOUND && log_count(&world, "SELECT count(*) FROM approvals") == 0);
        CHECK(GIVE_APPROVAL(&world, APPROVAL_EMERGENCY, ANNA, BERT) == 201);
        CHECK(judged(&world, "emergency", APPROVAL_EMERGENCY, ANNA) == OK && judged(&world, "emergency", APPROVAL_EMERGENCY, BERT) == OK);
}

TEST(approvals, are_refused_when_they_are_none)
{
        static const uint8_t bank[] = { BANK };
        OWN(world) struct world world = { 0 };
        uint8_t other[32];
        open_paced(&world);
        CHECK(world_publish(&world, 1) == 201);
        memcpy(other, world.target, sizeof(other));
        other[0] ^= 1;
        OWN(buf) struct buf of_other = approval_of(other, APPROVAL_CUSTOMER, bank, 1), nobodys = approval_of(world.target, APPROVAL_CUSTOMER, bank, 0), forged = approval_of(world.target, APPROVAL_CUSTOMER, bank, 0);
        test_sign(&forged, "key-63", SHOP);
        CHECK(give(&world, &of_other) == 404 && give(&world, &nobodys) == 400 && give(&world, &forged) == 403);
        CHECK(world_ask(&world, "POST", route, "{}") == 400 && world_ask(&world, "POST", route, "{\"approval\":\"\"}") == 400 && world_ask(&world, "POST", route, "{\"approval\":\"x\",\"y\":1}") == 400);
        CHECK(log_count(&world, "SELECT count(*) FROM approvals") == 0);
}

/* Anybody can fetch what was given and write into it; whoever carries a file, too. */
TEST(approvals, are_not_spoilt_or_pushed_out_by_what_others_write_beside_them)
{
        static const uint8_t both[] = { ANNA, BERT }, bank[] = { BANK };
        static const char *const names[] = { "key-61", "key-62", "key-63", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z" };
        OWN(world) struct world world = { 0 };
        open_paced(&world);
        CHECK(world_publish(&world, 1) == 201);
        OWN(buf) struct buf lift = approval_of(world.target, APPROVAL_EMERGENCY, both, 2), ours = approval_of(world.target, APPROVAL_CUSTOMER, bank, 1);
        add_junk(&lift, names, sizeof(names) / sizeof(names[0]));
        add_junk(&ours, names, sizeof(names) / sizeof(names[0]));
        CHECK(give(&world, &lift) == 201 && give(&world, &ours) == 201);
        CHECK(judged(&world, "emergency", APPROVAL_EMERGENCY, ANNA) == OK && judged(&world, "emergency", APPROVAL_EMERGENCY, BERT) == OK && judged(&world, place_of(BANK), APPROVAL_CUSTOMER, BANK) == OK);
        OWN(buf) struct buf kept = { 0 };
        char path[160];
        path_of(&world, "emergency", path);
        CHECK(view_file(&world, path, &kept) && kept.length < 500);
        CHECK(GIVE_APPROVAL(&world, APPROVAL_EMERGENCY, ANNA, BERT) == 200 && give(&world, &lift) == 200);
}

/* A log that cannot be written does not keep approvals back, nor the other way round. */
TEST(approvals, wait_for_nobody)
{
        OWN(world) struct world world = { 0 };
        open_paced(&world);
        CHECK(world_publish(&world, 1) == 201 && GIVE_APPROVAL(&world, APPROVAL_CUSTOMER, BANK) == 201);
        CHECK(db_run(world.store->db, "UPDATE approvals SET is_out = 0, note = zeroblob(100000)", NO_VALUES, NULL) == OK);
        const uint64_t size = view_head(&world, NULL).size;
        CHECK(world_publish(&world, 2) == 201);
        world.now_ms += 1000;
        CHECK(store_log_tick(world.store, world.now_ms, NULL) == ERR_LIMIT && view_head(&world, NULL).size > size);
}

TEST(approvals, come_back_when_the_files_are_lost)
{
        OWN(world) struct world world = { 0 };
        char path[160];
        open_paced(&world);
        CHECK(world_publish(&world, 1) == 201 && GIVE_APPROVAL(&world, APPROVAL_CUSTOMER, BANK) == 201);
        path_of(&world, place_of(BANK), path);
        CHECK(world.log_disk.disk.ops->remove_tree(&world.log_disk.disk, "approval", NULL) == OK && judged(&world, place_of(BANK), APPROVAL_CUSTOMER, BANK) == ERR_NOT_FOUND);
        world_crash(&world);
        log_tick(&world);
        CHECK(judged(&world, place_of(BANK), APPROVAL_CUSTOMER, BANK) == OK);
}
