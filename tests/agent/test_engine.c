#include "agent/engine.h"

#include "platform/file.h"
#include "support/test.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct engine_words places = { "/s", "/s/current", "/s/b", NULL };

static struct agent_engine command_of(const char **words)
{
        struct agent_engine config = { .reload_signal = "HUP", .stop_ms = 1000, .command = { 0, words } };
        while (words[config.command.count])
                config.command.count++;
        return config;
}

static bool died_soon(struct engine *engine, int64_t now_ms, struct child_end *end)
{
        for (int i = 0; i < 2500; i++) {
                if (engine_died(engine, now_ms, end))
                        return true;
                usleep(2000);
        }
        return false;
}

TEST(engine_command, fills_in_the_places_and_leaves_other_braces)
{
        const char *words[] = { "yarad", "--rules={current}/rules", "{candidate}", "{stream}/x{other}{", NULL };
        const struct yaml_texts texts = { 4, words };
        struct engine_command command;
        CHECK(engine_command(&texts, &places, &command, NULL) == OK && !command.argv[4]);
        CHECK(strcmp(command.argv[1], "--rules=/s/current/rules") == 0 && strcmp(command.argv[2], "/s/b") == 0);
        CHECK(strcmp(command.argv[3], "/s/x{other}{") == 0);
}

TEST(engine, that_is_this_agent_is_neither_started_nor_told)
{
        const struct agent_engine config = { .is_self = true, .reload_signal = "HUP", .stop_ms = 1000 };
        struct engine engine;
        struct child_end end;
        engine_init(&engine, &config);
        CHECK(!engine_is_alive(&engine) && engine_start(&engine, &places, 0, NULL) == OK && engine_is_alive(&engine) && engine_pid(&engine) == getpid());
        CHECK(engine_reload(&engine, 0, NULL) == OK && !engine_restart(&engine, 0) && !engine_died(&engine, 0, &end));
        engine_stop(&engine, 0);
        CHECK(!engine_is_alive(&engine) && engine_wake_ms(&engine) == INT64_MAX);
}

TEST(engine_command, refuses_what_grows_past_its_limit)
{
        static char word[9 * 1000 + 1];
        for (int i = 0; i < 1000; i++)
                memcpy(word + 9 * i, "{current}", 10);
        const char *words[] = { word };
        struct engine_command command;
        CHECK(engine_command(&(struct yaml_texts){ 1, words }, &places, &command, NULL) == ERR_LIMIT);
}

TEST(engine, is_started_again_later_and_later_when_it_dies)
{
        const char *words[] = { "sh", "-c", "kill -SEGV $$", NULL };
        const struct agent_engine config = command_of(words);
        struct engine engine;
        struct child_end end;
        int64_t pause = 0, now = 1000;
        engine_init(&engine, &config);
        for (int i = 0; i < 3; i++) {
                CHECK(engine_start(&engine, &places, now, NULL) == OK && died_soon(&engine, now, &end));
                CHECK(end.is_signal && end.code == 11 && engine.start_at_ms - now > pause);
                pause = engine.start_at_ms - now;
                CHECK(!engine_is_due(&engine, now) && engine_is_due(&engine, engine.start_at_ms));
                now = engine.start_at_ms;
        }
        engine_kill(&engine);
        CHECK(engine_wake_ms(&engine) == INT64_MAX);
}

TEST(engine_stop, is_no_death_and_ends_one_that_will_not_listen)
{
        const char *words[] = { "sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done", NULL };
        const struct agent_engine config = command_of(words);
        struct engine engine;
        struct child_end end;
        engine_init(&engine, &config);
        CHECK(engine_start(&engine, &places, 0, NULL) == OK && engine_is_alive(&engine));
        engine_stop(&engine, 0);
        CHECK(!engine_is_alive(&engine) && engine_wake_ms(&engine) == 1000);
        for (int i = 0; i < 2500 && engine.child.pid; i++) {
                CHECK(!engine_died(&engine, 2000, &end));
                usleep(2000);
        }
        CHECK(!engine.child.pid && !engine_is_due(&engine, 99999));
}

TEST(engine_reload, restarts_an_engine_that_can_not_reload_without_calling_it_a_death)
{
        const char *words[] = { "sleep", "60", NULL };
        struct agent_engine config = command_of(words);
        config.reload_signal = "restart";
        struct engine engine;
        struct child_end end;
        engine_init(&engine, &config);
        CHECK(engine_start(&engine, &places, 0, NULL) == OK && engine_reload(&engine, 0, NULL) == OK);
        for (int i = 0; i < 2500 && engine.child.pid; i++) {
                CHECK(!engine_died(&engine, 50, &end));
                usleep(2000);
        }
        CHECK(engine_is_due(&engine, 50));
        engine_kill(&engine);
}

TEST(engine_reload, does_not_wait_for_ever_for_one_that_will_not_end_to_be_restarted)
{
        const char *words[] = { "sh", "-c", "trap '' TERM; while :; do sleep 0.05; done", NULL };
        struct agent_engine config = command_of(words);
        config.reload_signal = "restart";
        struct engine engine;
        struct child_end end;
        engine_init(&engine, &config);
        CHECK(engine_start(&engine, &places, 0, NULL) == OK);
        usleep(100000);                  /* let it set its trap; without one it ends all the sooner */
        CHECK(engine_reload(&engine, 0, NULL) == OK && engine_wake_ms(&engine) == 1000);
        for (int i = 0; i < 2500 && engine.child.pid; i++) {
                CHECK(!engine_died(&engine, 2000, &end));
                usleep(2000);
        }
        CHECK(!engine.child.pid && engine_is_due(&engine, 2000));
        engine_kill(&engine);
}

TEST(engine_reload, removes_a_stale_status_file_and_never_a_folder)
{
        char folder[] = "/tmp/engine-XXXXXX", path[64];
        CHECK(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/precious", folder);
        struct agent_engine config = { .status_file = path, .reload_signal = "HUP" };
        struct engine engine;
        CHECK(file_write(path, "state=ok\n", 9, NULL) == OK);
        engine_init(&engine, &config);
        CHECK(engine_reload(&engine, 0, NULL) == OK && file_kind(path) == FILE_ABSENT);
        CHECK(file_write(path, "1", 1, NULL) == OK);
        config.status_file = folder;
        CHECK(engine_reload(&engine, 0, NULL) == OK && file_kind(path) == FILE_REGULAR);
        file_remove_tree(folder);
}

TEST(engine_start, does_not_believe_what_an_earlier_engine_said)
{
        char folder[] = "/tmp/engine-XXXXXX", path[64];
        const char *words[] = { "sleep", "60", NULL };
        struct agent_engine config = command_of(words);
        struct engine engine;
        CHECK(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/status", folder);
        config.status_file = path;
        CHECK(file_write(path, "state=ok\n", 9, NULL) == OK);
        engine_init(&engine, &config);
        CHECK(engine_start(&engine, &places, 0, NULL) == OK && file_kind(path) == FILE_ABSENT);
        engine_kill(&engine);
        file_remove_tree(folder);
}

TEST(engine_status, does_not_wait_for_a_pipe)
{
        char folder[] = "/tmp/engine-XXXXXX", path[64];
        CHECK(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/status", folder);
        const struct agent_engine config = { .status_file = path };
        struct engine engine;
        struct engine_status status;
        CHECK(mkfifo(path, 0600) == 0);
        engine_init(&engine, &config);
        engine_status(&engine, &status);
        CHECK(status.load == ENGINE_SAYS_NOTHING);
        file_remove_tree(folder);
}

TEST(engine_start, says_that_the_program_is_missing_and_tries_again)
{
        const char *words[] = { "/no/such/engine", NULL };
        const struct agent_engine config = command_of(words);
        struct engine engine;
        struct why why;
        engine_init(&engine, &config);
        CHECK(engine_start(&engine, &places, 10, &why) == ERR_NOT_FOUND && strstr(why.text, "/no/such/engine"));
        CHECK(!engine_is_alive(&engine) && engine_is_due(&engine, 100000));
}

TEST(engine_status, reads_what_the_engine_says_and_nothing_else)
{
        static const struct { const char *text; enum engine_load load; const char *version; } cases[] = {
                { "state=ok version=2026.1 rules=3\n", ENGINE_SAYS_OK, "2026.1" },
                { "state=error\nversion=1\n", ENGINE_SAYS_ERROR, "1" },
                { "state=ok version=7.2_(beta)\n", ENGINE_SAYS_OK, "7.2__beta_" },
                { "version=\nstate=okay\n", ENGINE_SAYS_NOTHING, "" },
                { "", ENGINE_SAYS_NOTHING, "" },
        };
        char folder[] = "/tmp/engine-XXXXXX", path[64];
        CHECK(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/status", folder);
        const struct agent_engine config = { .status_file = path };
        struct engine engine;
        struct engine_status status;
        engine_init(&engine, &config);
        engine_status(&engine, &status);
        CHECK(status.load == ENGINE_SAYS_NOTHING);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                FILE *file = fopen(path, "w");
                CHECK(file && fputs(cases[i].text, file) >= 0 && fclose(file) == 0);
                engine_status(&engine, &status);
                CHECK(status.load == cases[i].load && strcmp(status.version, cases[i].version) == 0);
        }
        CHECK(unlink(path) == 0 && rmdir(folder) == 0);
}

/* Whose folder that is may be anybody's: an engine that a release took over must not hold up the one that takes the release back. */
TEST(engine, that_puts_a_pipe_in_place_of_its_files_holds_nobody_up)
{
        char folder[64], pid_file[80], status_file[80];
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(pid_file, sizeof(pid_file), "%s/pid", folder);
        snprintf(status_file, sizeof(status_file), "%s/status", folder);
        CHECK(mkfifo(pid_file, 0600) == 0 && mkfifo(status_file, 0600) == 0);
        const struct agent_engine config = { .pid_file = pid_file, .status_file = status_file, .reload_signal = "HUP" };
        struct engine engine;
        struct engine_status status;
        engine_init(&engine, &config);
        alarm(20);                       /* it would wait for ever */
        engine_status(&engine, &status);
        CHECK(status.load == ENGINE_SAYS_NOTHING && engine_start(&engine, &places, 0, NULL) == ERR_NOT_FOUND);
        alarm(0);
        file_remove_tree(folder);
}
