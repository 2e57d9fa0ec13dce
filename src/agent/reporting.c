#include "agent/reporting.h"

#include "agent/report.h"

enum { REPORT_RETRY_MS = 2000 };

/* Later and later: a server that is there and says no is not asked by a whole fleet every two seconds. */
static void report_later(struct agent *agent)
{
        int64_t pause = agent->report_pause_ms ? 2 * agent->report_pause_ms : REPORT_RETRY_MS;
        agent->report_pause_ms = pause < agent->config->poll_ms_max ? pause : agent->config->poll_ms_max;
        agent->report_at_ms = agent_steady_ms(agent) + agent_jitter_ms(agent, agent->report_pause_ms);
}

static void report_done(void *user, enum err e, const struct fetch_answer *answer)
{
        struct agent *agent = user;
        struct why why;
        const struct slot_report *first = slots_report(agent->slots);
        agent->report_at_ms = 0;
        if (e || answer->status != 200)
                agent_note(agent, EVENT_SERVER_AWAY, NULL, answer ? answer->text : "the fetcher ended");
        /* A report that the server will never take must not hold up the others for ever: 400 says that it is malformed. */
        bool is_answered = !e && first && (answer->status == 200 || answer->status == 400);
        enum err unsaved = is_answered ? slots_acknowledge(agent->slots, first->seq, &why) : OK;
        if (unsaved)
                agent_note(agent, EVENT_DEVICE_TROUBLE, NULL, why.text);
        if (!is_answered || unsaved)
                report_later(agent);
        else
                agent->report_pause_ms = 0;
}

bool reporting_call(struct agent *agent, int64_t now_ms)
{
        if (!slots_report(agent->slots) || now_ms < agent->report_at_ms)
                return false;
        OWN(buf) struct buf body;
        buf_init(&body, LIMIT_DEVICE_REQUEST_BYTES - 1);
        report_write(slots_report(agent->slots), &body);
        caller_post(agent->caller, &(struct caller_post){ "/v1/report", buf_text(&body), FETCH_ACK, true }, report_done, agent);
        return true;
}
