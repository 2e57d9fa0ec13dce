/* firebreak-nft - rules of the firewall that come into force only if the device can still be reached. See firebreak-nft(8). */
#include "nft/change.h"
#include "nft/dead_man.h"
#include "nft/options.h"
#include "platform/channel.h"
#include "platform/file.h"
#include "platform/file_limit.h"
#include "platform/file_new.h"
#include "platform/lock.h"

#include <string.h>

enum { VERSION_BYTES = 64, ASK_MS = 5000, FOREVER_MS = 60000 };

static enum err flushed(struct why *why)
{
        return fflush(stdout) == 0 && !ferror(stdout) ? OK : FAIL(why, ERR_IO, "writing the result");
}

/* The first line of the file VERSION beside the rules; empty when there is none. */
static void read_version(const char *rules, char version[VERSION_BYTES + 1])
{
        OWN(buf) struct buf text;
        struct why why;
        char path[PATH_MAX];
        const char *slash = strrchr(rules, '/');
        buf_init(&text, 4096);
        snprintf(path, sizeof(path), "%.*sVERSION", slash ? (int)(slash + 1 - rules) : 0, rules);
        version[0] = 0;
        if (file_read_regular(path, &text, &why) == OK)
                snprintf(version, VERSION_BYTES + 1, "%.*s", (int)strcspn(buf_text(&text), " \t\r\n"), buf_text(&text));
}

static enum err say_status(const struct nft_options *options, enum err result, const struct why *said, struct why *why)
{
        OWN(buf) struct buf text;
        OWN(file_new) struct file_new *file = NULL;
        char version[VERSION_BYTES + 1];
        read_version(options->rules, version);
        buf_init(&text, 4096);
        buf_addf(&text, "state=%s version=%s\n", result ? "error" : "ok", version);
        if (result)
                buf_addf(&text, "reason=%s\n", said->text);
        enum err e = buf_check(&text, why);
        if (!e)
                e = file_new_write(options->status, buf_text(&text), text.length, &file, why);
        return e ? e : file_new_settle(file, FILE_REPLACE, why);
}

/* Nothing to do until told to end: the rules stand without us. */
static enum err stay(int signals, struct why *why)
{
        bool is_ready = false;
        enum err e = OK;
        while (!e && !channel_signals_take(signals))
                e = channel_wait(&signals, 1, FOREVER_MS, &is_ready, why);
        return e;
}

/* Safe mode, or a stream that never had content: what stands, stands on. */
static enum err keep_what_stands(const struct record *record, struct why *why)
{
        int lock = -1;
        enum err e = record_lock(record, RECORD_LOCK_MS, &lock, why);
        if (!e)
                e = change_settle(record, why);
        lock_give(lock);
        return e == ERR_BUSY ? DURING(why, ERR_TIMEOUT, "waiting for it") : e;
}

static enum err run_alone(const struct nft_options *options, const struct record *record, int signals, struct why *why)
{
        const struct change change = { record, &options->owned, &options->places, options->rules, options->within_ms, signals };
        struct why said = { 0 };
        bool has_rules = file_kind(options->rules) != FILE_ABSENT;
        enum err result = has_rules ? change_make(&change, &said) : keep_what_stands(record, &said);
        if (result == ERR_BUSY)                  /* told to end while it waited: not a word about rules that were not tried out */
                return OK;
        if (result)
                fprintf(stderr, "%s\n", said.text);
        else
                fprintf(stderr, "%s\n", has_rules ? "the rules stand, and the path answers" : "no rules here: what stands, stands on");
        enum err e = say_status(options, result, &said, why);
        return e ? e : stay(signals, why);
}

static enum err run(const struct nft_options *options, struct why *why)
{
        OWN(record) struct record record = { .disk = NULL };
        struct why unsaid;
        int signals = -1, lock = -1;
        enum err e = channel_signals(&signals, why);
        if (!e)
                e = record_open(options->state, &record, why);
        if (e)
                return e;
        e = record_lock_run(&record, &lock, why);
        if (e)
                (void)!say_status(options, e, why, &unsaid);
        else
                e = run_alone(options, &record, signals, why);
        lock_give(lock);
        return e;
}

static enum err make(const struct nft_options *options, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, RULES_BYTES_MAX);
        enum err e = rules_make(&options->owned, options->rules, &text, why);
        if (e)
                return e;
        if (strcmp(options->command, "check") == 0)
                printf("%s: %zu bytes of rules in %zu tables\n", options->rules, text.length, options->owned.count);
        else
                fwrite(buf_text(&text), 1, text.length, stdout);
        return flushed(why);
}

static enum err ask(const struct nft_options *options, struct why *why)
{
        for (size_t i = 0; i < options->places.count; i++) {
                enum err e = answer_ask(options->places.places[i], options->places.ca, ASK_MS, why);
                if (e)
                        return e;
                if (!options->is_quiet)
                        printf("%s answers\n", options->places.places[i]);
        }
        return flushed(why);
}

/* The rules first: a lock that is not to be had, a record that is damaged, a disk that takes nothing are no reason to be without. */
static enum err boot(const struct nft_options *options, struct why *why)
{
        OWN(record) struct record record = { .disk = NULL };
        struct why aside;
        int lock = -1;
        enum err e = record_open(options->state, &record, why);
        if (e)
                return e;
        (void)!record_lock(&record, RECORD_LOCK_MS, &lock, &aside);
        e = record_apply_good(&record, why);
        const bool has_none = e == ERR_NOT_FOUND;
        if (!e)
                (void)!record_disarm(&record, &aside);
        else if (has_none)
                e = change_settle(&record, why);
        lock_give(lock);
        if (!e)
                printf("%s\n", has_none ? "no rules have answered yet: nothing to do" : "the rules that answered last are in force");
        return e;
}

static enum err watch(const struct nft_options *options, struct why *why)
{
        OWN(record) struct record record = { .disk = NULL };
        enum err e = record_open(options->state, &record, why);
        return e ? e : dead_man_watch(&record, options->has_channel ? 0 : -1, why);
}

static enum err dispatch(const struct nft_options *options, struct why *why)
{
        static const struct { const char *name; enum err (*run)(const struct nft_options *options, struct why *why); } commands[] = {
                { "run", run }, { "check", make }, { "make", make }, { "ask", ask }, { "boot", boot }, { "switch", watch },
        };
        if (options->wants_help || options->wants_version) {
                printf("%s", options->wants_help ? nft_usage : "firebreak-nft " FIREBREAK_VERSION "\n");
                return flushed(why);
        }
        for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
                if (strcmp(options->command, commands[i].name) == 0)
                        return commands[i].run(options, why);
        return FAIL(why, ERR_USAGE, "no command `%.40s`: run, check, ask, boot or switch", options->command);
}

int main(int argc, char **argv)
{
        file_limit_standard();
        struct nft_options options = { .is_quiet = false };
        struct why why = { 0 };
        enum err e = nft_options_read(argc, argv, &options, &why);
        if (!e)
                e = dispatch(&options, &why);
        if (e && !options.is_quiet)
                fprintf(stderr, "firebreak-nft: %s\n", why.text);
        return err_info(e)->exit;
}
