/* The candidate between its note and its files: who else has a say in it (vouch.h). */
#include "agent/spool.h"
#include "agent/stream.h"

#include <string.h>

static const char spool_name[] = "vouch", spool_path[] = "spool/vouch";

static struct vouch_of vouch_of(const struct stream *stream, const struct install_facts *facts)
{
        const struct agent *agent = stream->agent;
        return (struct vouch_of){ anchors_publisher(agent->anchors), agent->config->approvers, agent->config->approved_by.count, facts };
}

void vouching_apply(const struct stream *stream, struct ceiling *ret_pace, struct install_facts *facts)
{
        const struct vouch_of of = vouch_of(stream, facts);
        vouch_apply(&stream->vouch, &of, ret_pace, facts);
}

/* What is known of the candidate, and who has a say in it. */
struct view {
        struct ceiling pace;
        struct install_facts facts;
        struct vouch_of of;
};

static void look(const struct stream *stream, struct view *view)
{
        view->facts = candidate_facts(stream, &view->pace);
        view->of = vouch_of(stream, &view->facts);
}

void vouching_begin(struct stream *stream)
{
        struct view view;
        look(stream, &view);
        vouch_begin(&stream->vouch, &view.of);
}

/* Later, and with newer anchors if those do not know who signed. A customer's key is in none. */
static void put_off(struct stream *stream, enum vouch_step step, enum err e, const char *text)
{
        if (step != VOUCH_CUSTOMER)
                candidate_look_for_keys(stream, e);
        stream_event(stream, LIFE_FAILED, text);
}

static void arrived(struct stream *stream, const struct view *view, enum vouch_step step)
{
        struct disk *disk = stream->agent->disk;
        struct why why;
        OWN(buf) struct buf bytes;
        buf_init(&bytes, VOUCH_BYTES_MAX);
        enum err e = disk->ops->read(disk, spool_path, &bytes, &why);
        if (!e)
                e = vouch_take(&stream->vouch, &view->of, step, &bytes, &why);
        if (e && vouch_next(&stream->vouch, &view->of) == step)
                put_off(stream, step, e, why.text);
        else if (e) {                                /* it can do without */
                candidate_look_for_keys(stream, e);
                agent_note(stream->agent, EVENT_METADATA_REFUSED, stream, why.text);
        }
}

static void fetched(void *user, enum err e, const struct fetch_answer *answer)
{
        struct stream *stream = user;
        struct view view;
        struct why why;
        char text[SLOT_DETAIL_BYTES];
        stream->is_calling = false;
        look(stream, &view);
        const enum vouch_step step = vouch_next(&stream->vouch, &view.of);
        if (!e && answer->status == 200) {
                arrived(stream, &view, step);
        } else if (!e && answer->status == 404) {
                e = vouch_lacks(&stream->vouch, &view.of, step, &why);
                if (e)
                        put_off(stream, step, e, why.text);
        } else {
                snprintf(text, sizeof(text), "fetching: %.80s", fetch_reason(answer));
                put_off(stream, step, OK, text);
        }
}

static void get(struct stream *stream, const struct view *view, enum vouch_step step)
{
        char path[FETCH_PATH_BYTES];
        struct why why;
        vouch_path(&stream->vouch, &view->of, step, path);
        if (spool_remove(stream->agent->disk, spool_name, &why))
                agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, why.text);
        stream->is_calling = true;
        caller_get(stream->agent->caller, &(struct caller_get){ path, spool_name, VOUCH_BYTES_MAX, false }, fetched, stream);
}

bool vouching_call(struct stream *stream)
{
        struct view view;
        struct why why;
        look(stream, &view);
        const enum vouch_step step = vouch_next(&stream->vouch, &view.of);
        if (step != VOUCH_DONE) {
                get(stream, &view, step);
                return true;
        }
        if (view.facts.pace && install_candidate(&view.facts, &why))
                put_off(stream, step, OK, why.text);
        return false;
}
