/* An engine of systemd, with a systemctl of our own in front of the system's: it says what stands in a file, and writes down what it was told. */
#include "agent/engine.h"

#include "platform/file.h"
#include "support/test.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct standin {
        char folder[64], state[96], told[96], verdict[96];
        struct agent_engine config;
        struct engine engine;
        int64_t now_ms;
} standin;

static const struct engine_words places = { "/s", "/s/current", "/s/b", NULL };

static void put(const char *path, const char *text)
{
        CHECK(file_write(path, text, strlen(text), NULL) == OK);
}

/* `pid` 0: our own, which lives. */
static void unit_is(const char *active, int pid, int restarts, const char *more)
{
        char text[256];
        snprintf(text, sizeof(text), "LoadState=loaded\nActiveState=%s\nSubState=x\nNRestarts=%d\nMainPID=%d\n%s", active, restarts, pid ? pid : (int)getpid(), more);
        put(standin.state, text);
}

static void open_standin(const char *reload)
{
        char program[96], script[512], path[256];
        CHECK(file_temporary(standin.folder, NULL) == OK);
        snprintf(standin.state, sizeof(standin.state), "%s/state", standin.folder);
        snprintf(standin.told, sizeof(standin.told), "%s/told", standin.folder);
        snprintf(standin.verdict, sizeof(standin.verdict), "%s/verdict", standin.folder);
        snprintf(program, sizeof(program), "%s/systemctl", standin.folder);
        snprintf(script, sizeof(script), "#!/bin/sh\ncd %s\n[ \"$1\" = show ] && exec cat state\necho \"$1 $3\" >>told\necho no such luck\nexit $(cat verdict)\n", standin.folder);
        put(program, script);
        put(standin.verdict, "0");
        put(standin.told, "");
        CHECK(chmod(program, 0755) == 0);
        snprintf(path, sizeof(path), "%s:/usr/bin:/bin", standin.folder);
        CHECK(setenv("PATH", path, 1) == 0);
        standin.config = (struct agent_engine){ .unit = "acme.service", .reload_signal = reload, .stop_ms = 100 };
        standin.now_ms = 1000;
        engine_init(&standin.engine, &standin.config);
        CHECK(engine_start(&standin.engine, &places, standin.now_ms, NULL) == OK);
}

static void close_standin(void)
{
        engine_kill(&standin.engine);
        file_remove_tree(standin.folder);
}

/* Lets time go by until systemctl has nothing more to say or do; how many deaths that were, with the last. */
static int settle(struct child_end *ret_end)
{
        int deaths = 0;
        standin.now_ms += 1000;
        for (int i = 0, quiet = 0; i < 5000 && quiet < 20; i++) {
                deaths += engine_died(&standin.engine, standin.now_ms, ret_end);
                quiet = engine_is_told(&standin.engine) ? 0 : quiet + 1;
                usleep(1000);
        }
        return deaths;
}

static bool was_told(const char *what)
{
        OWN(buf) struct buf text;
        buf_init(&text, 4096);
        CHECK(file_read(standin.told, &text, NULL) == OK);
        return strcmp(buf_text(&text), what) == 0;
}

TEST(engine_unit, is_alive_when_systemd_says_so_and_is_told_to_reload)
{
        struct child_end end;
        open_standin("reload");
        unit_is("active", 0, 3, "");
        CHECK(!engine_is_alive(&standin.engine) && settle(&end) == 0 && engine_is_alive(&standin.engine) && engine_pid(&standin.engine) == getpid());
        CHECK(engine_reload(&standin.engine, standin.now_ms, NULL) == OK && engine_is_told(&standin.engine));
        CHECK(settle(&end) == 0 && was_told("reload acme.service\n") && engine_is_alive(&standin.engine));
        close_standin();
}

TEST(engine_unit, that_cannot_reload_says_so)
{
        struct child_end end;
        struct engine_status status;
        open_standin("reload");
        unit_is("active", 0, 0, "");
        (void)settle(&end);
        put(standin.verdict, "7");
        CHECK(engine_reload(&standin.engine, standin.now_ms, NULL) == OK && settle(&end) == 0);
        engine_status(&standin.engine, &status);
        CHECK(status.load == ENGINE_SAYS_ERROR && strcmp(status.reason, "systemctl reload: exit 7: no such luck") == 0);
        put(standin.verdict, "0");
        CHECK(engine_reload(&standin.engine, standin.now_ms, NULL) == OK && settle(&end) == 0);
        engine_status(&standin.engine, &status);
        CHECK(status.load == ENGINE_SAYS_NOTHING);
        close_standin();
}

TEST(engine_unit, died_when_systemd_had_to_start_it_again_and_not_when_somebody_did)
{
        struct child_end end;
        const struct child gone = { fork() };
        if (gone.pid == 0)
                _exit(0);
        open_standin("reload");
        unit_is("active", gone.pid, 3, "");
        (void)settle(&end);
        struct child_end ended;
        struct child child = gone;
        while (!child_ended(&child, &ended))
                usleep(1000);
        unit_is("active", 0, 4, "");
        CHECK(settle(&end) == 1 && engine_is_alive(&standin.engine) && engine_pid(&standin.engine) == getpid());
        CHECK(engine_restart(&standin.engine, standin.now_ms) && !engine_is_alive(&standin.engine));
        unit_is("active", 0, 0, "");
        CHECK(settle(&end) == 0 && was_told("restart acme.service\n") && engine_is_alive(&standin.engine));
        close_standin();
}

TEST(engine_unit, that_failed_is_started_again_with_its_failures_forgotten)
{
        struct child_end end;
        open_standin("restart");
        unit_is("active", 0, 0, "");
        (void)settle(&end);
        CHECK(engine_reload(&standin.engine, standin.now_ms, NULL) == OK);
        unit_is("failed", 0, 5, "ExecMainCode=3\nExecMainStatus=11\n");
        CHECK(settle(&end) == 1 && end.is_signal && end.code == 11 && !engine_is_alive(&standin.engine));
        standin.now_ms = standin.engine.start_at_ms;
        CHECK(engine_is_due(&standin.engine, standin.now_ms) && engine_start(&standin.engine, &places, standin.now_ms, NULL) == OK);
        unit_is("active", 0, 0, "");
        CHECK(settle(&end) == 0 && engine_is_alive(&standin.engine) && was_told("restart acme.service\nreset-failed acme.service\nstart acme.service\n"));
        close_standin();
}

TEST(engine_unit, that_somebody_stopped_is_left_alone)
{
        struct child_end end;
        open_standin("reload");
        unit_is("inactive", 0, 0, "");
        CHECK(settle(&end) == 0 && !engine_is_alive(&standin.engine) && !engine_is_due(&standin.engine, standin.now_ms + 100000));
        CHECK(engine_wake_ms(&standin.engine) == standin.now_ms + 10000 && was_told(""));
        engine_stop(&standin.engine, standin.now_ms);
        CHECK(was_told(""));
        close_standin();
}

TEST(engine_unit, waits_for_no_systemctl_that_hangs)
{
        struct child_end end;
        char program[96];
        open_standin("reload");
        snprintf(program, sizeof(program), "%s/systemctl", standin.folder);
        put(program, "#!/bin/sh\nsleep 100\n");
        CHECK(!engine_died(&standin.engine, standin.now_ms, &end) && engine_is_told(&standin.engine));
        CHECK(engine_wake_ms(&standin.engine) == standin.now_ms + 10000);
        CHECK(!engine_died(&standin.engine, standin.now_ms + 10000, &end) && !engine_is_alive(&standin.engine));
        CHECK(engine_wake_ms(&standin.engine) == standin.now_ms + 11000);
        close_standin();
}
