#include "agent/world.h"

#include "agent/content.h"
#include "agent/expand.h"
#include "agent/judge.h"
#include "agent/refresh.h"
#include "base/mem.h"
#include "platform/file.h"
#include "support/test.h"
#include "trust/sha.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct world world;

/* What agent.c, caller.c and judge.c are for the stream. */
int64_t agent_steady_ms(const struct agent *agent) { (void)agent; return world.now_ms; }
int64_t agent_time_s(const struct agent *agent) { (void)agent; return 1000 + world.now_ms / 1000; }
bool agent_is_busy(const struct agent *agent) { return life_is_busy(agent->streams[0].life); }
bool agent_may_ask(const struct agent *agent) { (void)agent; return true; }
int64_t agent_jitter_ms(const struct agent *agent, int64_t span_ms) { (void)agent; return span_ms; }
int64_t agent_again_ms(const struct agent *agent) { (void)agent; return world.now_ms + 1000; }
bool agent_ends(struct agent *agent, int64_t wait_ms) { (void)agent, (void)wait_ms; return false; }
void agent_note_worker(struct agent *agent, enum worker worker, const struct worker_state *state) { (void)agent, (void)worker, (void)state; }
void agent_note_sources(struct agent *agent) { (void)agent; }

void agent_note(const struct agent *agent, enum log_event event, const struct stream *stream, const char *text)
{
        (void)agent, (void)stream;
        char (*const kept)[WHY_TEXT_MAX] = event == EVENT_DEVICE_TROUBLE ? &world.noted : event == EVENT_SERVER_AWAY ? &world.told : &world.lived;
        snprintf(*kept, sizeof(*kept), "%s", text);
        world.lines++;
}

bool caller_is_free(const struct caller *caller, int64_t now_ms) { (void)caller, (void)now_ms; return true; }
int64_t caller_ready_ms(struct caller *caller, uint64_t bytes) { (void)caller, (void)bytes; return world.ready_ms; }
void caller_forget(struct caller *caller, const void *user) { (void)caller, (void)user; }
bool caller_state(const struct caller *caller, struct worker_state *ret_state) { (void)caller, (void)ret_state; return false; }

void world_content(uint64_t counter, char text[32])
{
        snprintf(text, 32, "%" PRIu64 "\n", counter);
}

static void answer_document(const struct caller_get *get, caller_done *done, void *user)
{
        char path[128];
        struct disk *disk = &world.sim.disk;
        struct fetch_answer answer = { .status = world.document ? 200 : 404 };
        snprintf(path, sizeof(path), "spool/%s", get->spool);
        const struct buf *bytes = world.document ? world.document(get->path, &answer) : NULL;
        enum err e = bytes ? disk->ops->replace(disk, path, bytes->bytes, bytes->length, NULL) : OK;
        done(user, e, &answer);
}

/* The spool gets whatever is asked for: a note by the digest of its text, which here is all of it, or the VERSION that a note names. */
void caller_get(struct caller *caller, const struct caller_get *get, caller_done *done, void *user)
{
        (void)caller;
        if (!strstr(get->path, "/artifacts/") && !strstr(get->path, "/notes/")) {
                answer_document(get, done, user);
                return;
        }
        char path[128], text[32];
        struct disk *disk = &world.sim.disk;
        enum err e = ERR_NOT_FOUND;
        world.artifacts += strstr(get->path, "/artifacts/") != NULL;
        static const char flood[LIMIT_NOTE_BYTES + 1];
        snprintf(path, sizeof(path), "spool/%s", get->spool);
        if (world.is_spool_flooded)
                e = disk->ops->replace(disk, path, flood, sizeof(flood), NULL);
        for (uint64_t counter = 4; counter < 10 && e; counter++) {
                world_content(counter, text);
                const struct buf *note = &world.notes[counter];
                const struct { const void *bytes; size_t length; } found[] = {
                        { note->bytes, note->length }, { text, strlen(text) }, { buf_text(world.delta ? world.delta : note), world.delta ? world.delta->length : 0 },
                };
                for (size_t i = 0; i < 3 && e; i++) {
                        uint8_t digest[32];
                        sha256(found[i].bytes, found[i].length, digest);
                        if (strcmp(spool_artifact(digest).text, path) == 0)
                                e = disk->ops->replace(disk, path, found[i].bytes, found[i].length, NULL);
                }
        }
        const struct fetch_answer answer = { .status = 200 };
        done(user, e, &answer);
}

void caller_look(struct caller *caller, const char *path, enum fetch_reads reads, caller_done *done, void *user)
{
        struct fetch_answer answer = { .status = world.delta ? 200 : 404, .delta_bytes = world.delta ? world.delta->length : 0 };
        CHECK(!caller && reads == FETCH_DELTA);
        snprintf(world.delta_path, sizeof(world.delta_path), "%s", path);
        if (world.delta)
                sha256(world.delta->bytes, world.delta->length, answer.delta_sha256);
        done(user, OK, &answer);
}

/* In this process: what strangers made of it is the fuzzer's to try. */
enum err expand_run(const struct workers *workers, const struct buf *question, size_t length, struct buf *into, struct why *why)
{
        (void)workers;
        uint32_t ask[6];                         /* a magic of two; lengths of base, packed bytes and segment */
        char *bytes = malloc(length + 1);
        memcpy(ask, question->bytes, sizeof(ask));
        CHECK(bytes && sizeof(ask) + ask[2] + ask[3] == question->length && ask[4] == length);
        const char *base = question->bytes + sizeof(ask);
        enum err e = delta_expand((struct delta_bytes){ base, ask[2] }, (struct delta_bytes){ base + ask[2], ask[3] }, bytes, length, why);
        if (!e)
                buf_add(into, bytes, length);
        free(bytes);
        return e ? e : buf_check(into, why);
}

void expand_ask_begin(size_t base_length, size_t packed_length, size_t length, struct buf *question)
{
        const uint32_t ask[6] = { 0, 0, (uint32_t)base_length, (uint32_t)packed_length, (uint32_t)length, 0 };
        buf_add(question, ask, sizeof(ask));
}

void caller_post(struct caller *caller, const struct caller_post *post, caller_done *done, void *user)
{
        (void)caller;
        struct fetch_answer answer = { .status = 200, .text = "lease" };
        enum err e = world.post ? world.post(post, &answer) : OK;
        done(user, e, e == ERR_UNAVAILABLE ? NULL : &answer);
}

enum err judge_candidate(const struct anchor *anchor, const struct judge_offer *offer, const struct buf *signed_note, struct release_note **ret_note, struct why *why)
{
        (void)anchor;
        struct install_facts facts = offer->facts;
        uint8_t digest[32];
        sha256(signed_note->bytes, signed_note->length, digest);
        if (memcmp(digest, facts.target, sizeof(digest)) != 0)
                return FAIL(why, ERR_IO, "another text than its name says");
        enum err e = release_note_parse(signed_note->bytes, signed_note->length, ret_note, why);
        if (e)
                return e;
        facts.note = *ret_note;
        if (facts.note->counter != offer->counter)
                return FAIL(why, ERR_UNTRUSTED, "signed as another release");
        return facts.pace ? install_candidate(&facts, why) : OK;
}

enum err judge_lease(const struct director_anchor *director, const struct judge_question *question, const struct buf *signed_lease, struct lease *ret_lease,
                     struct why *why)
{
        (void)director, (void)signed_lease, (void)why;
        *ret_lease = (struct lease){ .counter = question->facts.note->counter, .granted = 1000, .deadline = 5000, .bake_s = world.lease_bake_s };
        return OK;
}

static void make_note(uint64_t counter)
{
        char text[32];
        world_content(counter, text);
        struct release_file file = { .length = strlen(text), .path = "VERSION" };
        sha256(text, strlen(text), file.sha256);
        const struct release_note note = {
                .stream = "rules", .version = "1", .counter = counter, .floor = 1, .platform_count = 1, .platforms = { "any" }, .file_count = 1,
                .files = &file, .ceiling = { .start = 1, .count = 1, .steps = { { 0, CEILING_ALL_PPM } } },
        };
        buf_init(&world.notes[counter], 4096);
        CHECK(release_note_write(&note, &world.notes[counter], NULL) == OK);
}

struct offer world_offer(uint64_t counter, enum offer_state state)
{
        const struct buf *note = &world.notes[counter];
        struct offer offer = { .state = state, .is_admitted = true, .counter = counter, .note_length = note->length, .expires = INT64_MAX };
        sha256(note->bytes, note->length, offer.target);
        return offer;
}

void world_set_pid(int pid)
{
        char text[16];
        int length = snprintf(text, sizeof(text), "%d\n", pid);
        CHECK(file_write(world.pid_file, text, (size_t)length, NULL) == OK);
}

static const char *const names[] = { "rules" };

enum err world_start(void)
{
        struct agent *agent = &world.agent;
        world.now_ms += 1000;
        *agent = (struct agent){ .config = &world.config, .disk = &world.sim.disk, .random = &world.random.source, .refresh = world.refresh, .anchors = world.anchors, .streams = &world.stream, .stream_count = 1 };
        snprintf(agent->device, sizeof(agent->device), "00112233445566778899aabbccddeeff");
        world_set_pid(getpid());
        enum err e = world.sim.disk.ops->make_folder(&world.sim.disk, "spool", NULL);
        if (!e)
                e = slots_open(agent->disk, names, 1, &agent->slots, NULL);
        if (!e)
                slots_boot(agent->slots, SLOT_START_SUPERVISOR, 1);
        return e ? e : stream_open(agent, 0, &world.stream, NULL);
}

void world_end(void)
{
        if (world.stream.agent)
                stream_done(&world.stream);
        world.stream = (struct stream){ 0 };
        slots_close(world.agent.slots);
        world.agent.slots = NULL;
}

void world_live(void)
{
        for (int turn = 0; turn < 60 && !world.sim.is_dark; turn++) {
                stream_tick(&world.stream);
                (void)stream_call(&world.stream);
                world.now_ms += 200;
        }
}

void world_hear(uint64_t counter, enum offer_state state)
{
        const struct offer offer = world_offer(counter, state);
        stream_offer(&world.stream, &offer);
        world_live();
}

void world_open(void)
{
        signal(SIGHUP, SIG_IGN);
        world.deaf_file[0] = 0;
        world.lease_bake_s = 1;
        world.document = NULL;
        world.post = NULL;
        world.noted[0] = world.told[0] = world.lived[0] = 0;
        CHECK(refresh_open(&world.agent, &world.refresh, NULL) == OK);
        CHECK(file_temporary(world.pid_file, NULL) == OK);
        strncat(world.pid_file, "/pid", sizeof(world.pid_file) - strlen(world.pid_file) - 1);
        world.stream_config = (struct agent_stream_config){
                .name = "rules", .engine = { .pid_file = world.pid_file, .reload_signal = "HUP", .stop_ms = 100 }, .bake_s = 1, .crashes_max = 1,
                .boots_max = 1, .probe_every_ms = 1000,
        };
        world.config = (struct agent_config){ .state_dir = "/nowhere", .platform = "linux-amd64", .ring = "default",
                                              .streams = { 1, &world.stream_config } };
        for (uint64_t counter = 4; counter <= 7; counter++)
                make_note(counter);
}

void world_close(void)
{
        *strrchr(world.pid_file, '/') = 0;
        file_remove_tree(world.pid_file);
        for (uint64_t counter = 4; counter <= 7; counter++)
                buf_done(&world.notes[counter]);
        refresh_close(world.refresh);
        sim_disk_done(&world.sim);
}

uint64_t world_running(void)
{
        return slots_in(world.agent.slots, 0, (enum slot_id)slots_stream(world.agent.slots, 0)->current)->counter;
}

/* A child of the test's takes real time until it hears no signal any more; one that comes before would end it. */
static void wait_until_deaf(void)
{
        int said = 0;
        for (int looks = 0; looks < 20000 && world.deaf_file[0] && world.stream.engine.child.pid != said && world.stream.engine.child.pid; looks++) {
                OWN(buf) struct buf text;
                buf_init(&text, 32);
                said = file_read(world.deaf_file, &text, NULL) == OK ? (int)strtol(buf_text(&text), NULL, 10) : 0;
                usleep(1000);
        }
}

void world_turn(int64_t ms)
{
        stream_tick(&world.stream);
        wait_until_deaf();
        (void)stream_call(&world.stream);
        world.now_ms += ms;
}

void world_until(enum life_state life)
{
        for (int turns = 0; turns < 1000 && world.stream.life != life; turns++)
                world_turn(200);
        CHECK(world.stream.life == life);
}
