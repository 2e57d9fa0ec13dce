/* hold, resume, halt, withdraw, cancel, override: one road, six words. */
#include "cli/facts.h"
#include "cli/release_id.h"
#include "format/json.h"

#include <string.h>

static enum err act(struct cli *cli, const char *action, struct why *why)
{
        OWN(api) struct api *api = NULL;
        OWN(json) struct json *body = json_new_object(), *rollout = NULL;
        struct release_id id;
        char path[160], suffix[32];
        enum err e = release_id_parse(cli->args->words[0], &id, why);
        if (e)
                return e;
        snprintf(suffix, sizeof(suffix), "/%s", action);
        release_id_path(&id, "/rollouts", suffix, path);
        json_set_text(body, "who", cli_who(cli->args));
        /* None is asked for: whoever stops a rollout at night must not be asked questions. */
        json_set_text(body, "reason", arg_text(cli->args, OPTION_REASON, "no reason given"));
        if (arg_has(cli->args, OPTION_SECOND))
                json_set_text(body, "second", arg_text(cli->args, OPTION_SECOND, ""));
        if (arg_has(cli->args, OPTION_AT_ONCE) || arg_has(cli->args, OPTION_PACE))
                json_set_int(body, "rollback_s", arg_int(cli->args, OPTION_PACE, 0));
        e = api_open(cli, &api, why);
        if (!e)
                e = api_ask(api, path, &(struct api_call){ .method = "POST", .body = body }, &rollout, why);
        return e ? e : facts_rollout(cli, rollout, why);
}

enum err cmd_rollout_hold(struct cli *cli, struct why *why)
{
        return act(cli, "hold", why);
}

enum err cmd_rollout_resume(struct cli *cli, struct why *why)
{
        return act(cli, "resume", why);
}

enum err cmd_rollout_halt(struct cli *cli, struct why *why)
{
        return act(cli, "halt", why);
}

enum err cmd_rollout_withdraw(struct cli *cli, struct why *why)
{
        if (arg_has(cli->args, OPTION_AT_ONCE) && arg_has(cli->args, OPTION_PACE))
                return FAIL(why, ERR_USAGE, "either --at-once or --rollback TIME");
        return act(cli, "withdraw", why);
}

enum err cmd_rollout_cancel(struct cli *cli, struct why *why)
{
        return act(cli, "cancel", why);
}

enum err cmd_rollout_override(struct cli *cli, struct why *why)
{
        const struct args *args = cli->args;
        if (!arg_has(args, OPTION_SECOND) || strcmp(arg_text(args, OPTION_SECOND, ""), cli_who(args)) == 0)
                return FAIL(why, ERR_USAGE, "an override needs two different people: --who NAME --second NAME");
        if (!arg_has(args, OPTION_REASON))
                return FAIL(why, ERR_USAGE, "an override needs --reason TEXT; it is recorded");
        return act(cli, "override", why);
}
