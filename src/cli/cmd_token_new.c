#include "cli/facts.h"
#include "format/json.h"

enum err cmd_token_new(struct cli *cli, struct why *why)
{
        OWN(api) struct api *api = NULL;
        OWN(json) struct json *body = json_new_object(), *answer = NULL;
        OWN(buf) struct buf text;
        buf_init(&text, 4096);
        json_set_text(body, "group", arg_text(cli->args, OPTION_GROUP, "default"));
        json_set_int(body, "uses", arg_int(cli->args, OPTION_USES, 1));
        json_set_int(body, "expires_s", arg_int(cli->args, OPTION_EXPIRES, 3600));
        enum err e = api_open(cli, &api, why);
        if (!e)
                e = api_ask(api, "/tokens", &(struct api_call){ .method = "POST", .body = body }, &answer, why);
        if (e)
                return e;
        if (arg_has(cli->args, OPTION_JSON))
                return print_json(cli, answer, why);
        print_clean(&text, json_text(json_get(answer, "token")));
        buf_add_text(&text, "\n");
        return print_buf(cli, &text, why);
}
