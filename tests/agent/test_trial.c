/* The program itself on trial: what its engine does with a release, and what is told of it. Real processes, a toy server. */
#include "agent/toy_device.h"
#include "platform/file.h"
#include "support/test.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { SAID_BYTES = 200, DETAIL_BYTES = 95 };

static const struct toy_file broken[] = { { "VERSION", "5\n" }, { "broken", "" }, { NULL, NULL } };

TEST(trial, returns_from_a_release_that_kills_the_engine_and_never_tries_it_again)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        toy_publish(&device.toy, 5, toy_crashes);
        const struct wire_report *report = device_report(&device);
        CHECK(strcmp(report->outcome, "harmed") == 0 && strcmp(report->kind, "crash") == 0 && strcmp(report->detail, "signal 11") == 0);
        CHECK(report->counter == 5 && report->running == 4 && report->fallbacks == 1 && report->crashes == 1);
        CHECK(device_current_is(&device, "a"));
        unsigned asks = device.toy.lease_asks;
        device_calls(&device, 10);
        CHECK(device.toy.lease_asks == asks);
        toy_publish(&device.toy, 6, toy_good_too);
        report = device_report(&device);
        CHECK(strcmp(report->outcome, "proven") == 0 && report->counter == 6 && device_status_is(&device, "version=6"));
        device_stop(&device);
}

TEST(trial, counts_an_engine_that_refuses_its_content_as_harm)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        toy_publish(&device.toy, 5, broken);
        const struct wire_report *report = device_report(&device);
        CHECK(strcmp(report->kind, "probe_failed") == 0 && report->running == 4 && device_current_is(&device, "a"));
        device_stop(&device);
}

TEST(trial, counts_an_engine_that_turns_bad_after_loading_as_harm)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        device_calls(&device, 2);
        device_stop(&device);
        device_config_replace(&device, "    bake_s: 1\n", "    bake_s: 20\n");
        device_start(&device, "run", NULL);
        static const struct toy_file sours[] = { { "VERSION", "5\n" }, { "sours", "" }, { NULL, NULL } };
        toy_publish(&device.toy, 5, sours);
        const struct wire_report *report = device_report(&device);
        CHECK(strcmp(report->kind, "probe_failed") == 0 && strcmp(report->detail, "the engine says state=error") == 0 && report->running == 4);
        device_stop(&device);
}

TEST(trial, proves_nothing_before_an_engine_that_crashed_has_loaded_again)
{
        OWN(device) struct device device;
        device_open(&device, "");
        device_config_replace(&device, "    bake_s: 1\n    crashes_max: 1\n", "    bake_s: 4\n    crashes_max: 2\n");
        static const struct toy_file stumbles[] = { { "VERSION", "5\n" }, { "stumbles", "" }, { NULL, NULL } };
        device.toy.lease = TOY_EXPOSE;
        toy_publish(&device.toy, 5, stumbles);
        device_start(&device, "run", NULL);
        const struct wire_report *report = device_report(&device);
        CHECK(strcmp(report->outcome, "proven") == 0 && report->crashes == 1 && device_status_is(&device, "version=5"));
        device_stop(&device);
}

TEST(trial, proves_nothing_on_an_engine_that_hangs_after_loading)
{
        OWN(device) struct device device;
        device_open(&device, "");
        device_config_replace(&device, "    bake_s: 1\n", "      status_every_ms: 50\n    bake_s: 1\n");
        static const struct toy_file beats[] = { { "VERSION", "4\n" }, { "beats", "" }, { NULL, NULL } };
        device.toy.lease = TOY_EXPOSE;
        toy_publish(&device.toy, 4, beats);
        device_start(&device, "run", NULL);
        CHECK(strcmp(device_report(&device)->outcome, "proven") == 0);
        /* Speaks once, and not so soon that the agent takes it for a word about the content before. */
        static const struct toy_file dozes[] = { { "VERSION", "5\n" }, { "dozes", "" }, { NULL, NULL } };
        toy_publish(&device.toy, 5, dozes);
        const struct wire_report *report = device_report(&device);
        CHECK(strcmp(report->kind, "probe_failed") == 0 && strstr(report->detail, "it hangs") && report->counter == 5 && report->running == 4);
        device_stop(&device);
}

TEST(trial, counts_a_failing_probe_as_harm)
{
        OWN(device) struct device device;
        device_with_4(&device, "    probes:\n      - command: [sh, -c, \"test ! -e $0/bad\", \"{current}\"]\n    probe_every_ms: 50\n");
        static const struct toy_file bad[] = { { "VERSION", "5\n" }, { "bad", "" }, { NULL, NULL } };
        toy_publish(&device.toy, 5, bad);
        const struct wire_report *report = device_report(&device);
        CHECK(strcmp(report->kind, "probe_failed") == 0 && strcmp(report->detail, "probe: exit 1") == 0 && device_current_is(&device, "a"));
        device_stop(&device);
}

/* Release 5 has a file `bad`, which the first of these probes does not like. */
static void check_bad_is_harm(const char *more)
{
        OWN(device) struct device device;
        device_with_4(&device, more);
        static const struct toy_file bad[] = { { "VERSION", "5\n" }, { "bad", "" }, { NULL, NULL } };
        toy_publish(&device.toy, 5, bad);
        const struct wire_report *report = device_report(&device);
        CHECK(report->counter == 5 && strcmp(report->kind, "probe_failed") == 0 && report->running == 4);
        device_stop(&device);
}

TEST(trial, does_not_let_one_probe_hide_that_another_fails)
{
        check_bad_is_harm("    probes:\n      - command: [sh, -c, \"test ! -e $0/bad\", \"{current}\"]\n      - command: [\"true\"]\n    probe_every_ms: 50\n");
}

TEST(trial, proves_nothing_before_every_probe_has_passed)
{
        check_bad_is_harm("    probes:\n      - command: [sh, -c, \"test ! -e $0/bad\", \"{current}\"]\n    probe_every_ms: 3600000\n");
}

/* Release 5 breaks what this probe looks at: what is said of it? %s in `probe` is the device's folder. */
static void check_probe_says(const char *probe, const struct toy_file *bad, const char *said)
{
        OWN(device) struct device device;
        char more[700], text[512], precious[96], detail[SAID_BYTES];
        device_open(&device, "");
        snprintf(precious, sizeof(precious), "%s/precious", device.folder);
        toy_write_text(precious, "x");
        snprintf(text, sizeof(text), probe, device.folder);
        snprintf(detail, sizeof(detail), said, device.folder);
        snprintf(more, sizeof(more), "    probes:\n      - %s\n    probe_every_ms: 50\n", text);
        device_configure(&device, more);
        device.toy.lease = TOY_EXPOSE;
        toy_publish(&device.toy, 4, toy_good);
        device_start(&device, "run", NULL);
        CHECK(strcmp(device_report(&device)->outcome, "proven") == 0);
        toy_publish(&device.toy, 5, bad);
        const struct wire_report *report = device_report(&device);
        if (strncmp(report->detail, detail, DETAIL_BYTES) != 0)
                printf("# %s\n", report->detail);
        CHECK(strcmp(report->kind, "probe_failed") == 0 && report->counter == 5 && report->running == 4 && strncmp(report->detail, detail, DETAIL_BYTES) == 0);
        device_stop(&device);
}

static const struct toy_file bad_5[] = { { "VERSION", "5\n" }, { "bad", "" }, { NULL, NULL } };
/* Its engine removes a file beside its own script, as McAfee's removed svchost.exe. */
static const struct toy_file eats_5[] = { { "VERSION", "5\n" }, { "eats", "" }, { NULL, NULL } };

TEST(trial, tells_what_a_failing_probe_wrote_first)
{
        check_probe_says("command: [sh, -c, \"test ! -e $0/bad || { echo no connection; exit 3; }\", \"{current}\"]", bad_5, "probe: exit 3: no connection");
}

TEST(trial, tells_which_file_is_gone)
{
        check_probe_says("files: [/etc/passwd, %s/precious]", eats_5, "probe files: %s/precious is gone");
}

TEST(trial, tells_which_file_is_not_what_it_was)
{
        check_probe_says("hash: {file: \"{current}/VERSION\", sha256: 7de1555df0c2700329e815b93b32c571c3ea54dc967b89e81ab73b9972b72d1d}", bad_5,
                         "probe hash: %s/state/streams/rules/current/VERSION has sha256 f0b5c2c2211c.., not 7de1555df0c2..");
}

TEST(trial, takes_a_probe_that_is_not_there_for_one_that_fails)
{
        OWN(device) struct device device;
        device_open(&device, "    probes:\n      - command: [/no/such/probe]\n    probe_every_ms: 50\n");
        device.toy.lease = TOY_EXPOSE;
        toy_publish(&device.toy, 4, toy_good);
        device_start(&device, "run", NULL);
        const struct wire_report *report = device_report(&device);
        CHECK(strcmp(report->kind, "probe_failed") == 0 && strstr(report->detail, "/no/such/probe"));
        device_stop(&device);
}

static bool engine_is_gone(struct toy *toy, void *user)
{
        (void)toy;
        return !child_pid_lives(*(int *)user);
}

/* Release 6 is offered to a device that would take nine seconds to prove it. */
static void device_with_6_to_come(struct device *device, char bake_s)
{
        device_with_4(device, "");
        device_stop(device);
        OWN(buf) struct buf text;
        buf_init(&text, 4096);
        CHECK(file_read(device->config, &text, NULL) == OK);
        char *bake = strstr(text.bytes, "bake_s: 1");
        CHECK(bake);
        bake[strlen("bake_s: ")] = bake_s;
        toy_write_text(device->config, buf_text(&text));
        toy_publish(&device->toy, 6, toy_good_too);
        device_start(device, "run", NULL);
}

static bool runs_6(struct toy *toy, void *user)
{
        (void)toy;
        return device_status_is(user, "version=6");
}

TEST(trial, falls_back_when_it_was_killed_on_trial_and_leaves_no_engine_behind)
{
        OWN(device) struct device device;
        device_with_6_to_come(&device, '9');
        toy_serve(&device.toy, runs_6, &device);
        int engine = device_engine_pid(&device);
        CHECK(kill(device.agent.pid, SIGKILL) == 0);
        struct child_end end;
        while (!child_ended(&device.agent, &end))
                usleep(1000);
        toy_serve(&device.toy, engine_is_gone, &engine);
        device_keep_log(&device);
        device_start(&device, "run", NULL);
        const struct wire_report *report = device_report(&device);
        CHECK(strcmp(report->kind, "boot_loop") == 0 && report->counter == 6 && report->running == 4 && device_current_is(&device, "a"));
        CHECK(device_has_said(&device, "event=release stream=rules what=\"harmed, release 6 -> release 4: 1 unfinished starts, 0 crashes\""));
        device_stop(&device);
}

TEST(trial, goes_on_with_the_trial_after_a_planned_stop)
{
        OWN(device) struct device device;
        device_with_6_to_come(&device, '9');
        toy_serve(&device.toy, runs_6, &device);
        device_stop(&device);
        CHECK(device_current_is(&device, "b"));
        device_configure(&device, "");
        device_start(&device, "run", NULL);
        const struct wire_report *report = device_report(&device);
        CHECK(strcmp(report->outcome, "proven") == 0 && report->running == 6);
        device_stop(&device);
}

/* Its signal handlers come after its first second: a reload before them would end it. */
TEST(trial, waits_with_the_first_release_until_the_engine_is_there)
{
        OWN(device) struct device device;
        char slow[4096];
        snprintf(slow, sizeof(slow), "sleep 1\n%s", toy_engine_text);
        device_open(&device, "");
        toy_write_text(device.engine, slow);
        device.toy.lease = TOY_EXPOSE;
        toy_publish(&device.toy, 4, toy_good);
        device_start(&device, "run", NULL);
        const struct wire_report *report = device_report(&device);
        CHECK(strcmp(report->outcome, "proven") == 0 && report->counter == 4 && report->crashes == 0);
        device_stop(&device);
}

/* What shuts the machine down tells everybody, in whatever order. */
TEST(trial, takes_no_shutdown_for_harm)
{
        OWN(device) struct device device;
        device_with_6_to_come(&device, '9');
        toy_serve(&device.toy, runs_6, &device);
        CHECK(kill(device_engine_pid(&device), SIGTERM) == 0);
        device_stop(&device);
        CHECK(device_current_is(&device, "b"));
        device_configure(&device, "");
        device_start(&device, "run", NULL);
        const struct wire_report *report = device_report(&device);
        CHECK(strcmp(report->outcome, "proven") == 0 && report->running == 6);
        device_stop(&device);
}

/* Stopped for longer than the bake, as a laptop that was closed; it then hears of the withdrawal before it has watched enough. */
TEST(trial, proves_nothing_while_it_sleeps)
{
        OWN(device) struct device device;
        device_with_6_to_come(&device, '4');
        toy_serve(&device.toy, runs_6, &device);
        device_calls(&device, 10);                /* and has seen that it is loaded */
        CHECK(kill(device.agent.pid, SIGSTOP) == 0);
        sleep(5);
        toy_say(&device.toy, COHORT_WITHDRAW);
        CHECK(kill(device.agent.pid, SIGCONT) == 0);
        const struct wire_report *report = device_report(&device);
        CHECK(strcmp(report->outcome, "declined") == 0 && report->counter == 6 && report->running == 4);
        device_stop(&device);
}
