#include "redteam/scene.h"

#include <assert.h>
#include <string.h>

void scene_init(struct scene *scene, int64_t at_s)
{
        *scene = (struct scene){ .at_s = at_s, .only = SCENE_EVERYBODY };
        for (int repository = 0; repository < BUNDLE_REPOSITORIES; repository++)
                for (int role = 0; role < TUF_ROLES; role++)
                        buf_init(&scene->files[repository][role], 4 * LIMIT_METADATA_BYTES);
        buf_init(&scene->cohort, LIMIT_METADATA_BYTES);
}

void scene_done(struct scene *scene)
{
        for (int repository = 0; repository < BUNDLE_REPOSITORIES; repository++)
                for (int role = 0; role < TUF_ROLES; role++)
                        buf_done(&scene->files[repository][role]);
        buf_done(&scene->cohort);
        for (size_t i = 0; i < scene->artifact_count; i++)
                buf_done(&scene->artifacts[i].bytes);
        scene->artifact_count = 0;
        answers_done(&scene->answers);
}

void scene_set(struct buf *file, const struct buf *bytes)
{
        buf_clear(file);
        buf_add(file, buf_text(bytes), bytes->length);
}

void scene_serve(struct scene *scene, const uint8_t sha256[32], const void *bytes, size_t length)
{
        assert(scene->artifact_count < SCENE_ARTIFACTS);
        struct buf *into = &scene->artifacts[scene->artifact_count].bytes;
        memcpy(scene->artifacts[scene->artifact_count++].sha256, sha256, 32);
        buf_init(into, 4 * LIMIT_METADATA_BYTES);
        buf_add(into, bytes, length);
}

void scene_copy(const struct scene *from, struct scene *into)
{
        scene_init(into, from->at_s);
        into->lease_after_s = from->lease_after_s;
        into->lease = from->lease;
        into->only = from->only;
        for (int repository = 0; repository < BUNDLE_REPOSITORIES; repository++)
                for (int role = 0; role < TUF_ROLES; role++)
                        scene_set(&into->files[repository][role], &from->files[repository][role]);
        scene_set(&into->cohort, &from->cohort);
        for (size_t i = 0; i < from->artifact_count; i++)
                scene_serve(into, from->artifacts[i].sha256, from->artifacts[i].bytes.bytes, from->artifacts[i].bytes.length);
        for (size_t i = 0; i < from->answers.count; i++)
                answers_set(&into->answers, from->answers.of[i].path, &from->answers.of[i].bytes);
}
