#include "agent/back.h"
#include "agent/command.h"

#include "agent/slot.h"
#include "platform/channel.h"
#include "platform/child.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "platform/local.h"
#include "support/test.h"

#include <string.h>
#include <unistd.h>

static int command(const char *one, const char *two, const char *three, const char *four)
{
        char words[5][256] = { "firebreak-agent" };
        const char *const given[] = { one, two, three, four };
        char *argv[6] = { words[0] };
        int count = 1;
        for (; count < 5 && given[count - 1]; count++) {
                snprintf(words[count], sizeof(words[count]), "%s", given[count - 1]);
                argv[count] = words[count];
        }
        return command_main(count, argv);
}

/* Where what is printed goes meanwhile. */
struct heard { int before, stream; FILE *file; };

static struct heard listen(FILE *file)
{
        char path[] = "/tmp/heardXXXXXX";
        fflush(file);
        struct heard heard = { .before = dup(fileno(file)), .stream = mkstemp(path), .file = file };
        CHECK(heard.before >= 0 && heard.stream >= 0 && unlink(path) == 0 && dup2(heard.stream, fileno(file)) >= 0);
        return heard;
}

static void hear(struct heard *heard, char text[static 4096])
{
        fflush(heard->file);
        CHECK(dup2(heard->before, fileno(heard->file)) >= 0);
        ssize_t length = pread(heard->stream, text, 4095, 0);
        text[length > 0 ? length : 0] = 0;
        close(heard->before);
        close(heard->stream);
}

/* Does `firebreak-agent ONE --config CONFIG` print this and end well? */
static bool prints(const char *one, const char *config, const char *text)
{
        char said[4096];
        struct heard heard = listen(stdout);
        int exit = command(one, "--config", config, NULL);
        hear(&heard, said);
        return exit == 0 && strstr(said, text);
}

/* A mounted disk with one stream, on trial with release 7 over the factory content. */
static void make_device_of(char root[static 64], uint8_t boots_max)
{
        CHECK(file_temporary(root, NULL) == OK);
        char state[128];
        snprintf(state, sizeof(state), "%s/state", root);
        OWN(disk_folder) struct disk *disk = NULL;
        OWN(slots) struct slots *slots = NULL;
        const char *const names[] = { "rules" };
        enum slot_id slot;
        const struct slot_release release = { .counter = 7 };
        CHECK(disk_folder_open(state, &disk, NULL) == OK && disk->ops->make_folder(disk, "streams", NULL) == OK);
        CHECK(disk->ops->make_folder(disk, "streams/rules", NULL) == OK);
        CHECK(slots_open(disk, names, 1, &slots, NULL) == OK && slots_clear(slots, 0, &slot, NULL) == OK);
        CHECK(slots_staged(slots, 0, slot, &release, NULL) == OK);
        const struct slot_trial trial = { .lease = SLOT_LEASE_EXPOSURE, .slot = (uint8_t)slot, .boots_max = boots_max, .crashes_max = 1 };
        CHECK(slots_arm(slots, 0, &trial, NULL) == OK && disk->ops->point(disk, "streams/rules/current", "a", NULL) == OK);
}

static void make_device(char root[static 64])
{
        make_device_of(root, 1);
}

static void current_link(const char *root, char target[16])
{
        char path[128];
        snprintf(path, sizeof(path), "%s/state/streams/rules/current", root);
        ssize_t length = readlink(path, target, 15);
        target[length > 0 ? length : 0] = 0;
}

TEST(recover, changes_nothing_in_a_dry_run_and_goes_back_to_good_otherwise)
{
        char root[64], target[16];
        make_device(root);
        CHECK(command("recover", "--root", root, "--state=state") == 0);
        current_link(root, target);
        CHECK(strcmp(target, "factory") == 0);
        file_remove_tree(root);
        make_device(root);
        char all[128];
        snprintf(all, sizeof(all), "--root=%s", root);
        CHECK(command("recover", all, "--state=state", "--dry-run") == 0);
        current_link(root, target);
        CHECK(strcmp(target, "a") == 0);
        file_remove_tree(root);
}

TEST(recover, stops_at_the_factory_copy_and_keeps_the_first_way_back)
{
        char root[64], first[128], second[128], target[16], all[128], said[4096];
        make_device(root);
        snprintf(first, sizeof(first), "%s/state/slots.before-recover", root);
        snprintf(second, sizeof(second), "%s/state/slots.before-recover.2", root);
        CHECK(command("recover", "--root", root, "--state=state") == 0 && file_kind(first) == FILE_REGULAR);
        snprintf(all, sizeof(all), "--root=%s", root);
        struct heard heard = listen(stdout);
        int exit = command("recover", all, "--state=state", NULL);
        hear(&heard, said);
        current_link(root, target);
        CHECK(exit == 0 && strstr(said, "it runs the factory copy: nothing to do") && strcmp(target, "factory") == 0 && file_kind(second) == FILE_ABSENT);
        OWN(buf) struct buf before;
        buf_init(&before, sizeof(struct slot_record));
        char slots[128];
        snprintf(slots, sizeof(slots), "%s/state/slots", root);
        CHECK(file_read(first, &before, NULL) == OK && file_write(slots, before.bytes, before.length, NULL) == OK);
        CHECK(command("recover", "--root", root, "--state=state") == 0 && file_kind(second) == FILE_REGULAR);
        file_remove_tree(root);
}

static void damage(const char *root)
{
        char path[128];
        snprintf(path, sizeof(path), "%s/state/slots", root);
        CHECK(file_write(path, "garbage", 7, NULL) == OK);
}

TEST(recover, goes_to_the_factory_copies_when_the_record_is_damaged)
{
        char root[64], target[16];
        make_device(root);
        damage(root);
        CHECK(command("recover", "--root", root, "--state=state") == 0);
        current_link(root, target);
        CHECK(strcmp(target, "factory") == 0);
        file_remove_tree(root);
}

TEST(recover, touches_no_state_folder_outside_the_disk)
{
        char root[64], other[64], link[128], way[128], target[16];
        make_device(other);
        CHECK(file_temporary(root, NULL) == OK);
        snprintf(link, sizeof(link), "%s/state", root);
        snprintf(way, sizeof(way), "%s/state", other);
        CHECK(symlink(way, link) == 0);
        CHECK(command("recover", "--root", root, "--state=state") == err_info(ERR_NOT_FOUND)->exit);
        current_link(other, target);
        CHECK(strcmp(target, "a") == 0);
        file_remove_tree(root);
        file_remove_tree(other);
}

TEST(recover, says_that_there_is_no_device)
{
        CHECK(command("recover", "--root", "/no/such/disk", NULL) == err_info(ERR_NOT_FOUND)->exit);
        CHECK(command("recover", NULL, NULL, NULL) == err_info(ERR_USAGE)->exit);
}

/* Does `firebreak-agent ONE TWO THREE FOUR` complain so, with this exit code? */
static bool complains(const char *const words[4], enum err e, const char *text)
{
        char said[4096];
        struct heard heard = listen(stderr);
        int exit = command(words[0], words[1], words[2], words[3]);
        hear(&heard, said);
        return exit == err_info(e)->exit && strstr(said, text);
}

static void write_config(const char *root, char path[static 128])
{
        char text[1024];
        snprintf(path, 128, "%s/agent.yaml", root);
        int length = snprintf(text, sizeof(text), "server: https://127.0.0.1:1\nstate_dir: %s/state\ntrust: /t\n"
                                                  "streams:\n  - name: rules\n    engine: {command: [x]}\n", root);
        CHECK(file_write(path, text, (size_t)length, NULL) == OK);
}

TEST(guard, falls_back_before_an_engine_could_start_again)
{
        char root[64], target[16], config[128];
        make_device(root);
        write_config(root, config);
        CHECK(prints("status", config, "0 reports wait to be sent"));
        CHECK(prints("guard", config, "stream rules: harmed, release 7 -> the factory content: 1 unfinished starts"));
        current_link(root, target);
        CHECK(strcmp(target, "factory") == 0);
        CHECK(prints("guard", config, "no release was on trial: nothing to do") && prints("status", config, "1 report waits to be sent"));
        CHECK(command("status", "--config", config, "--json") == 0);
        file_remove_tree(root);
}

/* Withdrawn long ago, and off since then: within seconds of now. */
TEST(status, says_when_the_device_goes_back_from_what_was_withdrawn)
{
        char root[64], config[128], state[128];
        make_device(root);
        write_config(root, config);
        snprintf(state, sizeof(state), "%s/state", root);
        OWN(disk_folder) struct disk *disk = NULL;
        CHECK(disk_folder_open(state, &disk, NULL) == OK);
        CHECK(back_keep(disk, "rules", &(struct withdrawal){ 6, 1784432200, 600 }, NULL) == OK && !prints("status", config, "withdrawn"));
        CHECK(back_keep(disk, "rules", &(struct withdrawal){ 7, 1784432200, 600 }, NULL) == OK);
        CHECK(prints("status", config, "; withdrawn, goes back at 20"));
        struct heard heard = listen(stdout);
        char said[4096];
        int exit = command("status", "--config", config, "--json");
        hear(&heard, said);
        CHECK(exit == 0 && strstr(said, "\"goes_back_at\": 1"));
        file_remove_tree(root);
}

TEST(guard, says_what_stays_on_trial)
{
        char root[64], target[16], config[128];
        make_device_of(root, 3);
        write_config(root, config);
        CHECK(prints("guard", config, "stream rules: release 7 stays on trial: 2 of at most 3 starts"));
        current_link(root, target);
        CHECK(strcmp(target, "a") == 0);
        file_remove_tree(root);
}

TEST(guard, points_at_the_factory_copies_when_the_record_is_damaged)
{
        char root[64], target[16], config[128];
        make_device(root);
        write_config(root, config);
        damage(root);
        CHECK(prints("guard", config, "all streams go to their factory copies"));
        current_link(root, target);
        CHECK(strcmp(target, "factory") == 0);
        file_remove_tree(root);
}

TEST(recover, and_guard_take_a_lost_record_for_a_damaged_one)
{
        for (int is_guard = 0; is_guard < 2; is_guard++) {
                char root[64], target[16], path[128], config[128];
                make_device(root);
                write_config(root, config);
                snprintf(path, sizeof(path), "%s/state/slots", root);
                file_remove(path);
                CHECK(is_guard ? prints("guard", config, "all streams go to their factory copies") : command("recover", "--root", root, "--state=state") == 0);
                current_link(root, target);
                CHECK(strcmp(target, "factory") == 0);
                file_remove_tree(root);
        }
}

TEST(guard, and_recover_do_nothing_behind_the_back_of_the_supervisor)
{
        char root[64], target[16], config[128], state[128];
        make_device(root);
        write_config(root, config);
        snprintf(state, sizeof(state), "%s/state", root);
        OWN(disk_folder) struct disk *supervisor = NULL;
        CHECK(disk_folder_open(state, &supervisor, NULL) == OK && disk_folder_lock(supervisor, NULL) == OK);
        CHECK(command("guard", "--config", config, NULL) == err_info(ERR_BUSY)->exit);
        CHECK(command("recover", "--root", root, "--state=state") == err_info(ERR_BUSY)->exit);
        current_link(root, target);
        CHECK(strcmp(target, "a") == 0);
        file_remove_tree(root);
}

TEST(status, makes_no_state_folder)
{
        char root[64], config[128], state[128];
        CHECK(file_temporary(root, NULL) == OK);
        write_config(root, config);
        snprintf(state, sizeof(state), "%s/state", root);
        CHECK(complains((const char *const[]){ "status", "--config", config, NULL }, ERR_NOT_FOUND, "not enrolled") && file_kind(state) == FILE_ABSENT);
        file_remove_tree(root);
}

TEST(status, takes_a_missing_configuration_for_what_it_is)
{
        const char *const words[4] = { "status", "--config", "/no/such.yaml", NULL };
        CHECK(complains(words, ERR_NOT_FOUND, "/no/such.yaml") && !complains(words, ERR_NOT_FOUND, "enrol"));
}

TEST(enrol, sends_no_token_over_plain_http)
{
        char root[64], config[128];
        CHECK(file_temporary(root, NULL) == OK);
        write_config(root, config);
        char *argv[] = { "firebreak-agent", "enrol", "--config", config, "--token", "fbt_x", "--server", "http://127.0.0.2:1", NULL };
        char said[4096];
        struct heard heard = listen(stderr);
        int exit = command_main(8, argv);
        hear(&heard, said);
        CHECK(exit == err_info(ERR_USAGE)->exit && strstr(said, "https://HOST:PORT") && !strstr(said, "fbt_x"));
        file_remove_tree(root);
}

static bool helps(const char *about, const char *text)
{
        char said[4096];
        struct heard heard = listen(stdout);
        int exit = command("help", about, NULL, NULL);
        hear(&heard, said);
        return exit == 0 && strstr(said, text);
}

TEST(help, shows_what_a_command_cannot_do_without)
{
        CHECK(helps("enrol", "enrol --config FILE [--server URL] --token TOKEN [--ca FILE]\n") && helps("status", "status --config FILE [--json]\n"));
        CHECK(helps("recover", "recover --root DIR [--state DIR] [--stream NAME] [--json] [--to good|factory|safe] [--undo] [--dry-run]\n") && helps("help", "commands:") && helps("version", "version\n"));
        const char *const bare[4] = { "status" }, *const no_token[4] = { "enrol", "--config", "/x" }, *const no_root[4] = { "recover" };
        CHECK(complains(bare, ERR_USAGE, "--config FILE") && complains(no_token, ERR_USAGE, "--token TOKEN: what `firebreak token new` printed"));
        CHECK(complains(no_root, ERR_USAGE, "--root DIR"));
}

TEST(command, finds_a_configuration_from_the_working_folder)
{
        char root[64], config[128], before[512];
        CHECK(getcwd(before, sizeof(before)));
        make_device(root);
        write_config(root, config);
        CHECK(chdir(root) == 0);
        bool is_found = prints("status", "agent.yaml", "rules: release 7") && prints("status", "./agent.yaml", "rules: release 7");
        bool is_missed = complains((const char *const[]){ "status", "--config", "nope.yaml", NULL }, ERR_NOT_FOUND, "nope.yaml");
        CHECK(chdir(before) == 0 && is_found && is_missed);
        file_remove_tree(root);
}

TEST(command, refuses_what_it_does_not_know_with_the_exit_code_for_usage)
{
        const int usage = err_info(ERR_USAGE)->exit;
        CHECK(command("frobnicate", NULL, NULL, NULL) == usage && command(NULL, NULL, NULL, NULL) == usage);
        CHECK(command("guard", NULL, NULL, NULL) == usage);
        CHECK(command("guard", "--config", NULL, NULL) == usage && command("guard", "--json", NULL, NULL) == usage);
        CHECK(command("status", "--json=yes", "--config", "/x") == usage && command("version", "word", NULL, NULL) == usage);
        CHECK(command("help", "fetch", NULL, NULL) == usage && command("guard", "--config", "/no/such.yaml", NULL) == err_info(ERR_NOT_FOUND)->exit);
}

TEST(command, guesses_what_a_mistyped_word_should_have_been)
{
        CHECK(complains((const char *const[4]){ "stauts" }, ERR_USAGE, "did you mean `firebreak-agent status`?"));
        CHECK(complains((const char *const[4]){ "help", "recovr" }, ERR_USAGE, "did you mean `firebreak-agent recover`?"));
        CHECK(complains((const char *const[4]){ "status", "--confg=/x" }, ERR_USAGE, "no option `--confg`; did you mean `--config`?"));
        CHECK(complains((const char *const[4]){ "status", "--tokn" }, ERR_USAGE, "see `firebreak-agent help status`"));
        CHECK(complains((const char *const[4]){ "fetsh" }, ERR_USAGE, "`firebreak-agent help` lists"));
}

TEST(help, knows_every_command_and_option)
{
        CHECK(command("help", NULL, NULL, NULL) == 0 && command("version", NULL, NULL, NULL) == 0 && command("--help", NULL, NULL, NULL) == 0);
        CHECK(command("help", "recover", NULL, NULL) == 0 && command("status", "--help", NULL, NULL) == 0);
}

static char ask_socket[128];
static int ask_listener;

/* An agent that answers one question so. */
static int answer_one(void *user)
{
        const char *answer = user;
        struct local_peer peer = { -1, 0 };
        char bytes[256];
        size_t length;
        while (local_accept(ask_listener, LOCAL_NO_GROUP, &peer))
                usleep(1000);
        while (local_take(peer.end, bytes, sizeof(bytes), &length) == LOCAL_NOTHING)
                usleep(1000);
        return local_give(peer.end, answer, strlen(answer)) ? 0 : 1;
}

/* What `ask` ends with and prints when the agent answers so; NULL: there is none. */
static int ask(const char *answer, const char *flag, char text[static 4096])
{
        char root[64], words[6][160] = { "firebreak-agent", "ask", "--socket", "", "quarantine", "/srv/x" }, json[8] = "--json";
        struct child child = { 0 };
        unsigned group;
        CHECK(file_temporary(root, NULL) == OK);
        snprintf(ask_socket, sizeof(ask_socket), "%s/ask", root);
        snprintf(words[3], sizeof(words[3]), "%s", ask_socket);
        CHECK(local_listen(ask_socket, NULL, &ask_listener, &group, NULL) == OK);
        if (answer)
                CHECK(child_fork(answer_one, (void *)(uintptr_t)answer, &child, NULL) == OK);
        else
                file_remove(ask_socket);
        char *argv[] = { words[0], words[1], words[2], words[3], words[4], words[5], flag ? json : NULL, NULL };
        struct heard heard = listen(stdout);
        int exit = command_main(flag ? 7 : 6, argv);
        hear(&heard, text);
        child_kill(&child);
        channel_close(ask_listener);
        file_remove_tree(root);
        return exit;
}

TEST(ask, says_the_answer_and_ends_by_it)
{
        char text[4096];
        CHECK(ask("allow\n", NULL, text) == 0 && strcmp(text, "allow\n") == 0);
        CHECK(ask("deny for a reason\n", NULL, text) == err_info(ERR_REFUSED)->exit && strcmp(text, "deny: for a reason\n") == 0);
        CHECK(ask("deny for a reason\n", "--json", text) == err_info(ERR_REFUSED)->exit && strstr(text, "\"deny\"") && strstr(text, "\"for a reason\""));
        CHECK(ask(NULL, NULL, text) == err_info(ERR_UNAVAILABLE)->exit && strcmp(text, "no answer: the agent is not there\n") == 0);
}

TEST(ask, needs_an_action_a_path_and_somebody_to_ask)
{
        int usage = err_info(ERR_USAGE)->exit;
        CHECK(command("ask", "quarantine", NULL, NULL) == usage && command("ask", "quarantine", "/srv/x", NULL) == usage && command("ask", "quarantine", "x", "--socket=/x") == usage);
        CHECK(command("ask", "quarantine", "/x", "--config=/no/such.yaml") == err_info(ERR_NOT_FOUND)->exit && command("answer", "--config=/no/such.yaml", "--stream=x", NULL) == err_info(ERR_NOT_FOUND)->exit);
}
