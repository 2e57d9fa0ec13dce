/* The engine's own word over HTTP: with the network, and nothing to write. */
#include "agent/probe_kinds.h"
#include "base/limits.h"
#include "base/text.h"
#include "platform/confine.h"
#include "platform/net.h"

#include <string.h>

/* The child speaks before it is killed for its silence. */
static uint32_t time_left_ms(const struct agent_probe *probe)
{
        return (uint32_t)(probe->timeout_ms - probe->timeout_ms / 10);
}

/* Without method and address, which are said already. */
static const char *reason(const char *text)
{
        const char *colon = strncmp(text, "GET ", 4) == 0 ? strstr(text, ": ") : NULL;
        return colon ? colon + 2 : text;
}

static bool is_wanted_status(const struct agent_probe *probe, int status)
{
        return probe->status ? status == probe->status : status >= 200 && status < 300;
}

static enum err judge(const struct agent_probe *probe, int status, const struct buf *body, struct why *why)
{
        if (!is_wanted_status(probe, status))
                return FAIL(why, ERR_CONTENT, "%d from %s", status, probe->http);
        if (probe->contains && !text_has(buf_text(body), body->length, probe->contains))
                return FAIL(why, ERR_CONTENT, "%d from %s, without `%s`", status, probe->http, probe->contains);
        return OK;
}

enum err probe_look_http(const struct probe_task *task, struct why *why)
{
        const struct agent_probe *probe = task->probe;
        const struct net_config config = {
                .ca_file = probe->ca, .agent = "firebreak-agent/" FIREBREAK_VERSION, .is_plain_allowed = true, .is_direct = true,
                .connect_ms = time_left_ms(probe),
        };
        OWN(net) struct net *net = NULL;
        OWN(buf) struct buf body;
        buf_init(&body, LIMIT_PROBE_BODY_BYTES);
        /* A kernel that cannot is no reason not to look. */
        (void)!confine_to_network(NULL, probe->ca, NULL, why);
        enum err e = net_open(&config, &net, why);
        if (e)
                return e;
        const struct net_request request = { .method = "GET", .url = probe->http, .total_ms = time_left_ms(probe) };
        struct net_response response = { .body = &body };
        e = net->ops->exchange(net, &request, &response, why);
        if (e == ERR_LIMIT)              /* what fits is looked at */
                e = OK;
        if (!e)
                return judge(probe, response.status, &body, why);
        const struct why said = *why;
        return FAIL(why, ERR_CONTENT, "no answer from %s: %s", probe->http, reason(said.text));
}
