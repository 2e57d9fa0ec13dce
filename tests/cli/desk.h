/* desk.h - a folder of somebody's own, and the commands that are typed there.
 *
 *      OWN(desk) struct desk d;
 *      desk_init(&d); put(&d, "words", "correct horse\n");
 *      CHECK(say(&d, "keys new @/k.pem --passphrase-file @/words") == 0);          d.run.out, d.run.err: what was printed */
#pragma once

#include "cli/fake_net.h"

struct desk {
        char path[64];
        struct fake_run run;
};

static inline void desk_init(struct desk *desk)
{
        *desk = (struct desk){ 0 };
        CHECK(file_temporary(desk->path, NULL) == OK);
}

static inline void desk_release(struct desk *desk)
{
        file_remove_tree(desk->path);
        fake_run_release(&desk->run);
}

static inline void put(const struct desk *desk, const char *name, const char *text)
{
        char path[256];
        snprintf(path, sizeof(path), "%s/%s", desk->path, name);
        CHECK(file_write(path, text, strlen(text), NULL) == OK);
}

static inline struct buf file_of(const struct desk *desk, const char *name)
{
        struct buf bytes;
        char path[256];
        snprintf(path, sizeof(path), "%s/%s", desk->path, name);
        buf_init(&bytes, 65536);
        CHECK(file_read(path, &bytes, NULL) == OK);
        return bytes;
}

/* The words of `line`, in which @ stands for the desk's folder, before a server of these answers. */
static inline int say_online(struct desk *desk, const char *line, const struct fake_answer *script, size_t count)
{
        char whole[1024];
        size_t used = 0;
        for (; *line; line++)
                used += (size_t)snprintf(whole + used, sizeof(whole) - used, *line == '@' ? "%s" : "%.1s", *line == '@' ? desk->path : line);
        return fake_run(&desk->run, script, count, whole);
}
#define SAY_ONLINE(desk, line, script) say_online((desk), (line), (script), sizeof(script) / sizeof((script)[0]))

static inline int say(struct desk *desk, const char *line)
{
        return say_online(desk, line, NULL, 0);
}
