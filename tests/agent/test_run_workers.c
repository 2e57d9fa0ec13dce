/* The program itself, with those that read what strangers send as other users, and as units of a service manager. */
#include "agent/toy_device.h"

#include "agent/worker.h"
#include "platform/channel.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "support/test.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* With the sanitizers only part of it is in force: see confine.c. */
#if defined(__SANITIZE_ADDRESS__)
enum { IS_WATCHED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { IS_WATCHED = 1 };
#else
enum { IS_WATCHED = 0 };
#endif
#else
enum { IS_WATCHED = 0 };
#endif

static struct worker_state state_of(const struct device *device, enum worker worker)
{
        char state[96];
        struct worker_states states;
        OWN(disk_folder) struct disk *disk = NULL;
        snprintf(state, sizeof(state), "%s/state", device->folder);
        CHECK(disk_folder_open(state, &disk, NULL) == OK);
        worker_states_read(disk, &states);
        return states.each[worker];
}

static bool is_confined(const struct worker_state *state)
{
        return state->is_known && (IS_WATCHED || (state->confined.has_filter && !state->confined.has_capabilities));
}

/* Only root can. */
TEST(workers, are_other_users_who_reach_no_more_than_they_need)
{
        OWN(device) struct device device;
        char path[96];
        struct stat info;
        if (geteuid() != 0)
                return;
        device_open(&device, "    preflight: [sh, -c, \"test $(id -u) = 65534 && test -r $0/VERSION && ! cat $1/state/identity\", \"{candidate}\", FOLDER]\n");
        device_config_replace(&device, "FOLDER", device.folder);
        device_config_replace(&device, "attributes: os=test\n", "attributes: os=test\nusers:\n  fetch: daemon\n  verify: nobody\n  preflight: nobody\n");
        CHECK(chmod(device.folder, 0711) == 0 && chmod(device.config, 0644) == 0);
        snprintf(path, sizeof(path), "%s/state", device.folder);
        CHECK(chmod(path, 0711) == 0);
        device.toy.lease = TOY_EXPOSE;
        toy_publish(&device.toy, 4, toy_good);
        device_start(&device, "run", NULL);
        const struct wire_report *report = device_report(&device);
        CHECK(strcmp(report->outcome, "proven") == 0 && report->running == 4);
        const struct worker_state fetch = state_of(&device, WORKER_FETCH), verify = state_of(&device, WORKER_VERIFY);
        CHECK(is_confined(&fetch) && fetch.confined.user == 1 && !fetch.is_unit && is_confined(&verify) && verify.confined.user == 65534);
        snprintf(path, sizeof(path), "%s/state/spool", device.folder);
        CHECK(stat(path, &info) == 0 && info.st_uid == 1 && (info.st_mode & 07777) == 0700);
        device_stop(&device);
}

/* What systemd does with Accept=yes: each who connects gets a process of his own, whose standard input and output he is. */
struct unit { const struct device *device; const char *command; int kind; bool dies; const char *slow; /* a file: the one that finds it is slow */ };

_Noreturn static void serve_one(const struct unit *unit, int end)
{
        if (unit->dies)                  /* no such user, a mistake in its unit, too many at once */
                _exit(1);
        if (unit->slow && unlink(unit->slow) == 0)
                sleep(6);
        const char *const argv[] = { getenv("FIREBREAK_AGENT"), unit->command, strcmp(unit->command, "fetch") == 0 ? "--config" : NULL, unit->device->config, NULL };
        if (dup2(end, STDIN_FILENO) >= 0 && dup2(end, STDOUT_FILENO) >= 0)
                execv(argv[0], (char *const *)argv);
        _exit(1);
}

static int be_a_unit(void *user)
{
        const struct unit *unit = user;
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int listens = socket(AF_UNIX, unit->kind | SOCK_CLOEXEC, 0);
        if (snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", unit->device->folder, unit->command) >= (int)sizeof(address.sun_path))
                return 1;
        (void)unlink(address.sun_path);
        if (bind(listens, (const struct sockaddr *)&address, sizeof(address)) || listen(listens, 4))
                return 1;
        for (;;) {
                int end = accept4(listens, NULL, NULL, SOCK_CLOEXEC);
                if (end >= 0 && fork() == 0)
                        serve_one(unit, end);
                close(end);
        }
}

static void start_with_units(struct device *device)
{
        const char *const argv[] = { getenv("FIREBREAK_AGENT"), "run", "--config", device->config, "--units", device->folder, NULL };
        CHECK(argv[0] && child_start(&(struct child_setup){ .argv = argv, .input = -1, .output = -1, .errors = device->errors }, &device->agent, NULL) == OK);
}

static struct child start_unit(const struct unit *unit)
{
        char path[96];
        struct child child;
        CHECK(child_fork(be_a_unit, (void *)unit, &child, NULL) == OK);
        snprintf(path, sizeof(path), "%s/%s", unit->device->folder, unit->command);
        while (access(path, F_OK) != 0)
                usleep(1000);
        return child;
}

TEST(workers, may_be_units_and_are_started_here_when_those_are_gone)
{
        OWN(device) struct device device;
        device_open(&device, "");
        device_keep_log(&device);
        const struct unit fetches = { &device, "fetch", SOCK_SEQPACKET, false, NULL }, verifies = { &device, "verify", SOCK_STREAM, false, NULL };
        struct child fetch = start_unit(&fetches), verify = start_unit(&verifies);
        device.toy.lease = TOY_EXPOSE;
        toy_publish(&device.toy, 4, toy_good);
        start_with_units(&device);
        CHECK(device_report(&device)->running == 4);
        struct worker_state state = state_of(&device, WORKER_FETCH);
        CHECK(is_confined(&state) && state.is_unit && device_has_said(&device, "fetch, a unit of its own"));
        state = state_of(&device, WORKER_VERIFY);
        CHECK(is_confined(&state) && state.is_unit);
        child_kill(&fetch);
        child_kill(&verify);
        toy_publish(&device.toy, 5, toy_good_too);
        CHECK(device_report(&device)->running == 5);
        state = state_of(&device, WORKER_VERIFY);
        CHECK(is_confined(&state) && !state.is_unit && state.lacks_unit && device_has_said(&device, "verify, whose unit does not answer"));
        device_stop(&device);
}

TEST(workers, are_started_here_when_their_units_end_without_an_answer)
{
        OWN(device) struct device device;
        device_open(&device, "");
        device_keep_log(&device);
        const struct unit fetches = { &device, "fetch", SOCK_SEQPACKET, true, NULL }, verifies = { &device, "verify", SOCK_STREAM, true, NULL };
        struct child fetch = start_unit(&fetches), verify = start_unit(&verifies);
        device.toy.lease = TOY_EXPOSE;
        toy_publish(&device.toy, 4, toy_good);
        start_with_units(&device);
        CHECK(device_report(&device)->running == 4);
        CHECK(device_has_said(&device, "fetch, whose unit does not answer") && device_has_said(&device, "verify, whose unit does not answer"));
        device_stop(&device);
        child_kill(&fetch);
        child_kill(&verify);
}

/* As on a device with one slow core, where systemd is as busy as the engine. */
TEST(workers, have_time_on_a_slow_machine)
{
        OWN(device) struct device device;
        char marker[96];
        device_open(&device, "");
        device_keep_log(&device);
        snprintf(marker, sizeof(marker), "%s/slow", device.folder);
        CHECK(file_write(marker, "", 0, NULL) == OK);
        const struct unit verifies = { &device, "verify", SOCK_STREAM, false, marker };
        struct child verify = start_unit(&verifies);
        device.toy.lease = TOY_EXPOSE;
        toy_publish(&device.toy, 4, toy_good);
        start_with_units(&device);
        CHECK(device_report(&device)->running == 4);
        CHECK(access(marker, F_OK) != 0 && device_has_said(&device, "verify, a unit of its own") && !device_has_said(&device, "verify, whose unit does not answer"));
        device_stop(&device);
        child_kill(&verify);
}
