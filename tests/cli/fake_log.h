/* fake_log.h - a server with a log, and three witnesses of it, all in memory: what `firebreak log` talks to.
 *
 *      OWN(fake_log) struct fake_log *fake = fake_log_new(); fake_log_grow(fake, 300);
 *      CHECK(fake_log_run(fake, "log list --log KEY") == 0);            `KEY`: the log's; fake->out, fake->err: what was printed */
#pragma once

#include "cli/fake_log_net.h"
#include "cli/run.h"
#include "platform/file.h"
#include "platform/random.h"
#include "support/sim_clock.h"
#include "trust/anchor.h"

static inline void fake_publisher(const char *folder)
{
        OWN(buf) struct buf text;
        char path[128];
        struct anchor anchor = { .version = 1, .root = { 1, 1, { test_vkey("root", 90) } }, .content = { 1, 1, { test_vkey("content", 91) } }, .lab = { 1, 1, { test_vkey("lab", 92) } },
                                 .has_log = true, .log = test_log(), .witnesses = { 2, FAKE_WITNESSES, { test_witness(1), test_witness(2), test_witness(3) } } };
        buf_init(&text, LIMIT_NOTE_BYTES);
        CHECK(anchor_write(&anchor, &text, NULL) == OK);
        test_sign(&text, "root", 90);
        snprintf(path, sizeof(path), "mkdir %s/public %s/online", folder, folder);
        CHECK(system(path) == 0);
        snprintf(path, sizeof(path), "%s/public/release.anchor", folder);
        CHECK(file_write(path, text.bytes, text.length, NULL) == OK);
        snprintf(path, sizeof(path), "%s/publisher.json", folder);
        CHECK(file_write(path, "{\"name\":\"acme\"}", 15, NULL) == OK);
}

static inline struct fake_log *fake_log_new(void)
{
        static const struct net_ops ops = { .exchange = fake_log_exchange };
        struct fake_log *fake = calloc(1, sizeof(*fake));
        CHECK(fake && file_temporary(fake->folder, NULL) == OK);
        fake->net.ops = &ops;
        fake->memory = memory_new();
        fake->head = oracle_head(0);
        fake->counted = 2;
        fake_publisher(fake->folder);
        return fake;
}

static inline void fake_log_free(struct fake_log *fake)
{
        file_remove_tree(fake->folder);
        memory_free(fake->memory);
        buf_done(&fake->note);
        free(fake->out);
        free(fake->err);
        free(fake);
}
OWN_DEFINE(fake_log, struct fake_log *, fake_log_free)

/* `KEY` is the log's, `DIR` the publisher's folder. */
static inline int fake_log_run(struct fake_log *fake, const char *line)
{
        const struct verifier log = test_log();
        char key[VERIFIER_TEXT_MAX], copy[256], path[128], *words[16], *rest = copy;
        size_t size, used = 0;
        verifier_text(&log, key);
        snprintf(path, sizeof(path), "%s/api.key", fake->folder);
        CHECK(file_write(path, "key-of-a-test\n", 14, NULL) == OK);
        CHECK(!setenv("FIREBREAK_SERVER", "https://fake:1/", 1) && !setenv("FIREBREAK_KEY_FILE", path, 1) && !setenv("XDG_CONFIG_HOME", "/nonexistent", 1));
        snprintf(copy, sizeof(copy), "%s", line);
        for (char *word; (word = strsep(&rest, " ")) && used < 16;)
                words[used++] = strcmp(word, "KEY") == 0 ? key : strcmp(word, "DIR") == 0 ? fake->folder : word;
        free(fake->out);
        free(fake->err);
        FILE *out = open_memstream(&fake->out, &size), *err = open_memstream(&fake->err, &size);
        struct sim_clock clock;                          /* the witnesses' keys sign the times of log/signed.h */
        sim_clock_init(&clock, TEST_TIME + 1000);
        struct cli cli = { .out = out, .err = err, .columns = 80, .rows = 24, .clock = &clock.clock, .random = random_system(), .net = &fake->net };
        int code = cli_run(&cli, (int)used, words);
        fclose(out);
        fclose(err);
        return code;
}
