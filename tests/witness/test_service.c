#include "log/prover.h"
#include "log/requests.h"
#include "support/sim_clock.h"
#include "support/sim_disk.h"
#include "support/sweep.h"
#include "witness/service.h"

/* A witness on a disk that loses power: log/signed.h's witness 1, of its one log. */
struct bench {
        struct verifier log, witness;
        struct secret_key key;
        struct sim_clock clock;
        struct service service;
};

static void set_up(struct bench *bench, struct disk *disk)
{
        bench->log = test_log();
        bench->witness = test_witness(1);
        bench->key = test_key(11);
        sim_clock_init(&bench->clock, TEST_TIME);
        bench->service = (struct service){ { disk, &bench->witness }, &bench->log, 1, &bench->witness, &bench->key, &bench->clock.clock };
}

static enum err ask(const struct bench *bench, const struct buf *request, struct reply *reply)
{
        struct why why;
        buf_init(&reply->body, REPLY_BYTES_MAX);
        return service_add_checkpoint(&bench->service, &(struct line){ buf_text(request), request->length }, reply, &why);
}

/* The oracle's log asks from one size to another; the status. */
static int grow(const struct bench *bench, unsigned old_size, unsigned size, struct buf *ret_body)
{
        struct tree_proof proof = { 0 };
        struct tree_head head = oracle_head(size);
        struct reply reply;
        if (old_size && old_size < size)
                oracle_subproof(old_size, 0, size, true, &proof);
        OWN(buf) struct buf request = test_request(&head, old_size, &proof);
        enum err e = ask(bench, &request, &reply);
        CHECK((e == OK) == (reply.status == 200));
        *ret_body = reply.body;
        return reply.status;
}

static int grow_only(const struct bench *bench, unsigned old_size, unsigned size)
{
        OWN(buf) struct buf body = { 0 };
        return grow(bench, old_size, size, &body);
}

static uint64_t remembered(const struct bench *bench)
{
        struct tree_head head, honest;
        CHECK(ledger_head(&bench->service.ledger, TEST_ORIGIN, &head, NULL) == OK);
        honest = oracle_head((unsigned)head.size);
        CHECK(!head.size || tree_hash_equal(&head.root, &honest.root));
        return head.size;
}

TEST(service, answers_with_a_cosignature_that_counts)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        OWN(buf) struct buf body = { 0 }, note;
        struct bench bench;
        struct checkpoint checkpoint;
        struct tree_head head = oracle_head(7);
        int64_t time;
        sim_disk_init(&sim);
        set_up(&bench, &sim.disk);
        CHECK(grow(&bench, 0, 7, &body) == 200);
        test_checkpoint(&note, &head);
        buf_add(&note, body.bytes, body.length);
        CHECK(checkpoint_parse(note.bytes, note.length, &checkpoint, NULL) == OK && checkpoint.signature_count == 2);
        CHECK(cosignature_time(&checkpoint, &bench.witness, &time, NULL) == OK && time == TEST_TIME);
        CHECK(remembered(&bench) == 7 && grow_only(&bench, 7, 20) == 200 && remembered(&bench) == 20);
}

TEST(service, tells_its_size_as_the_standard_has_it)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        OWN(buf) struct buf body = { 0 };
        struct bench bench;
        sim_disk_init(&sim);
        set_up(&bench, &sim.disk);
        CHECK(grow_only(&bench, 0, 7) == 200 && grow(&bench, 5, 9, &body) == 409 && strcmp(body.bytes, "7\n") == 0);
        CHECK(remembered(&bench) == 7);
}

TEST(service, shows_what_it_cosigned_last)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        struct bench bench;
        struct reply reply;
        struct checkpoint checkpoint;
        char name[LEDGER_NAME_MAX];
        static const char *const bad[] = { "", "..", "lock", "0000000000000000000000000000000000000000000000000000000000000000",
                                           "../00000000000000000000000000000000000000000000000000000000000000" };
        sim_disk_init(&sim);
        set_up(&bench, &sim.disk);
        ledger_name(TEST_ORIGIN, name);
        CHECK(grow_only(&bench, 0, 7) == 200);
        buf_init(&reply.body, REPLY_BYTES_MAX);
        CHECK(service_checkpoint(&bench.service, name, &reply, NULL) == OK && reply.status == 200);
        CHECK(checkpoint_parse(reply.body.bytes, reply.body.length, &checkpoint, NULL) == OK);
        CHECK(checkpoint_verify(&checkpoint, &bench.log, NULL) == OK && checkpoint.head.size == 7 && checkpoint.signature_count == 2);
        buf_done(&reply.body);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                buf_init(&reply.body, REPLY_BYTES_MAX);
                CHECK(service_checkpoint(&bench.service, bad[i], &reply, NULL) == ERR_NOT_FOUND && reply.status == 404);
                buf_done(&reply.body);
        }
}

/* Whenever the power goes: what left the program as cosigned is remembered, so it can never be led back behind it. */
TEST(service, remembers_what_left_it_whenever_the_power_goes)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        unsigned cuts = 0;
        SWEEP_POWER(&sim) {
                static const unsigned sizes[] = { 0, 3, 7, 20 };
                struct bench bench;
                uint64_t told = 0;
                set_up(&bench, &sim.disk);
                for (int i = 1; i < 4; i++)
                        if (grow_only(&bench, sizes[i - 1], sizes[i]) == 200)
                                told = sizes[i];
                cuts += sim.was_cut;
                sim_disk_power_on(&sim);
                CHECK(remembered(&bench) >= told);
        }
        CHECK(cuts >= 3);
}

TEST(service, cosigns_nothing_that_it_cannot_remember)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        struct bench bench;
        sim_disk_init(&sim);
        set_up(&bench, &sim.disk);
        CHECK(grow_only(&bench, 0, 7) == 200);
        for (unsigned call = 0; call < 2; call++) {
                OWN(buf) struct buf body = { 0 };
                sim_disk_fail_at(&sim, call, call ? ERR_FULL : ERR_IO);
                CHECK(grow(&bench, 7, 20, &body) == 500 && !strstr(body.bytes, "witness.example.com") && remembered(&bench) == 7);
        }
        CHECK(grow_only(&bench, 7, 20) == 200);
}

/* Damaged is not the same as never seen. */
TEST(service, cosigns_nothing_after_a_damaged_record)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        OWN(buf) struct buf record;
        struct bench bench;
        struct tree_head head;
        char name[LEDGER_NAME_MAX];
        sim_disk_init(&sim);
        set_up(&bench, &sim.disk);
        ledger_name(TEST_ORIGIN, name);
        buf_init(&record, LIMIT_CHECKPOINT_BYTES);
        CHECK(grow_only(&bench, 0, 7) == 200 && sim.disk.ops->read(&sim.disk, name, &record, NULL) == OK);
        for (size_t i = 0; i < record.length; i += 5) {
                record.bytes[i] ^= 1;
                CHECK(sim.disk.ops->replace(&sim.disk, name, record.bytes, record.length, NULL) == OK);
                enum err e = ledger_head(&bench.service.ledger, TEST_ORIGIN, &head, NULL);
                CHECK(e == ERR_CONTENT || (e == OK && head.size == 7));          /* a byte of the log's own signature is no matter here */
                if (e)
                        CHECK(grow_only(&bench, 0, 3) == 500 && grow_only(&bench, 7, 20) == 500);
                record.bytes[i] ^= 1;
        }
        CHECK(sim.disk.ops->replace(&sim.disk, name, "", 0, NULL) == OK && grow_only(&bench, 0, 3) == 500);
        struct verifier other = test_witness(2);
        bench.service.ledger.witness = &other;
        CHECK(sim.disk.ops->replace(&sim.disk, name, record.bytes, record.length, NULL) == OK && grow_only(&bench, 7, 20) == 500);
}

/* What others hung on the checkpoint is neither kept nor handed on. */
TEST(service, keeps_no_signature_of_strangers)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        OWN(buf) struct buf request, record;
        struct bench bench;
        struct reply reply;
        struct tree_head head = oracle_head(7);
        char name[LEDGER_NAME_MAX];
        sim_disk_init(&sim);
        set_up(&bench, &sim.disk);
        ledger_name(TEST_ORIGIN, name);
        request = test_request(&head, 0, &(struct tree_proof){ 0 });
        buf_add_text(&request, "\xe2\x80\x94 stranger AAAAAAA=\n");
        CHECK(ask(&bench, &request, &reply) == OK && !strstr(reply.body.bytes, "stranger"));
        buf_done(&reply.body);
        buf_init(&record, LIMIT_CHECKPOINT_BYTES);
        CHECK(sim.disk.ops->read(&sim.disk, name, &record, NULL) == OK && !strstr(record.bytes, "stranger") && strstr(record.bytes, "witness.example.com/w1"));
}

TEST(service, survives_running_out_of_memory)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        OWN(buf) struct buf request;
        struct bench bench;
        struct tree_head head = oracle_head(7);
        request = test_request(&head, 0, &(struct tree_proof){ 0 });
        SWEEP_MEMORY {
                struct reply reply;
                sim_disk_done(&sim);
                sim_disk_init(&sim);
                set_up(&bench, &sim.disk);
                enum err e = ask(&bench, &request, &reply);
                CHECK((e == OK && reply.status == 200) || (e == ERR_NOMEM && reply.status == 500));
                buf_done(&reply.body);
        }
}
