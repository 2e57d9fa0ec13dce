#include "agent/config_probe.h"

#include "base/limits.h"
#include "format/hex.h"
#include "platform/paths.h"
#include "platform/system.h"
#include "trust/sha.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define KEYS(table) .keys = (table), .key_count = sizeof(table) / sizeof((table)[0])
#define AT(type, field) .offset = offsetof(struct type, field)

enum {
        WORDS_MAX = 32, MINUTE_MS = 60000, HOUR_S = 3600, TEXT_MAX = 256,
        SHARE_MIN = 110, SHARE_MAX = 100000,     /* percent of the past */
        CPU_MAX = 100000, MEMORY_MB_MAX = 1 << 24,
        FOR_S = 60, CPU_LEAST = 25, MEMORY_LEAST_MB = 64, TIMEOUT_MS = 10000,
};

static const struct yaml_key hash_keys[] = {
        { .key = "file", .type = YAML_TEXT, .required = true, AT(agent_probe, hash.file), .min = 1, .max = LIMIT_PATH_BYTES },
        { .key = "sha256", .type = YAML_TEXT, .required = true, AT(agent_probe, hash.sha256), .min = 1, .max = TEXT_MAX },
};
static const struct yaml_schema hash_schema = { KEYS(hash_keys), .item_size = sizeof(struct agent_probe) };

static const struct yaml_key resource_keys[] = {
        { .key = "cpu", .type = YAML_INT, AT(agent_resources, cpu), .min = SHARE_MIN, .max = SHARE_MAX },
        { .key = "memory", .type = YAML_INT, AT(agent_resources, memory), .min = SHARE_MIN, .max = SHARE_MAX },
        { .key = "for_s", .type = YAML_INT, AT(agent_resources, for_s), .min = 1, .max = HOUR_S },
        { .key = "cpu_least", .type = YAML_INT, AT(agent_resources, cpu_least), .min = 1, .max = CPU_MAX },
        { .key = "memory_least_mb", .type = YAML_INT, AT(agent_resources, memory_least_mb), .min = 1, .max = MEMORY_MB_MAX },
};
static const struct yaml_schema resource_schema = { KEYS(resource_keys), .item_size = sizeof(struct agent_resources) };

static const struct yaml_key probe_keys[] = {
        { .key = "command", .type = YAML_TEXTS, AT(agent_probe, command), .min = 1, .max = WORDS_MAX },
        { .key = "http", .type = YAML_TEXT, AT(agent_probe, http), .min = 1, .max = LIMIT_PATH_BYTES },
        { .key = "status", .type = YAML_INT, AT(agent_probe, status), .min = 200, .max = 599 },
        { .key = "contains", .type = YAML_TEXT, AT(agent_probe, contains), .min = 1, .max = TEXT_MAX },
        { .key = "ca", .type = YAML_TEXT, AT(agent_probe, ca), .min = 1, .max = LIMIT_PATH_BYTES },
        { .key = "hash", .type = YAML_MAP, .offset = 0, .schema = &hash_schema },        /* into the probe itself */
        { .key = "unit", .type = YAML_TEXT, AT(agent_probe, unit), .min = 1, .max = LIMIT_PATH_BYTES },
        { .key = "files", .type = YAML_TEXTS, AT(agent_probe, files), .min = 1, .max = AGENT_PROBE_FILES_MAX },
        { .key = "resources", .type = YAML_MAP, AT(agent_probe, resources), .schema = &resource_schema },
        { .key = "timeout_ms", .type = YAML_INT, AT(agent_probe, timeout_ms), .min = 10, .max = MINUTE_MS },
};
const struct yaml_schema agent_probe_schema = { KEYS(probe_keys), .item_size = sizeof(struct agent_probe) };

const char *agent_probe_kind_name(enum agent_probe_kind kind)
{
        static const char *const names[PROBE_KINDS] = { "command", "http", "hash", "unit", "files", "resources" };
        assert(kind < PROBE_KINDS);
        return names[kind];
}

const struct agent_probe *agent_config_probe(const struct agent_stream_config *stream, size_t probe)
{
        return (const struct agent_probe *)stream->probes.items + probe;
}

static bool has_resources(const struct agent_resources *resources)
{
        return resources->cpu || resources->memory || resources->for_s || resources->cpu_least || resources->memory_least_mb;
}

/* Whether the file has it, kind by kind. */
static void said_kinds(const struct agent_probe *probe, bool ret_has[PROBE_KINDS])
{
        ret_has[PROBE_COMMAND] = probe->command.count;
        ret_has[PROBE_HTTP] = probe->http;
        ret_has[PROBE_HASH] = probe->hash.file;
        ret_has[PROBE_UNIT] = probe->unit;
        ret_has[PROBE_FILES] = probe->files.count;
        ret_has[PROBE_RESOURCES] = has_resources(&probe->resources);
}

static void set_int(int64_t *value, int64_t otherwise)
{
        if (!*value)
                *value = otherwise;
}

void agent_probes_settle(struct agent_stream_config *stream)
{
        struct agent_probe *probes = stream->probes.items;
        for (size_t i = 0; i < stream->probes.count; i++) {
                bool has[PROBE_KINDS];
                said_kinds(&probes[i], has);
                while (probes[i].kind + 1 < PROBE_KINDS && !has[probes[i].kind])
                        probes[i].kind++;
                set_int(&probes[i].timeout_ms, TIMEOUT_MS);
                if (!has[PROBE_RESOURCES])
                        continue;
                set_int(&probes[i].resources.for_s, FOR_S);
                set_int(&probes[i].resources.cpu_least, CPU_LEAST);
                set_int(&probes[i].resources.memory_least_mb, MEMORY_LEAST_MB);
        }
}

static enum err check_kind(const struct agent_probe *probe, struct why *why)
{
        bool has[PROBE_KINDS];
        const char *first = NULL;
        said_kinds(probe, has);
        for (enum agent_probe_kind kind = PROBE_COMMAND; kind < PROBE_KINDS; kind++) {
                if (has[kind] && first)
                        return FAIL(why, ERR_SYNTAX, "`%s` and `%s`: each is a probe of its own", first, agent_probe_kind_name(kind));
                if (has[kind])
                        first = agent_probe_kind_name(kind);
        }
        return first ? OK : FAIL(why, ERR_SYNTAX, "says not what is looked at: command, http, hash, unit, files or resources");
}

static bool is_url(const char *text)
{
        size_t scheme = strncmp(text, "http://", 7) == 0 ? 7 : strncmp(text, "https://", 8) == 0 ? 8 : 0;
        size_t host = strcspn(text + scheme, "/?#");
        for (const char *at = text; *at; at++)
                if (*at <= ' ' || *at > '~' || strchr("\"<>\\^`{|}", *at))
                        return false;
        return scheme && host && text[scheme] != ':' && !memchr(text + scheme, '@', host);
}

static enum err check_http(const struct agent_probe *probe, struct why *why)
{
        if (probe->kind != PROBE_HTTP && (probe->status || probe->contains || probe->ca))
                return FAIL(why, ERR_SYNTAX, "status, contains and ca are of no use without http");
        if (probe->kind != PROBE_HTTP)
                return OK;
        if (!is_url(probe->http))
                return FAIL(why, ERR_SYNTAX, "`http: %s` must be http:// or https://host:port/path, without user and blanks", probe->http);
        if (probe->ca && strncmp(probe->http, "https://", 8) != 0)
                return FAIL(why, ERR_SYNTAX, "ca is of no use without https://");
        if (probe->ca && !paths_is_absolute(probe->ca))
                return FAIL(why, ERR_SYNTAX, "`ca: %s` must be an absolute path", probe->ca);
        return OK;
}

/* {candidate} is not there while a release is on trial: it runs. */
static bool is_path(const char *text)
{
        static const char *const places[] = { "{current}/", "{stream}/" };
        if (strstr(text, "{candidate}"))
                return false;
        if (paths_is_absolute(text))
                return true;
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
                if (strncmp(text, places[i], strlen(places[i])) == 0)
                        return true;
        return strcmp(text, "{current}") == 0 || strcmp(text, "{stream}") == 0;
}

static enum err check_paths(const struct agent_probe *probe, struct why *why)
{
        const struct yaml_texts one = { probe->kind == PROBE_HASH, (const char **)&probe->hash.file };
        const struct yaml_texts *paths = probe->kind == PROBE_HASH ? &one : &probe->files;
        uint8_t digest[SHA256_BYTES];
        for (size_t i = 0; i < paths->count; i++)
                if (!is_path(paths->items[i]) || strlen(paths->items[i]) > LIMIT_PATH_BYTES)
                        return FAIL(why, ERR_SYNTAX, "`%.200s` must be an absolute path of at most %d bytes, or begin with {current} or {stream}", paths->items[i], LIMIT_PATH_BYTES);
        if (probe->kind == PROBE_HASH && hex_decode(probe->hash.sha256, digest, sizeof(digest), NULL))
                return FAIL(why, ERR_SYNTAX, "`sha256: %s` must be %d digits of 0-9 and a-f", probe->hash.sha256, 2 * SHA256_BYTES);
        return OK;
}

bool agent_is_unit(const char *text)
{
        for (const char *at = text; *at; at++)
                if (!(*at >= 'a' && *at <= 'z') && !(*at >= 'A' && *at <= 'Z') && !(*at >= '0' && *at <= '9') && (at == text || !strchr(":_.\\@-", *at)))
                        return false;
        return text[0];
}

static enum err check_others(const struct agent_probe *probe, struct why *why)
{
        if (probe->kind == PROBE_UNIT && !agent_is_unit(probe->unit))
                return FAIL(why, ERR_SYNTAX, "`unit: %s` is no name of a systemd unit", probe->unit);
        if (probe->kind == PROBE_UNIT && !system_has(SYSTEM_UNITS))
                return FAIL(why, ERR_SYNTAX, "`unit: %s`: there are no units on this system", probe->unit);
        if (probe->kind == PROBE_RESOURCES && !probe->resources.cpu && !probe->resources.memory)
                return FAIL(why, ERR_SYNTAX, "resources needs cpu or memory, in percent of the engine's past");
        return OK;
}

static enum err check_probe(const struct agent_probe *probe, struct why *why)
{
        enum err e = check_kind(probe, why);
        if (!e)
                e = check_http(probe, why);
        if (!e)
                e = check_paths(probe, why);
        return e ? e : check_others(probe, why);
}

enum err agent_probes_check(const struct agent_stream_config *stream, struct why *why)
{
        bool has_resources_already = false;
        for (size_t i = 0; i < stream->probes.count; i++) {
                const struct agent_probe *probe = agent_config_probe(stream, i);
                enum err e = check_probe(probe, why);
                if (!e && probe->kind == PROBE_RESOURCES && has_resources_already)
                        e = FAIL(why, ERR_SYNTAX, "a second resources: one is enough");
                has_resources_already |= probe->kind == PROBE_RESOURCES;
                if (e)
                        return DURING(why, e, "stream %s: probe %zu", stream->name, i + 1);
        }
        return OK;
}
