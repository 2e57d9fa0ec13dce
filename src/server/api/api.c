#include "server/api/api.h"

#include "base/mem.h"
#include "platform/disk_folder.h"
#include "platform/file_limit.h"
#include "server/api/desk.h"

#include <signal.h>
#include <string.h>

enum {
        BEAT_MS = 200,
        DRAIN_MS = 10000,                      /* for what was begun before SIGTERM */
        COMPLAIN_BEATS = 50,
        OWN_FILES = 64,                        /* not for connections: logs, links, artifacts being read */
};

struct api {
        const struct api_config *config;
        uv_loop_t loop;
        uv_timer_t beat;
        uv_signal_t terminate;
        struct front front;
        struct desk desk;
        struct disk *disk;
        struct tls *tls;
        struct cache *cache;
        struct store_link *link;
        bool is_open, is_ending;
        unsigned connections_max;
        int64_t drain_until_ms;
        unsigned beats;
        enum err failed;
        struct why why;
};

static int64_t now_ms(const struct api *api)
{
        return (int64_t)uv_now(&api->loop);
}

/* All handles begin to close; the loop ends by itself when they have. */
static void end(struct api *api)
{
        if (api->is_ending)
                return;
        api->is_ending = true;
        if (api->is_open)
                front_close(&api->front);
        store_link_close(api->link);
        uv_close((uv_handle_t *)&api->beat, NULL);
        uv_close((uv_handle_t *)&api->terminate, NULL);
}

static void fail(struct api *api, const struct why *why)
{
        if (!api->failed) {
                api->failed = why->err;
                api->why = *why;
        }
        end(api);
}

static void on_terminate(uv_signal_t *signal, int number)
{
        (void)number;
        struct api *api = signal->data;
        if (!api->is_open)
                end(api);
        if (api->is_ending || api->drain_until_ms)
                return;
        api->drain_until_ms = now_ms(api) + DRAIN_MS;
        front_drain(&api->front);
}

static void complain(struct api *api)
{
        if (++api->beats % COMPLAIN_BEATS)
                return;
        if (api->desk.turned_away)
                LOG(api->config->log, EVENT_STORE_BUSY, log_int("requests", (int64_t)api->desk.turned_away));
        if (api->desk.checkin.seen_lost)
                LOG(api->config->log, EVENT_SEEN_LOST, log_int("devices", (int64_t)api->desk.checkin.seen_lost));
        api->desk.turned_away = api->desk.checkin.seen_lost = 0;
}

static void on_beat(uv_timer_t *timer)
{
        struct api *api = timer->data;
        checkin_flush(&api->desk.checkin, api->link);
        complain(api);
        bool is_drained = api->drain_until_ms && (api->front.connections == 0 || now_ms(api) > api->drain_until_ms);
        if (is_drained)
                end(api);
}

/* Fewer files than that, and clients would be dropped in the middle of something and without a word. */
static enum err count_files(struct api *api, struct why *why)
{
        unsigned wanted = api->config->connections_max ? api->config->connections_max : LIMIT_CONNECTIONS;
        unsigned files = file_limit_raise();
        if (files < 2 * OWN_FILES)
                return FAIL(why, ERR_REFUSED, "only %u files may be open at a time and %d is the least: raise LimitNOFILE (ulimit -n)", files, 2 * OWN_FILES);
        api->connections_max = wanted < files - OWN_FILES ? wanted : files - OWN_FILES;
        return OK;
}

static void say_ready(const struct api_config *config)
{
        char line[160];
        uv_fs_t fs;
        int length = snprintf(line, sizeof(line), "ready %s\n", config->address);
        uv_buf_t text = uv_buf_init(line, (unsigned)length);
        if (config->ready_file >= 0)
                uv_fs_write(NULL, &fs, config->ready_file, &text, 1, -1, NULL);
}

/* The first state: now there is something to say to devices. */
static void open_front(struct api *api)
{
        const struct api_config *config = api->config;
        struct why why = { 0 };
        const struct front_config front = {
                .listener = config->listener, .tls = api->tls, .service = &api->desk.service, .connections_max = api->connections_max,
                .patience = config->patience, .log = config->log,
        };
        api->is_open = true;
        if (front_open(&api->front, &api->loop, &front, &why) != OK) {
                fail(api, &why);
                return;
        }
        say_ready(config);
        LOG(config->log, EVENT_STARTED, log_text("version", FIREBREAK_VERSION), log_text("listen", config->address));
}

static void on_news(void *user, const struct store_public *state)
{
        struct api *api = user;
        struct why why = { 0 };
        if (cache_replace(api->cache, state, &why) != OK && !api->is_open)
                fail(api, &why);
        else if (!api->is_open && !api->is_ending)
                open_front(api);
}

static void on_answer(void *user, struct exchange *exchange, const struct ipc_answer *answer)
{
        struct api *api = user;
        desk_deliver(&api->desk, exchange, answer);
}

static void on_lost(void *user, const struct why *why)
{
        fail(user, why);
}

static const struct store_link_events link_events = { on_answer, on_news, on_lost };

static enum err open_parts(struct api *api, struct why *why)
{
        const struct api_config *config = api->config;
        struct desk_config desk = { .secret = config->secret, .admin_key = config->admin_key };
        config->random->ops->fill(config->random, &desk.seed, sizeof(desk.seed));
        enum err e = count_files(api, why);
        if (!e && config->certificate)
                e = tls_open(config->certificate, config->key, &api->tls, why);
        if (!e)
                e = cache_open(&api->cache, why);
        if (e)
                return e;
        desk.cache = api->cache;
        desk_init(&api->desk, &desk);
        api->desk.front = &api->front;
        api->desk.log_files = (struct log_files){ &api->loop, config->log_files, config->has_log };
        e = disk_folder_open(config->artifacts, &api->disk, why);
        if (!e)
                e = artifacts_init(&api->desk.artifacts, &api->loop, config->artifacts, api->disk, why);
        return e;
}

static enum err open_handles(struct api *api, struct why *why)
{
        enum err e = store_link_open(&api->loop, api->config->store, &link_events, api, &api->link, why);
        if (e)
                return e;
        api->desk.link = api->link;
        api->beat.data = api->terminate.data = api;
        int code = uv_timer_init(&api->loop, &api->beat);
        if (!code)
                code = uv_signal_init(&api->loop, &api->terminate);
        if (!code)
                code = uv_timer_start(&api->beat, on_beat, BEAT_MS, BEAT_MS);
        if (!code)
                code = uv_signal_start(&api->terminate, on_terminate, SIGTERM);
        return code ? FAIL(why, ERR_IO, "starting the network: %s", uv_strerror(code)) : OK;
}

static void close_parts(struct api *api)
{
        if (api->is_open)
                front_done(&api->front);
        store_link_done(api->link);
        desk_done(&api->desk);
        cache_close(api->cache);
        disk_folder_close(api->disk);
        tls_close(api->tls);
}

static enum err run(struct api *api, struct why *why)
{
        enum err e = open_parts(api, why);
        if (!e)
                e = open_handles(api, why);
        if (e)
                return e;
        uv_run(&api->loop, UV_RUN_DEFAULT);
        if (api->failed)
                *why = api->why;
        return api->failed;
}

OWN_DEFINE(api, struct api *, mem_free)

enum err api_run(const struct api_config *config, struct why *why)
{
        OWN(api) struct api *api = mem_new(1, sizeof(*api));
        if (!api || uv_loop_init(&api->loop))
                return FAIL(why, ERR_NOMEM, "out of memory");
        api->config = config;
        enum err e = run(api, why);
        close_parts(api);
        if (uv_loop_close(&api->loop) && !e)
                e = FAIL(why, ERR_IO, "something of the network was left open");
        return e;
}
