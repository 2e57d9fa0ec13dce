/* firebreak-yarad over a folder that somebody made to be looked away from. */
#include "platform/channel.h"
#include "platform/child.h"
#include "platform/file.h"
#include "platform/local.h"
#include "support/test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 20, DEEP_FOLDERS = 10, DEPTH = 70 };

struct place { char folder[64], rules[80], watch[80], status[80]; int output; struct child engine; };

static void put(const char *folder, const char *name, const char *text)
{
        char path[160];
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        CHECK(file_write(path, text, strlen(text), NULL) == OK);
}

static void place_open(struct place *place)
{
        *place = (struct place){ .output = -1 };
        CHECK(file_temporary(place->folder, NULL) == OK);
        snprintf(place->rules, sizeof(place->rules), "%s/rules", place->folder);
        snprintf(place->watch, sizeof(place->watch), "%s/watch", place->folder);
        snprintf(place->status, sizeof(place->status), "%s/status", place->folder);
        CHECK(mkdir(place->rules, 0700) == 0 && mkdir(place->watch, 0700) == 0);
        put(place->rules, "a.yar", "rule marked { strings: $a = \"MARK\" condition: $a }\n");
        put(place->rules, "VERSION", "1\n");
}

static void place_release(struct place *place)
{
        child_kill(&place->engine);
        if (place->output >= 0)
                close(place->output);
        file_remove_tree(place->folder);
}

static void start(struct place *place)
{
        char path[96];
        snprintf(path, sizeof(path), "%s/output", place->folder);
        place->output = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        const char *const argv[] = { YARAD, "--rules", place->rules, "--watch", place->watch, "--status", place->status, "--interval-ms", "10", NULL };
        CHECK(place->output >= 0 && child_start(&(struct child_setup){ argv, -1, place->output, place->output, NULL, NULL, NULL }, &place->engine, NULL) == OK);
}

/* With a rule that puts away, and an agent of ours or none. */
static void start_guarded(struct place *place, const char *away, const char *socket)
{
        char path[96];
        snprintf(path, sizeof(path), "%s/output", place->folder);
        place->output = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        put(place->rules, "q.yar", "rule unwanted { meta: action = \"quarantine\" strings: $a = \"UNWANTED\" condition: $a }\n");
        const char *const argv[] = { YARAD, "--rules", place->rules, "--watch", place->watch, "--interval-ms", "10", "--quarantine", away, socket ? "--ask" : NULL, socket, NULL };
        CHECK(place->output >= 0 && child_start(&(struct child_setup){ argv, -1, place->output, place->output, NULL, NULL, NULL }, &place->engine, NULL) == OK);
}

static unsigned times_said(const struct place *place, const char *text)
{
        OWN(buf) struct buf bytes;
        char path[96];
        buf_init(&bytes, 1 << 20);
        snprintf(path, sizeof(path), "%s/output", place->folder);
        CHECK(file_read(path, &bytes, NULL) == OK);
        unsigned count = 0;
        for (const char *at = buf_text(&bytes); (at = strstr(at, text)); at++)
                count++;
        return count;
}

static bool says_in_time(const struct place *place, const char *text, unsigned times)
{
        for (int i = 0; i < 1000; i++, usleep(10000))
                if (times_said(place, text) >= times)
                        return true;
        return false;
}

static bool has_status(const struct place *place, const char *text)
{
        for (int i = 0; i < 1000; i++, usleep(10000)) {
                OWN(buf) struct buf bytes;
                buf_init(&bytes, 4096);
                if (file_read(place->status, &bytes, NULL) == OK && strstr(buf_text(&bytes), text))
                        return true;
        }
        return false;
}

static void make_deep(const struct place *place, int number)
{
        char path[400];
        int length = snprintf(path, sizeof(path), "%s/deep%d", place->watch, number);
        for (int depth = 0; depth < DEPTH; depth++, length += 2) {
                CHECK(mkdir(path, 0700) == 0);
                memcpy(path + length, "/d", 3);
        }
}

TEST(watch, looks_at_every_file_whatever_folders_lie_beside_it)
{
        OWN(place) struct place place;
        char name[16];
        place_open(&place);
        for (int i = 0; i < FILES; i++) {
                snprintf(name, sizeof(name), "file%d", i);
                put(place.watch, name, "MARK\n");
                if (i < DEEP_FOLDERS)
                        make_deep(&place, i);
        }
        start(&place);
        CHECK(has_status(&place, "matches=20 "));
        /* Each of the folders is said once, not at every round. */
        put(place.watch, "later", "MARK\n");
        CHECK(says_in_time(&place, "match marked", FILES + 1) && times_said(&place, "more than 64 deep") == DEEP_FOLDERS);
}

TEST(reload, keeps_the_rules_at_work_when_the_new_ones_do_not_load)
{
        OWN(place) struct place place;
        place_open(&place);
        start(&place);
        CHECK(has_status(&place, "state=ok version=1 "));
        put(place.rules, "b.yar", "rule {");
        CHECK(child_signal(&place.engine, "HUP") && has_status(&place, "state=error version=1 "));
        put(place.watch, "file", "MARK\n");
        CHECK(has_status(&place, "matches=1 "));
        CHECK(child_signal(&place.engine, "TERM"));
        struct child_end end;
        while (!child_ended(&place.engine, &end))
                usleep(1000);
        CHECK(!end.is_signal && end.code == 0);
}

TEST(status, is_written_again_when_nothing_is_new)
{
        OWN(place) struct place place;
        place_open(&place);
        start(&place);
        for (int i = 0; i < 3; i++) {
                CHECK(has_status(&place, "state=ok version=1 "));
                file_remove(place.status);
        }
}

TEST(status, is_written_between_the_files_of_a_long_round)
{
        enum { MANY = 3000 };
        OWN(place) struct place place;
        char name[16];
        place_open(&place);
        for (int i = 0; i < MANY; i++) {
                snprintf(name, sizeof(name), "file%d", i);
                put(place.watch, name, "nothing\n");
        }
        start(&place);
        unsigned scanned = 0;
        for (int i = 0; i < 100000 && !scanned; i++, usleep(100)) {
                OWN(buf) struct buf bytes;
                buf_init(&bytes, 4096);
                const char *at = file_read(place.status, &bytes, NULL) == OK ? strstr(buf_text(&bytes), "scanned=") : NULL;
                scanned = at ? (unsigned)strtoul(at + strlen("scanned="), NULL, 10) : 0;
        }
        CHECK(scanned > 0 && scanned < MANY);
}

/* The exit code of `firebreak-yarad ONE TWO THREE`. */
static int ends_with(const char *one, const char *two, const char *three)
{
        const char *const argv[] = { YARAD, one, two, three, NULL };
        struct child child;
        struct child_end end;
        CHECK(child_start(&(struct child_setup){ argv, -1, -1, -1, NULL, NULL, NULL }, &child, NULL) == OK);
        while (!child_ended(&child, &end))
                usleep(1000);
        return end.is_signal ? -1 : end.code;
}

TEST(options, ask_for_help_without_being_wrong)
{
        CHECK(ends_with("--help", NULL, NULL) == 0 && ends_with("--version", NULL, NULL) == 0);
        CHECK(ends_with("--hlep", NULL, NULL) == 64 && ends_with(NULL, NULL, NULL) == 64);
}

TEST(factory, set_loads_in_the_engine)
{
        CHECK(ends_with("--rules", FACTORY, "--check") == 0);
}

/* As an agent: answers the next question so; what was asked is left in `heard`. */
static void answer_one(int listener, const char *answer, char heard[static 512])
{
        struct local_peer peer = { -1, 0 };
        size_t length = 0;
        for (int i = 0; i < 5000 && local_accept(listener, LOCAL_NO_GROUP, &peer); i++)
                usleep(1000);
        for (int i = 0; i < 5000 && local_take(peer.end, heard, 511, &length) == LOCAL_NOTHING; i++)
                usleep(1000);
        heard[length] = 0;
        CHECK(length && local_give(peer.end, answer, strlen(answer)));
        channel_close(peer.end);
}

TEST(quarantine, moves_what_it_is_allowed_to_and_leaves_the_rest)
{
        OWN(place) struct place place;
        char away[96], socket[96], path[200], heard[512];
        int listener = -1;
        unsigned group;
        place_open(&place);
        snprintf(away, sizeof(away), "%s/.away", place.watch);
        snprintf(socket, sizeof(socket), "%s/ask", place.folder);
        CHECK(mkdir(away, 0700) == 0 && local_listen(socket, NULL, &listener, &group, NULL) == OK);
        put(place.watch, "wanted", "MARK\n");
        put(place.watch, "bad", "UNWANTED\n");
        start_guarded(&place, away, socket);
        answer_one(listener, "deny it is not time\n", heard);
        snprintf(path, sizeof(path), "%s/bad", place.watch);
        CHECK(strcmp(heard, "quarantine") == 0 && strcmp(heard + 11, path) == 0);
        CHECK(says_in_time(&place, "/bad: denied: it is not time", 1) && file_kind(path) == FILE_REGULAR);
        put(place.watch, "bad", "UNWANTED again\n");
        answer_one(listener, "allow\n", heard);
        CHECK(says_in_time(&place, "quarantined ", 1) && file_kind(path) == FILE_ABSENT);
        struct stat info;
        snprintf(path, sizeof(path), "%s/wanted", place.watch);
        CHECK(file_kind(path) == FILE_REGULAR && stat(away, &info) == 0);
        channel_close(listener);
        put(place.watch, "worse", "UNWANTED\n");
        snprintf(path, sizeof(path), "%s/worse", place.watch);
        CHECK(says_in_time(&place, "/worse: no answer: the agent is not there", 1) && file_kind(path) == FILE_REGULAR);
        /* What is in quarantine is not put there again. */
        CHECK(times_said(&place, "quarantined ") == 1 && times_said(&place, "left ") == 2);
}

TEST(quarantine, never_moves_over_another_file)
{
        OWN(place) struct place place;
        char away[96], path[200], taken[300];
        struct stat info;
        place_open(&place);
        snprintf(away, sizeof(away), "%s/away", place.folder);
        snprintf(path, sizeof(path), "%s/bad", place.watch);
        put(place.watch, "bad", "UNWANTED\n");
        CHECK(mkdir(away, 0700) == 0 && stat(path, &info) == 0);
        snprintf(taken, sizeof(taken), "%llu.bad", (unsigned long long)info.st_ino);
        put(away, taken, "another's\n");
        start_guarded(&place, away, NULL);
        CHECK(says_in_time(&place, "/bad: File exists", 1) && file_kind(path) == FILE_REGULAR);
        snprintf(taken, sizeof(taken), "%s/%llu.bad", away, (unsigned long long)info.st_ino);
        CHECK(unlink(taken) == 0);
        put(place.watch, "bad", "UNWANTED still\n");
        CHECK(says_in_time(&place, "quarantined ", 1) && file_kind(path) == FILE_ABSENT && file_kind(taken) == FILE_REGULAR);
}
