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

/* Signed by the keys in `by`, each under its own name. */
static struct buf approval_of(const uint8_t *target, enum approval_kind kind, const uint8_t *by, size_t count)
{
        struct buf note;
        char name[16];
        struct approval approval = { .kind = kind };
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

static void path_of(const struct world *world, const char *file, char path[128])
{
        char hex[65];
        hex_encode(world->target, 32, hex);
        snprintf(path, 128, "approval/%s/%s", hex, file);
}

static const char *id_of(uint8_t key)
{
        static char id[9];
        char name[16];
        snprintf(name, sizeof(name), "key-%u", key);
        const struct vkey vkey = test_vkey(name, key);
        vkey_id_text(&vkey, id);
        return id;
}

/* As a device would. */
static enum err judged(struct world *world, const char *file, enum approval_kind kind, uint8_t key)
{
        OWN(buf) struct buf note = { 0 };
        char path[128], name[16];
        struct approval approval = { .kind = kind };
        snprintf(name, sizeof(name), "key-%u", key);
        const struct vkey vkey = test_vkey(name, key);
        memcpy(approval.release, world->target, sizeof(approval.release));
        path_of(world, file, path);
        return view_file(world, path, &note) ? approval_verify(&note, &approval, &(struct note_keys){ &vkey, 1, 1 }, NULL) : ERR_NOT_FOUND;
}

TEST(approvals, of_customers_are_given_out_each_by_its_own_name)
{
        OWN(world) struct world world = { 0 };
        open_paced(&world);
        CHECK(world_publish(&world, 1) == 201 && judged(&world, id_of(BANK), APPROVAL_CUSTOMER, BANK) == ERR_NOT_FOUND);
        CHECK(GIVE_APPROVAL(&world, APPROVAL_CUSTOMER, BANK) == 201 && strcmp(world_text(&world, "stream"), "edr-rules") == 0 && world_int(&world, "counter") == 1);
        CHECK(judged(&world, id_of(BANK), APPROVAL_CUSTOMER, BANK) == OK && judged(&world, id_of(SHOP), APPROVAL_CUSTOMER, SHOP) == ERR_NOT_FOUND);
        CHECK(GIVE_APPROVAL(&world, APPROVAL_CUSTOMER, SHOP, BANK) == 201 && judged(&world, id_of(SHOP), APPROVAL_CUSTOMER, SHOP) == OK && judged(&world, id_of(BANK), APPROVAL_CUSTOMER, BANK) == OK);
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
        OWN(buf) struct buf of_other = approval_of(other, APPROVAL_CUSTOMER, bank, 1), nobodys = approval_of(world.target, APPROVAL_CUSTOMER, bank, 0);
        CHECK(give(&world, &of_other) == 404 && give(&world, &nobodys) == 400);
        CHECK(world_ask(&world, "POST", route, "{}") == 400 && world_ask(&world, "POST", route, "{\"approval\":\"\"}") == 400 && world_ask(&world, "POST", route, "{\"approval\":\"x\",\"y\":1}") == 400);
        CHECK(log_count(&world, "SELECT count(*) FROM approvals") == 0);
}

TEST(approvals, come_back_when_the_files_are_lost)
{
        OWN(world) struct world world = { 0 };
        char path[128];
        open_paced(&world);
        CHECK(world_publish(&world, 1) == 201 && GIVE_APPROVAL(&world, APPROVAL_CUSTOMER, BANK) == 201);
        path_of(&world, id_of(BANK), path);
        CHECK(world.log_disk.disk.ops->remove_tree(&world.log_disk.disk, "approval", NULL) == OK && judged(&world, id_of(BANK), APPROVAL_CUSTOMER, BANK) == ERR_NOT_FOUND);
        world_crash(&world);
        log_tick(&world);
        CHECK(judged(&world, id_of(BANK), APPROVAL_CUSTOMER, BANK) == OK);
}
