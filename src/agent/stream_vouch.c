/* The candidate between its note and its files: who else has a say in it (vouch.h). */
#include "agent/spool.h"
#include "agent/stream.h"

#include <string.h>

static const char spool_name[] = "vouch", spool_path[] = "spool/vouch";

/* What is known of the candidate, and who is to be heard about it. */
struct hearing {
        struct ceiling pace;
        struct install_facts facts;
        struct vouch_of of;
};

static void hear(const struct stream *stream, struct hearing *hearing)
{
        const struct agent *agent = stream->agent;
        hearing->facts = candidate_facts(stream, &hearing->pace);
        hearing->of = (struct vouch_of){ anchors_publisher(agent->anchors), agent->config->approvers, agent->config->approved_by.count, &hearing->facts };
}

void vouching_begin(struct stream *stream)
{
        struct hearing hearing;
        hear(stream, &hearing);
        vouch_begin(&stream->vouch, &hearing.of);
}

/* Later, and with newer anchors if those do not know who signed. A customer's key is in none. */
static void put_off(struct stream *stream, enum vouch_step step, enum err e, const char *text)
{
        if (step != VOUCH_CUSTOMER)
                candidate_look_for_keys(stream, e);
        stream_event(stream, LIFE_FAILED, text);
}

static void arrived(struct stream *stream, const struct hearing *hearing, enum vouch_step step)
{
        struct disk *disk = stream->agent->disk;
        struct why why;
        OWN(buf) struct buf bytes;
        buf_init(&bytes, VOUCH_BYTES_MAX);
        enum err e = disk->ops->read(disk, spool_path, &bytes, &why);
        if (!e)
                e = vouch_take(&stream->vouch, &hearing->of, step, &bytes, &why);
        if (e && vouch_next(&stream->vouch, &hearing->of) == step)
                put_off(stream, step, e, why.text);
        else if (e) {                                /* it can do without */
                candidate_look_for_keys(stream, e);
                agent_note(stream->agent, EVENT_METADATA_REFUSED, stream, why.text);
        }
}

static void fetched(void *user, enum err e, const struct fetch_answer *answer)
{
        struct stream *stream = user;
        struct hearing hearing;
        struct why why;
        char text[SLOT_DETAIL_BYTES];
        stream->is_calling = false;
        hear(stream, &hearing);
        const enum vouch_step step = vouch_next(&stream->vouch, &hearing.of);
        if (!e && answer->status == 200) {
                arrived(stream, &hearing, step);
        } else if (!e && answer->status == 404) {
                e = vouch_lacks(&stream->vouch, &hearing.of, step, &why);
                if (e)
                        put_off(stream, step, e, why.text);
        } else {
                snprintf(text, sizeof(text), "fetching: %.80s", candidate_reason(answer));
                put_off(stream, step, OK, text);
        }
}

static void get(struct stream *stream, const struct hearing *hearing, enum vouch_step step)
{
        char path[FETCH_PATH_BYTES];
        struct why why;
        vouch_path(&stream->vouch, &hearing->of, step, path);
        if (spool_remove(stream->agent->disk, spool_name, &why))
                agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, why.text);
        stream->is_calling = true;
        caller_get(stream->agent->caller, &(struct caller_get){ path, spool_name, VOUCH_BYTES_MAX, false }, fetched, stream);
}

bool vouching_call(struct stream *stream)
{
        struct hearing hearing;
        struct why why;
        hear(stream, &hearing);
        const enum vouch_step step = vouch_next(&stream->vouch, &hearing.of);
        if (step != VOUCH_DONE) {
                get(stream, &hearing, step);
                return true;
        }
        if (hearing.facts.pace && install_candidate(&hearing.facts, &why))
                put_off(stream, step, OK, why.text);
        return false;
}
