/* firebreak-witness - cosign the checkpoints of transparency logs that only ever grew. See firebreak-witness(8). */
#include "platform/channel.h"
#include "platform/confine.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "platform/file_limit.h"
#include "platform/listen.h"
#include "platform/log_file.h"
#include "witness/http.h"
#include "witness/options.h"

#include <errno.h>
#include <string.h>

enum { WAIT_MS = 250 };                  /* how long a signal to end may wait */

static int64_t now_ms(void *user)
{
        struct clock *clock = user;
        return clock->ops->wall_ms(clock);
}

static enum err read_key(const struct witness_options *options, struct secret_key *key, struct verifier *ret_witness, struct why *why)
{
        OWN(buf) struct buf pem;
        buf_init(&pem, KEY_PEM_MAX);
        enum err e = file_check_own(options->key, why);
        if (!e)
                e = file_read(options->key, &pem, why);
        if (!e)
                e = key_pem_read(&pem, NULL, key, why);
        if (pem.bytes)
                explicit_bzero(pem.bytes, pem.length);
        if (e)
                return DURING(why, e, "%s", options->key);
        return verifier_witness(options->name, &key->public, ret_witness, why);
}

/* Before the first byte from outside. A system that cannot is no reason to cosign nothing, but one to look. */
static void confine(const struct witness_options *options, const struct log *log)
{
        struct why why;
        if (confine_to_folder(options->state, NULL, &why) != OK)
                LOG_WHY(log, EVENT_UNCONFINED, &why);
}

/* A record that cannot be read, with the rights that are left, is said before anybody asks, and not once for each who does. */
static enum err check_ledger(const struct service *service, struct why *why)
{
        struct tree_head head;
        enum err e = OK;
        for (size_t i = 0; i < service->log_count && !e; i++)
                e = ledger_head(&service->ledger, service->logs[i].name, &head, why);
        return e;
}

static enum err serve(const struct witness_options *options, const struct service *service, const struct log *log, struct why *why)
{
        OWN(http) struct http *http = NULL;
        char address[LISTEN_TEXT_MAX], text[VERIFIER_TEXT_MAX];
        int signals = -1, socket = -1;
        enum err e = channel_signals(&signals, why);
        if (!e)
                e = listen_open(options->listen, &socket, address, why);
        if (!e)
                e = http_open(socket, service, log, &http, why);
        if (e)
                return e;
        confine(options, log);
        e = check_ledger(service, why);
        if (e)
                return e;
        verifier_text(service->witness, text);
        LOG(log, EVENT_STARTED, log_text("version", FIREBREAK_VERSION), log_text("listen", address), log_text("key", text), log_int("logs", (int64_t)service->log_count));
        while (!e && !channel_signals_take(signals))
                e = http_run(http, WAIT_MS, why);
        if (!e)
                LOG(log, EVENT_STOPPED);
        return e;
}

static enum err run(const struct witness_options *options, const struct log *log, struct why *why)
{
        OWN(disk_folder) struct disk *disk = NULL;
        OWN(secret_key) struct secret_key key = { 0 };
        struct verifier witness;
        char text[VERIFIER_TEXT_MAX];
        enum err e = read_key(options, &key, &witness, why);
        if (e)
                return e;
        verifier_text(&witness, text);
        if (options->wants_key)
                return puts(text) < 0 || fflush(stdout) ? FAIL(why, ERR_IO, "writing the key: %s", strerror(errno)) : OK;
        e = disk_folder_open(options->state, &disk, why);
        if (!e)
                e = disk_folder_lock(disk, why);
        if (e)
                return DURING(why, e, "%s", options->state);
        const struct service service = { .ledger = { disk, &witness }, .logs = options->logs, .log_count = options->log_count,
                                         .witness = &witness, .key = &key, .clock = clock_system() };
        return serve(options, &service, log, why);
}

int main(int argc, char **argv)
{
        static struct witness_options options;           /* its keys are too many for the stack */
        struct log log;
        struct why why;
        file_limit_standard();
        file_limit_size_fails();
        log_init(&log, now_ms, clock_system());
        enum err e = witness_options_read(argc, argv, &options, &why);
        if (!e)
                e = log_configure(&log, getenv("FIREBREAK_LOG"), &why);
        if (e) {
                fprintf(stderr, "firebreak-witness: %s\n\n%s", why.text, witness_usage);
                return err_info(e)->exit;
        }
        if (options.wants_help || options.wants_version)
                return fputs(options.wants_help ? witness_usage : "firebreak-witness " FIREBREAK_VERSION "\n", stdout) < 0 || fflush(stdout) ? 1 : 0;
        FILE *lines = log_file_open();
        if (lines)
                log.to = lines;
        e = run(&options, &log, &why);
        if (e)
                LOG_WHY(&log, EVENT_FAILED, &why);
        if (lines)
                fclose(lines);
        return e ? err_info(e)->exit : 0;
}
