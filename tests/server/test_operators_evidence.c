#include "server/store/inside.h"
#include "server/world.h"

#include "evidence/gate.h"
#include "evidence/records.h"
#include "format/hex.h"
#include "support/test.h"

static int64_t kept(struct world *world)
{
        int64_t count = -1;
        CHECK(db_number(world->store->db, "SELECT count(*) FROM evidence", NO_VALUES, -1, &count, NULL) == OK);
        return count;
}

static int start(struct world *world)
{
        return world_ask(world, "POST", "/api/v1/rollouts", "{\"stream\":\"edr-rules\",\"counter\":1,\"override\":{\"people\":[\"ann\",\"bert\"],\"reason\":\"test\"}}");
}

static void evidence_open(struct world *world)
{
        struct world_device device;
        world_open(world);
        world_enrol(world, &device, "os=debian");
        CHECK(world_publish(world, 1) == 201);
        world_prove(world, 1);
}

/* Whoever has the operators' key and no lab's can spell what a lab signed in any way. */
TEST(evidence, said_again_in_another_spelling_is_kept_once)
{
        OWN(world) struct world world = { 0 };
        OWN(buf) struct buf envelope, spelled;
        char target[65];
        struct secret_key key = test_key(7);
        struct record record = test_record("lab.acme", "S2", RECORD_PASS);
        evidence_open(&world);
        hex_encode(world.target, 32, target);
        record.target = target;
        record.stream = world.stream;
        record.counter = 1;
        buf_init(&envelope, DSSE_BYTES_MAX);
        buf_init(&spelled, DSSE_BYTES_MAX);
        CHECK(record_sign(&record, &key, &envelope, NULL) == OK);
        buf_addf(&spelled, " {%s", buf_text(&envelope) + 1);
        CHECK(world_ask(&world, "POST", "/api/v1/releases/edr-rules/1/evidence", buf_text(&envelope)) == 201);
        int64_t before = kept(&world);
        CHECK(world_ask(&world, "POST", "/api/v1/releases/edr-rules/1/evidence", buf_text(&spelled)) == 201 && kept(&world) == before);
}

TEST(evidence, of_one_more_record_than_a_gate_looks_at_shuts_it_for_good)
{
        OWN(world) struct world world = { 0 };
        evidence_open(&world);
        CHECK(db_run(world.store->db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO evidence (release, digest, envelope, received_at)"
                                      " SELECT release, randomblob(32), envelope, received_at FROM evidence, n WHERE number = 1",
                     VALUES(bind_int(GATE_RECORDS_MAX - 3)), NULL) == OK);
        CHECK(kept(&world) == GATE_RECORDS_MAX);
        world.now_ms += 1000;
        CHECK(world_evidence(&world, 1, "S4", RECORD_FAIL, true) == 201);
        CHECK(start(&world) == 409);
        CHECK(world_evidence(&world, 1, "S1", RECORD_FAIL, false) != 201 && start(&world) == 409);
}
