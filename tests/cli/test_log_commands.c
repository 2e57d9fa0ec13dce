#include "cli/fake_log.h"
#include "cli/log_reader.h"
#include "support/sweep.h"

static size_t count_lines(const char *text)
{
        size_t count = 0;
        for (; (text = strchr(text, '\n')); text++)
                count++;
        return count;
}

TEST(log_show, tells_the_head_and_who_cosigned_it)
{
        OWN(fake_log) struct fake_log *fake = fake_log_new();
        fake_log_grow(fake, 300);
        test_cosign(&fake->note, 2, TEST_TIME);
        CHECK(fake_log_run(fake, "log show --publisher DIR") == 0 && strstr(fake->out, "log            " TEST_ORIGIN "\n") && strstr(fake->out, "entries        300\n"));
        CHECK(strstr(fake->out, "by 1 of 3 witnesses, and it takes 2\n") && strstr(fake->out, "witness.example.com/w1  ") && strstr(fake->out, "  -\n") && strstr(fake->out, "WITNESS"));
        CHECK(fake_log_run(fake, "log show --publisher DIR --json") == 0 && strstr(fake->out, "\"size\": 300") && strstr(fake->out, "\"cosigned\": 1800000000"));
        CHECK(fake_log_run(fake, "log show --log KEY") == 0 && strstr(fake->out, "by no witness that we know of"));
}

TEST(log_show, takes_a_cosignature_that_does_not_fit_for_a_void_checkpoint)
{
        OWN(fake_log) struct fake_log *fake = fake_log_new();
        OWN(buf) struct buf other;
        const struct tree_head head = oracle_head(4);
        fake_log_grow(fake, 5);
        test_checkpoint(&other, &head);
        size_t length = other.length;
        test_cosign(&other, 1, TEST_TIME);
        buf_add(&fake->note, other.bytes + length, other.length - length);
        CHECK(fake_log_run(fake, "log show --publisher DIR") == 77 && strstr(fake->err, "does not fit") && !fake->out[0]);
        CHECK(fake_log_run(fake, "log show --log KEY") == 0);
}

TEST(log_trust, takes_the_anchors_log_or_else_the_folders_key)
{
        OWN(fake_log) struct fake_log *fake = fake_log_new();
        OWN(buf) struct buf text;
        char path[128], key[VERIFIER_TEXT_MAX + 1];
        const struct verifier log = test_log(), witness = test_witness(1);
        struct anchor anchor = { .version = 1, .root = { 1, 1, { test_vkey("root", 90) } }, .content = { 1, 1, { test_vkey("content", 91) } }, .lab = { 1, 1, { test_vkey("lab", 92) } } };
        fake_log_grow(fake, 5);
        buf_init(&text, LIMIT_NOTE_BYTES);
        CHECK(anchor_write(&anchor, &text, NULL) == OK);
        test_sign(&text, "root", 90);
        snprintf(path, sizeof(path), "%s/public/release.anchor", fake->folder);
        CHECK(file_write(path, text.bytes, text.length, NULL) == OK);
        CHECK(fake_log_run(fake, "log show --publisher DIR") == 66 && strstr(fake->err, "this publisher has no log"));
        CHECK(fake_log_run(fake, "log cosign http://w1 --publisher DIR") == 66);
        snprintf(path, sizeof(path), "%s/online/log.vkey", fake->folder);
        verifier_text(&witness, key);
        CHECK(file_write(path, key, strlen(key), NULL) == OK && fake_log_run(fake, "log show --publisher DIR") == 65 && strstr(fake->err, "key of a witness"));
        verifier_text(&log, key);
        CHECK(file_write(path, key, strlen(key), NULL) == OK && fake_log_run(fake, "log show --publisher DIR") == 0);
        strncat(key, "\n", 2);
        CHECK(file_write(path, key, strlen(key), NULL) == OK && fake_log_run(fake, "log show --publisher DIR") == 0);
        CHECK(fake_log_run(fake, "log cosign http://w1 --publisher DIR") == 78 && strstr(fake->err, "names no witnesses"));
        CHECK(fake_log_run(fake, "log show") == 64 && fake_log_run(fake, "log show --log KEY --publisher DIR") == 64 && fake_log_run(fake, "log show --log nonsense") == 64);
        CHECK(fake_log_run(fake, "log cosign http://w1") == 64 && strstr(fake->err, "--publisher"));
}

TEST(log_list, lists_everything_and_then_what_is_new)
{
        OWN(fake_log) struct fake_log *fake = fake_log_new();
        char line[128];
        snprintf(line, sizeof(line), "log list --log KEY --state %s/state", fake->folder);
        static const struct { uint64_t size, lines; } rounds[] = { { 0, 0 }, { 5, 5 }, { 300, 295 }, { 300, 0 }, { 301, 1 }, { 1000, 699 } };
        for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
                fake_log_grow(fake, rounds[i].size);
                CHECK(fake_log_run(fake, line) == 0 && count_lines(fake->out) == rounds[i].lines);
        }
        CHECK(strncmp(fake->out, "301  unknown   9 bytes: entry 301\n", 34) == 0);
        CHECK(fake_log_run(fake, "log list --log KEY --json") == 0 && count_lines(fake->out) == 1000 && strncmp(fake->out, "{\"index\":0,\"kind\":null,", 23) == 0);
        CHECK(!fake->is_read_with_key);
}

TEST(log_list, ends_with_a_code_of_its_own_when_it_is_not_one_log)
{
        OWN(fake_log) struct fake_log *fake = fake_log_new();
        char line[128];
        snprintf(line, sizeof(line), "log list --log KEY --state %s/state", fake->folder);
        fake_log_grow(fake, 300);
        CHECK(fake_log_run(fake, line) == 0);
        const struct tree_head forked = { 300, { { 1 } } }, small = oracle_head(200);
        buf_done(&fake->note);
        test_checkpoint(&fake->note, &forked);
        CHECK(fake_log_run(fake, line) == 3 && strstr(fake->err, "it forked") && strstr(fake->err, "/state.other-300-0100000000000000"));
        buf_done(&fake->note);
        test_checkpoint(&fake->note, &small);
        CHECK(fake_log_run(fake, line) == 3 && strstr(fake->err, "it had 300 entries, and now has 200") && !fake->out[0]);
        fake_log_grow(fake, 700);
        memory_find(fake->memory, "tile/entries/002.p/188")->bytes.bytes[20] ^= 1;
        CHECK(fake_log_run(fake, line) == 3 && count_lines(fake->out) == 212);         /* up to the bundle that is not the log's */
        CHECK(fake_log_run(fake, "log list --log KEY") == 3 && strstr(fake->err, "this is not one log"));
        memory_find(fake->memory, "tile/entries/002.p/188")->bytes.bytes[20] ^= 1;
        CHECK(fake_log_run(fake, line) == 0 && count_lines(fake->out) == 400);
}

TEST(log_reader, asks_for_a_tile_once_and_for_the_full_one_where_the_partial_is_gone)
{
        OWN(fake_log) struct fake_log *fake = fake_log_new();
        fake_log_grow(fake, 200);
        fake_log_grow(fake, 1000);
        fake->read = 0;
        CHECK(fake_log_run(fake, "log list --log KEY") == 0 && fake->read == 1 + 4 + 2);       /* checkpoint; bundles; tile/0/003.p/232 and tile/1/000.p/3 */
        fake_log_grow(fake, 1024);
        buf_done(&fake->note);
        fake->head.size = 1000;
        fake->head = oracle_head(1000);
        test_checkpoint(&fake->note, &fake->head);
        fake->hidden = "tile/0/003.p/232";
        CHECK(fake_log_run(fake, "log list --log KEY") == 0 && count_lines(fake->out) == 1000);
        fake->hidden = "tile/entries/003.p/232";
        CHECK(fake_log_run(fake, "log list --log KEY") == 0 && count_lines(fake->out) == 1000);
        fake->hidden = "tile/entries/001";
        CHECK(fake_log_run(fake, "log list --log KEY") == 66 && count_lines(fake->out) == 256);
}

TEST(log_cosign, asks_each_witness_and_hands_over_what_they_signed)
{
        OWN(fake_log) struct fake_log *fake = fake_log_new();
        fake->is_away[2] = true;
        for (uint64_t size = 0; size < 1000; size = size * 2 + 100) {
                fake_log_grow(fake, size);
                fake->posted = fake->asked = 0;
                CHECK(fake_log_run(fake, "log cosign http://w1 http://w2/ http://w3 --publisher DIR") == 0 && fake->posted == 1 && count_lines(fake->out) == 3);
                CHECK(fake->asked == (size > 100 ? 4 : 2) && strstr(fake->out, "http://w3  unreachable: nobody there\n"));
                CHECK(fake_log_run(fake, "log show --publisher DIR") == 0 && strstr(fake->out, "by 2 of 3 witnesses"));
        }
        CHECK(!fake->is_key_astray && !fake->is_key_missing);
}

TEST(log_cosign, says_that_there_are_too_few_with_a_code_of_its_own)
{
        OWN(fake_log) struct fake_log *fake = fake_log_new();
        fake_log_grow(fake, 300);
        CHECK(fake_log_run(fake, "log cosign http://w2 --publisher DIR") == 4 && fake->posted == 1 && strstr(fake->err, "1 of the anchor's witnesses cosigned the log of 300 entries, and it takes 2"));
        CHECK(fake_log_run(fake, "log cosign http://w1 --publisher DIR --json") == 0 && strstr(fake->out, "\"cosigned\": 2") && strstr(fake->out, "\"outcome\": \"cosigned\""));
        fake->last[0] = (struct tree_head){ 301, { { 1 } } };
        fake->last[1] = (struct tree_head){ 300, { { 1 } } };
        fake_log_grow(fake, 300);
        fake->posted = 0;
        CHECK(fake_log_run(fake, "log cosign http://w1 http://w2 --publisher DIR") == 4 && fake->posted == 0);
        CHECK(strstr(fake->out, "it cosigned a log of 301 entries, and this one has 300") && strstr(fake->out, "status 422"));
}

TEST(log_cosign, does_not_take_a_server_at_its_word_that_says_something_else)
{
        OWN(fake_log) struct fake_log *fake = fake_log_new();
        fake_log_grow(fake, 300);
        fake->counted = 1;
        CHECK(fake_log_run(fake, "log cosign http://w1 http://w2 --publisher DIR") == 78 && strstr(fake->err, "it has another one") && count_lines(fake->out) == 2);
        fake->counted = 2;
        fake->taken = 1;
        CHECK(fake_log_run(fake, "log cosign http://w1 http://w2 --publisher DIR") == 65 && strstr(fake->err, "did not say that it took them"));
        fake->taken = 0;
        CHECK(fake_log_run(fake, "log cosign http://w1 http://w2 --publisher DIR") == 0);
}

TEST(log_cosign, takes_addresses_and_nothing_else)
{
        static const char *const urls[] = { "w1", "ftp://w1", "http://", "https:///x", "http://a:b@w1", "http://w1?x", "http://w1#x", "http://w\xc3\xa4", "HTTP://w1" };
        OWN(fake_log) struct fake_log *fake = fake_log_new();
        fake_log_grow(fake, 5);
        for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
                char line[128];
                snprintf(line, sizeof(line), "log cosign %s --publisher DIR", urls[i]);
                CHECK(fake_log_run(fake, line) == 64 && strstr(fake->err, "no address of a witness") && !fake->asked);
        }
}

static void sweep(const char *line)
{
        OWN(fake_log) struct fake_log *fake = fake_log_new();
        unsigned failed = 0;
        fake_log_grow(fake, 300);
        SWEEP_MEMORY_ONCE {
                fake->last[0] = fake->last[1] = (struct tree_head){ 0 };
                int code = fake_log_run(fake, line);
                CHECK(code == 0 || code == err_info(ERR_NOMEM)->exit || code == 4);
                failed += code != 0;
        }
        CHECK(failed > 3);
}

TEST(log_commands, survive_a_lack_of_memory)
{
        sweep("log show --publisher DIR");
        sweep("log list --log KEY --json");
        sweep("log cosign http://w1 http://w2 --publisher DIR");
}
