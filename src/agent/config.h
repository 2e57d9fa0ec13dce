/* config.h - agent.yaml: what this device keeps, from whom, and how it tells that it works.
 *
 * Read once at start. Unknown keys are errors that name the line. The page firebreak-agent.yaml(5) says what each means. */
#pragma once

#include "agent/config_policy.h"
#include "base/err.h"
#include "base/own.h"
#include "format/yaml.h"
#include "trust/key.h"

#include <stdbool.h>
#include <stdint.h>

struct agent_engine {
        struct yaml_texts command;       /* run and kept running by the supervisor; or ... */
        const char *pid_file;            /* ... somebody else's process, named here; or ... */
        const char *unit;                /* ... systemd's; or ... */
        bool is_self;                    /* ... this agent is what the stream keeps, see self.h. Those not given are NULL */
        const char *reload_signal;       /* HUP, USR1, USR2, or `restart`; of a unit `reload` or `restart` */
        const char *status_file;         /* NULL: alive is enough */
        int64_t stop_ms;                 /* from SIGTERM to SIGKILL */
        int64_t status_every_ms;         /* as often it writes the status file anew; 0: only when it has loaded */
};

/* Whom those that read what strangers send become; NULL: the usual ones, see worker.h. */
struct agent_users { const char *fetch, *verify, *preflight; };

/* Of all that is fetched together, see allowance.h. */
struct agent_bandwidth { int64_t bytes_per_s; };         /* 0: no limit */

enum agent_probe_kind { PROBE_COMMAND, PROBE_HTTP, PROBE_HASH, PROBE_UNIT, PROBE_FILES, PROBE_RESOURCES, PROBE_KINDS };

/* Of the engine, with what it uses of its own past in percent; 0: that is not looked at. See past.h. */
struct agent_resources {
        int64_t cpu, memory, for_s;
        int64_t cpu_least;               /* percent of one processor, and MiB: what is not above that is no harm, whatever the past */
        int64_t memory_least_mb;
};

/* Of one kind: the fields of the others are zeros. */
struct agent_probe {
        enum agent_probe_kind kind;
        struct yaml_texts command;       /* exit 0: well */
        const char *http, *contains, *ca;
        int64_t status;                  /* 0: any from 200 to 299 */
        struct { const char *file, *sha256; } hash;
        const char *unit;
        struct yaml_texts files;
        struct agent_resources resources;
        int64_t timeout_ms;
};
enum { AGENT_PROBES_MAX = 16, AGENT_PROBE_FILES_MAX = 32 };
const char *agent_probe_kind_name(enum agent_probe_kind kind);       /* as in the file */

/* Whom engines ask before they act, see breaker.h. */
struct agent_breaker {
        const char *socket;              /* NULL: nobody is asked */
        const char *group;               /* who may ask beside root and our own user; NULL: nobody */
        int64_t actions_max, window_s;
        struct yaml_texts protect;
};

/* In every command, and in the paths of a probe, `{current}` stands for the running content's folder, `{candidate}` for the one under preflight,
 * `{stream}` for the stream's own folder; in `preflight`, `{config}` for the configuration's own path. */
struct agent_stream_config {
        const char *name, *factory;      /* factory: folder of the content that the package brought; NULL: none */
        struct agent_engine engine;
        struct yaml_texts preflight;     /* exit 0: the candidate loads; none: no preflight */
        int64_t preflight_ms;
        int64_t preflight_memory_mb;
        bool preflight_network;          /* it may load rules of a firewall, in a network of its own in which there is nothing */
        struct yaml_maps probes;         /* of struct agent_probe */
        int64_t probe_every_ms, bake_s, crashes_max, boots_max;
        bool needs_reboot;
        struct agent_breaker breaker;
        struct agent_policy policy;      /* its own, else the device's */
};

enum { AGENT_APPROVERS_MAX = 8 };
struct agent_config {
        const char *server, *ca;         /* https://host:port; NULL ca: the system's */
        const char *state_dir, *trust;   /* trust: the pinned keys, see pinned.h */
        const char *ring, *platform, *attributes;
        struct yaml_texts approved_by;   /* each of them must have approved what is installed here: vkeys, and ... */
        struct vkey approvers[AGENT_APPROVERS_MAX];      /* ... the same, read */
        struct agent_users users;
        struct agent_bandwidth bandwidth;
        struct yaml_texts mirrors;       /* https://host:port/path, in the order in which they are asked */
        const char *mirrors_ca;          /* NULL: as of the server */
        int64_t poll_ms_max, busy_poll_ms;
        struct agent_policy policy;      /* of the streams that have none of their own */
        struct yaml_maps streams;        /* of struct agent_stream_config */
        struct arena *arena;             /* holds all of the above */
};

/* `path` is absolute. ERR_NOT_FOUND, ERR_SYNTAX with the line, ERR_LIMIT. */
MUST_CHECK enum err agent_config_open(const char *path, struct agent_config **ret_config, struct why *why);
/* The same from bytes; `name` is for messages. */
MUST_CHECK enum err agent_config_parse(const char *name, const char *bytes, size_t length, struct agent_config **ret_config, struct why *why);
void agent_config_close(struct agent_config *config);
OWN_DEFINE(agent_config, struct agent_config *, agent_config_close)

const struct agent_stream_config *agent_config_stream(const struct agent_config *config, size_t stream);
const struct agent_stream_config *agent_config_find(const struct agent_config *config, const char *name);      /* NULL: no such stream */
const struct agent_probe *agent_config_probe(const struct agent_stream_config *stream, size_t probe);
