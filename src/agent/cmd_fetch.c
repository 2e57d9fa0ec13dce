/* The child that has the network: standard input is its channel to the supervisor. */
#include "agent/command.h"
#include "agent/config.h"
#include "agent/fetch.h"

enum err cmd_fetch(const struct command_line *line, struct why *why)
{
        OWN(agent_config) struct agent_config *config = NULL;
        enum err e = agent_config_open(line->config, &config, why);
        if (e)
                return e;
        char spool[1024];
        snprintf(spool, sizeof(spool), "%s/spool", config->state_dir);
        struct fetch_setup setup = {
                .server = config->server, .ca = config->ca, .spool_folder = line->spool ? line->spool : spool, .mirrors = config->mirrors.items, .mirror_count = config->mirrors.count,
                .mirrors_ca = config->mirrors_ca ? config->mirrors_ca : config->ca,
        };
        return fetch_main(&setup, why);
}
