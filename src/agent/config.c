#include "agent/config.h"

#include "agent/config_probe.h"
#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "platform/file.h"
#include "platform/local.h"
#include "platform/paths.h"
#include "platform/places.h"
#include "platform/system.h"

#include <stddef.h>
#include <string.h>

#define KEYS(table) .keys = (table), .key_count = sizeof(table) / sizeof((table)[0])
#define AT(type, field) .offset = offsetof(struct type, field)

enum { WORDS_MAX = 32, CONFIG_ARENA = 8 << 20, DAY_S = 86400, HOUR_MS = 3600000, MINUTE_MS = 60000,
       STATUS_EVERY_MS_MAX = 20000 };    /* what a reload takes away is said again before the time to load is over: STREAM_LOAD_MS */

static const struct yaml_key engine_keys[] = {
        { .key = "command", .type = YAML_TEXTS, AT(agent_engine, command), .min = 1, .max = WORDS_MAX },
        { .key = "pid_file", .type = YAML_TEXT, AT(agent_engine, pid_file), .min = 1, .max = LIMIT_PATH_BYTES },
        { .key = "unit", .type = YAML_TEXT, AT(agent_engine, unit), .min = 1, .max = LIMIT_PATH_BYTES },
        { .key = "self", .type = YAML_BOOL, AT(agent_engine, is_self) },
        { .key = "reload_signal", .type = YAML_TEXT, AT(agent_engine, reload_signal), .min = 1, .max = 16 },
        { .key = "status_file", .type = YAML_TEXT, AT(agent_engine, status_file), .min = 1, .max = LIMIT_PATH_BYTES },
        { .key = "status_every_ms", .type = YAML_INT, AT(agent_engine, status_every_ms), .min = 10, .max = STATUS_EVERY_MS_MAX },
        { .key = "stop_ms", .type = YAML_INT, AT(agent_engine, stop_ms), .min = 100, .max = MINUTE_MS },
};
static const struct yaml_schema engine_schema = { KEYS(engine_keys), .item_size = sizeof(struct agent_engine) };

enum { FOLDERS_MAX = 32, SOCKET_BYTES_MAX = 107 /* the system's */, ACTIONS_MAX = 5 };
static const struct yaml_key breaker_keys[] = {
        { .key = "socket", .type = YAML_TEXT, .required = true, AT(agent_breaker, socket), .min = 1, .max = SOCKET_BYTES_MAX },
        { .key = "group", .type = YAML_TEXT, AT(agent_breaker, group), .min = 1, .max = LIMIT_NAME_BYTES },
        { .key = "actions_max", .type = YAML_INT, AT(agent_breaker, actions_max), .min = 1, .max = LIMIT_BREAKER_ACTIONS },
        { .key = "window_s", .type = YAML_INT, AT(agent_breaker, window_s), .min = 1, .max = LIMIT_BREAKER_WINDOW_S },
        { .key = "protect", .type = YAML_TEXTS, AT(agent_breaker, protect), .min = 1, .max = FOLDERS_MAX },
};
static const struct yaml_schema breaker_schema = { KEYS(breaker_keys), .item_size = sizeof(struct agent_breaker) };

static const struct yaml_key stream_keys[] = {
        { .key = "name", .type = YAML_TEXT, .required = true, AT(agent_stream_config, name), .min = 1, .max = LIMIT_NAME_BYTES },
        { .key = "factory", .type = YAML_TEXT, AT(agent_stream_config, factory), .min = 1, .max = LIMIT_PATH_BYTES },
        { .key = "engine", .type = YAML_MAP, .required = true, AT(agent_stream_config, engine), .schema = &engine_schema },
        { .key = "preflight", .type = YAML_TEXTS, AT(agent_stream_config, preflight), .min = 1, .max = WORDS_MAX },
        { .key = "preflight_ms", .type = YAML_INT, AT(agent_stream_config, preflight_ms), .min = 10, .max = 10 * MINUTE_MS },
        { .key = "preflight_memory_mb", .type = YAML_INT, AT(agent_stream_config, preflight_memory_mb), .min = 64, .max = 1 << 20 },
        { .key = "preflight_network", .type = YAML_BOOL, AT(agent_stream_config, preflight_network) },
        { .key = "probes", .type = YAML_MAPS, AT(agent_stream_config, probes), .max = AGENT_PROBES_MAX, .schema = &agent_probe_schema },
        { .key = "probe_every_ms", .type = YAML_INT, AT(agent_stream_config, probe_every_ms), .min = 50, .max = HOUR_MS },
        { .key = "bake_s", .type = YAML_INT, AT(agent_stream_config, bake_s), .min = 0, .max = DAY_S },
        { .key = "crashes_max", .type = YAML_INT, AT(agent_stream_config, crashes_max), .min = 1, .max = 100 },
        { .key = "boots_max", .type = YAML_INT, AT(agent_stream_config, boots_max), .min = 1, .max = 100 },
        { .key = "needs_reboot", .type = YAML_BOOL, AT(agent_stream_config, needs_reboot) },
        { .key = "breaker", .type = YAML_MAP, AT(agent_stream_config, breaker), .schema = &breaker_schema },
        { .key = "policy", .type = YAML_MAP, AT(agent_stream_config, policy), .schema = &agent_policy_schema },
};
static const struct yaml_schema stream_schema = { KEYS(stream_keys), .item_size = sizeof(struct agent_stream_config) };

#define USER(name) { .key = #name, .type = YAML_TEXT, AT(agent_users, name), .min = 1, .max = LIMIT_NAME_BYTES }
static const struct yaml_key users_keys[] = { USER(fetch), USER(verify), USER(preflight) };
static const struct yaml_schema users_schema = { KEYS(users_keys), .item_size = sizeof(struct agent_users) };

static const struct yaml_key bandwidth_keys[] = {
        { .key = "bytes_per_s", .type = YAML_INT, .required = true, AT(agent_bandwidth, bytes_per_s), .min = LIMIT_BANDWIDTH_LEAST, .max = LIMIT_BANDWIDTH_MOST },
};
static const struct yaml_schema bandwidth_schema = { KEYS(bandwidth_keys), .item_size = sizeof(struct agent_bandwidth) };

#define PATH(name, is_required) \
        { .key = #name, .type = YAML_TEXT, .required = (is_required), AT(agent_config, name), .min = 1, .max = LIMIT_PATH_BYTES }
static const struct yaml_key config_keys[] = {
        { .key = "server", .type = YAML_TEXT, .required = true, AT(agent_config, server), .min = 8, .max = LIMIT_PATH_BYTES },
        PATH(ca, false),
        PATH(state_dir, true),
        PATH(trust, true),
        { .key = "approved_by", .type = YAML_TEXTS, AT(agent_config, approved_by), .min = 1, .max = AGENT_APPROVERS_MAX },
        { .key = "users", .type = YAML_MAP, AT(agent_config, users), .schema = &users_schema },
        { .key = "bandwidth", .type = YAML_MAP, AT(agent_config, bandwidth), .schema = &bandwidth_schema },
        { .key = "mirrors", .type = YAML_TEXTS, AT(agent_config, mirrors), .min = 1, .max = LIMIT_MIRRORS },
        PATH(mirrors_ca, false),
        { .key = "ring", .type = YAML_TEXT, AT(agent_config, ring), .min = 1, .max = LIMIT_NAME_BYTES },
        { .key = "platform", .type = YAML_TEXT, AT(agent_config, platform), .min = 1, .max = LIMIT_NAME_BYTES },
        { .key = "attributes", .type = YAML_TEXT, AT(agent_config, attributes), .min = 0, .max = 1024 },
        { .key = "poll_ms_max", .type = YAML_INT, AT(agent_config, poll_ms_max), .min = 50, .max = 24 * HOUR_MS },
        { .key = "busy_poll_ms", .type = YAML_INT, AT(agent_config, busy_poll_ms), .min = 50, .max = HOUR_MS },
        { .key = "policy", .type = YAML_MAP, AT(agent_config, policy), .schema = &agent_policy_schema },
        { .key = "streams", .type = YAML_MAPS, .required = true, AT(agent_config, streams), .min = 1, .max = LIMIT_STREAMS, .schema = &stream_schema },
};
static const struct yaml_schema config_schema = { KEYS(config_keys), .item_size = sizeof(struct agent_config) };

const struct agent_stream_config *agent_config_stream(const struct agent_config *config, size_t stream)
{
        return (const struct agent_stream_config *)config->streams.items + stream;
}

const struct agent_stream_config *agent_config_find(const struct agent_config *config, const char *name)
{
        for (size_t i = 0; i < config->streams.count; i++)
                if (strcmp(agent_config_stream(config, i)->name, name) == 0)
                        return agent_config_stream(config, i);
        return NULL;
}

static enum err check_path(const char *key, const char *path, struct why *why)
{
        if (path && !paths_is_absolute(path))
                return FAIL(why, ERR_SYNTAX, "`%s: %s` must be an absolute path", key, path);
        return OK;
}

static void set_int(int64_t *value, int64_t otherwise)
{
        if (!*value)
                *value = otherwise;
}

static void breaker_defaults(struct agent_breaker *breaker)
{
        set_int(&breaker->actions_max, ACTIONS_MAX);
        set_int(&breaker->window_s, 60);
        if (!breaker->protect.count)
                breaker->protect.items = places_of_platform(&breaker->protect.count);
}

/* Items of a list start as zeros, so what the file leaves out is filled in here. */
static void stream_defaults(struct agent_stream_config *stream)
{
        static const char *try_self[] = { ("{candidate}/" FIREBREAK_PROGRAM), "check", "--config", "{config}" };
        set_int(&stream->engine.stop_ms, 5000);
        if (!stream->engine.reload_signal)
                stream->engine.reload_signal = stream->engine.unit ? "reload" : "HUP";
        if (stream->engine.is_self && !stream->preflight.count)
                stream->preflight = (struct yaml_texts){ sizeof(try_self) / sizeof(try_self[0]), try_self };
        set_int(&stream->preflight_ms, 30000);
        set_int(&stream->preflight_memory_mb, 1024);
        set_int(&stream->probe_every_ms, 5000);
        set_int(&stream->crashes_max, 2);
        set_int(&stream->boots_max, 1);
        breaker_defaults(&stream->breaker);
        agent_probes_settle(stream);
}

static bool is_one_of(const char *text, const char *const *known, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (strcmp(text, known[i]) == 0)
                        return true;
        return false;
}

static enum err check_reload(const struct agent_stream_config *stream, struct why *why)
{
        static const char *const signals[] = { "HUP", "USR1", "USR2", "restart" }, *const of_unit[] = { "reload", "restart" };
        const struct agent_engine *engine = &stream->engine;
        const char *how = engine->reload_signal;
        if (engine->unit && !is_one_of(how, of_unit, 2))
                return FAIL(why, ERR_SYNTAX, "stream %s: reload_signal of a unit is reload or restart, not `%s`", stream->name, how);
        if (!engine->unit && !is_one_of(how, signals, 4))
                return FAIL(why, ERR_SYNTAX, "stream %s: reload_signal is HUP, USR1, USR2 or restart, not `%s`", stream->name, how);
        if (engine->pid_file && strcmp(how, "restart") == 0)
                return FAIL(why, ERR_SYNTAX, "stream %s: an engine of a pid_file cannot be restarted by us", stream->name);
        return OK;
}

/* What the configuration wants of a system that has none of it is said now, and not when it is needed. */
static enum err check_system(const struct agent_stream_config *stream, struct why *why)
{
        const struct agent_engine *engine = &stream->engine;
        const struct { bool is_wanted; enum system_part part; const char *key; } wants[] = {
                { engine->unit, SYSTEM_UNITS, "unit" }, { engine->pid_file, SYSTEM_SIGNALS, "pid_file" },
        };
        for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++)
                if (wants[i].is_wanted && !system_has(wants[i].part))
                        return FAIL(why, ERR_SYNTAX, "stream %s: `%s` is not there on this system", stream->name, wants[i].key);
        if (engine->command.count && strcmp(engine->reload_signal, "restart") != 0 && !system_has(SYSTEM_SIGNALS))
                return FAIL(why, ERR_SYNTAX, "stream %s: no engine can be sent %s on this system: give `reload_signal: restart`", stream->name, engine->reload_signal);
        return OK;
}

static bool is_name(const char *text)
{
        for (const char *at = text; *at; at++)
                if (!(*at >= 'a' && *at <= 'z') && !(*at >= 'A' && *at <= 'Z') && !(*at >= '0' && *at <= '9')
                    && (at == text || !strchr("._+-", *at)))
                        return false;
        return text[0];
}

static enum err check_breaker(const struct agent_stream_config *stream, struct why *why)
{
        const struct agent_breaker *breaker = &stream->breaker;
        if (!breaker->socket)
                return OK;
        if (local_check(breaker->socket, why))
                return DURING(why, ERR_SYNTAX, "stream %s: socket", stream->name);
        for (size_t i = 0; i < breaker->protect.count; i++)
                if (breaker->protect.items[i][0] != '/' && check_path("protect", breaker->protect.items[i], why))
                        return ERR_SYNTAX;
        return OK;
}

static enum err check_stream(const struct agent_stream_config *stream, struct why *why)
{
        const struct agent_engine *engine = &stream->engine;
        if (!is_name(stream->name))
                return FAIL(why, ERR_SYNTAX, "`%s` is no stream name: letters, digits and . _ + - only", stream->name);
        if ((engine->command.count > 0) + (engine->pid_file != NULL) + (engine->unit != NULL) + engine->is_self != 1)
                return FAIL(why, ERR_SYNTAX, "stream %s: engine needs either `command`, `pid_file`, `unit` or `self`", stream->name);
        if (engine->unit && !agent_is_unit(engine->unit))
                return FAIL(why, ERR_SYNTAX, "stream %s: `unit: %s` is no name of a systemd unit", stream->name, engine->unit);
        if (engine->is_self && (engine->status_file || strcmp(engine->reload_signal, "HUP") != 0))
                return FAIL(why, ERR_SYNTAX, "stream %s: the agent itself (`self`) has no status_file and is sent no signal", stream->name);
        if (engine->status_every_ms && !engine->status_file)
                return FAIL(why, ERR_SYNTAX, "stream %s: status_every_ms is of no use without status_file", stream->name);
        enum err e = check_reload(stream, why);
        if (!e)
                e = check_system(stream, why);
        if (!e)
                e = check_path("factory", stream->factory, why);
        if (!e)
                e = check_path("pid_file", engine->pid_file, why);
        if (!e)
                e = check_path("status_file", engine->status_file, why);
        if (!e)
                e = check_breaker(stream, why);
        return e ? e : agent_probes_check(stream, why);
}

static enum err check_streams(const struct agent_config *config, struct why *why)
{
        for (size_t i = 0; i < config->streams.count; i++) {
                enum err e = check_stream(agent_config_stream(config, i), why);
                if (e)
                        return e;
                for (size_t k = 0; k < i; k++) {
                        const struct agent_stream_config *one = agent_config_stream(config, i), *other = agent_config_stream(config, k);
                        if (strcmp(one->name, other->name) == 0)
                                return FAIL(why, ERR_SYNTAX, "stream %s is there twice", one->name);
                        if (one->engine.is_self && other->engine.is_self)
                                return FAIL(why, ERR_SYNTAX, "streams %s and %s are both this agent", other->name, one->name);
                        if (one->breaker.socket && other->breaker.socket && strcmp(one->breaker.socket, other->breaker.socket) == 0)
                                return FAIL(why, ERR_SYNTAX, "streams %s and %s have one socket: each needs its own", other->name, one->name);
                }
        }
        return OK;
}

static enum err settle_policies(struct agent_config *config, struct why *why)
{
        enum err e = agent_policy_settle(&config->policy, why);
        for (size_t i = 0; i < config->streams.count && !e; i++) {
                struct agent_stream_config *stream = (struct agent_stream_config *)config->streams.items + i;
                e = agent_policy_settle(&stream->policy, why);
                if (e)
                        return DURING(why, e, "stream %s", stream->name);
                if (!stream->policy.is_given)
                        stream->policy = config->policy;
        }
        return e;
}

static enum err read_approvers(struct agent_config *config, struct why *why)
{
        for (size_t i = 0; i < config->approved_by.count; i++) {
                enum err e = vkey_parse(config->approved_by.items[i], &config->approvers[i], why);
                for (size_t k = 0; !e && k < i; k++)
                        if (key_equal(&config->approvers[i].key, &config->approvers[k].key))
                                e = FAIL(why, ERR_SYNTAX, "%s is there twice", config->approvers[i].name);
                if (e)
                        return DURING(why, e, "approved_by");
        }
        return OK;
}

/* host, host:port, [v6] or [v6]:port, then the end or a path. Names of hosts are checked for what a slip of the hand makes, and no further: DNS knows the rest. */
static bool is_authority(const char *text)
{
        const char *at = text;
        if (*at == '[')
                at += 1 + strspn(at + 1, "0123456789abcdefABCDEF:.");
        else
                at += strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
        const bool is_host = *text == '[' ? at > text + 2 && *at++ == ']' : at > text && *text != '.' && *text != '-';
        if (!is_host || *at != ':')
                return is_host && (!*at || *at == '/');
        const size_t digits = strspn(at + 1, "0123456789");
        const long port = digits && digits <= 5 ? strtol(at + 1, NULL, 10) : 0;
        return port >= 1 && port <= 65535 && (!at[1 + digits] || at[1 + digits] == '/');
}

/* What the address of a mirror may hold: nothing that would be a secret there, or would turn the file's path into something else. */
static enum err check_mirrors(const struct agent_config *config, struct why *why)
{
        if (config->mirrors_ca && !config->mirrors.count)
                return FAIL(why, ERR_SYNTAX, "`mirrors_ca` is of no use without mirrors");
        for (size_t i = 0; i < config->mirrors.count; i++) {
                const char *url = config->mirrors.items[i];
                const char *host = strncmp(url, "https://", 8) == 0 ? url + 8 : strncmp(url, "http://", 7) == 0 ? url + 7 : NULL;
                if (!host || !*host || *host == '/' || strlen(url) > LIMIT_PATH_BYTES || url[strlen(url) - 1] == '/')
                        return FAIL(why, ERR_SYNTAX, "`mirrors: %.80s` must be https://host:port/path or http://, of at most %d bytes, without a / at its end", url, LIMIT_PATH_BYTES);
                for (const char *at = host; *at; at++)
                        if (*at <= ' ' || *at >= 127 || strchr("@?#\\\"<>{}|^`", *at))
                                return FAIL(why, ERR_SYNTAX, "`mirrors: %.80s`: no user, no question and no blank can be in it", url);
                if (!is_authority(host))
                        return FAIL(why, ERR_SYNTAX, "`mirrors: %.80s`: that is no host, or no port of 1 to 65535", url);
                for (size_t k = 0; k < i; k++)
                        if (strcmp(url, config->mirrors.items[k]) == 0)
                                return FAIL(why, ERR_SYNTAX, "mirror %.80s is there twice", url);
        }
        return OK;
}

static enum err check_config(const struct agent_config *config, struct why *why)
{
        if (strncmp(config->server, "https://", 8) != 0 && strncmp(config->server, "http://", 7) != 0)
                return FAIL(why, ERR_SYNTAX, "`server: %s` must start with https://", config->server);
        const char *host = strstr(config->server, "://") + 3;
        if (!*host || host[strlen(host) - 1] == '/')
                return FAIL(why, ERR_SYNTAX, "`server: %s` must be https://host:port, without a / at its end", config->server);
        if (!is_authority(host))
                return FAIL(why, ERR_SYNTAX, "`server: %s`: that is no host, or no port of 1 to 65535", config->server);
        if (!is_name(config->ring) || !is_name(config->platform))
                return FAIL(why, ERR_SYNTAX, "ring and platform are names: letters, digits and . _ + - only");
        if ((config->users.fetch || config->users.verify || config->users.preflight) && !system_has(SYSTEM_USERS))
                return FAIL(why, ERR_SYNTAX, "`users` is not there on this system: the parts of the agent give up rights of their own");
        const struct { const char *key, *path; } paths[] = {
                { "ca", config->ca }, { "state_dir", config->state_dir }, { "trust", config->trust }, { "mirrors_ca", config->mirrors_ca },
        };
        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
                enum err e = check_path(paths[i].key, paths[i].path, why);
                if (e)
                        return e;
        }
        enum err e = check_mirrors(config, why);
        return e ? e : check_streams(config, why);
}

#if defined(_WIN32)
static const char this_platform[] = "windows-amd64";
#elif defined(__x86_64__)
static const char this_platform[] = "linux-amd64";
#elif defined(__aarch64__)
static const char this_platform[] = "linux-arm64";
#else
static const char this_platform[] = "linux-other";
#endif

enum err agent_config_parse(const char *name, const char *bytes, size_t length, struct agent_config **ret_config, struct why *why)
{
        OWN(agent_config) struct agent_config *config = mem_new(1, sizeof(*config));
        if (!config || !(config->arena = arena_new(CONFIG_ARENA)))
                return FAIL(why, ERR_NOMEM, "reading %s", name);
        config->ring = "default";
        config->platform = this_platform;
        config->attributes = "";
        config->poll_ms_max = HOUR_MS;
        config->busy_poll_ms = 1000;
        enum err e = yaml_read(config->arena, name, bytes, length, &config_schema, config, why);
        if (e)
                return e;
        for (size_t i = 0; i < config->streams.count; i++)
                stream_defaults((struct agent_stream_config *)config->streams.items + i);
        e = check_config(config, why);
        if (!e)
                e = settle_policies(config, why);
        if (!e)
                e = read_approvers(config, why);
        if (e)
                return DURING(why, e, "%s", name);
        *ret_config = GIVE(config);
        return OK;
}

enum err agent_config_open(const char *path, struct agent_config **ret_config, struct why *why)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LIMIT_YAML_BYTES);
        enum err e = file_read(path, &bytes, why);
        if (e)
                return DURING(why, e, "reading the configuration");
        return agent_config_parse(path, buf_text(&bytes), bytes.length, ret_config, why);
}

void agent_config_close(struct agent_config *config)
{
        if (!config)
                return;
        arena_free(config->arena);
        mem_free(config);
}
