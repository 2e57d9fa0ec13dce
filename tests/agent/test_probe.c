#include "agent/probe.h"

#include "support/test.h"

#include <string.h>
#include <unistd.h>

static const struct engine_words places = { "/s", "/s/current", "/s/b", NULL };

struct heard { unsigned lines; char last[64]; };

static void hear(void *user, const char *line)
{
        struct heard *heard = user;
        heard->lines++;
        snprintf(heard->last, sizeof(heard->last), "%.63s", line);
}

static void start(struct probe *probe, const char *script, int64_t timeout_ms)
{
        const char *words[] = { "sh", "-c", script, "{current}" };
        const struct agent_probe what = { .kind = PROBE_COMMAND, .command = { 4, words }, .timeout_ms = timeout_ms };
        CHECK(probe_start(&(struct probe_of){ .probe = &what, .words = &places, .errors = -1 }, 0, probe, NULL) == OK);
        CHECK(probe_file(probe) >= 0);
}

static struct probe_end end_of(const char *script, struct heard *heard)
{
        struct probe probe;
        struct probe_end end;
        start(&probe, script, 10000);
        for (int looks = 0; looks < 5000; looks++) {
                usleep(2000);
                probe_listen(&probe, 0, hear, heard);
                if (probe_ended(&probe, 0, &end)) {
                        CHECK(probe_file(&probe) == -1 && !probe_ended(&probe, 0, &end));
                        return end;
                }
        }
        CHECK(false);
        return end;
}

TEST(probe, passes_when_its_command_does)
{
        struct heard heard = { 0 };
        struct probe_end end = end_of("exit 0", &heard);
        CHECK(end.has_passed && heard.lines == 0);
}

TEST(probe, says_how_its_command_ended_and_what_it_wrote_first)
{
        struct heard heard = { 0 };
        struct probe_end end = end_of("echo no connection to clamd >&2; echo more; exit 3", &heard);
        CHECK(!end.has_passed && strcmp(end.text, "probe: exit 3: no connection to clamd") == 0);
        CHECK(heard.lines == 2 && strcmp(heard.last, "more") == 0);
        CHECK(strcmp(end_of("exit 1", &heard).text, "probe: exit 1") == 0);
        CHECK(strcmp(end_of("kill -SEGV $$", &heard).text, "probe: signal 11") == 0);
        CHECK(strcmp(end_of("printf 'at %s' \"$0\"; exit 1", &heard).text, "probe: exit 1: at /s/current") == 0);
}

TEST(probe, takes_what_was_written_for_print_and_no_more_of_it_than_fits)
{
        struct heard heard = { 0 };
        struct probe_end end = end_of("printf 'a\\033[31m\\tb\\303\\244\\n'; exit 1", &heard);
        CHECK(strcmp(end.text, "probe: exit 1: a?[31m b??") == 0);
        end = end_of("head -c 100000 /dev/zero | tr '\\0' x; echo; exit 1", &heard);
        CHECK(strncmp(end.text, "probe: exit 1: xxxx", 19) == 0 && strlen(end.text) < SLOT_DETAIL_BYTES);
}

TEST(probe, is_ended_when_its_time_is_up)
{
        struct probe probe;
        struct probe_end end;
        start(&probe, "echo waiting for lock; exec sleep 60", 1000);
        for (int looks = 0; looks < 2000 && !probe.line[0]; looks++) {
                usleep(2000);
                probe_listen(&probe, 0, NULL, NULL);
        }
        CHECK(!probe_ended(&probe, 999, &end));
        CHECK(probe_ended(&probe, 1000, &end) && !end.has_passed && strcmp(end.text, "probe: took too long: waiting for lock") == 0);
}

TEST(probe, that_is_not_there_does_not_start)
{
        const char *words[] = { "/no/such/probe" };
        const struct agent_probe what = { .kind = PROBE_COMMAND, .command = { 1, words }, .timeout_ms = 1000 };
        struct probe probe;
        struct why why;
        CHECK(probe_start(&(struct probe_of){ .probe = &what, .words = &places, .errors = -1 }, 0, &probe, &why) == ERR_NOT_FOUND);
        CHECK(probe_file(&probe) == -1 && strstr(why.text, "/no/such/probe"));
        probe_kill(&probe);
}
