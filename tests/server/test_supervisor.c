#include "server/supervisor.h"

#include "platform/child.h"
#include "support/test.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the processes of a test share: a pipe that tells their numbers, and one whose end tells that all are gone. */
struct stage {
        int numbers[2], alive[2];
        int last_is_here[2];                   /* only where a process waits for that */
        int first_code;
        bool ends_by_itself;
        FILE *log;                             /* NULL: nobody reads it */
};

static void tell(struct stage *stage, char who)
{
        struct { char who; int pid; } line = { who, getpid() };
        close(stage->alive[0]);
        if (write(stage->numbers[1], &line, sizeof(line)) != sizeof(line))
                _exit(99);
}

static int first(void *user)
{
        struct stage *stage = user;
        tell(stage, 'f');
        if (stage->ends_by_itself)
                return stage->first_code;
        while (pause() < 0)
                ;
        return 0;
}

static volatile sig_atomic_t told;

static void on_term(int number)
{
        told = number;
}

static int last(void *user)
{
        signal(SIGTERM, on_term);
        tell(user, 'l');
        while (!told)
                usleep(1000);
        return 0;
}

static void started(void *user)
{
        const struct stage *stage = user;
        for (int i = 0; i < 2; i++)
                if (stage->last_is_here[i])
                        close(stage->last_is_here[i]);
}

static int64_t no_time(void *user)
{
        (void)user;
        return 0;
}

struct run { struct stage *stage; const struct supervised *processes; };

static int supervise_in_child(void *user)
{
        struct run *run = user;
        close(run->stage->alive[0]);
        struct log log;
        log_init(&log, no_time, NULL);
        log.to = run->stage->log;
        return supervise(&(struct supervisor_config){ run->processes, 2, run->stage, started, run->stage->log ? &log : NULL });
}

struct scene { struct stage stage; struct child supervisor; int first_pid, last_pid; };

static void open_scene(struct scene *scene, const struct supervised *processes)
{
        struct run run = { &scene->stage, processes };
        CHECK(pipe(scene->stage.numbers) == 0 && pipe(scene->stage.alive) == 0);
        CHECK(child_fork(supervise_in_child, &run, &scene->supervisor, NULL) == OK);
        close(scene->stage.alive[1]);
        for (int i = 0; i < 2; i++) {
                struct { char who; int pid; } line;
                CHECK(read(scene->stage.numbers[0], &line, sizeof(line)) == sizeof(line));
                *(line.who == 'f' ? &scene->first_pid : &scene->last_pid) = line.pid;
        }
}

/* Waits for the supervisor and for everybody: the pipe ends with its last holder. */
static int close_scene(struct scene *scene)
{
        int status = 0;
        char byte;
        CHECK(waitpid(scene->supervisor.pid, &status, 0) == scene->supervisor.pid);
        CHECK(read(scene->stage.alive[0], &byte, 1) == 0);
        close(scene->stage.alive[0]);
        close(scene->stage.numbers[0]);
        close(scene->stage.numbers[1]);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static const struct supervised waiting[] = { { "first", first }, { "last", last } };

TEST(supervise, ends_with_an_error_when_any_process_is_killed)
{
        for (int which = 0; which < 2; which++) {
                struct scene scene = { 0 };
                open_scene(&scene, waiting);
                CHECK(kill(which ? scene.last_pid : scene.first_pid, SIGKILL) == 0);
                CHECK(close_scene(&scene) == err_info(ERR_UNAVAILABLE)->exit);
        }
}

TEST(supervise, takes_everybody_along_when_it_is_killed)
{
        struct scene scene = { 0 };
        open_scene(&scene, waiting);
        CHECK(kill(scene.supervisor.pid, SIGKILL) == 0);
        CHECK(close_scene(&scene) == 1000 + SIGKILL);
}

TEST(supervise, ends_with_the_code_of_the_process_that_failed)
{
        struct scene scene = { .stage = { .first_code = 78, .ends_by_itself = true } };
        open_scene(&scene, waiting);
        CHECK(close_scene(&scene) == 78);
}

TEST(supervise, takes_an_end_that_nobody_asked_for_as_a_failure)
{
        struct scene scene = { .stage = { .first_code = 0, .ends_by_itself = true } };
        open_scene(&scene, waiting);
        CHECK(close_scene(&scene) != 0);
}

/* As the real ones: the end of the last is what ends it. */
static int first_until_alone(void *user)
{
        struct stage *stage = user;
        char byte;
        close(stage->last_is_here[1]);
        tell(stage, 'f');
        return read(stage->last_is_here[0], &byte, 1) == 0 ? 0 : 98;
}

static int last_until_told(void *user)
{
        const struct stage *stage = user;
        close(stage->last_is_here[0]);
        return last(user);
}

static const struct supervised orderly[] = { { "first", first_until_alone }, { "last", last_until_told } };

static void open_orderly(struct scene *scene)
{
        CHECK(pipe(scene->stage.last_is_here) == 0);
        open_scene(scene, orderly);
        close(scene->stage.last_is_here[0]);
        close(scene->stage.last_is_here[1]);
}

TEST(supervise, ends_in_order_when_told)
{
        struct scene scene = { 0 };
        open_orderly(&scene);
        CHECK(kill(scene.supervisor.pid, SIGTERM) == 0);
        CHECK(close_scene(&scene) == 0);
}

TEST(supervise, ends_in_order_when_everybody_is_told)
{
        static const int signals[] = { SIGTERM, SIGINT };
        for (size_t i = 0; i < 2; i++) {
                struct scene scene = { 0 };
                open_orderly(&scene);
                CHECK(kill(scene.first_pid, signals[i]) == 0);
                CHECK(kill(scene.supervisor.pid, signals[i]) == 0);
                CHECK(close_scene(&scene) == 0);
        }
}

/* As the real ones: it ends with UNAVAILABLE because the other is gone. */
static int last_bereaved(void *user)
{
        tell(user, 'l');
        return err_info(ERR_UNAVAILABLE)->exit;
}

TEST(supervise, tells_of_the_death_that_was_the_cause_and_not_of_what_followed)
{
        static const struct supervised processes[] = { { "first", first }, { "last", last_bereaved } };
        static const struct { int code; const char *named, *silent; } cases[] = { { 78, "process=first", "process=last" }, { 69, "how=\"exit 69\"", "exit 78" } };
        for (size_t i = 0; i < 2; i++) {
                struct scene scene = { .stage = { .first_code = cases[i].code, .ends_by_itself = true, .log = tmpfile() } };
                char words[2048] = "";
                open_scene(&scene, processes);
                CHECK(close_scene(&scene) == cases[i].code);
                rewind(scene.stage.log);
                CHECK(fread(words, 1, sizeof(words) - 1, scene.stage.log) > 0);
                CHECK(strstr(words, cases[i].named) && !strstr(words, cases[i].silent));
                CHECK(strstr(words, "child_died") && !strstr(strstr(words, "child_died") + 1, "child_died"));
                fclose(scene.stage.log);
        }
}

static int last_failing(void *user)
{
        const struct stage *stage = user;
        close(stage->last_is_here[0]);
        tell(user, 'l');
        close(stage->last_is_here[1]);          /* the first sees that it is gone, and may well end before it */
        usleep(20000);
        return 74;
}

TEST(supervise, keeps_silent_about_one_that_ended_in_order_for_want_of_another)
{
        static const struct supervised processes[] = { { "first", first_until_alone }, { "last", last_failing } };
        struct scene scene = { .stage = { .log = tmpfile() } };
        char words[2048] = "";
        CHECK(pipe(scene.stage.last_is_here) == 0);
        open_scene(&scene, processes);
        close(scene.stage.last_is_here[0]);
        close(scene.stage.last_is_here[1]);
        CHECK(close_scene(&scene) == 74);
        rewind(scene.stage.log);
        CHECK(fread(words, 1, sizeof(words) - 1, scene.stage.log) > 0);
        CHECK(strstr(words, "process=last") && !strstr(words, "process=first"));
        fclose(scene.stage.log);
}
