/* logs.h - logs for tests, with their files in memory. */
#pragma once

#include "log/appender.h"
#include "log/oracle.h"

enum { MEMORY_FILES_MAX = 4096 };

struct memory_file {
        char path[TILE_PATH_MAX];
        struct buf bytes;
};
struct memory {
        size_t count, reads, writes;
        bool is_full;                    /* every write fails */
        struct memory_file files[MEMORY_FILES_MAX];
};

static inline struct memory_file *memory_find(struct memory *memory, const char *path)
{
        for (size_t i = memory->count; i; i--)
                if (strcmp(memory->files[i - 1].path, path) == 0)
                        return &memory->files[i - 1];
        return NULL;
}

static inline enum err memory_read(void *context, const struct tile *tile, struct buf *into, struct why *why)
{
        struct memory *memory = context;
        char path[TILE_PATH_MAX];
        tile_path(tile, path);
        struct memory_file *file = memory_find(memory, path);
        if (!file)
                return FAIL(why, ERR_NOT_FOUND, "no %s", path);
        memory->reads++;
        buf_add(into, file->bytes.bytes, file->bytes.length);
        return OK;
}

static inline enum err memory_write(void *context, const struct tile *tile, const void *bytes, size_t length, struct why *why)
{
        struct memory *memory = context;
        char path[TILE_PATH_MAX];
        tile_path(tile, path);
        if (memory->is_full)
                return FAIL(why, ERR_FULL, "the disk is full");
        struct memory_file *file = memory_find(memory, path);
        if (!file) {
                CHECK(memory->count < MEMORY_FILES_MAX);
                file = &memory->files[memory->count++];
                memcpy(file->path, path, sizeof(path));
                buf_init(&file->bytes, ENTRIES_BYTES_MAX);
        }
        buf_clear(&file->bytes);
        buf_add(&file->bytes, bytes, length);
        memory->writes++;
        return buf_check(&file->bytes, why);
}

static inline struct memory *memory_new(void)
{
        struct memory *memory = calloc(1, sizeof(*memory));
        CHECK(memory);
        return memory;
}

static inline void memory_free(struct memory *memory)
{
        for (size_t i = 0; memory && i < memory->count; i++)
                buf_done(&memory->files[i].bytes);
        free(memory);
}
OWN_DEFINE(memory_store, struct memory *, memory_free)

static inline struct tile_store memory_store(struct memory *memory)
{
        return (struct tile_store){ memory, memory_read, memory_write };
}

/* Grow the log in this store to `size` entries, and publish it. */
static inline void test_grow(struct memory *memory, struct tree_head *head, uint64_t size)
{
        OWN(appender) struct appender *appender = NULL;
        struct tile_store store = memory_store(memory);
        char text[32];
        CHECK(appender_open(&store, head, &appender, NULL) == OK);
        for (uint64_t i = head->size; i < size; i++) {
                struct entry entry = test_entry(i, text);
                CHECK(appender_add(appender, &entry, NULL) == OK);
        }
        CHECK(appender_publish(appender, head, NULL) == OK && head->size == size);
}
