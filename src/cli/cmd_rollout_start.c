#include "cli/facts.h"
#include "cli/policy.h"
#include "cli/release_id.h"
#include "format/json.h"

#include <string.h>

/* Two different people and a reason, or nothing of it. */
static enum err set_override(struct json *body, const struct args *args, struct why *why)
{
        const struct arg *people = &args->of[OPTION_OVERRIDE_BY];
        if (!people->count)
                return arg_has(args, OPTION_REASON) ? FAIL(why, ERR_USAGE, "--reason goes with --override-by") : OK;
        if (people->count != 2 || strcmp(people->texts[0], people->texts[1]) == 0)
                return FAIL(why, ERR_USAGE, "an override needs two different people: --override-by NAME --override-by NAME");
        if (!arg_has(args, OPTION_REASON))
                return FAIL(why, ERR_USAGE, "an override needs --reason TEXT; it is recorded");
        struct json *override = json_new_object(), *names = json_new_array();
        json_add(names, json_new_text(people->texts[0]));
        json_add(names, json_new_text(people->texts[1]));
        json_set(override, "people", names);
        json_set_text(override, "reason", arg_text(args, OPTION_REASON, ""));
        json_set(body, "override", override);
        return OK;
}

enum err cmd_rollout_start(struct cli *cli, struct why *why)
{
        OWN(api) struct api *api = NULL;
        OWN(json) struct json *body = json_new_object(), *policy = NULL, *rollout = NULL;
        struct release_id id;
        enum err e = release_id_parse(cli->args->words[0], &id, why);
        if (!e)
                e = policy_read(cli->args, &policy, why);
        if (e)
                return e;
        json_set_text(body, "stream", id.stream);
        json_set_int(body, "counter", id.counter);
        json_set(body, "policy", GIVE(policy));
        e = set_override(body, cli->args, why);
        if (!e)
                e = api_open(cli, &api, why);
        if (!e)
                e = api_ask(api, "/rollouts", &(struct api_call){ .method = "POST", .body = body }, &rollout, why);
        return e ? e : facts_rollout(cli, rollout, why);
}
