#include "server/deltas/maker.h"

#include "delta/code.h"
#include "server/store/artifacts.h"
#include "support/sim_disk.h"
#include "support/sweep.h"
#include "support/test.h"
#include "trust/keys.h"
#include "trust/sha.h"
#include "wire/device.h"

#include <string.h>

enum { FILES = 3, MOST = 200000 };

struct file { const char *path; size_t length; uint32_t seed; };
struct release { struct file files[FILES]; uint8_t target[32]; };

/* Words in an order that the seed decides; from one seed to the next only the first thousand bytes are others. Seed 0: what does not compress. */
static void fill(const struct file *file, char bytes[MOST])
{
        uint32_t state = 7;
        for (size_t i = 0; i < file->length; i++) {
                state = state * 1664525 + 1013904223;
                bytes[i] = file->seed ? "abcdefgh strings"[(state >> 28 ^ (i < 1000 ? file->seed : 0)) & 15] : (char)(state >> 24 ^ state >> 11);
        }
}

static bool put(struct disk *disk, struct release *release, uint64_t counter)
{
        static char bytes[MOST];
        struct release_file files[FILES];
        OWN(buf) struct buf note;
        buf_init(&note, 8192);
        for (size_t i = 0; i < FILES; i++) {
                files[i] = (struct release_file){ .length = release->files[i].length, .path = release->files[i].path };
                fill(&release->files[i], bytes);
                if (artifact_put(disk, bytes, files[i].length, files[i].sha256, NULL) != OK)
                        return false;
        }
        const struct release_note of = {
                .stream = "rules", .version = "1", .counter = counter, .floor = 1, .platform_count = 1, .platforms = { "any" }, .file_count = FILES, .files = files,
                .ceiling = { .start = 1, .count = 1, .steps = { { 0, CEILING_ALL_PPM } } },
        };
        CHECK(release_note_write(&of, &note, NULL) == OK);
        sha256(note.bytes, note.length, release->target);
        test_sign(&note, "content", 6);
        return artifact_put_note(disk, release->target, &note, NULL) == OK && artifact_make_folders(disk, NULL) == OK;
}

static struct delta_job job_of(const struct release *older, const struct release *newer)
{
        struct delta_job job = { 0 };
        if (older)
                memcpy(job.older, older->target, 32);
        memcpy(job.newer, newer->target, 32);
        return job;
}

/* What is told of it; false: nothing is. */
static bool read_told(struct disk *disk, const struct delta_job *job, struct wire_delta *ret_delta)
{
        char path[DELTA_PATH_MAX];
        OWN(buf) struct buf told;
        buf_init(&told, 1024);
        delta_told_path(job, path);
        return disk->ops->read(disk, path, &told, NULL) == OK && wire_delta_read(buf_text(&told), told.length, ret_delta, NULL) == OK;
}

static void read_delta(struct disk *disk, const struct delta_job *job, struct buf *file, struct delta_form *form)
{
        struct wire_delta delta;
        char path[ARTIFACT_PATH_MAX];
        size_t length;
        CHECK(read_told(disk, job, &delta));
        snprintf(path, sizeof(path), "%.2s/%s", delta.sha256, delta.sha256);
        buf_init(file, LIMIT_DELTA_BYTES);
        CHECK(disk->ops->read(disk, path, file, NULL) == OK && (int64_t)file->length == delta.bytes);
        CHECK(delta_form_length(file->bytes, &length, NULL) == OK && delta_form_read(file->bytes, length, file->length, form, NULL) == OK);
}

static const struct release first = { { { "a", 100000, 1 }, { "b", 150000, 2 }, { "c", 0, 3 } }, { 0 } }, second = { { { "a", 100000, 1 }, { "b", 150000, 4 }, { "c", 0, 3 } }, { 0 } };
static const struct release noise = { { { "a", 100000, 0 }, { "b", 1, 1 }, { "c", 0, 1 } }, { 0 } };

/* Expanded against the older file, it is the newer one. */
TEST(delta_make, leads_from_one_release_to_another)
{
        static char older_bytes[MOST], newer_bytes[MOST], found[MOST];
        OWN(sim_disk) struct sim_disk sim = { 0 };
        OWN(buf) struct buf file;
        struct delta_form form;
        struct release older = first, newer = second;
        uint64_t bytes = 0;
        sim_disk_init(&sim);
        CHECK(put(&sim.disk, &older, 1));
        CHECK(put(&sim.disk, &newer, 2));
        const struct delta_job job = job_of(&older, &newer);
        CHECK(delta_make(&sim.disk, &job, &bytes, NULL) == OK && bytes > 0 && bytes < 3000);
        read_delta(&sim.disk, &job, &file, &form);
        CHECK(form.count == 2 && file.length == bytes);
        fill(&older.files[1], older_bytes);
        fill(&newer.files[1], newer_bytes);
        const struct delta_bytes base = { older_bytes, older.files[1].length }, packed = { file.bytes + file.length - form.packed[1], form.packed[1] };
        CHECK(delta_expand(base, packed, found, newer.files[1].length, NULL) == OK && memcmp(found, newer_bytes, newer.files[1].length) == 0);
}

TEST(delta_make, of_a_whole_release_is_for_those_who_have_nothing)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        OWN(buf) struct buf file;
        struct delta_form form;
        struct release newer = second;
        uint64_t bytes = 0;
        sim_disk_init(&sim);
        CHECK(put(&sim.disk, &newer, 2));
        const struct delta_job job = job_of(NULL, &newer);
        CHECK(delta_job_is_whole(&job) && delta_make(&sim.disk, &job, &bytes, NULL) == OK && bytes > 3000 && bytes < 200000);
        read_delta(&sim.disk, &job, &file, &form);
        CHECK(form.count == 2);
        CHECK(delta_make(&sim.disk, &job, &bytes, NULL) == OK && bytes == 0);    /* it is there */
}

TEST(delta_make, keeps_none_that_does_not_pay)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        struct wire_delta told;
        struct release newer = noise;
        uint64_t bytes = 1;
        sim_disk_init(&sim);
        CHECK(put(&sim.disk, &newer, 2));
        const struct delta_job job = job_of(NULL, &newer);
        CHECK(delta_make(&sim.disk, &job, &bytes, NULL) == OK && bytes == 0 && !read_told(&sim.disk, &job, &told));
}

TEST(delta_make, needs_what_it_is_made_of)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        struct release older = first, newer = second;
        struct wire_delta told;
        char path[ARTIFACT_PATH_MAX], bytes[MOST];
        uint8_t digest[32];
        uint64_t made = 1;
        sim_disk_init(&sim);
        CHECK(put(&sim.disk, &newer, 2));
        memset(older.target, 1, 32);
        const struct delta_job lacking = job_of(&older, &newer);
        CHECK(delta_make(&sim.disk, &lacking, &made, NULL) == ERR_NOT_FOUND && made == 0);
        CHECK(put(&sim.disk, &older, 1));
        fill(&older.files[1], bytes);
        sha256(bytes, older.files[1].length, digest);
        artifact_path(digest, path);
        CHECK(sim.disk.ops->replace(&sim.disk, path, bytes, 10, NULL) == OK);
        const struct delta_job cut = job_of(&older, &newer);
        CHECK(delta_make(&sim.disk, &cut, &made, NULL) == ERR_CONTENT && made == 0 && !read_told(&sim.disk, &cut, &told));
}

/* What is told of is there, whole: whoever is told of it fetches it at once. */
TEST(delta_make, tells_of_nothing_that_is_not_there)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        unsigned told_of = 0;
        SWEEP_POWER(&sim) {
                struct release newer = { { { "a", 3000, 1 }, { "b", 10, 2 }, { "c", 0, 3 } }, { 0 } };
                struct wire_delta told;
                uint64_t bytes;
                (void)!put(&sim.disk, &newer, 2);
                const struct delta_job job = job_of(NULL, &newer);
                (void)!delta_make(&sim.disk, &job, &bytes, NULL);
                sim_disk_power_on(&sim);
                if (read_told(&sim.disk, &job, &told)) {
                        OWN(buf) struct buf file;
                        struct delta_form form;
                        read_delta(&sim.disk, &job, &file, &form);
                        told_of++;
                }
        }
        CHECK(told_of > 0);
}

TEST(delta_make, survives_a_lack_of_memory)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        struct release older = first, newer = second;
        uint64_t bytes = 0;
        enum err e = OK;
        sim_disk_init(&sim);
        CHECK(put(&sim.disk, &older, 1));
        CHECK(put(&sim.disk, &newer, 2));
        const struct delta_job job = job_of(&older, &newer);
        SWEEP_MEMORY {
                e = delta_make(&sim.disk, &job, &bytes, NULL);
                CHECK(e == OK || (e == ERR_NOMEM && bytes == 0));
        }
        CHECK(e == OK && bytes > 0);
}
