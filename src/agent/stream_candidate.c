/* The candidate: from the offer until a lease is granted. Nothing here touches what runs. */
#include "agent/content.h"
#include "agent/judge.h"
#include "agent/refresh.h"
#include "agent/spool.h"
#include "agent/stream.h"
#include "format/hex.h"
#include "wire/device.h"

#include <string.h>

enum {
        PREFLIGHT_SPARE_MS = 5000,
        LEASE_RETRY_MAX_MS = 600000, LEASE_REFUSED_MS = 10000,
};

static void refuse(struct stream *stream, enum slot_outcome as, const char *text)
{
        stream->refusal = as;
        stream_event(stream, LIFE_UNFIT, text);
}

void candidate_drop(struct stream *stream)
{
        unpack_close(stream->unpack);
        stream->unpack = NULL;
        reusing_end(stream);
        patching_end(stream);
        probe_kill(&stream->probing.probe);
        preflight_kill(&stream->preflight);
        release_note_free(stream->note);
        stream->note = NULL;
        stream->next_file = 0;
        caller_forget(stream->agent->caller, stream);
        stream->is_calling = false;
}

struct install_facts candidate_facts(const struct stream *stream, struct ceiling *ret_pace)
{
        const struct agent *agent = stream->agent;
        struct install_facts facts = {
                .device = agent->device, .stream = stream->config->name, .platform = agent->config->platform, .ring = agent->config->ring,
                .floor = slots_stream(agent->slots, stream->index)->floor, .now = agent_time_s(agent), .note = stream->note,
                .target = stream->release.target, .nonce = stream->release.nonce,
        };
        vouching_apply(stream, ret_pace, &facts);
        return facts;
}

void candidate_fetch(struct stream *stream)
{
        stream->next_file = 0;
        reusing_end(stream);
        release_note_free(stream->note);
        stream->note = NULL;
        patching_begin(stream);
        vouching_begin(stream);
}

static bool is_spool_ours(const struct stream *stream)
{
        const struct agent *agent = stream->agent;
        for (size_t i = 0; i < agent->stream_count; i++)
                if (i != stream->index && agent->streams[i].life > LIFE_IDLE && agent->streams[i].life < LIFE_ARMED)
                        return false;
        return true;
}

void candidate_tidy(const struct stream *stream)
{
        struct why why;
        const struct spool_needs needs = { stream->note, stream->release.target, patching_needs(stream) };
        if (is_spool_ours(stream) && !(stream->note && patching_is_open(stream)) && spool_sweep(stream->agent->disk, stream->note ? &needs : NULL, &why))
                agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, why.text);
}

enum err candidate_take_note(struct stream *stream, struct why *why)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        struct disk *disk = stream->agent->disk;
        enum err e = disk->ops->read(disk, spool_artifact(stream->release.target).text, &bytes, why);
        struct ceiling pace;
        struct install_facts known = candidate_facts(stream, &pace);
        known.pace = NULL;                           /* whether that is lifted is yet to be asked: stream_vouch.c */
        if (e == ERR_LIMIT)                          /* whoever made the file longer: it is damage, and no fault of the release */
                e = DURING(why, ERR_IO, "the release note");
        if (!e)
                e = judge_candidate(anchors_publisher(stream->agent->anchors), &(struct judge_offer){ known, stream->release.counter, stream->config->engine.is_self }, &bytes, &stream->note, why);
        if (e)
                return e;
        stream->release.floor = stream->note->floor;
        candidate_tidy(stream);
        reusing_begin(stream);
        return OK;
}

void candidate_look_for_keys(const struct stream *stream, enum err e)
{
        if (e == ERR_UNTRUSTED)
                refresh_want_anchors(stream->agent->refresh);
}

/* A release that is malformed or below the floor stays so. No room, not our turn yet, other bytes than asked for, or keys that we do
 * not know (yet): later. */
static void note_arrived(struct stream *stream)
{
        struct why why;
        enum err e = candidate_take_note(stream, &why);
        if (!e)
                return;
        candidate_look_for_keys(stream, e);
        if (e == ERR_SYNTAX || e == ERR_LIMIT || e == ERR_ROLLBACK)
                refuse(stream, SLOT_DECLINED, why.text);
        else
                stream_event(stream, LIFE_FAILED, why.text);
}

/* Others need the room more than we do; what was there has to be fetched again. */
static void give_room_back(const struct stream *stream)
{
        struct disk *disk = stream->agent->disk;
        struct why why;
        enum err e = is_spool_ours(stream) ? spool_sweep(disk, NULL, &why) : OK;
        if (!e && stream->life == LIFE_UNPACKING) {
                struct content_path slot = content_slot(stream->config->name, stream->slot);
                e = disk->ops->remove_tree(disk, slot.text, &why);
                if (!e)
                        e = disk->ops->make_folder(disk, slot.text, &why);
        }
        if (e)
                agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, why.text);
}

/* Of what is fetched next: the note, then each of its files. */
static const uint8_t *wanted_digest(const struct stream *stream)
{
        return stream->note ? stream->note->files[stream->next_file].sha256 : stream->release.target;
}

static void make_room_for(const struct stream *stream, enum err e)
{
        char hex[65];
        struct why why;
        if (e == ERR_FULL)
                give_room_back(stream);
        hex_encode(wanted_digest(stream), 32, hex);
        if (e == ERR_REFUSED && spool_remove(stream->agent->disk, hex, &why))
                agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, why.text);
}

static void fetch_done(void *user, enum err e, const struct fetch_answer *answer)
{
        struct stream *stream = user;
        stream->is_calling = false;
        /* Cut in the middle of a file is no failure: the next ask resumes. */
        if (e == ERR_TIMEOUT && stream->note && answer && answer->spool_length)
                return;
        if (e || (answer->status != 200 && answer->status != 206)) {
                char text[SLOT_DETAIL_BYTES];
                make_room_for(stream, e);
                snprintf(text, sizeof(text), "fetching: %.80s", fetch_reason(answer));
                stream_event(stream, LIFE_FAILED, text);
                return;
        }
        if (!stream->note)
                note_arrived(stream);
        else
                stream->next_file++;
}

static void get(struct stream *stream, const char *path, const char *name, uint64_t bytes_max)
{
        struct why why;
        if (spool_make_way(stream->agent->disk, name, &why))
                agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, why.text);
        stream->is_calling = true;
        caller_get(stream->agent->caller, &(struct caller_get){ path, name, bytes_max, stream->note != NULL }, fetch_done, stream);
}

static void get_artifact(struct stream *stream, const struct release_file *file)
{
        char path[FETCH_PATH_BYTES], hex[65];
        hex_encode(file->sha256, sizeof(file->sha256), hex);
        snprintf(path, sizeof(path), "/v1/artifacts/%s", hex);
        get(stream, path, hex, file->length);
}

/* Its text has a length and a digest; who signed it, and how many, may differ from time to time. So it is never resumed. */
static void get_note(struct stream *stream)
{
        char path[FETCH_PATH_BYTES], hex[65];
        const uint64_t text_length = stream->offer.note_length;
        const bool is_told = text_length && text_length <= LIMIT_NOTE_BYTES - NOTE_SIGNATURES_BYTES_MAX;
        hex_encode(stream->release.target, sizeof(stream->release.target), hex);
        snprintf(path, sizeof(path), "/v1/notes/%s", hex);
        get(stream, path, hex, is_told ? text_length + NOTE_SIGNATURES_BYTES_MAX : LIMIT_NOTE_BYTES);
}

static bool fetch_call(struct stream *stream)
{
        if (patching_call(stream))
                return true;
        if (patching_works(stream) || patching_needs(stream))
                return false;
        if (!stream->note) {
                get_note(stream);
                return true;
        }
        if (vouching_call(stream))
                return true;
        if (stream->life != LIFE_FETCHING || !stream->is_looked)
                return false;
        while (stream->next_file < stream->note->file_count && reusing_brings(stream, stream->next_file))
                stream->next_file++;
        if (stream->next_file < stream->note->file_count) {
                stream->fetch_at_ms = caller_ready_ms(stream->agent->caller, stream->note->files[stream->next_file].length);
                if (stream->fetch_at_ms > agent_steady_ms(stream->agent))
                        return false;
                get_artifact(stream, &stream->note->files[stream->next_file]);
                return true;
        }
        agent_note_sources(stream->agent);
        stream_event(stream, LIFE_FETCHED, "");
        return false;
}

static void drop_spool(struct stream *stream)
{
        struct disk *disk = stream->agent->disk;
        struct why why;
        enum err e = OK;
        for (size_t i = 0; !e && i < stream->note->file_count; i++)
                e = disk->ops->remove_tree(disk, spool_artifact(stream->note->files[i].sha256).text, &why);
        if (e)
                agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, why.text);
}

static struct unpack_file note_file(const void *user, size_t index)
{
        const struct stream *stream = user;
        const struct release_file *file = &stream->note->files[index];
        struct unpack_file wanted = { .length = file->length, .is_program = file->is_program, .path = file->path, .held = reusing_path(stream, index) };
        memcpy(wanted.sha256, file->sha256, sizeof(wanted.sha256));
        return wanted;
}

void candidate_unpack(struct stream *stream)
{
        struct agent *agent = stream->agent;
        struct why why;
        /* What is here is known for the slot that was to be emptied then; meanwhile another may have failed. */
        enum err e = stream->reuse && slots_next(agent->slots, stream->index) != reuse_next(stream->reuse) ? FAIL(&why, ERR_BUSY, "the slots have changed places") : OK;
        if (!e)
                e = slots_clear(agent->slots, stream->index, &stream->slot, &why);
        struct content_path into = content_slot(stream->config->name, stream->slot);
        if (!e)
                e = unpack_open(&(struct unpack_job){ agent->disk, note_file, stream, stream->note->file_count, into.text, stream->syncs_alone }, &stream->unpack, &why);
        if (!e)
                e = recheck_keep(agent->disk, stream->config->name, stream->slot, stream->note, &why);
        if (e)
                stream_event(stream, LIFE_FAILED, why.text);
}

static void unpack_tick(struct stream *stream)
{
        bool is_done = false;
        struct why why;
        enum err e = unpack_step(stream->unpack, &is_done, &why);
        if (!e && is_done) {
                e = slots_staged(stream->agent->slots, stream->index, stream->slot, &stream->release, &why);
                unpack_close(stream->unpack);
                stream->unpack = NULL;
        }
        if (e && stream->unpack)
                stream->syncs_alone |= unpack_system_failed(stream->unpack);
        /* Bytes that are not what the note says came from the network, the spool or this disk, not from the release: fetch again. */
        size_t file;
        if (e == ERR_CONTENT && stream->unpack && unpack_was_held(stream->unpack, &file))
                reusing_doubt(stream, file);
        else if (e == ERR_CONTENT)
                drop_spool(stream);
        if (e == ERR_FULL) {
                unpack_close(stream->unpack);
                stream->unpack = NULL;
                give_room_back(stream);
        }
        if (e)
                stream_event(stream, LIFE_FAILED, why.text);
        else if (is_done)
                stream_event(stream, LIFE_UNPACKED, "");
}

void candidate_preflight(struct stream *stream)
{
        if (!stream->config->preflight.count) {
                stream_event(stream, LIFE_PASSED, "no preflight command");
                return;
        }
        struct why why;
        const struct agent *agent = stream->agent;
        const struct preflight_of of = { agent->config_path, agent->config_path, stream->config->name, agent->config_copy, stream->slot, workers_user(&agent->workers, WORKER_PREFLIGHT) };
        enum err e = preflight_start(&of, &stream->preflight, &why);
        /* It keeps its own time; this is for the case that it does not. */
        stream->helper_until_ms = agent_steady_ms(stream->agent) + stream->config->preflight_ms + PREFLIGHT_SPARE_MS;
        if (e)
                stream_event(stream, LIFE_FAILED, why.text);
}

/* This moment's fault, or so it seems: three times are enough. */
static bool is_late_again(struct stream *stream)
{
        enum { LATE_MAX = 3 };
        if (stream->late_release != stream->release.counter)
                stream->late_count = 0;
        stream->late_release = stream->release.counter;
        return ++stream->late_count >= LATE_MAX;
}

static void preflight_tick(struct stream *stream, int64_t now_ms)
{
        enum err verdict;
        char text[PREFLIGHT_TEXT_BYTES];
        if (preflight_ended(&stream->preflight, &verdict, text)) {
                if (verdict == ERR_CONTENT || (verdict == ERR_BUSY && is_late_again(stream)))
                        refuse(stream, SLOT_PREFLIGHT_FAILED, text);
                else
                        stream_event(stream, verdict ? LIFE_FAILED : LIFE_PASSED, text);
        } else if (now_ms >= stream->helper_until_ms) {
                preflight_kill(&stream->preflight);
                stream_event(stream, LIFE_FAILED, "the preflight did not end");
        }
}

static enum err open_lease(const struct stream *stream, const char *text, struct lease *ret_lease, struct why *why)
{
        const struct slot_stream *now = slots_stream(stream->agent->slots, stream->index);
        const struct slot_release *running = slots_in(stream->agent->slots, stream->index, (enum slot_id)now->current);
        struct ceiling pace;
        const struct judge_question question = { candidate_facts(stream, &pace), running->counter, running->target };
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LIMIT_DEVICE_REQUEST_BYTES);
        buf_add_text(&bytes, text);
        enum err e = buf_check(&bytes, why);
        return e ? e : judge_lease(anchors_director(stream->agent->anchors), &question, &bytes, ret_lease, why);
}

static void granted(struct stream *stream, const struct fetch_answer *answer)
{
        struct lease lease;
        struct why why;
        enum err e = open_lease(stream, answer->text, &lease, &why);
        if (e) {
                candidate_look_for_keys(stream, e);
                stream_event(stream, LIFE_FAILED, why.text);
                return;
        }
        const struct slot_stream *now = slots_stream(stream->agent->slots, stream->index);
        stream->trial = (struct slot_trial){
                .granted = lease.granted, .deadline = lease.deadline, .started = agent_time_s(stream->agent), .bake_s = (uint64_t)lease.bake_s,
                .lease = lease.is_shadow ? SLOT_LEASE_SHADOW : SLOT_LEASE_EXPOSURE,
                .slot = lease.is_shadow ? now->current : (uint8_t)stream->slot, .boot = stream->agent->boot,
                .crashes_max = (uint8_t)stream->config->crashes_max, .boots_max = (uint8_t)stream->config->boots_max,
        };
        memcpy(stream->trial.nonce, stream->release.nonce, sizeof(stream->trial.nonce));
        stream_event(stream, lease.is_shadow ? LIFE_SHADOWED : LIFE_GRANTED, "");
}

static int64_t retry_ms(const struct stream *stream, int64_t wanted_ms)
{
        int64_t pause = wanted_ms < 50 ? 50 : wanted_ms > LEASE_RETRY_MAX_MS ? LEASE_RETRY_MAX_MS : wanted_ms;
        return agent_jitter_ms(stream->agent, pause);
}

/* What the server refused under one nonce, it may grant under another, later. That one is on disk before it is asked under: whoever starts
 * after us must find the lease that was granted. Each refusal is a write, so they come less and less often. */
static void refused(struct stream *stream, int64_t now_ms)
{
        struct random_source *random = stream->agent->random;
        struct slot_release next = stream->release;
        struct why why;
        random->ops->fill(random, next.nonce, sizeof(next.nonce));
        enum err e = slots_renew(stream->agent->slots, stream->index, stream->slot, next.nonce, &why);
        if (e)
                agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, why.text);
        else
                stream->release = next;
        const int64_t pause_ms = stream->refused_pause_ms ? stream->refused_pause_ms * 2 : LEASE_REFUSED_MS;
        stream->refused_pause_ms = pause_ms < LEASE_RETRY_MAX_MS ? pause_ms : LEASE_RETRY_MAX_MS;
        stream->ask_at_ms = now_ms + retry_ms(stream, stream->refused_pause_ms);
}

/* Perhaps because we are kept on an older release, which is then looked for in the metadata. */
static void told_to_wait(struct stream *stream, const struct fetch_answer *answer, int64_t now_ms)
{
        stream->ask_at_ms = now_ms + retry_ms(stream, answer->retry_ms);
        stream->refused_pause_ms = 0;
        if (!answer->counter || answer->counter == stream->wanted)
                return;
        stream->wanted = answer->counter;
        refresh_want(stream->agent->refresh);
}

static void lease_done(void *user, enum err e, const struct fetch_answer *answer)
{
        struct stream *stream = user;
        int64_t now_ms = agent_steady_ms(stream->agent);
        stream->is_calling = false;
        if (stream->life != LIFE_WAITING)
                return;
        /* Nothing else tells that no lease is there: one that was granted unheard is as open as before. */
        if (!e && (answer->status == 202 || answer->status == 409))
                stream->holding.is_unsure = false;
        if (!e && answer->status == 200)
                granted(stream, answer);
        else if (!e && answer->status == 202)
                told_to_wait(stream, answer, now_ms);
        else if (e || answer->status >= 500 || fetch_is_refused(answer->status))
                stream->ask_at_ms = agent_again_ms(stream->agent);
        else if (answer->status == 409)
                refused(stream, now_ms);
        else
                stream->ask_at_ms = now_ms + retry_ms(stream, LEASE_REFUSED_MS);
        if (!e && answer->status >= 400)
                agent_note(stream->agent, EVENT_LEASE_REFUSED, stream, answer->text);
}

/* But for the pause between two asks. */
static bool may_ask(const struct stream *stream)
{
        const struct agent *agent = stream->agent;
        const struct offer *offer = &stream->offer;
        return !holding_holds(stream) && offer_is_open(offer, agent_time_s(agent)) && agent_may_ask(agent) && !stream->load_by_ms && !stream->settles_by_ms && engine_is_alive(&stream->engine);
}

static bool lease_call(struct stream *stream, int64_t now_ms)
{
        const struct agent *agent = stream->agent;
        if (now_ms < stream->ask_at_ms || !may_ask(stream) || !probing_is_ready(stream, now_ms))
                return false;
        const struct slot_stream *now = slots_stream(agent->slots, stream->index);
        struct wire_lease_request request = {
                .counter = (int64_t)stream->release.counter,
                .running = (int64_t)slots_in(agent->slots, stream->index, (enum slot_id)now->current)->counter,
        };
        snprintf(request.stream, sizeof(request.stream), "%s", stream->config->name);
        hex_encode(stream->release.target, 32, request.target);
        hex_encode(stream->release.nonce, 16, request.nonce);
        OWN(buf) struct buf body;
        buf_init(&body, LIMIT_DEVICE_REQUEST_BYTES - 1);
        wire_lease_request_write(&request, &body);
        stream->is_calling = stream->holding.is_unsure = true;
        caller_post(agent->caller, &(struct caller_post){ "/v1/lease", buf_text(&body), FETCH_LEASE, true }, lease_done, stream);
        return true;
}

bool candidate_call(struct stream *stream, int64_t now_ms)
{
        if (stream->is_calling)
                return false;
        if (holding_call(stream, now_ms))
                return true;
        if (stream->life == LIFE_FETCHING)
                return !holding_holds(stream) && fetch_call(stream);
        return stream->life == LIFE_WAITING && lease_call(stream, now_ms);
}

void candidate_tick(struct stream *stream, int64_t now_ms)
{
        if (reusing_looks(stream))
                reusing_tick(stream);
        else if (patching_works(stream))
                patching_tick(stream);
        else if (stream->life == LIFE_UNPACKING && stream->unpack)
                unpack_tick(stream);
        else if (stream->life == LIFE_PREFLIGHT && stream->preflight.child.pid)
                preflight_tick(stream, now_ms);
        else if (stream->life == LIFE_WAITING && !stream->is_calling && now_ms >= stream->ask_at_ms && may_ask(stream))
                probing_prepare(stream, now_ms);
}

int64_t candidate_wake_ms(const struct stream *stream)
{
        switch (stream->life) {
        case LIFE_UNPACKING:
                return 0;
        case LIFE_PREFLIGHT:
                return stream->helper_until_ms;
        case LIFE_FETCHING:
                if (reusing_looks(stream) || patching_works(stream))
                        return 0;
                /* The limit of the device, while it is that which is waited for. */
                return stream->fetch_at_ms > agent_steady_ms(stream->agent) ? stream->fetch_at_ms : INT64_MAX;
        case LIFE_WAITING:
                if (stream->probing.probe.child.pid)
                        return probing_wake_ms(stream);
                return !stream->is_calling && may_ask(stream) && caller_is_free(stream->agent->caller, agent_steady_ms(stream->agent))
                               ? stream->ask_at_ms : INT64_MAX;
        case LIFE_IDLE:
        case LIFE_ARMED:
        case LIFE_PROBATION:
        case LIFE_SHADOW:
        case LIFE_STATES:
                break;
        }
        return INT64_MAX;
}
