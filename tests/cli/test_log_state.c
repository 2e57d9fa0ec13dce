#include "cli/log_state.h"

#include "log/signed.h"
#include "platform/file.h"

#include <unistd.h>

static void must_write(const char *path, const void *bytes, size_t length)
{
        CHECK(file_write(path, bytes, length, NULL) == OK);
}

TEST(log_state, remembers_a_checkpoint_and_takes_a_newer_one)
{
        char folder[64], path[128];
        const struct verifier log = test_log();
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/state", folder);
        for (unsigned size = 0; size < 4; size++) {
                OWN(log_state) struct log_state state;
                OWN(buf) struct buf note;
                const struct tree_head before = oracle_head(size ? size - 1 : 0), head = oracle_head(size);
                log_state_init(&state);
                CHECK(log_state_read(path, &log, &state, NULL) == OK && state.is_known == (size > 0));
                CHECK(state.head.size == before.size && tree_hash_equal(&state.head.root, &before.root));
                test_checkpoint(&note, &head);
                CHECK(log_state_keep(path, &state, &note, NULL) == OK);
        }
        file_remove_tree(folder);
}

TEST(log_state, writes_nothing_when_nothing_is_new)
{
        char folder[64], path[128];
        const struct verifier log = test_log();
        OWN(log_state) struct log_state state;
        OWN(buf) struct buf note;
        const struct tree_head head = oracle_head(3);
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/state", folder);
        test_checkpoint(&note, &head);
        must_write(path, note.bytes, note.length);
        log_state_init(&state);
        uint64_t mark = file_mark(path);
        CHECK(log_state_read(path, &log, &state, NULL) == OK && log_state_keep(path, &state, &note, NULL) == OK && file_mark(path) == mark);
        test_cosign(&note, 1, TEST_TIME);
        CHECK(log_state_keep(path, &state, &note, NULL) == OK && file_mark(path) != mark);
        file_remove_tree(folder);
}

TEST(log_state, takes_no_file_that_was_not_verified_of_this_log)
{
        char folder[64], path[128];
        const struct verifier log = test_log();
        OWN(buf) struct buf note, other;
        const struct tree_head head = oracle_head(3);
        const struct secret_key key = test_key(2);
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/state", folder);
        test_checkpoint(&note, &head);
        buf_init(&other, LIMIT_CHECKPOINT_BYTES);
        checkpoint_write(TEST_ORIGIN, &head, &other);
        CHECK(checkpoint_sign(&other, &key, NULL) == OK);
        for (size_t length = 0; length < note.length; length += 7) {
                OWN(log_state) struct log_state state;
                log_state_init(&state);
                must_write(path, note.bytes, length);
                CHECK(log_state_read(path, &log, &state, NULL) == ERR_SYNTAX && !state.is_known);
        }
        OWN(log_state) struct log_state state;
        log_state_init(&state);
        must_write(path, other.bytes, other.length);
        CHECK(log_state_read(path, &log, &state, NULL) == ERR_SYNTAX && log_state_read(folder, &log, &state, NULL) == ERR_REFUSED);
        file_remove_tree(folder);
}

TEST(log_state, tells_growth_from_a_log_that_shrank_or_forked)
{
        OWN(memory_store) struct memory *memory = memory_new();
        const struct tile_store store = memory_store(memory);
        struct tree_head head = oracle_head(0);
        test_grow(memory, &head, 700);
        for (unsigned size = 0; size <= 1000; size += 1 + size / 3) {
                struct tree_head before = oracle_head(size);
                enum log_growth growth, wanted = size > 700 ? LOG_SHRANK : LOG_GREW;
                CHECK(log_state_judge(&before, &head, &store, &growth, NULL) == OK && growth == wanted);
                before.root.bytes[31] ^= 1;
                wanted = size > 700 ? LOG_SHRANK : LOG_FORKED;
                CHECK(log_state_judge(&before, &head, &store, &growth, NULL) == OK && growth == wanted);
        }
        struct tree_head other = head;
        enum log_growth growth;
        other.root.bytes[0] ^= 1;
        CHECK(log_state_judge(&other, &head, &store, &growth, NULL) == OK && growth == LOG_FORKED);
        CHECK(log_state_judge(&(struct tree_head){ .size = 0 }, &head, &store, &growth, NULL) == OK && growth == LOG_FORKED);
}

TEST(log_state, does_not_call_a_fork_what_the_tiles_do_not_prove)
{
        OWN(memory_store) struct memory *memory = memory_new();
        const struct tile_store store = memory_store(memory);
        struct tree_head head = oracle_head(0);
        const struct tree_head before = oracle_head(300);
        enum log_growth growth;
        test_grow(memory, &head, 700);
        memory_find(memory, "tile/1/000.p/2")->bytes.bytes[0] ^= 1;
        CHECK(log_state_judge(&before, &head, &store, &growth, NULL) == ERR_CONTENT);
}

TEST(log_state, keeps_the_other_checkpoint_once_and_beside_it)
{
        char folder[64], path[128], first[LOG_STATE_PATH_MAX], second[LOG_STATE_PATH_MAX];
        OWN(buf) struct buf note, read;
        struct tree_head head = oracle_head(3);
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/state", folder);
        test_checkpoint(&note, &head);
        CHECK(log_state_keep_other(path, &head, &note, first, NULL) == OK && log_state_keep_other(path, &head, &note, first, NULL) == OK);
        buf_init(&read, LIMIT_CHECKPOINT_BYTES);
        CHECK(file_read(first, &read, NULL) == OK && buf_equal(&read, &note) && strstr(first, "/state.other-3-") && file_kind(path) == FILE_ABSENT);
        head.root.bytes[0] ^= 1;
        CHECK(log_state_keep_other(path, &head, &note, second, NULL) == OK && strcmp(first, second) != 0);
        file_remove_tree(folder);
        CHECK(log_state_keep_other(path, &head, &note, second, NULL) == ERR_NOT_FOUND);
}
