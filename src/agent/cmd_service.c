/* On Windows the service manager starts the agent with the machine, as systemd does elsewhere. */
#include "agent/command.h"
#include "agent/config.h"
#include "agent/keep.h"
#include "platform/child.h"
#include "platform/service.h"
#include "platform/system.h"

#include <limits.h>
#include <string.h>

enum {
        STOP_SPARE_MS = 10000,                   /* beside what a supervisor may take: the goodbye, and who keeps it ends one that hangs before the manager would */
        REMOVE_MS = 30000,
        START_MS = 1000,                         /* of a process, before its own time is counted */
};

static const char service_name[] = "firebreak-agent";

static uint32_t stop_ms(const struct agent_config *config)
{
        return keep_stop_ms(config) + STOP_SPARE_MS;
}

/* What the configuration lacks is said now, to a person, and not at the next boot, to nobody. */
static enum err install(const struct command_line *line, struct why *why)
{
        OWN(agent_config) struct agent_config *config = NULL;
        char lacks[SERVICE_LACKS_BYTES], log[PATH_MAX];
        if (!line->config)
                return FAIL(why, ERR_USAGE, "service install needs --config FILE: agent.yaml, see firebreak-agent.yaml(5)");
        enum err e = agent_config_open(line->config, &config, why);
        if (!e && snprintf(log, sizeof(log), "%s/agent.log", config->state_dir) >= (int)sizeof(log))
                e = FAIL(why, ERR_LIMIT, "the state folder's path is too long");
        if (e)
                return e;
        const char *const argv[] = { "service", "run", "--config", line->config, "--log", line->log ? line->log : log, NULL };
        e = service_install(&(struct service){
                .name = service_name, .title = "Firebreak agent", .about = "Keeps content up to date, and never without a version that works.",
                .argv = argv, .folder = config->state_dir, .stop_ms = stop_ms(config),
        }, lacks, why);
        if (e)
                return e;
        printf("the service %s starts with the machine; now: net start %s\nits log: %s\n", service_name, service_name, line->log ? line->log : log);
        if (lacks[0])
                printf("this Windows does not take of what was asked for it: %s\n", lacks);
        return OK;
}

static enum err remove_it(const struct command_line *line, struct why *why)
{
        OWN(agent_config) struct agent_config *config = NULL;
        struct why unsaid;
        uint32_t wait_ms = REMOVE_MS;
        if (line->config && agent_config_open(line->config, &config, &unsaid) == OK)
                wait_ms = stop_ms(config);
        enum err e = service_remove(service_name, wait_ms, why);
        if (!e)
                printf("the service %s is gone; what it keeps is left as it is\n", service_name);
        return e;
}

/* The guard first, as at every boot elsewhere: no engine starts before it. What it says is in the log; what stops it does not stop the supervisor, which
 * goes by the same record. */
static enum err body(void *user, struct why *why)
{
        const struct command_line *line = user;
        struct why guard;
        enum err e = cmd_guard(line, &guard);
        if (e)
                fprintf(stderr, "%s: guard: %s (%s)\n", service_name, guard.text, err_info(e)->text);
        return keep_run(line->config, NULL, why);
}

static enum err run(const struct command_line *line, struct why *why)
{
        struct command_line own = *line;
        if (!line->config || !line->log)
                return FAIL(why, ERR_USAGE, "service run needs --config FILE and --log FILE, as `service install` gives them to it");
        const char *const shutdown[] = { child_self, "goodbye", "--shutdown", "--config", line->config, NULL };
        const char *const sleep[] = { child_self, "goodbye", "--suspend", "--config", line->config, NULL };
        return service_run(&(struct service_runs){
                .name = service_name, .log = line->log, .log_bytes_max = LIMIT_SERVICE_LOG_BYTES, .body = body, .user = &own,
                .at_shutdown = shutdown, .at_sleep = sleep, .words_ms = LIMIT_GOODBYE_MS + START_MS,
        }, why);
}

static const struct verb { const char *name; enum err (*run)(const struct command_line *line, struct why *why); } verbs[] = {
        { "install", install }, { "remove", remove_it }, { "run", run },
};

enum err cmd_service(const struct command_line *line, struct why *why)
{
        if (!system_has(SYSTEM_SERVICES))
                return FAIL(why, ERR_USAGE, "this is not Windows; with systemd: systemctl enable --now %s", service_name);
        for (size_t i = 0; line->verb && i < sizeof(verbs) / sizeof(verbs[0]); i++)
                if (strcmp(line->verb, verbs[i].name) == 0)
                        return verbs[i].run(line, why);
        return FAIL(why, ERR_USAGE, "service what? `firebreak-agent service install --config FILE`, `service remove`; `service run` is for the service manager");
}
