#include "log/prover.h"
#include "log/requests.h"

/* What a witness remembers, in memory. */
struct record { struct tree_head head; bool is_unreadable; };

static enum err last_head(void *context, size_t log, struct tree_head *ret_head, struct why *why)
{
        struct record *record = context;
        CHECK(log == 0);
        if (record->is_unreadable)
                return FAIL(why, ERR_IO, "the disk does not answer");
        *ret_head = record->head;
        return OK;
}

/* Ask as a log does; when it cosigns, it has remembered. */
static struct witness_ruling ask(struct record *record, const struct buf *request)
{
        struct witness_request parsed;
        struct witness_ruling ruling = { .answer = WITNESS_MALFORMED };
        struct verifier log = test_log();
        struct witness_case of = { &log, 1, last_head, record };
        if (witness_request_parse(buf_text(request), request->length, &parsed, NULL))
                return ruling;
        CHECK(witness_decide(&parsed, &of, &ruling, NULL) == OK);
        if (ruling.answer == WITNESS_COSIGNS)
                record->head = parsed.checkpoint.head;
        return ruling;
}

/* An honest log of the oracle's entries asks from one size to another. */
static enum witness_answer grow(struct record *record, unsigned old_size, unsigned size)
{
        struct tree_proof proof = { 0 };
        struct tree_head head = oracle_head(size);
        if (old_size && old_size < size)
                oracle_subproof(old_size, 0, size, true, &proof);
        OWN(buf) struct buf text = test_request(&head, old_size, &proof);
        return ask(record, &text).answer;
}

TEST(witness, cosigns_a_log_that_grows)
{
        struct record record = { 0 };
        static const unsigned sizes[] = { 0, 0, 1, 2, 7, 7, 256, 300, 600 };
        for (size_t i = 1; i < sizeof(sizes) / sizeof(sizes[0]); i++)
                CHECK(grow(&record, sizes[i - 1], sizes[i]) == WITNESS_COSIGNS && record.head.size == sizes[i]);
}

TEST(witness, tells_the_size_that_it_knows)
{
        struct record record = { oracle_head(7), false };
        struct tree_proof none = { 0 };
        struct tree_head head = oracle_head(9);
        static const unsigned others[] = { 0, 1, 6, 8, 9 };
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
                OWN(buf) struct buf text = test_request(&head, others[i], &none);
                struct witness_ruling ruling = ask(&record, &text);
                CHECK(ruling.answer == WITNESS_OTHER_SIZE && ruling.last_size == 7);
        }
        CHECK(record.head.size == 7);
}

TEST(witness, does_not_cosign_what_went_back)
{
        struct record record = { oracle_head(9), false };
        CHECK(grow(&record, 5, 7) == WITNESS_OTHER_SIZE && grow(&record, 9, 7) == WITNESS_MALFORMED && grow(&record, 0, 0) == WITNESS_OTHER_SIZE);
        CHECK(record.head.size == 9);
}

/* Nothing forged leads from what it saw to another log: not at the same size, not later, with no proof that either can make. */
TEST(witness, does_not_cosign_a_fork)
{
        OWN(memory_store) struct memory *memory = memory_new();
        struct tile_store store = memory_store(memory);
        struct tree_head fork = { 0 };
        struct prover_growth growth;
        OWN(appender) struct appender *appender = NULL;
        CHECK(appender_open(&store, &fork, &appender, NULL) == OK);
        for (unsigned i = 0; i < 20; i++) {
                char text[32];
                struct entry entry = test_entry(i == 5 ? 1000 : i, text);
                CHECK(appender_add(appender, &entry, NULL) == OK);
        }
        CHECK(appender_publish(appender, &fork, NULL) == OK);
        for (unsigned seen = 6; seen <= 20; seen++) {
                struct record record = { oracle_head(seen), false };
                struct tree_proof honest = { 0 };
                CHECK(prover_consistency(&store, &fork, seen, &growth, NULL) == OK);
                if (seen < 20)
                        oracle_subproof(seen, 0, 20, true, &honest);
                OWN(buf) struct buf one = test_request(&fork, seen, &growth.proof);
                OWN(buf) struct buf other = test_request(&fork, seen, &honest);
                CHECK(ask(&record, &one).answer == WITNESS_INCONSISTENT && ask(&record, &other).answer == WITNESS_INCONSISTENT);
        }
        struct record before = { oracle_head(5), false };        /* it has not seen what was changed */
        CHECK(prover_consistency(&store, &fork, 5, &growth, NULL) == OK);
        OWN(buf) struct buf text = test_request(&fork, 5, &growth.proof);
        CHECK(ask(&before, &text).answer == WITNESS_COSIGNS);
}

TEST(witness, wants_the_proof_and_no_more)
{
        struct record record = { 0 };
        struct tree_proof proof = { .count = 1 };
        struct tree_head head = oracle_head(5), empty = { 0, head.root };
        OWN(buf) struct buf from_nothing = test_request(&head, 0, &proof);
        CHECK(ask(&record, &from_nothing).answer == WITNESS_INCONSISTENT);
        proof.count = 0;
        OWN(buf) struct buf no_root = test_request(&empty, 0, &proof);
        CHECK(ask(&record, &no_root).answer == WITNESS_INCONSISTENT);
        record.head = oracle_head(3);
        OWN(buf) struct buf without = test_request(&head, 3, &proof);
        CHECK(ask(&record, &without).answer == WITNESS_INCONSISTENT);
        record.head = head;
        proof.count = 1;
        OWN(buf) struct buf same = test_request(&head, 5, &proof);
        CHECK(ask(&record, &same).answer == WITNESS_INCONSISTENT);
}

TEST(witness, knows_its_logs_by_origin_and_signature)
{
        struct record record = { 0 };
        struct tree_proof none = { 0 };
        struct tree_head head = oracle_head(5);
        OWN(buf) struct buf text = test_request(&head, 0, &none);
        struct witness_request request;
        struct witness_ruling ruling;
        struct verifier other = test_log();
        struct secret_key key = test_key(9);
        struct why why;
        CHECK(witness_request_parse(text.bytes, text.length, &request, NULL) == OK);
        other.name[0] = 'x';
        CHECK(witness_decide(&request, &(struct witness_case){ &other, 1, last_head, &record }, &ruling, &why) == OK && ruling.answer == WITNESS_UNKNOWN_LOG && why.err == ERR_NOT_FOUND);
        CHECK(witness_decide(&request, &(struct witness_case){ NULL, 0, last_head, &record }, &ruling, NULL) == OK && ruling.answer == WITNESS_UNKNOWN_LOG);
        CHECK(verifier_log(TEST_ORIGIN, &key.public, &other, NULL) == OK);
        CHECK(witness_decide(&request, &(struct witness_case){ &other, 1, last_head, &record }, &ruling, NULL) == OK && ruling.answer == WITNESS_UNSIGNED);
        other = test_log();
        record.is_unreadable = true;
        CHECK(witness_decide(&request, &(struct witness_case){ &other, 1, last_head, &record }, &ruling, NULL) == ERR_IO);
}

TEST(witness, cosigns_nothing_of_which_a_byte_changed)
{
        struct tree_proof proof = { 0 };
        struct tree_head head = oracle_head(20);
        oracle_subproof(7, 0, 20, true, &proof);
        OWN(buf) struct buf text = test_request(&head, 7, &proof);
        for (size_t i = 0; i < text.length; i++) {
                struct record record = { oracle_head(7), false };
                text.bytes[i] ^= 1;
                CHECK(ask(&record, &text).answer != WITNESS_COSIGNS && record.head.size == 7);
                text.bytes[i] ^= 1;
        }
        struct record record = { oracle_head(7), false };
        CHECK(ask(&record, &text).answer == WITNESS_COSIGNS);
}

TEST(witness, refuses_requests_that_are_none)
{
        static const char *const bad[] = { "", "\n", "old\n\nx\n", "old 01\n\nx\n", "old 1", "old 1\n", "old 1\n\n", "old 1\n\nx\n", "new 1\n\nx\n", "old 1\nx\n\nx\n", " old 1\n\nx\n" };
        static char large[WITNESS_REQUEST_MAX + 1];
        struct witness_request request;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(witness_request_parse(bad[i], strlen(bad[i]), &request, NULL) == ERR_SYNTAX);
        CHECK(witness_request_parse(large, sizeof(large), &request, NULL) == ERR_LIMIT);
}

TEST(witness, has_the_http_statuses_of_the_standard)
{
        CHECK(witness_http_status(WITNESS_COSIGNS) == 200 && witness_http_status(WITNESS_MALFORMED) == 400 && witness_http_status(WITNESS_UNSIGNED) == 403);
        CHECK(witness_http_status(WITNESS_UNKNOWN_LOG) == 404 && witness_http_status(WITNESS_OTHER_SIZE) == 409 && witness_http_status(WITNESS_INCONSISTENT) == 422);
}
