/* scene.h - what the server, as the attacker has it, answers at one moment. */
#pragma once

#include "base/buf.h"
#include "redteam/answers.h"
#include "trust/bundle.h"

struct red;

enum { SCENE_ARTIFACTS = 8, SCENE_EVERYBODY = -1 };

/* A device's question for a lease. */
struct ask {
        const char *device, *stream;
        uint64_t counter;
        const uint8_t *target, *nonce;
        int64_t at_s;
};

struct scene {
        int64_t at_s;                    /* true time */
        int64_t lease_after_s;           /* the device's question for a lease is answered so much later */
        bool is_silent;                  /* devices hear of no reason to look at the metadata again */
        bool is_honest;
        int64_t clock_s;                 /* what devices take the time for; 0: as it is */
        bool is_clock_wild;              /* each device has another clock */
        int only;                        /* the one device that is answered */
        struct buf files[BUNDLE_REPOSITORIES][TUF_ROLES];        /* the root: the next one, where there is any */
        struct buf cohort;
        struct { uint8_t sha256[32]; struct buf bytes; } artifacts[SCENE_ARTIFACTS];
        size_t artifact_count;
        struct answers answers;          /* in place of those that are everybody's */
        void (*lease)(const struct red *red, const struct ask *ask, struct buf *into);   /* NULL: none */
};

void scene_init(struct scene *scene, int64_t at_s);
void scene_done(struct scene *scene);
void scene_copy(const struct scene *from, struct scene *into);
void scene_set(struct buf *file, const struct buf *bytes);
/* Served under this digest, whether it has it or not. */
void scene_serve(struct scene *scene, const uint8_t sha256[32], const void *bytes, size_t length);
