#include "server/program.h"

#include "platform/child.h"
#include "platform/clock.h"
#include "platform/confine.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "platform/link.h"
#include "platform/listen.h"
#include "server/api/api.h"
#include "server/data_folder.h"
#include "server/deltas/deltas.h"
#include "server/material.h"
#include "server/serve_store.h"
#include "server/settings.h"
#include "server/signer/keys.h"
#include "server/signer/remote.h"
#include "server/supervisor.h"

#include <string.h>

enum { LOCK_WAIT_MS = 5000, PORT_WAIT_MS = 2000, AGAIN_MS = 50, LOOK_MS = 2, ADDRESS_MAX = LISTEN_TEXT_MAX + 16 };

/* The three links between the processes, and their ends. */
enum { SIGNER_STORE, STORE_SIGNER, STORE_API, API_STORE, DELTAS_STORE, STORE_DELTAS, ENDS };

struct program {
        struct settings settings;
        struct data_folder data;
        struct material material;
        int listener, ends[ENDS];
        char address[ADDRESS_MAX];
        struct log log;
};

static int64_t log_now_ms(void *user)
{
        (void)user;
        return clock_system()->ops->wall_ms(clock_system());
}

/* What this process was not given it closes, so that a process that is gone is seen to be gone. */
static void keep_ends(struct program *program, unsigned kept, bool keeps_listener)
{
        for (int i = 0; i < ENDS; i++)
                if (!(kept & 1u << i)) {
                        link_close(program->ends[i]);
                        program->ends[i] = -1;
                }
        if (keeps_listener)
                return;
        listen_close(program->listener);
        program->listener = -1;
}

/* To lose another process is no news: the supervisor tells of that one. */
static int end(struct program *program, enum err e, const struct why *why)
{
        if (e && e != ERR_UNAVAILABLE)
                LOG_WHY(&program->log, EVENT_FAILED, why);
        return e ? err_info(e)->exit : 0;
}

static int run_signer(void *user)
{
        struct program *program = user;
        struct why why = { 0 };
        program->log.from = "signer";
        keep_ends(program, 1u << SIGNER_STORE, false);
        data_folder_done(&program->data);
        OWN(signer_keys) struct signer *signer = NULL;
        enum err e = signer_keys_open(program->settings.keys, &signer, &why);
        if (e)
                return end(program, e, &why);
        if (confine_to_open_files(NULL, &why) != OK)
                LOG_WHY(&program->log, EVENT_UNCONFINED, &why);
        return end(program, signer_serve(program->ends[SIGNER_STORE], signer, &why), &why);
}

static enum err serve_store(struct program *program, struct why *why)
{
        OWN(signer_remote) struct signer *signer = NULL;
        OWN(disk_folder) struct disk *artifacts = NULL, *log_files = NULL;
        OWN(store) struct store *store = NULL;
        enum err e = signer_remote_open(program->ends[STORE_SIGNER], &signer, why);
        if (!e)
                e = material_check(&program->material, signer, why);
        if (!e)
                e = disk_folder_open(program->data.artifacts, &artifacts, why);
        if (!e)
                e = disk_folder_open(program->data.log_files, &log_files, why);
        if (e)
                return e;
        const struct store_config config = {
                .log = program->material.log.has_log ? &program->material.log.log : NULL, .log_files = log_files,
                .database = program->data.database, .artifacts = artifacts, .random = random_system(), .secret = program->data.secret,
                .admin_key = program->data.admin_key, .tenant = program->settings.tenant, .trust = material_trust(&program->material),
                .metadata_s = program->settings.metadata_s, .pace_ms = program->settings.pace_ms,
        };
        e = store_open(&config, signer, log_now_ms(NULL), &store, why);
        if (!e)
                e = data_folder_mark(&program->data, why);
        return e ? e : store_serve(&(struct store_service){ program->ends[STORE_API], program->ends[STORE_DELTAS], store, signer, &program->log }, why);
}

static int run_store(void *user)
{
        struct program *program = user;
        struct why why = { 0 };
        program->log.from = "store";
        keep_ends(program, 1u << STORE_SIGNER | 1u << STORE_API | 1u << STORE_DELTAS, false);
        return end(program, serve_store(program, &why), &why);
}

static int run_deltas(void *user)
{
        struct program *program = user;
        struct why why = { 0 };
        program->log.from = "deltas";
        keep_ends(program, 1u << DELTAS_STORE, false);
        return end(program, deltas_serve(&(struct deltas_service){ program->ends[DELTAS_STORE], program->data.artifacts, &program->log }, &why), &why);
}

static int run_api(void *user)
{
        struct program *program = user;
        struct why why = { 0 };
        program->log.from = "api";
        keep_ends(program, 1u << API_STORE, true);
        const struct settings *settings = &program->settings;
        const struct api_config config = {
                .listener = program->listener, .store = program->ends[API_STORE], .certificate = settings->plain ? NULL : program->data.certificate,
                .key = program->data.certificate_key, .artifacts = program->data.artifacts, .secret = program->data.secret,
                .admin_key = program->data.admin_key, .random = random_system(), .connections_max = (unsigned)settings->connections,
                .log_files = program->data.log_files, .has_log = program->material.log.has_log, .ready_file = (int)settings->ready_fd, .address = program->address, .log = &program->log,
        };
        return end(program, api_run(&config, &why), &why);
}

/* In a process of its own: the supervisor never has the keys. */
static int check_keys(void *user)
{
        struct program *program = user;
        struct why why = { 0 };
        program->log.from = "signer";
        OWN(signer_keys) struct signer *signer = NULL;
        enum err e = signer_keys_open(program->settings.keys, &signer, &why);
        if (!e)
                e = material_check(&program->material, signer, &why);
        return end(program, e, &why);
}

static const struct supervised processes[] = { { "signer", run_signer }, { "store", run_store }, { "deltas", run_deltas }, { "api", run_api } };

static void on_started(void *user)
{
        keep_ends(user, 0, false);
}

/* The host of HOST:PORT, for the certificate. */
static const char *host_of(const char *listen, char host[256])
{
        const char *colon = strrchr(listen, ':');
        bool has_brackets = listen[0] == '[';
        int length = colon ? (int)(colon - listen) - 2 * has_brackets : 0;
        snprintf(host, 256, "%.*s", length > 0 ? length : 0, listen + has_brackets);
        return *host ? host : NULL;
}

static enum err open_folder(struct program *program, struct why *why)
{
        char host[256];
        const struct data_folder_config config = {
                .path = program->settings.data, .host = host_of(program->settings.listen, host), .random = random_system(),
                .now_s = log_now_ms(NULL) / 1000, .wait_ms = LOCK_WAIT_MS,
        };
        enum err e = data_folder_open(&config, &program->data, why);
        if (!e && program->data.is_new)
                LOG(&program->log, EVENT_CREATED, log_text("data", program->data.path), log_text("certificate", program->data.certificate),
                    log_text("admin_key", program->data.admin_key_file));
        return e;
}

/* The processes of a server that was killed hold its port until the system has put them away. */
static enum err open_port(struct program *program, char address[LISTEN_TEXT_MAX], struct why *why)
{
        struct clock *clock = clock_system();
        int64_t until_ms = clock->ops->steady_ms(clock) + PORT_WAIT_MS;
        enum err e = listen_open(program->settings.listen, &program->listener, address, why);
        while (e == ERR_BUSY && clock->ops->steady_ms(clock) < until_ms) {
                clock->ops->sleep_ms(clock, AGAIN_MS);
                e = listen_open(program->settings.listen, &program->listener, address, why);
        }
        return e;
}

static int wait_for(struct child *child)
{
        struct clock *clock = clock_system();
        struct child_end end;
        while (!child_ended(child, &end))
                clock->ops->sleep_ms(clock, LOOK_MS);
        return end.is_signal ? err_info(ERR_UNAVAILABLE)->exit : end.code;
}

/* Before the data folder is made, which remembers whose server it is. What is wrong is logged; the exit code. */
static int read_keys(struct program *program)
{
        struct why why = { 0 };
        struct child child = { 0 };
        enum err e = material_read(program->settings.keys, &program->material, &why);
        if (!e)
                e = child_fork(check_keys, program, &child, &why);
        return e ? end(program, e, &why) : wait_for(&child);
}

static enum err prepare(struct program *program, struct why *why)
{
        char address[LISTEN_TEXT_MAX];
        enum err e = open_port(program, address, why);
        if (!e)
                e = open_folder(program, why);
        if (!e)
                e = link_open(&program->ends[SIGNER_STORE], why);
        if (!e)
                e = link_open(&program->ends[STORE_API], why);
        if (!e)
                e = link_open(&program->ends[DELTAS_STORE], why);
        if (!e)
                snprintf(program->address, sizeof(program->address), "%s://%s", program->settings.plain ? "http" : "https", address);
        return e;
}

static void done(struct program *program)
{
        keep_ends(program, 0, false);
        material_done(&program->material);
        data_folder_done(&program->data);
}

static int serve(struct program *program)
{
        struct why why = { 0 };
        file_private();
        int code = read_keys(program);
        enum err e = code ? OK : prepare(program, &why);
        if (e)
                code = end(program, e, &why);
        else if (!code)
                code = supervise(&(struct supervisor_config){ processes, sizeof(processes) / sizeof(processes[0]), program, on_started, &program->log });
        done(program);
        return code;
}

static int usage(enum err e, const struct why *why)
{
        fprintf(stderr, "firebreakd: %s\n", why->text);
        return err_info(e)->exit;
}

int program_run(int argc, char **argv)
{
        struct program program = { .listener = -1, .ends = { -1, -1, -1, -1, -1, -1 }, .data = { .lock = -1 } };
        struct why why = { 0 };
        OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
        if (!arena)
                return usage(ERR_NOMEM, &(struct why){ .text = "out of memory" });
        enum err e = settings_read(arena, argc, argv, &program.settings, &why);
        log_init(&program.log, log_now_ms, NULL);
        if (!e)
                e = log_configure(&program.log, program.settings.log, &why);
        if (e)
                return usage(e, &why);
        if (program.settings.wants_help)
                settings_help(stdout);
        else if (program.settings.wants_version)
                printf("firebreakd %s\n", FIREBREAK_VERSION);
        else
                return serve(&program);
        return 0;
}
