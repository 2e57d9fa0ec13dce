#include "agent/keep.h"

#include "agent/agent.h"
#include "platform/handover.h"
#include "platform/system.h"

enum { SPARE_MS = 25000 };

uint32_t keep_stop_ms(const struct agent_config *config)
{
        uint32_t most = 0;
        for (size_t i = 0; i < config->streams.count; i++) {
                const int64_t engine = agent_config_stream(config, i)->engine.stop_ms;
                most = engine > most ? (uint32_t)engine : most;
        }
        return most + SPARE_MS;
}

static bool is_content(const struct agent_config *config)
{
        for (size_t i = 0; i < config->streams.count; i++)
                if (agent_config_stream(config, i)->engine.is_self)
                        return true;
        return false;
}

/* What it says is not held on to: the keeper is there for as long as the machine runs. */
static enum err look(const char *config_path, bool *ret_is_content, int64_t *ret_stop_ms, struct why *why)
{
        OWN(agent_config) struct agent_config *config = NULL;
        enum err e = agent_config_open(config_path, &config, why);
        if (e)
                return e;
        *ret_is_content = is_content(config);
        *ret_stop_ms = keep_stop_ms(config);
        return OK;
}

enum err keep_run(const char *config_path, const char *units, struct why *why)
{
        bool is_kept;
        int64_t stop_ms;
        if (system_has(SYSTEM_HANDOVER))
                return agent_run(config_path, units, NULL, why);
        enum err e = look(config_path, &is_kept, &stop_ms, why);
        if (e)
                return e;
        const char *const argv[] = { child_self, "run", "--config", config_path, "--handed", "0", NULL };
        return is_kept ? handover_keep(&(struct handover_keep){ argv, stop_ms }, why) : agent_run(config_path, units, NULL, why);
}
