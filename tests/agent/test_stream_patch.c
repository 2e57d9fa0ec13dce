/* A release that comes as a delta, and deltas that are none. */
#include "agent/content.h"
#include "agent/spool.h"
#include "agent/world.h"
#include "base/mem.h"
#include "delta/code.h"
#include "format/hex.h"
#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

/* From nothing, or from what `older` says, to release `counter`, as the server would make it. */
struct making { uint64_t older, counter; const char *content; bool lacks_segment; };

static void add_segment(struct delta_form *form, struct buf *packed, const char *base, size_t base_length, const char *bytes, size_t length)
{
        const size_t before = packed->length;
        CHECK(delta_compress((struct delta_bytes){ base, base_length }, (struct delta_bytes){ bytes, length }, packed, NULL) == OK);
        form->packed[form->count++] = (uint32_t)(packed->length - before);
}

static void make(const struct making *making, struct buf *into)
{
        char older[32] = "", newer[32];
        OWN(buf) struct buf packed;
        struct delta_form form = { .note_length = (uint32_t)world.notes[making->counter].length };
        const struct buf *note = &world.notes[making->counter], *base = making->older ? &world.notes[making->older] : &packed;
        buf_init(&packed, 100000);
        world_content(making->counter, newer);
        if (making->older)
                world_content(making->older, older);
        const char *content = making->content ? making->content : newer;
        add_segment(&form, &packed, making->older ? base->bytes : "", making->older ? base->length : 0, note->bytes, note->length);
        if (!making->lacks_segment)
                add_segment(&form, &packed, older, strlen(older), content, strlen(content));
        buf_init(into, 100000);
        delta_form_write(&form, into);
        buf_add(into, packed.bytes, packed.length);
        CHECK(buf_check(into, NULL) == OK);
}

static void open_world(void)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(world_start() == OK);
}

static void close_world(void)
{
        world_end();
        world_close();
}

/* Looked at with memory enough. */
static bool is_running(uint64_t counter)
{
        void *(*const hook)(size_t, size_t) = mem_hook;
        char text[32], path[CONTENT_PATH_BYTES + 16];
        OWN(buf) struct buf found;
        buf_init(&found, 64);
        mem_hook = calloc;
        world_content(counter, text);
        const struct slot_stream *now = slots_stream(world.agent.slots, 0);
        snprintf(path, sizeof(path), "%s/VERSION", content_slot("rules", (enum slot_id)now->current).text);
        const bool is_read = world.sim.disk.ops->read(&world.sim.disk, path, &found, NULL) == OK;
        mem_hook = hook;
        return world_running() == counter && is_read && strcmp(buf_text(&found), text) == 0;
}

static enum err count_name(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        (void)name, (void)kind, (void)length, (void)why;
        ++*(unsigned *)user;
        return OK;
}

static bool is_spool_empty(void)
{
        unsigned count = 0;
        return world.sim.disk.ops->list(&world.sim.disk, "spool", count_name, &count, NULL) == OK && count == 0;
}

/* Release `counter` by this delta; how many artifacts were asked for. */
static unsigned hear(uint64_t counter, const struct buf *delta)
{
        const unsigned before = world.artifacts;
        world.delta = delta;
        world_hear(counter, OFFER_GO);
        world.delta = NULL;
        return world.artifacts - before;
}

TEST(stream_patch, brings_a_release_without_its_note_and_files)
{
        OWN(buf) struct buf whole = { 0 }, delta = { 0 };
        char target[65];
        open_world();
        make(&(struct making){ 0, 4, NULL, false }, &whole);
        make(&(struct making){ 4, 5, NULL, false }, &delta);
        CHECK(hear(4, &whole) == 1 && is_running(4) && strstr(world.delta_path, "/whole") && is_spool_empty());
        CHECK(hear(5, &delta) == 1 && is_running(5) && is_spool_empty() && !world.noted[0]);
        hex_encode(slots_in(world.agent.slots, 0, (enum slot_id)slots_stream(world.agent.slots, 0)->last_good)->target, 32, target);
        CHECK(strncmp(world.delta_path, "/v1/deltas/", 11) == 0 && strlen(world.delta_path) == 11 + 64 + 1 + 64);
        close_world();
}

/* Nobody signs how long it is, and whoever has no note yet does not know what it stands for. */
TEST(stream_patch, that_is_longer_than_what_it_stands_for_is_not_fetched)
{
        OWN(buf) struct buf noise = { 0 }, delta = { 0 };
        const char block[1024] = { 'x' };
        open_world();
        buf_init(&noise, 2 << 20);
        for (unsigned i = 0; i < 1500; i++)
                buf_add(&noise, block, sizeof(block));
        make(&(struct making){ 4, 5, NULL, false }, &delta);
        CHECK(hear(4, &noise) == 1 && is_running(4) && world.delta_path[0] && is_spool_empty());
        CHECK(hear(5, &delta) == 1 && is_running(5) && is_spool_empty());
        close_world();
}

TEST(stream_patch, is_not_needed)
{
        open_world();
        CHECK(hear(4, NULL) == 1 && is_running(4) && hear(5, NULL) == 1 && is_running(5));
        CHECK(world.delta_path[0]);
        close_world();
}

/* Offered 5, and killed with a note in the spool, so many ticks later. */
static unsigned killed_after(const struct buf *delta, unsigned ticks)
{
        const unsigned before = world.artifacts;
        const struct offer offer = world_offer(5, OFFER_GO);
        const char *note = spool_artifact(offer.target).text;
        char path[CONTENT_PATH_BYTES];
        OWN(buf) struct buf found;
        buf_init(&found, LIMIT_NOTE_BYTES);
        snprintf(path, sizeof(path), "%s", note);
        world.delta = delta;
        stream_offer(&world.stream, &offer);
        for (unsigned turn = 0; turn < 40 && world.sim.disk.ops->read(&world.sim.disk, path, &found, NULL); turn++) {
                (void)stream_call(&world.stream);
                stream_tick(&world.stream);
        }
        for (unsigned i = 0; i < ticks; i++) {
                stream_tick(&world.stream);
                (void)stream_call(&world.stream);
        }
        CHECK(found.length && world_running() == 4);
        world_end();
        CHECK(world_start() == OK);
        return world.artifacts - before;
}

TEST(stream_patch, is_not_fetched_again_by_one_who_starts_after_a_kill)
{
        OWN(buf) struct buf delta = { 0 };
        for (unsigned ticks = 0; ticks < 4; ticks++) {
                open_world();
                CHECK(hear(4, NULL) == 1);
                if (!ticks)
                        make(&(struct making){ 4, 5, NULL, false }, &delta);
                CHECK(killed_after(&delta, ticks) == 1);
                CHECK(hear(5, &delta) == 0 && is_running(5) && is_spool_empty());
                close_world();
        }
}

/* It may be one that a fetcher made. */
TEST(stream_patch, a_note_that_was_left_is_judged_as_any_other)
{
        OWN(buf) struct buf delta = { 0 };
        char path[CONTENT_PATH_BYTES];
        open_world();
        CHECK(hear(4, NULL) == 1);
        make(&(struct making){ 4, 5, NULL, false }, &delta);
        const struct offer offer = world_offer(5, OFFER_GO);
        snprintf(path, sizeof(path), "%s", spool_artifact(offer.target).text);
        CHECK(world.sim.disk.ops->replace(&world.sim.disk, path, "{}", 2, NULL) == OK);
        CHECK(hear(5, &delta) == 1 && is_running(5) && is_spool_empty());
        close_world();
}

/* What it leads to is not what was signed, or it leads nowhere: the release is fetched, and is not at fault. */
TEST(stream_patch, that_lies_is_given_up_and_the_release_is_not)
{
        static const struct making lies[] = {
                { 4, 5, "6\n", false }, { 4, 5, "somewhat longer\n", false }, { 4, 5, "", false }, { 4, 5, NULL, true }, { 4, 6, NULL, false },
        };
        for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
                OWN(buf) struct buf delta = { 0 };
                open_world();
                CHECK(hear(4, NULL) == 1);
                make(&lies[i], &delta);
                CHECK(hear(5, &delta) == 2 && is_running(5) && is_spool_empty());
                CHECK(strstr(world.noted, "no delta: "));
                close_world();
        }
}

TEST(stream_patch, that_is_damaged_anywhere_is_given_up_and_the_release_is_not)
{
        OWN(buf) struct buf sound = { 0 };
        open_world();
        make(&(struct making){ 4, 5, NULL, false }, &sound);
        close_world();
        for (size_t i = 0; i < sound.length; i++) {
                OWN(buf) struct buf delta = { 0 };
                open_world();
                CHECK(hear(4, NULL) == 1);
                make(&(struct making){ 4, 5, NULL, false }, &delta);
                delta.bytes[i] ^= 0x41;
                CHECK(hear(5, &delta) <= 2 && is_running(5) && is_spool_empty());
                close_world();
        }
        for (size_t length = 1; length < sound.length; length += 7) {
                OWN(buf) struct buf delta = { 0 };
                open_world();
                CHECK(hear(4, NULL) == 1);
                make(&(struct making){ 4, 5, NULL, false }, &delta);
                delta.length = length;
                CHECK(hear(5, &delta) == 2 && is_running(5) && is_spool_empty());
                close_world();
        }
}

/* The base went bad where nothing else looks before the delta does. */
TEST(stream_patch, against_a_file_that_has_gone_bad_is_given_up)
{
        OWN(buf) struct buf delta = { 0 };
        char path[CONTENT_PATH_BYTES + 16];
        open_world();
        CHECK(hear(4, NULL) == 1);
        make(&(struct making){ 4, 5, NULL, false }, &delta);
        snprintf(path, sizeof(path), "%s/VERSION", content_slot("rules", (enum slot_id)slots_stream(world.agent.slots, 0)->current).text);
        CHECK(world.sim.disk.ops->remove(&world.sim.disk, path, NULL) == OK);
        CHECK(hear(5, &delta) == 2 && is_running(5) && is_spool_empty());
        close_world();
}

/* Release 4 is here, and there is memory for all that; then an allocation fails. */
static void open_with_four(void)
{
        void *(*const hook)(size_t, size_t) = mem_hook;
        mem_hook = calloc;
        open_world();
        CHECK(hear(4, NULL) == 1 && is_running(4));
        mem_hook = hook;
}

TEST(stream_patch, survives_a_lack_of_memory)
{
        OWN(buf) struct buf delta = { 0 };
        unsigned by_delta = 0, otherwise = 0;
        open_world();
        make(&(struct making){ 4, 5, NULL, false }, &delta);
        close_world();
        SWEEP_MEMORY_ONCE {
                open_with_four();
                const unsigned before = world.artifacts;
                const struct offer offer = world_offer(5, OFFER_GO);
                world.delta = &delta;
                stream_offer(&world.stream, &offer);
                for (unsigned turn = 0; turn < 40 && world.stream.life <= LIFE_FETCHING; turn++) {
                        stream_tick(&world.stream);
                        (void)stream_call(&world.stream);
                }
                const unsigned artifacts = world.artifacts - before;
                mem_hook = calloc;               /* what comes behind has tests of its own */
                for (unsigned tries = 0; tries < 8 && world_running() != 5; tries++) {
                        world_turn(600000);
                        (void)hear(5, &delta);
                }
                CHECK(is_running(5));
                by_delta += artifacts == 1;
                otherwise += artifacts == 2;
                close_world();
        }
        CHECK(by_delta > 10 && otherwise > 2);
}

/* 4 and 5 by their deltas, while there is power. */
static void live(const struct buf *whole, const struct buf *delta)
{
        sim_random_init(&world.random, 1);
        if (world_start() == OK && !world.sim.is_dark)
                (void)hear(4, whole);
        if (world.stream.agent && !world.sim.is_dark)
                (void)hear(5, delta);
}

TEST(stream_patch, leaves_something_good_to_start_whenever_the_power_goes)
{
        OWN(buf) struct buf whole = { 0 }, delta = { 0 };
        unsigned cuts = 0;
        open_world();
        make(&(struct making){ 0, 4, NULL, false }, &whole);
        make(&(struct making){ 4, 5, NULL, false }, &delta);
        close_world();
        world_open();
        SWEEP_POWER(&world.sim) {
                live(&whole, &delta);
                world_end();
                cuts += world.sim.was_cut;
                sim_disk_power_on(&world.sim);
                CHECK(world_start() == OK && (world_running() == 0 || is_running(world_running())));
                world_end();
        }
        CHECK(cuts > 50);
        world_close();
}

TEST(stream_patch, goes_on_after_whatever_the_disk_refused_once)
{
        static const enum err failures[] = { ERR_FULL, ERR_IO };
        OWN(buf) struct buf whole = { 0 }, delta = { 0 };
        open_world();
        make(&(struct making){ 0, 4, NULL, false }, &whole);
        make(&(struct making){ 4, 5, NULL, false }, &delta);
        close_world();
        world_open();
        for (size_t i = 0; i < 2; i++)
                SWEEP_DISK_FAULT(&world.sim, NULL, failures[i]) {
                        live(&whole, &delta);
                        world_end();
                        sim_disk_power_on(&world.sim);
                        CHECK(world_start() == OK && (world_running() == 0 || is_running(world_running())));
                        world_end();
                }
        world_close();
}
