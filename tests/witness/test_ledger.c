#include "log/signed.h"
#include "support/sim_disk.h"
#include "witness/ledger.h"

/* printf %s log.example.com/fleet | sha256sum */
TEST(ledger, names_a_log_by_the_digest_of_its_origin)
{
        char name[LEDGER_NAME_MAX];
        ledger_name(TEST_ORIGIN, name);
        CHECK(strcmp(name, "131b5f1620217bdbe7d8d4b0778369e8633ffcd09bb5f7249175a3372b82f0fb") == 0);
}

TEST(ledger, gives_back_what_was_kept_and_nothing_before)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        OWN(buf) struct buf note, other;
        struct verifier witness = test_witness(1);
        struct tree_head head = oracle_head(7), kept = { .size = 1 };
        struct ledger ledger = { &sim.disk, &witness };
        sim_disk_init(&sim);
        CHECK(ledger_head(&ledger, TEST_ORIGIN, &kept, NULL) == OK && kept.size == 0);
        test_checkpoint(&note, &head);
        CHECK(ledger_keep(&ledger, TEST_ORIGIN, &note, NULL) == OK && ledger_head(&ledger, TEST_ORIGIN, &kept, NULL) == ERR_CONTENT);   /* not cosigned */
        test_cosign(&note, 1, TEST_TIME);
        CHECK(ledger_keep(&ledger, TEST_ORIGIN, &note, NULL) == OK && ledger_head(&ledger, TEST_ORIGIN, &kept, NULL) == OK);
        CHECK(kept.size == 7 && tree_hash_equal(&kept.root, &head.root));
        CHECK(ledger_keep(&ledger, "another.example.com", &note, NULL) == OK && ledger_head(&ledger, "another.example.com", &kept, NULL) == ERR_CONTENT);
        buf_init(&other, LIMIT_CHECKPOINT_BYTES);
        CHECK(ledger_read(&ledger, "lock", &other, NULL) == ERR_SYNTAX);
}
