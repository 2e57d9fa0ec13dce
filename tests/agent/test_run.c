/* The program itself against a toy server: everything between the offer and the report, with real processes. */
#include "agent/toy_device.h"
#include "platform/file.h"
#include "support/test.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_asked(struct toy *toy, void *count)
{
        return toy->lease_asks >= *(unsigned *)count;
}

TEST(run, takes_a_release_from_the_offer_to_proven)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        CHECK(device.toy.refused == 0);
        device_stop(&device);
}

TEST(run, asks_for_no_lease_when_the_preflight_fails)
{
        OWN(device) struct device device;
        device_with_4(&device, "    preflight: [sh, -c, \"test ! -e $0/crash\", \"{candidate}\"]\n");
        unsigned asks = device.toy.lease_asks;
        toy_publish(&device.toy, 5, toy_crashes);
        const struct wire_report *report = device_report(&device);
        CHECK(strcmp(report->outcome, "preflight_failed") == 0 && report->running == 4 && device.toy.lease_asks == asks && device_current_is(&device, "a"));
        device_stop(&device);
}

/* Not in the words of the child, which nobody else keeps: in the agent's own. */
static bool says_what_lacks(struct toy *toy, void *user)
{
        (void)toy;
        return device_has_said(user, "preflight -> idle: starting /no/such/program");
}

TEST(run, says_why_a_preflight_could_not_be_started)
{
        OWN(device) struct device device;
        device_open(&device, "    preflight: [/no/such/program]\n");
        device_keep_log(&device);
        toy_publish(&device.toy, 4, toy_good);
        device_start(&device, "run", NULL);
        toy_serve(&device.toy, says_what_lacks, &device);
        device_stop(&device);
}

/* As the kernel does when it is short of memory. */
TEST(run, tries_a_preflight_again_that_was_killed_from_outside)
{
        OWN(device) struct device device;
        char preflight[200];
        device_with_4(&device, "");
        device_stop(&device);
        snprintf(preflight, sizeof(preflight), "    preflight: [sh, -c, \"test ! -e $0/crash || kill -KILL $$\", \"{candidate}\"]\n");
        device_configure(&device, preflight);
        device_keep_log(&device);
        device_start(&device, "run", NULL);
        toy_publish(&device.toy, 5, toy_crashes);
        const struct wire_report *report = device_report(&device);
        CHECK(strcmp(report->outcome, "preflight_failed") == 0 && report->running == 4 && device_current_is(&device, "a"));
        CHECK(device_has_said(&device, "failed, preflight -> idle: signal 9") && device_has_said(&device, "unfit, preflight -> idle: signal 9"));
        device_stop(&device);
}

TEST(run, reloads_what_it_has_for_a_shadow_lease_and_may_be_exposed_later)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        device.toy.lease = TOY_SHADOW;
        toy_publish(&device.toy, 6, toy_good_too);
        const struct wire_report *report = device_report(&device);
        CHECK(strcmp(report->outcome, "proven") == 0 && report->counter == 4 && report->running == 4 && device_current_is(&device, "a"));
        char shadow_nonce[33];
        memcpy(shadow_nonce, report->nonce, sizeof(shadow_nonce));
        device.toy.lease = TOY_EXPOSE;
        report = device_report(&device);
        CHECK(report->counter == 6 && report->running == 6 && strcmp(report->nonce, shadow_nonce) != 0);
        device_stop(&device);
}

TEST(run, does_not_let_the_server_move_its_clock_past_a_ceiling)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        device.toy.lease = TOY_SHADOW;
        device.toy.lease_ahead_s = 1800;
        toy_publish(&device.toy, 6, toy_good_too);
        CHECK(device_report(&device)->counter == 4);
        device.toy.lease = TOY_WAIT;
        device.toy.start_in_s = 900;
        toy_publish(&device.toy, 7, toy_good_too);
        device_calls(&device, 20);
        unsigned asks = device.toy.lease_asks;
        device.toy.lease = TOY_EXPOSE;
        device_calls(&device, 20);
        CHECK(device.toy.lease_asks == asks && device_current_is(&device, "a"));
        device_stop(&device);
}

TEST(run, goes_back_when_the_server_withdraws_what_runs)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        toy_publish(&device.toy, 6, toy_good_too);
        CHECK(device_report(&device)->running == 6);
        toy_say(&device.toy, COHORT_WITHDRAW);
        const struct wire_report *report = device_report(&device);
        CHECK(strcmp(report->outcome, "declined") == 0 && report->counter == 6 && report->running == 4 && device_current_is(&device, "a"));
        device_stop(&device);
}

/* The word that 6 was withdrawn never came; then the server speaks of 7, which waits for its turn. */
TEST(run, goes_back_from_a_withdrawn_release_though_a_newer_one_is_offered)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        toy_publish(&device.toy, 6, toy_good_too);
        CHECK(device_report(&device)->running == 6);
        device.toy.lease = TOY_WAIT;
        device.toy.says.withdrawn_count = 1;
        device.toy.says.withdrawn[0] = 6;
        toy_publish(&device.toy, 7, toy_good);
        const struct wire_report *report = device_report(&device);
        CHECK(strcmp(report->outcome, "declined") == 0 && report->counter == 6 && report->running == 4 && device_current_is(&device, "a"));
        device_stop(&device);
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
        toy_write_text(device->config, buf_text(&more));
}

TEST(run, serves_a_stream_although_the_one_before_it_is_refused)
{
        OWN(device) struct device device;
        device_open(&device, "");
        add_stream(&device, "another");
        toy_say_nonsense(&device.toy, "another");
        device.toy.lease = TOY_EXPOSE;
        toy_publish(&device.toy, 4, toy_good);
        device_start(&device, "run", NULL);
        for (int calls = 0; calls < 300 && !device.toy.report_count; calls++)
                device_calls(&device, 1);
        CHECK(device.toy.report_count == 1 && device.toy.reports[0].counter == 4);
        device_stop(&device);
}

static bool has_named_the_keys(struct toy *toy, void *user)
{
        (void)toy;
        return device_has_said(user, "event=metadata_refused") && device_has_said(user, "the keys of another publisher");
}

TEST(run, says_that_it_may_have_the_keys_of_another_publisher)
{
        OWN(device) struct device device;
        device_open(&device, "");
        char path[128];
        snprintf(path, sizeof(path), "%s/director.root.json", device.folder);
        CHECK(file_write(path, device.toy.release.root.bytes, device.toy.release.root.length, NULL) == OK);
        device_keep_log(&device);
        toy_publish(&device.toy, 4, toy_good);
        device_start(&device, "run", NULL);
        toy_serve(&device.toy, has_named_the_keys, &device);
        CHECK(device_current_is(&device, "factory") && device.toy.lease_asks == 0);
        device_stop(&device);
}

TEST(run, starts_nothing_while_the_cohort_holds)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        unsigned asks = device.toy.lease_asks;
        toy_publish(&device.toy, 6, toy_good_too);
        toy_say(&device.toy, COHORT_HOLD);
        device_calls(&device, 10);
        CHECK(device.toy.lease_asks == asks && device_current_is(&device, "a"));
        toy_say(&device.toy, COHORT_GO);
        CHECK(device_report(&device)->running == 6);
        device_stop(&device);
}

TEST(run, takes_the_older_release_that_the_server_names)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        toy_keep_back(&device.toy, 5, 6, toy_good_too);
        CHECK(device_report(&device)->running == 5);
        toy_let_go(&device.toy);
        CHECK(device_report(&device)->running == 6);
        device_stop(&device);
}

TEST(run, never_arms_under_a_lease_that_the_director_did_not_sign)
{
        OWN(device) struct device device;
        device_open(&device, "");
        device.toy.lease = TOY_FORGE;
        toy_publish(&device.toy, 4, toy_good);
        device_start(&device, "run", NULL);
        unsigned count = 2;
        toy_serve(&device.toy, is_asked, &count);
        CHECK(device_current_is(&device, "factory") && device.toy.report_count == 0);
        device_stop(&device);
}

TEST(run, installs_no_byte_that_the_note_does_not_name)
{
        OWN(device) struct device device;
        device_open(&device, "");
        device.toy.lease = TOY_EXPOSE;
        toy_publish(&device.toy, 4, toy_good);
        toy_spoil(&device.toy, "rule a", "rule b");
        device_start(&device, "run", NULL);
        device_calls(&device, 10);
        CHECK(device.toy.lease_asks == 0 && device_current_is(&device, "factory"));
        toy_spoil(&device.toy, "rule a", "rule a");
        CHECK(device_report(&device)->running == 4);
        device_stop(&device);
}

TEST(run, keeps_its_reports_until_the_server_took_them)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        device.toy.lease = TOY_WAIT;
        toy_publish(&device.toy, 5, toy_crashes);
        unsigned count = device.toy.lease_asks + 1;
        toy_serve(&device.toy, is_asked, &count);
        device.toy.lease = TOY_EXPOSE;
        count++;
        toy_serve(&device.toy, is_asked, &count);
        /* The server is away while it happens; the device is back on 4 before anybody is told. */
        for (int i = 0; i < 3000 && !(device_current_is(&device, "a") && !device_status_is(&device, "version=5") && i > 20); i++)
                usleep(10000);
        CHECK(kill(device.agent.pid, SIGKILL) == 0);
        struct child_end end;
        while (!child_ended(&device.agent, &end))
                usleep(1000);
        device_start(&device, "run", NULL);
        const struct wire_report *report = device_report(&device);
        CHECK(strcmp(report->outcome, "harmed") == 0 && report->counter == 5 && report->running == 4);
        CHECK(report->seq == device.toy.reports[0].seq + 1);
        device_calls(&device, 5);         /* the first of them may be the dead one's */
        device_stop(&device);
}

TEST(run, learns_the_servers_clock_when_its_own_is_off)
{
        OWN(device) struct device device;
        device_open(&device, "");
        device.toy.clock_skew_s = 1000;
        device_start(&device, "run", NULL);
        device_calls(&device, 3);
        CHECK(device.toy.refused == 1);
        device_stop(&device);
}

TEST(run, calls_as_often_as_it_is_told_to_also_when_it_is_refused)
{
        OWN(device) struct device device;
        device_open(&device, "poll_ms_max: 50\n");
        device.toy.pace_ms = 24 * 3600 * 1000;
        device_start(&device, "run", NULL);
        device_calls(&device, 3);
        device.toy.mac_key[0] ^= 1;
        device_calls(&device, 3);
        CHECK(device.toy.refused > 0);
        device_stop(&device);
}

TEST(run, takes_no_hangup_for_an_end)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        CHECK(child_signal(&device.agent, "HUP"));
        device_calls(&device, 3);
        CHECK(device_status_is(&device, "version=4"));
        device_stop(&device);
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
        toy_publish(&device.toy, 4, toy_good);
        device_start(&device, "run", NULL);
        CHECK(strcmp(device_report(&device)->outcome, "proven") == 0);
        device_stop(&device);
}

TEST(run, lets_no_second_one_on_the_same_state)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        struct child first = device.agent;
        device_start(&device, "run", NULL);
        struct child_end end;
        while (!child_ended(&device.agent, &end))
                usleep(1000);
        CHECK(!end.is_signal && end.code == err_info(ERR_BUSY)->exit);
        device.agent = first;
        device_stop(&device);
}

static bool is_running_4(struct toy *toy, void *user)
{
        (void)toy;
        return device_engine_pid(user) && child_pid_lives(device_engine_pid(user)) && device_status_is(user, "version=4");
}

/* The engine runs, and this is said. */
static void check_runs_all_the_same(struct device *device, const char *said)
{
        file_remove(device->status);
        device_keep_log(device);
        device_start(device, "run", NULL);
        toy_serve(&device->toy, is_running_4, device);
        for (int looks = 0; looks < 5000 && !device_has_said(device, said); looks++)
                usleep(1000);
        CHECK(device_has_said(device, said));
        device_stop(device);
        close(device->errors);
        device->errors = -1;
}

static void spoil(const struct device *device, const char *name)
{
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", device->folder, name);
        toy_write_text(path, "x");
}

TEST(run, keeps_the_engine_up_whatever_is_wrong_with_updates)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        device_calls(&device, 2);
        device_stop(&device);
        CHECK(setenv("FIREBREAK_LOG", "loud", 1) == 0);
        check_runs_all_the_same(&device, "FIREBREAK_LOG");
        CHECK(unsetenv("FIREBREAK_LOG") == 0);
        spoil(&device, "state/identity");
        check_runs_all_the_same(&device, "there are no updates until this is right: the identity is damaged");
        char path[128];
        snprintf(path, sizeof(path), "%s/state/identity", device.folder);
        file_remove(path);
        check_runs_all_the_same(&device, "there are no updates until this is right: this device is not enrolled");
        spoil(&device, "release.anchor");
        check_runs_all_the_same(&device, "there are no updates until this is right:");
}

TEST(run, serves_a_stream_although_the_one_before_it_cannot_run)
{
        OWN(device) struct device device;
        device_with_4(&device, "");
        device_calls(&device, 2);
        device_stop(&device);
        add_stream(&device, "another");
        device_config_replace(&device, "    engine:\n      command: [sleep", "    factory: /no/such/folder\n    engine:\n      command: [sleep");
        check_runs_all_the_same(&device, "stream another is left out");
        device_start(&device, "run", NULL);
        toy_publish(&device.toy, 6, toy_good_too);
        CHECK(device_report(&device)->running == 6);
        device_stop(&device);
}

static bool says_whose_folder(struct toy *toy, void *user)
{
        (void)toy;
        return device_has_said(user, "others than its owner may write to");
}

/* Whoever may write there chooses what the engine loads, whatever was signed: said aloud, and no release trusted to it. */
TEST(run, installs_nothing_into_a_folder_that_others_may_write_to)
{
        OWN(device) struct device device;
        char state[96];
        device_with_4(&device, "");
        device_stop(&device);
        snprintf(state, sizeof(state), "%s/state", device.folder);
        CHECK(chmod(state, 0777) == 0);
        device_keep_log(&device);
        device_start(&device, "run", NULL);
        unsigned checkins = device.toy.checkins;
        toy_publish(&device.toy, 6, toy_good_too);
        toy_serve(&device.toy, says_whose_folder, &device);
        CHECK(device_engine_pid(&device) && device.toy.checkins == checkins && device_current_is(&device, "a"));
        CHECK(chmod(state, 0711) == 0);
        device_stop(&device);
        device_start(&device, "run", NULL);
        CHECK(device_report(&device)->running == 6);
        device_stop(&device);
}
