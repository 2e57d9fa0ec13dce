/* What is only opened in a running agent: none of it keeps anything when memory runs out. */
#include "agent/caller.h"
#include "agent/judge.h"
#include "agent/refresh.h"

#include "platform/file.h"
#include "support/sweep.h"
#include "trust/anchor.h"
#include "trust/keys.h"

static void write_anchor(const char *path)
{
        OWN(buf) struct buf text;
        const struct anchor anchor = { .version = 1, .root_threshold = 1, .root_count = 1, .root = { test_vkey("root", 1) }, .content_threshold = 1, .content_count = 1,
                                       .content = { test_vkey("content", 2) }, .director = test_vkey("director", 5), .lab_count = 1, .lab = { test_vkey("lab", 6) } };
        buf_init(&text, LIMIT_METADATA_BYTES);
        CHECK(anchor_write(&anchor, &text, NULL) == OK);
        test_sign(&text, "root", 1);
        CHECK(file_write(path, text.bytes, text.length, NULL) == OK);
}

TEST(judge_open, survives_a_lack_of_memory)
{
        char folder[64], path[80];
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/anchor", folder);
        write_anchor(path);
        OWN(judge) struct judge *first = NULL;
        CHECK(judge_open(path, &first, NULL) == OK);
        SWEEP_MEMORY {
                OWN(judge) struct judge *judge = NULL;
                enum err e = judge_open(path, &judge, NULL);
                CHECK(e == OK || (e == ERR_NOMEM && !judge));
        }
        file_remove_tree(folder);
}

TEST(agent_config_open, survives_a_lack_of_memory)
{
        static const char text[] = "server: https://a\nstate_dir: /s\nanchor: /a\nrelease_root: /r\ndirector_root: /d\nattributes: os=x\nstreams:\n"
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
