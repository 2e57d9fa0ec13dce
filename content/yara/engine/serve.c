#include "content/yara/engine/serve.h"

#include "content/yara/engine/quarantine.h"
#include "content/yara/engine/ruleset.h"
#include "content/yara/engine/scan.h"
#include "content/yara/engine/status.h"
#include "content/yara/engine/watch.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct engine {
        const struct serve *serve;
        struct watch *watch;
        struct quarantine *quarantine;   /* NULL: nothing is put away */
        struct ruleset *set;             /* NULL: nothing loaded yet */
        struct scan *scan;               /* of `set` */
        struct scan_counts before;       /* of sets that were at work earlier */
        uint64_t reloads;
        bool is_error;
        int64_t told_ms;                 /* when the status file was last written, or that was tried */
};

static void engine_release(struct engine *engine)
{
        scan_close(engine->scan);
        ruleset_close(engine->set);
        watch_close(engine->watch);
        quarantine_close(engine->quarantine);
}

static void watched_signals(sigset_t *set)
{
        sigemptyset(set);
        sigaddset(set, SIGHUP);
        sigaddset(set, SIGTERM);
        sigaddset(set, SIGINT);
}

/* They are blocked and taken when we get to it; so a round asks whether one has come. */
static bool has_signal(void)
{
        sigset_t set;
        sigpending(&set);
        return sigismember(&set, SIGHUP) || sigismember(&set, SIGTERM) || sigismember(&set, SIGINT);
}

static int wait_signal(long interval_ms)
{
        sigset_t set;
        watched_signals(&set);
        struct timespec most = { interval_ms / 1000, interval_ms % 1000 * 1000000 };
        return sigtimedwait(&set, NULL, &most);
}

static void say(const char *what, const struct why *why)
{
        fprintf(stderr, "%s: %s\n", what, why->text);
}

static struct status status_of(const struct engine *engine)
{
        struct scan_counts now = engine->scan ? *scan_counts(engine->scan) : (struct scan_counts){ 0 };
        return (struct status){
                .is_error = engine->is_error,
                .version = engine->set ? engine->set->version : "",
                .rules = engine->set ? engine->set->rules : 0,
                .scanned = engine->before.files + now.files,
                .matches = engine->before.matches + now.matches,
                .reloads = engine->reloads,
        };
}

static int64_t now_ms(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Also when nothing is new: whoever sees the file written knows that we live. Not while a reload waits: whoever asked for it takes
 * the next line as its answer. */
static void tell(struct engine *engine)
{
        struct status status = status_of(engine);
        struct why why;
        if (!engine->serve->status || has_signal())
                return;
        engine->told_ms = now_ms();
        if (status_write(engine->serve->status, &status, &why))
                say("error", &why);
        if (has_signal())
                (void)unlink(engine->serve->status);
}

static void take_over(struct engine *engine, struct ruleset *take_set, struct scan *take_scan)
{
        if (engine->scan) {
                const struct scan_counts *done = scan_counts(engine->scan);
                engine->before.files += done->files;
                engine->before.matches += done->matches;
        }
        scan_close(engine->scan);
        ruleset_close(engine->set);
        engine->set = take_set;
        engine->scan = take_scan;
        watch_forget(engine->watch);
}

/* The new set is whole before the old one goes. */
static void load(struct engine *engine)
{
        OWN(ruleset) struct ruleset *set = NULL;
        OWN(scan) struct scan *scan = NULL;
        struct why why;
        enum err e = ruleset_open(engine->serve->rules, &set, &why);
        if (!e)
                e = scan_open(set, stdout, &scan, &why);
        engine->is_error = e != OK;
        if (e) {
                say("error", &why);
        } else {
                scan_quarantine(scan, engine->quarantine);
                struct ruleset *loaded = GIVE(set);
                fprintf(stderr, "loaded version=%s rules=%u warnings=%u\n", loaded->version, loaded->rules, loaded->warnings);
                take_over(engine, loaded, GIVE(scan));
        }
        tell(engine);
}

static bool beat(void *user)
{
        struct engine *engine = user;
        if (now_ms() - engine->told_ms >= engine->serve->interval_ms)
                tell(engine);
        return has_signal();
}

static void round_once(struct engine *engine)
{
        const struct watch_pulse pulse = { beat, engine };
        struct why why;
        if (engine->scan && watch_round(engine->watch, engine->scan, &pulse, &why))
                say("error", &why);
        tell(engine);
}

void serve_take_signals(void)
{
        sigset_t set;
        watched_signals(&set);
        sigprocmask(SIG_BLOCK, &set, NULL);
        signal(SIGPIPE, SIG_IGN);
}

enum err serve_run(const struct serve *serve, struct why *why)
{
        OWN(engine) struct engine engine = { .serve = serve };
        enum err e = watch_open(serve->watch, &engine.watch, why);
        if (!e && serve->quarantine)
                e = quarantine_open(serve->quarantine, serve->ask, &engine.quarantine, why);
        if (e)
                return e;
        load(&engine);
        for (;;) {
                round_once(&engine);
                int signal = wait_signal(serve->interval_ms);
                if (signal == SIGTERM || signal == SIGINT)
                        return OK;
                if (signal == SIGHUP) {
                        engine.reloads++;
                        load(&engine);
                }
        }
}
