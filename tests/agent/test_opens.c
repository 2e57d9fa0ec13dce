/* What is only opened in a running agent: none of it keeps anything when memory runs out. */
#include "agent/caller.h"
#include "agent/refresh.h"
#include "platform/file.h"
#include "support/sweep.h"
#include "support/test.h"

TEST(agent_config_open, survives_a_lack_of_memory)
{
        static const char text[] = "server: https://a\nstate_dir: /s\ntrust: /t\nattributes: os=x\nstreams:\n"
                                   "  - name: rules\n    engine:\n      command: [sleep, \"1\"]\n";
        char folder[64], path[80];
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/agent.yaml", folder);
        CHECK(file_write(path, text, sizeof(text) - 1, NULL) == OK);
        OWN(agent_config) struct agent_config *first = NULL;
        CHECK(agent_config_open(path, &first, NULL) == OK);
        SWEEP_MEMORY {
                OWN(agent_config) struct agent_config *config = NULL;
                enum err e = agent_config_open(path, &config, NULL);
                CHECK(e == OK || (e == ERR_NOMEM && !config));
        }
        file_remove_tree(folder);
}

TEST(refresh_open, survives_a_lack_of_memory)
{
        SWEEP_MEMORY {
                OWN(refresh) struct refresh *refresh = NULL;
                enum err e = refresh_open(NULL, &refresh, NULL);
                CHECK(e == OK || (e == ERR_NOMEM && !refresh));
        }
}

TEST(caller_new, survives_a_lack_of_memory)
{
        const struct identity identity = { .is_enrolled = true };
        SWEEP_MEMORY {
                struct caller *caller = NULL;
                enum err e = caller_new(&(struct caller_setup){ .identity = &identity }, &caller, NULL);
                CHECK(e == OK || (e == ERR_NOMEM && !caller));
                caller_free(caller);
        }
}
