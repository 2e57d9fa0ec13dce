/* content.h - small content folders for tests of the lab, made and gone with the test. */
#pragma once

#include "platform/file.h"
#include "support/test.h"

#include <string.h>
#include <sys/stat.h>

struct content { char folder[64]; };

static inline void content_put_bytes(const struct content *content, const char *name, const void *bytes, size_t length)
{
        char path[256];
        snprintf(path, sizeof(path), "%s/%s", content->folder, name);
        CHECK(file_write(path, bytes, length, NULL) == OK);
}

static inline void content_put(const struct content *content, const char *name, const char *text)
{
        content_put_bytes(content, name, text, strlen(text));
}

#define CANARY "FIREBREAK-TEST-CANARY"
#define CANARY_RULE "rule canary { strings: $a = \"" CANARY "\" condition: $a }\n"

/* A good one: a dossier with a canary, and one rule that matches it. */
static inline void content_make(struct content *content)
{
        char path[128];
        CHECK(file_temporary(content->folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/rules", content->folder);
        CHECK(mkdir(path, 0700) == 0);
        content_put(content, "dossier.yaml", "what: a\nwhy: b\nrisk: c\nundo: d\ncanary: " CANARY "\n");
        content_put(content, "rules/a.yar", CANARY_RULE);
}

static inline void content_release(struct content *content)
{
        if (content->folder[0])
                file_remove_tree(content->folder);
}
