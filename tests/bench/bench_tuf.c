/* A TUF refresh that finds nothing new: what it costs a device each time it asks. For bench_tuf.py, which holds it against another client.
 *
 * usage: bench_tuf make FOLDER TARGETS     a repository, as files that a client has stored: root, timestamp, snapshot, targets
 *        bench_tuf run FOLDER ROUNDS       the refresh; one JSON object: CPU time, allocations and the most memory of one */
#include "base/limits.h"
#include "format/json.h"
#include "platform/file.h"
#include "trust/tuf_build.h"
#include "trust/tuf_client.h"

#include <inttypes.h>
#include <malloc.h>
#include <string.h>
#include <time.h>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__has_feature)
#define COUNTS_MEMORY 1
#endif

enum { NOW = 1784432200, CUSTOM_BYTES = 300 };
static const int64_t expires = INT64_C(4102444800);      /* 2100: the other client goes by the clock */

/* Of the whole process, OpenSSL's included: what the linker finds here first. */
static uint64_t allocations, bytes_now, bytes_most;
#ifdef COUNTS_MEMORY
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void __libc_free(void *memory);

static void *counted(void *memory)
{
        allocations++;
        bytes_now += memory ? malloc_usable_size(memory) : 0;
        if (bytes_now > bytes_most)
                bytes_most = bytes_now;
        return memory;
}
void *malloc(size_t bytes) { return counted(__libc_malloc(bytes)); }
void *calloc(size_t count, size_t bytes) { return counted(__libc_calloc(count, bytes)); }
void *realloc(void *memory, size_t bytes)
{
        bytes_now -= memory ? malloc_usable_size(memory) : 0;
        return counted(__libc_realloc(memory, bytes));
}
void free(void *memory)
{
        bytes_now -= memory ? malloc_usable_size(memory) : 0;
        __libc_free(memory);
}
#endif

static const char *const names[TUF_ROLES] = { "root.json", "targets.json", "snapshot.json", "timestamp.json" };

static bool has_failed(enum err e, const struct why *why)
{
        if (e)
                fprintf(stderr, "bench_tuf: %s\n", why->text);
        return e != OK;
}

/* ---- make ---- */

static enum err write_role(const char *folder, enum tuf_role role, const struct buf *to_sign, const struct secret_key *key, struct buf *file, struct why *why)
{
        char path[512];
        buf_clear(file);
        enum err e = tuf_file_sign(to_sign, key, 1, file, why);
        snprintf(path, sizeof(path), "%s/%s", folder, names[role]);
        return e ? e : file_write(path, file->bytes, file->length, why);
}

/* As large as one release of ours: a ceiling, digests, a version. */
static enum err targets_text(size_t count, struct buf *into, struct why *why)
{
        OWN(buf) struct buf before;
        OWN(json) struct json *custom = json_new_object();
        const struct tuf_stamp stamp = { 1, expires };
        char text[CUSTOM_BYTES];
        buf_init(&before, LIMIT_METADATA_BYTES);
        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        json_set_text(custom, "custom", text);
        enum err e = OK;
        for (size_t i = 0; !e && i < count; i++) {
                char path[64];
                struct tuf_target target = { .path = path, .length = 812, .custom = custom };
                OWN(buf) struct buf with;
                buf_init(&with, LIMIT_METADATA_BYTES);
                snprintf(path, sizeof(path), "edr-rules/%zu", i + 1);
                buf_clear(into);
                e = tuf_targets_write(&stamp, &(struct tuf_change){ &before, &target }, into, why);
                buf_clear(&before);
                buf_addf(&before, "{\"signed\":%s}", buf_text(into));
        }
        return e;
}

static enum err make(const char *folder, size_t targets, struct why *why)
{
        struct secret_key key;
        secret_key_make((const uint8_t *)"bench_tuf's only key: 32 bytes..", &key);
        const struct tuf_role_keys one = { &key.public, 1, 1 };
        const struct tuf_root root = { { 1, expires }, { one, one, one, one } };
        const struct tuf_stamp stamp = { 1, expires };
        OWN(buf) struct buf text, file;
        buf_init(&text, LIMIT_METADATA_BYTES);
        buf_init(&file, LIMIT_METADATA_BYTES);
        enum err e = tuf_root_write(&root, &text, why);
        if (!e)
                e = write_role(folder, TUF_ROOT, &text, &key, &file, why);
        if (!e)
                e = targets_text(targets, &text, why);
        if (!e)
                e = write_role(folder, TUF_TARGETS, &text, &key, &file, why);
        buf_clear(&text);
        if (!e)
                e = tuf_snapshot_write(&stamp, &(struct tuf_of){ 1, &file }, &text, why);
        if (!e)
                e = write_role(folder, TUF_SNAPSHOT, &text, &key, &file, why);
        buf_clear(&text);
        if (!e)
                e = tuf_timestamp_write(&stamp, &(struct tuf_of){ 1, &file }, &text, why);
        return e ? e : write_role(folder, TUF_TIMESTAMP, &text, &key, &file, why);
}

/* ---- run ---- */

/* The files are in memory: reading them and the network is another cost. */
static enum err refresh(const struct buf files[TUF_ROLES], struct why *why)
{
        OWN(tuf_client) struct tuf_client *client = NULL;
        struct tuf_task task = { .kind = TUF_LOAD };
        enum err e = tuf_client_open(&files[TUF_ROOT], NOW, &client, why);
        if (!e)
                e = tuf_client_next(client, &task, why);
        while (!e && task.kind != TUF_DONE) {
                if (task.kind == TUF_STORE)
                        return FAIL(why, ERR_CONTENT, "%s is new", task.name);
                e = task.role == TUF_ROOT ? tuf_client_lacks(client, why) : tuf_client_give(client, &files[task.role], why);
                if (!e)
                        e = tuf_client_next(client, &task, why);
        }
        return e;
}

static int64_t cpu_ns(void)
{
        struct timespec time;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
        return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static enum err run(const char *folder, long rounds, struct why *why)
{
        struct buf files[TUF_ROLES];
        enum err e = OK;
        for (enum tuf_role role = TUF_ROOT; role < TUF_ROLES; role++) {
                char path[512];
                buf_init(&files[role], LIMIT_METADATA_BYTES);
                snprintf(path, sizeof(path), "%s/%s", folder, names[role]);
                if (!e)
                        e = file_read(path, &files[role], why);
        }
        if (!e)
                e = refresh(files, why);         /* what is set up once is not a refresh's cost */
        const uint64_t allocations_before = allocations, bytes_before = bytes_now;
        bytes_most = bytes_now;
        const int64_t began = cpu_ns();
        for (long i = 0; !e && i < rounds; i++)
                e = refresh(files, why);
        const double us = (double)(cpu_ns() - began) / 1000 / (double)rounds;
        if (!e)
                printf("{\"cpu_us\": %.1f, \"allocations\": %" PRIu64 ", \"heap_bytes_most\": %" PRIu64 "}\n", us, (allocations - allocations_before) / (uint64_t)rounds, bytes_most - bytes_before);
        for (enum tuf_role role = TUF_ROOT; role < TUF_ROLES; role++)
                buf_done(&files[role]);
        return e;
}

int main(int argc, char **argv)
{
        struct why why;
        long number = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
        bool makes = argc == 4 && strcmp(argv[1], "make") == 0;
        if (number < 1 || (!makes && strcmp(argv[1], "run") != 0)) {
                fputs("usage: bench_tuf make FOLDER TARGETS | bench_tuf run FOLDER ROUNDS\n", stderr);
                return 64;
        }
        return has_failed(makes ? make(argv[2], (size_t)number, &why) : run(argv[2], number, &why), &why);
}
