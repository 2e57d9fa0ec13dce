/* The program itself against a toy server: everything between the offer and the report, with real processes. */
#include "agent/slot.h"
#include "agent/toy.h"
#include "platform/channel.h"
#include "platform/child.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Loads at start and on SIGHUP: dies if the content has `crash`, says state=error if it has `broken`, is silent on `silent`.
 * Writes its status again and again if there is `beats`; with `sours`, says state=error after a while. With
 * `stumbles` it dies once, a while after loading, and takes 3 seconds to load the next time. */
static const char engine_text[] =
        "load() {\n"
        "  [ -e \"$1/crash\" ] && kill -SEGV $$\n"
        "  [ -e \"$1/stumbles\" ] && [ -e \"$2.fell\" ] && sleep 3\n"
        "  [ -e \"$1/silent\" ] && return\n"
        "  s=ok; [ -e \"$1/broken\" ] && s=error\n"
        "  printf 'state=%s version=%s\\n' $s \"$(head -n1 \"$1/VERSION\" 2>/dev/null)\" > \"$2.new\"; mv \"$2.new\" \"$2\"\n"
        "}\n"
        "trap 'load \"$1\" \"$2\"' HUP\ntrap 'exit 0' TERM\necho $$ > \"$2.pid\"\nload \"$1\" \"$2\"\n"
        "while :; do sleep 0.02 & wait $!; [ -e \"$1/beats\" ] && touch -c \"$2\"\n"
        "  [ -e \"$1/stumbles\" ] && [ ! -e \"$2.fell\" ] && sleep 0.6 && : > \"$2.fell\" && kill -SEGV $$\n"
        "  [ -e \"$1/sours\" ] && sleep 0.6 && echo state=error > \"$2\"; done\n";

struct device {
        struct toy toy;
        char folder[64], config[96], engine[96], status[96];
        int errors;                      /* of the agents to come; -1: ours */
        struct child agent;
};

static void write_text(const char *path, const char *text)
{
        CHECK(file_write(path, text, strlen(text), NULL) == OK);
}

static void write_config(struct device *device, const char *more)
{
        char text[2048];
        snprintf(text, sizeof(text),
                 "server: http://127.0.0.1:%d\nstate_dir: %s/state\nanchor: %s/anchor\nrelease_root: %s/release.root.json\n"
                 "director_root: %s/director.root.json\nattributes: os=test\nbusy_poll_ms: 50\nstreams:\n  - name: rules\n    engine:\n"
                 "      command: [sh, %s, \"{current}\", %s]\n      status_file: %s\n    bake_s: 1\n    crashes_max: 1\n%s",
                 device->toy.port, device->folder, device->folder, device->folder, device->folder, device->engine, device->status, device->status, more);
        write_text(device->config, text);
}

static void agent_start(struct device *device, const char *command, const char *token)
{
        const char *const argv[] = { getenv("FIREBREAK_AGENT"), command, "--config", device->config, token ? "--token" : NULL, token, NULL };
        CHECK(argv[0] && child_start(&(struct child_setup){ argv, -1, -1, device->errors, NULL }, &device->agent, NULL) == OK);
}

static bool agent_ended(struct toy *toy, void *user)
{
        (void)toy;
        struct device *device = user;
        struct child_end end;
        if (!child_ended(&device->agent, &end))
                return false;
        CHECK(!end.is_signal && end.code == 0);
        return true;
}

static void device_open(struct device *device, const char *more)
{
        *device = (struct device){ .errors = -1 };
        toy_open(&device->toy);
        CHECK(file_temporary(device->folder, NULL) == OK);
        snprintf(device->config, sizeof(device->config), "%s/agent.yaml", device->folder);
        snprintf(device->engine, sizeof(device->engine), "%s/engine.sh", device->folder);
        snprintf(device->status, sizeof(device->status), "%s/status", device->folder);
        write_text(device->engine, engine_text);
        write_config(device, more);
        toy_write_public(&device->toy, device->folder);
        agent_start(device, "enrol", "fbt_test");
        toy_serve(&device->toy, agent_ended, device);
        CHECK(device->toy.device[0]);
}

static void device_release(struct device *device)
{
        child_kill(&device->agent);
        if (device->errors >= 0)
                close(device->errors);
        toy_close(&device->toy);
        file_remove_tree(device->folder);
}

static void stop(struct device *device)
{
        CHECK(child_signal(&device->agent, "TERM"));
        toy_serve(&device->toy, agent_ended, device);
}

static bool has_report(struct toy *toy, void *count)
{
        return toy->report_count >= *(size_t *)count;
}

static const struct wire_report *next_report(struct device *device)
{
        size_t count = device->toy.report_count + 1;
        toy_serve(&device->toy, has_report, &count);
        return &device->toy.reports[count - 1];
}

static bool is_asked(struct toy *toy, void *count)
{
        return toy->lease_asks >= *(unsigned *)count;
}

static bool has_called(struct toy *toy, void *count)
{
        return toy->checkins >= *(unsigned *)count;
}

static void let_it_call(struct device *device, unsigned times)
{
        unsigned count = device->toy.checkins + times;
        toy_serve(&device->toy, has_called, &count);
}

static bool current_is(const struct device *device, const char *name)
{
        char path[160], target[16] = "";
        snprintf(path, sizeof(path), "%s/state/streams/rules/current", device->folder);
        return readlink(path, target, sizeof(target) - 1) > 0 && strcmp(target, name) == 0;
}

/* From here on, what agents say goes to a file. */
static void keep_what_it_says(struct device *device)
{
        char path[128];
        snprintf(path, sizeof(path), "%s/log", device->folder);
        device->errors = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        CHECK(device->errors >= 0);
}

static bool has_said(const struct device *device, const char *text)
{
        char path[128];
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 1 << 20);
        snprintf(path, sizeof(path), "%s/log", device->folder);
        return file_read(path, &bytes, NULL) == OK && strstr(buf_text(&bytes), text);
}

static bool status_is(const struct device *device, const char *text)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 256);
        return file_read(device->status, &bytes, NULL) == OK && strstr(buf_text(&bytes), text);
}

static const struct toy_file good[] = { { "VERSION", "4\n" }, { "rules/a.yar", "rule a" }, { NULL, NULL } };
static const struct toy_file good_too[] = { { "VERSION", "6\n" }, { NULL, NULL } };
static const struct toy_file crashes[] = { { "VERSION", "5\n" }, { "crash", "" }, { NULL, NULL } };
static const struct toy_file broken[] = { { "VERSION", "5\n" }, { "broken", "" }, { NULL, NULL } };

/* Running release 4, proven and reported. */
static void device_with_4(struct device *device, const char *more)
{
        device_open(device, more);
        device->toy.lease = TOY_EXPOSE;
        toy_publish(&device->toy, 4, good);
        agent_start(device, "run", NULL);
        const struct wire_report *report = next_report(device);
        CHECK(strcmp(report->outcome, "proven") == 0 && report->counter == 4 && report->running == 4 && report->seq > 1000000000);
        CHECK(current_is(device, "a") && status_is(device, "version=4"));
}

TEST(run, takes_a_release_from_the_offer_to_proven)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        CHECK(device.toy.refused == 0);
        stop(&device);
}

TEST(run, returns_from_a_release_that_kills_the_engine_and_never_tries_it_again)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        toy_publish(&device.toy, 5, crashes);
        const struct wire_report *report = next_report(&device);
        CHECK(strcmp(report->outcome, "harmed") == 0 && strcmp(report->kind, "crash") == 0 && strcmp(report->detail, "signal 11") == 0);
        CHECK(report->counter == 5 && report->running == 4 && report->fallbacks == 1 && report->crashes == 1);
        CHECK(current_is(&device, "a"));
        unsigned asks = device.toy.lease_asks;
        let_it_call(&device, 10);
        CHECK(device.toy.lease_asks == asks);
        toy_publish(&device.toy, 6, good_too);
        report = next_report(&device);
        CHECK(strcmp(report->outcome, "proven") == 0 && report->counter == 6 && status_is(&device, "version=6"));
        stop(&device);
}

TEST(run, counts_an_engine_that_refuses_its_content_as_harm)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        toy_publish(&device.toy, 5, broken);
        const struct wire_report *report = next_report(&device);
        CHECK(strcmp(report->kind, "probe_failed") == 0 && report->running == 4 && current_is(&device, "a"));
        stop(&device);
}

static void config_replace(const struct device *device, const char *from, const char *to)
{
        OWN(buf) struct buf text, with;
        buf_init(&text, 8192);
        buf_init(&with, 8192);
        CHECK(file_read(device->config, &text, NULL) == OK);
        const char *at = strstr(buf_text(&text), from);
        CHECK(at);
        buf_addf(&with, "%.*s%s%s", (int)(at - buf_text(&text)), buf_text(&text), to, at + strlen(from));
        write_text(device->config, buf_text(&with));
}

TEST(run, counts_an_engine_that_turns_bad_after_loading_as_harm)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        let_it_call(&device, 2);
        stop(&device);
        config_replace(&device, "    bake_s: 1\n", "    bake_s: 20\n");
        agent_start(&device, "run", NULL);
        static const struct toy_file sours[] = { { "VERSION", "5\n" }, { "sours", "" }, { NULL, NULL } };
        toy_publish(&device.toy, 5, sours);
        const struct wire_report *report = next_report(&device);
        CHECK(strcmp(report->kind, "probe_failed") == 0 && strcmp(report->detail, "the engine says state=error") == 0 && report->running == 4);
        stop(&device);
}

TEST(run, proves_nothing_before_an_engine_that_crashed_has_loaded_again)
{
        OWN(device) struct device device;
        device_open(&device, "");
        config_replace(&device, "    crashes_max: 1\n", "    crashes_max: 2\n");
        static const struct toy_file stumbles[] = { { "VERSION", "5\n" }, { "stumbles", "" }, { NULL, NULL } };
        device.toy.lease = TOY_EXPOSE;
        toy_publish(&device.toy, 5, stumbles);
        agent_start(&device, "run", NULL);
        const struct wire_report *report = next_report(&device);
        CHECK(strcmp(report->outcome, "proven") == 0 && report->crashes == 1 && status_is(&device, "version=5"));
        stop(&device);
}

TEST(run, proves_nothing_on_an_engine_that_hangs_after_loading)
{
        OWN(device) struct device device;
        device_open(&device, "");
        config_replace(&device, "    bake_s: 1\n", "      status_every_ms: 50\n    bake_s: 1\n");
        static const struct toy_file beats[] = { { "VERSION", "4\n" }, { "beats", "" }, { NULL, NULL } };
        device.toy.lease = TOY_EXPOSE;
        toy_publish(&device.toy, 4, beats);
        agent_start(&device, "run", NULL);
        CHECK(strcmp(next_report(&device)->outcome, "proven") == 0);
        toy_publish(&device.toy, 5, good_too);
        const struct wire_report *report = next_report(&device);
        CHECK(strcmp(report->kind, "probe_failed") == 0 && strstr(report->detail, "it hangs") && report->counter == 5 && report->running == 4);
        stop(&device);
}

TEST(run, counts_a_failing_probe_as_harm)
{
        OWN(device) struct device device;
        device_with_4(&device, "    probes:\n      - command: [sh, -c, \"test ! -e $0/bad\", \"{current}\"]\n    probe_every_ms: 50\n");
        static const struct toy_file bad[] = { { "VERSION", "5\n" }, { "bad", "" }, { NULL, NULL } };
        toy_publish(&device.toy, 5, bad);
        const struct wire_report *report = next_report(&device);
        CHECK(strcmp(report->kind, "probe_failed") == 0 && strcmp(report->detail, "probe: exit 1") == 0 && current_is(&device, "a"));
        stop(&device);
}

/* Release 5 has a file `bad`, which the first of these probes does not like. */
static void check_bad_is_harm(const char *more)
{
        OWN(device) struct device device;
        device_with_4(&device, more);
        static const struct toy_file bad[] = { { "VERSION", "5\n" }, { "bad", "" }, { NULL, NULL } };
        toy_publish(&device.toy, 5, bad);
        const struct wire_report *report = next_report(&device);
        CHECK(report->counter == 5 && strcmp(report->kind, "probe_failed") == 0 && report->running == 4);
        stop(&device);
}

TEST(run, does_not_let_one_probe_hide_that_another_fails)
{
        check_bad_is_harm("    probes:\n      - command: [sh, -c, \"test ! -e $0/bad\", \"{current}\"]\n      - command: [\"true\"]\n    probe_every_ms: 50\n");
}

TEST(run, proves_nothing_before_every_probe_has_passed)
{
        check_bad_is_harm("    probes:\n      - command: [sh, -c, \"test ! -e $0/bad\", \"{current}\"]\n    probe_every_ms: 3600000\n");
}

TEST(run, takes_a_probe_that_is_not_there_for_one_that_fails)
{
        OWN(device) struct device device;
        device_open(&device, "    probes:\n      - command: [/no/such/probe]\n    probe_every_ms: 50\n");
        device.toy.lease = TOY_EXPOSE;
        toy_publish(&device.toy, 4, good);
        agent_start(&device, "run", NULL);
        const struct wire_report *report = next_report(&device);
        CHECK(strcmp(report->kind, "probe_failed") == 0 && strstr(report->detail, "/no/such/probe"));
        stop(&device);
}

TEST(run, asks_for_no_lease_when_the_preflight_fails)
{
        OWN(device) struct device device;
        device_with_4(&device, "    preflight: [sh, -c, \"test ! -e $0/crash\", \"{candidate}\"]\n");
        unsigned asks = device.toy.lease_asks;
        toy_publish(&device.toy, 5, crashes);
        const struct wire_report *report = next_report(&device);
        CHECK(strcmp(report->outcome, "preflight_failed") == 0 && report->running == 4 && device.toy.lease_asks == asks && current_is(&device, "a"));
        stop(&device);
}

/* Not in the words of the child, which nobody else keeps: in the agent's own. */
static bool says_what_lacks(struct toy *toy, void *user)
{
        (void)toy;
        return has_said(user, "preflight -> idle: starting /no/such/program");
}

TEST(run, says_why_a_preflight_could_not_be_started)
{
        OWN(device) struct device device;
        device_open(&device, "    preflight: [/no/such/program]\n");
        keep_what_it_says(&device);
        toy_publish(&device.toy, 4, good);
        agent_start(&device, "run", NULL);
        toy_serve(&device.toy, says_what_lacks, &device);
        stop(&device);
}

/* As the kernel does when it is short of memory. */
TEST(run, tries_a_preflight_again_that_was_killed_from_outside)
{
        OWN(device) struct device device;
        char preflight[200];
        device_with_4(&device, "");
        stop(&device);
        snprintf(preflight, sizeof(preflight), "    preflight: [sh, -c, \"test ! -e $0/crash || kill -KILL $$\", \"{candidate}\"]\n");
        write_config(&device, preflight);
        keep_what_it_says(&device);
        agent_start(&device, "run", NULL);
        toy_publish(&device.toy, 5, crashes);
        const struct wire_report *report = next_report(&device);
        CHECK(strcmp(report->outcome, "preflight_failed") == 0 && report->running == 4 && current_is(&device, "a"));
        CHECK(has_said(&device, "failed, preflight -> idle: signal 9") && has_said(&device, "unfit, preflight -> idle: signal 9"));
        stop(&device);
}

TEST(run, reloads_what_it_has_for_a_shadow_lease_and_may_be_exposed_later)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        device.toy.lease = TOY_SHADOW;
        toy_publish(&device.toy, 6, good_too);
        const struct wire_report *report = next_report(&device);
        CHECK(strcmp(report->outcome, "proven") == 0 && report->counter == 4 && report->running == 4 && current_is(&device, "a"));
        char shadow_nonce[33];
        memcpy(shadow_nonce, report->nonce, sizeof(shadow_nonce));
        device.toy.lease = TOY_EXPOSE;
        report = next_report(&device);
        CHECK(report->counter == 6 && report->running == 6 && strcmp(report->nonce, shadow_nonce) != 0);
        stop(&device);
}

TEST(run, does_not_let_the_server_move_its_clock_past_a_ceiling)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        device.toy.lease = TOY_SHADOW;
        device.toy.lease_ahead_s = 1800;
        toy_publish(&device.toy, 6, good_too);
        CHECK(next_report(&device)->counter == 4);
        device.toy.lease = TOY_WAIT;
        device.toy.start_in_s = 900;
        toy_publish(&device.toy, 7, good_too);
        let_it_call(&device, 20);
        unsigned asks = device.toy.lease_asks;
        device.toy.lease = TOY_EXPOSE;
        let_it_call(&device, 20);
        CHECK(device.toy.lease_asks == asks && current_is(&device, "a"));
        stop(&device);
}

TEST(run, goes_back_when_the_server_withdraws_what_runs)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        toy_publish(&device.toy, 6, good_too);
        CHECK(next_report(&device)->running == 6);
        toy_say(&device.toy, COHORT_WITHDRAW);
        const struct wire_report *report = next_report(&device);
        CHECK(strcmp(report->outcome, "declined") == 0 && report->counter == 6 && report->running == 4 && current_is(&device, "a"));
        stop(&device);
}

/* The word that 6 was withdrawn never came; then the server speaks of 7, which waits for its turn. */
TEST(run, goes_back_from_a_withdrawn_release_though_a_newer_one_is_offered)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        toy_publish(&device.toy, 6, good_too);
        CHECK(next_report(&device)->running == 6);
        device.toy.lease = TOY_WAIT;
        device.toy.says.withdrawn_count = 1;
        device.toy.says.withdrawn[0] = 6;
        toy_publish(&device.toy, 7, good);
        const struct wire_report *report = next_report(&device);
        CHECK(strcmp(report->outcome, "declined") == 0 && report->counter == 6 && report->running == 4 && current_is(&device, "a"));
        stop(&device);
}

/* Another stream before the first one. */
static void add_stream(struct device *device, const char *name)
{
        OWN(buf) struct buf text;
        OWN(buf) struct buf more;
        buf_init(&text, 4096);
        buf_init(&more, 4096);
        CHECK(file_read(device->config, &text, NULL) == OK);
        char *streams = strstr(text.bytes, "  - name: rules");
        CHECK(streams);
        buf_add(&more, text.bytes, (size_t)(streams - text.bytes));
        buf_addf(&more, "  - name: %s\n    engine:\n      command: [sleep, \"600\"]\n%s", name, streams);
        write_text(device->config, buf_text(&more));
}

TEST(run, serves_a_stream_although_the_one_before_it_is_refused)
{
        OWN(device) struct device device;
        device_open(&device, "");
        add_stream(&device, "another");
        toy_say_nonsense(&device.toy, "another");
        device.toy.lease = TOY_EXPOSE;
        toy_publish(&device.toy, 4, good);
        agent_start(&device, "run", NULL);
        for (int calls = 0; calls < 300 && !device.toy.report_count; calls++)
                let_it_call(&device, 1);
        CHECK(device.toy.report_count == 1 && device.toy.reports[0].counter == 4);
        stop(&device);
}

static bool has_named_the_keys(struct toy *toy, void *user)
{
        (void)toy;
        return has_said(user, "event=metadata_refused") && has_said(user, "the keys of another publisher");
}

TEST(run, says_that_it_may_have_the_keys_of_another_publisher)
{
        OWN(device) struct device device;
        device_open(&device, "");
        char path[128];
        snprintf(path, sizeof(path), "%s/director.root.json", device.folder);
        CHECK(file_write(path, device.toy.release.root.bytes, device.toy.release.root.length, NULL) == OK);
        keep_what_it_says(&device);
        toy_publish(&device.toy, 4, good);
        agent_start(&device, "run", NULL);
        toy_serve(&device.toy, has_named_the_keys, &device);
        CHECK(current_is(&device, "factory") && device.toy.lease_asks == 0);
        stop(&device);
}

TEST(run, starts_nothing_while_the_cohort_holds)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        unsigned asks = device.toy.lease_asks;
        toy_publish(&device.toy, 6, good_too);
        toy_say(&device.toy, COHORT_HOLD);
        let_it_call(&device, 10);
        CHECK(device.toy.lease_asks == asks && current_is(&device, "a"));
        toy_say(&device.toy, COHORT_GO);
        CHECK(next_report(&device)->running == 6);
        stop(&device);
}

TEST(run, takes_the_older_release_that_the_server_names)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        toy_keep_back(&device.toy, 5, 6, good_too);
        CHECK(next_report(&device)->running == 5);
        toy_let_go(&device.toy);
        CHECK(next_report(&device)->running == 6);
        stop(&device);
}

TEST(run, never_arms_under_a_lease_that_the_director_did_not_sign)
{
        OWN(device) struct device device;
        device_open(&device, "");
        device.toy.lease = TOY_FORGE;
        toy_publish(&device.toy, 4, good);
        agent_start(&device, "run", NULL);
        unsigned count = 2;
        toy_serve(&device.toy, is_asked, &count);
        CHECK(current_is(&device, "factory") && device.toy.report_count == 0);
        stop(&device);
}

TEST(run, installs_no_byte_that_the_note_does_not_name)
{
        OWN(device) struct device device;
        device_open(&device, "");
        device.toy.lease = TOY_EXPOSE;
        toy_publish(&device.toy, 4, good);
        toy_spoil(&device.toy, "rule a", "rule b");
        agent_start(&device, "run", NULL);
        let_it_call(&device, 10);
        CHECK(device.toy.lease_asks == 0 && current_is(&device, "factory"));
        toy_spoil(&device.toy, "rule a", "rule a");
        CHECK(next_report(&device)->running == 4);
        stop(&device);
}

static int engine_pid(const struct device *device)
{
        char path[128];
        OWN(buf) struct buf text;
        buf_init(&text, 64);
        snprintf(path, sizeof(path), "%s.pid", device->status);
        return file_read(path, &text, NULL) == OK ? (int)strtol(buf_text(&text), NULL, 10) : 0;
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
        stop(device);
        OWN(buf) struct buf text;
        buf_init(&text, 4096);
        CHECK(file_read(device->config, &text, NULL) == OK);
        char *bake = strstr(text.bytes, "bake_s: 1");
        CHECK(bake);
        bake[strlen("bake_s: ")] = bake_s;
        write_text(device->config, buf_text(&text));
        toy_publish(&device->toy, 6, good_too);
        agent_start(device, "run", NULL);
}

static bool runs_6(struct toy *toy, void *user)
{
        (void)toy;
        return status_is(user, "version=6");
}

TEST(run, falls_back_when_it_was_killed_on_trial_and_leaves_no_engine_behind)
{
        OWN(device) struct device device;
        device_with_6_to_come(&device, '9');
        toy_serve(&device.toy, runs_6, &device);
        int engine = engine_pid(&device);
        CHECK(kill(device.agent.pid, SIGKILL) == 0);
        struct child_end end;
        while (!child_ended(&device.agent, &end))
                usleep(1000);
        toy_serve(&device.toy, engine_is_gone, &engine);
        keep_what_it_says(&device);
        agent_start(&device, "run", NULL);
        const struct wire_report *report = next_report(&device);
        CHECK(strcmp(report->kind, "boot_loop") == 0 && report->counter == 6 && report->running == 4 && current_is(&device, "a"));
        CHECK(has_said(&device, "event=release stream=rules what=\"harmed, release 6 -> release 4: 1 unfinished starts, 0 crashes\""));
        stop(&device);
}

TEST(run, goes_on_with_the_trial_after_a_planned_stop)
{
        OWN(device) struct device device;
        device_with_6_to_come(&device, '9');
        toy_serve(&device.toy, runs_6, &device);
        stop(&device);
        CHECK(current_is(&device, "b"));
        write_config(&device, "");
        agent_start(&device, "run", NULL);
        const struct wire_report *report = next_report(&device);
        CHECK(strcmp(report->outcome, "proven") == 0 && report->running == 6);
        stop(&device);
}

/* Its signal handlers come after its first second: a reload before them would end it. */
TEST(run, waits_with_the_first_release_until_the_engine_is_there)
{
        OWN(device) struct device device;
        char slow[sizeof(engine_text) + 16];
        snprintf(slow, sizeof(slow), "sleep 1\n%s", engine_text);
        device_open(&device, "");
        write_text(device.engine, slow);
        device.toy.lease = TOY_EXPOSE;
        toy_publish(&device.toy, 4, good);
        agent_start(&device, "run", NULL);
        const struct wire_report *report = next_report(&device);
        CHECK(strcmp(report->outcome, "proven") == 0 && report->counter == 4 && report->crashes == 0);
        stop(&device);
}

/* What shuts the machine down tells everybody, in whatever order. */
TEST(run, takes_no_shutdown_for_harm)
{
        OWN(device) struct device device;
        device_with_6_to_come(&device, '9');
        toy_serve(&device.toy, runs_6, &device);
        CHECK(kill(engine_pid(&device), SIGTERM) == 0);
        stop(&device);
        CHECK(current_is(&device, "b"));
        write_config(&device, "");
        agent_start(&device, "run", NULL);
        const struct wire_report *report = next_report(&device);
        CHECK(strcmp(report->outcome, "proven") == 0 && report->running == 6);
        stop(&device);
}

/* Stopped for longer than the bake, as a laptop that was closed; it then hears of the withdrawal before it has watched enough. */
TEST(run, proves_nothing_while_it_sleeps)
{
        OWN(device) struct device device;
        device_with_6_to_come(&device, '4');
        toy_serve(&device.toy, runs_6, &device);
        let_it_call(&device, 10);                /* and has seen that it is loaded */
        CHECK(kill(device.agent.pid, SIGSTOP) == 0);
        sleep(5);
        toy_say(&device.toy, COHORT_WITHDRAW);
        CHECK(kill(device.agent.pid, SIGCONT) == 0);
        const struct wire_report *report = next_report(&device);
        CHECK(strcmp(report->outcome, "declined") == 0 && report->counter == 6 && report->running == 4);
        stop(&device);
}

TEST(run, keeps_its_reports_until_the_server_took_them)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        device.toy.lease = TOY_WAIT;
        toy_publish(&device.toy, 5, crashes);
        unsigned count = device.toy.lease_asks + 1;
        toy_serve(&device.toy, is_asked, &count);
        device.toy.lease = TOY_EXPOSE;
        count++;
        toy_serve(&device.toy, is_asked, &count);
        /* The server is away while it happens; the device is back on 4 before anybody is told. */
        for (int i = 0; i < 3000 && !(current_is(&device, "a") && !status_is(&device, "version=5") && i > 20); i++)
                usleep(10000);
        CHECK(kill(device.agent.pid, SIGKILL) == 0);
        struct child_end end;
        while (!child_ended(&device.agent, &end))
                usleep(1000);
        agent_start(&device, "run", NULL);
        const struct wire_report *report = next_report(&device);
        CHECK(strcmp(report->outcome, "harmed") == 0 && report->counter == 5 && report->running == 4);
        CHECK(report->seq == device.toy.reports[0].seq + 1);
        let_it_call(&device, 5);         /* the first of them may be the dead one's */
        stop(&device);
}

TEST(run, learns_the_servers_clock_when_its_own_is_off)
{
        OWN(device) struct device device;
        device_open(&device, "");
        device.toy.clock_skew_s = 1000;
        agent_start(&device, "run", NULL);
        let_it_call(&device, 3);
        CHECK(device.toy.refused == 1);
        stop(&device);
}

TEST(run, calls_as_often_as_it_is_told_to_also_when_it_is_refused)
{
        OWN(device) struct device device;
        device_open(&device, "poll_ms_max: 50\n");
        device.toy.pace_ms = 24 * 3600 * 1000;
        agent_start(&device, "run", NULL);
        let_it_call(&device, 3);
        device.toy.mac_key[0] ^= 1;
        let_it_call(&device, 3);
        CHECK(device.toy.refused > 0);
        stop(&device);
}

TEST(run, takes_no_hangup_for_an_end)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        CHECK(child_signal(&device.agent, "HUP"));
        let_it_call(&device, 3);
        CHECK(status_is(&device, "version=4"));
        stop(&device);
}

TEST(run, fetches_although_a_folder_is_in_the_way)
{
        OWN(device) struct device device;
        device_open(&device, "");
        char path[128];
        snprintf(path, sizeof(path), "%s/state/spool", device.folder);
        (void)mkdir(path, 0700);
        snprintf(path, sizeof(path), "%s/state/spool/wanted", device.folder);
        CHECK(mkdir(path, 0700) == 0);
        device.toy.lease = TOY_EXPOSE;
        toy_publish(&device.toy, 4, good);
        agent_start(&device, "run", NULL);
        CHECK(strcmp(next_report(&device)->outcome, "proven") == 0);
        stop(&device);
}

TEST(run, lets_no_second_one_on_the_same_state)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        struct child first = device.agent;
        agent_start(&device, "run", NULL);
        struct child_end end;
        while (!child_ended(&device.agent, &end))
                usleep(1000);
        CHECK(!end.is_signal && end.code == err_info(ERR_BUSY)->exit);
        device.agent = first;
        stop(&device);
}

static bool is_running_4(struct toy *toy, void *user)
{
        (void)toy;
        return engine_pid(user) && child_pid_lives(engine_pid(user)) && status_is(user, "version=4");
}

/* The engine runs, and this is said. */
static void check_runs_all_the_same(struct device *device, const char *said)
{
        file_remove(device->status);
        keep_what_it_says(device);
        agent_start(device, "run", NULL);
        toy_serve(&device->toy, is_running_4, device);
        for (int looks = 0; looks < 5000 && !has_said(device, said); looks++)
                usleep(1000);
        CHECK(has_said(device, said));
        stop(device);
        close(device->errors);
        device->errors = -1;
}

static void spoil(const struct device *device, const char *name)
{
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", device->folder, name);
        write_text(path, "x");
}

TEST(run, keeps_the_engine_up_whatever_is_wrong_with_updates)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        let_it_call(&device, 2);
        stop(&device);
        CHECK(setenv("FIREBREAK_LOG", "loud", 1) == 0);
        check_runs_all_the_same(&device, "FIREBREAK_LOG");
        CHECK(unsetenv("FIREBREAK_LOG") == 0);
        spoil(&device, "state/identity");
        check_runs_all_the_same(&device, "there are no updates until this is right: the identity is damaged");
        char path[128];
        snprintf(path, sizeof(path), "%s/state/identity", device.folder);
        file_remove(path);
        check_runs_all_the_same(&device, "there are no updates until this is right: this device is not enrolled");
        spoil(&device, "anchor");
        check_runs_all_the_same(&device, "there are no updates until this is right:");
}

TEST(run, serves_a_stream_although_the_one_before_it_cannot_run)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        let_it_call(&device, 2);
        stop(&device);
        add_stream(&device, "another");
        config_replace(&device, "    engine:\n      command: [sleep", "    factory: /no/such/folder\n    engine:\n      command: [sleep");
        check_runs_all_the_same(&device, "stream another is left out");
        agent_start(&device, "run", NULL);
        toy_publish(&device.toy, 6, good_too);
        CHECK(next_report(&device)->running == 6);
        stop(&device);
}
