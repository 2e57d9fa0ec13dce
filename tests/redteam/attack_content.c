/* Part 2: the content threshold, snapshot and timestamp keys and the network, but neither the director nor a lease. */
#include "redteam/attack.h"

#include "trust/sha.h"

#include <string.h>

enum { CONTENT = HOLDS_CONTENT | HOLDS(KEY_TIMESTAMP) | HOLDS(KEY_OWN) };

static const struct attack_made *evil(void)
{
        static struct attack_made made;
        made = (struct attack_made){ attack_evil(6), "rules/6", { KEY_CONTENT_A, KEY_CONTENT_B }, 2, attack_offline_keys };
        return &made;
}

/* Everything but the director's part, which is a fresh one of its own about release 4. */
static struct scene *beside_director(struct red *red, const struct attack_made *made, int64_t at_s)
{
        unsigned holds = red->holds;
        red->holds |= HOLDS_ONLINE;
        struct scene *genuine = attack_offer(red, 3, at_s - 30), *scene = attack_made(red, made, at_s);
        red->holds = holds;
        genuine->lease = NULL;
        if (red->is_control)
                return scene;
        for (enum tuf_role role = TUF_TARGETS; role < TUF_ROLES; role++)
                scene_set(&scene->files[BUNDLE_DIRECTOR][role], &genuine->files[BUNDLE_DIRECTOR][role]);
        scene_set(&scene->cohort, &genuine->cohort);
        scene->lease = NULL;
        return scene;
}

/* Its own document under a name that is signed, or signed by itself. */
static void own_document(struct red *red)
{
        red_control_keys(red, HOLDS(KEY_DIRECTOR));
        struct scene *scene = beside_director(red, evil(), START + RUSH_S);
        struct why why = { .text = "" };
        if (red->is_control)
                return;
        OWN(buf) struct buf document;
        buf_init(&document, COHORT_BYTES_MAX);
        struct cohort cohort = red_cohort(red, 6, &scene->artifacts[1].bytes);
        sure(cohort_write(&cohort, &document, &why), &why);
        scene_set(&scene->cohort, &document);
        for (enum key key = KEY_CONTENT_A; key <= KEY_OWN; key++) {
                scene = beside_director(red, evil(), START + RUSH_S + 60 + (int64_t)key);
                if (red->holds & HOLDS(key))
                        red_offer_bytes(red, scene, &document, key);
                if (red->scene_count + 2 > RED_SCENES)
                        return;
        }
}

static void content_lease(const struct red *red, const struct ask *ask, struct buf *into)
{
        const struct lease lease = red_lease_for(ask);
        red_lease_sign(red, &lease, red->is_control ? KEY_DIRECTOR : KEY_CONTENT_A, into);
        if (!red->is_control)
                red_sign_note(red, into, "content-b", KEY_CONTENT_B);
}

/* The director offers release 4 by itself: what is under that name, he may say, but not what its digest is. */
static void same_name(struct red *red)
{
        struct attack_made made = *evil();
        red_control_keys(red, HOLDS(KEY_DIRECTOR));
        made.release.counter = 4;
        made.path = "rules/4";
        struct scene *scene = beside_director(red, &made, START + RUSH_S);
        scene_serve(scene, red->publisher->note_sha256[3], scene->artifacts[1].bytes.bytes, scene->artifacts[1].bytes.length);
        scene->lease = content_lease;
}

/* Release 4 as it is, with a wider ceiling in what stands above the note. */
static void own_lease(struct red *red)
{
        red_control_keys(red, HOLDS(KEY_DIRECTOR));
        struct scene *scene = beside_director(red, evil(), START + RUSH_S);
        if (!red->is_control) {
                red_edition(red, scene, TRUTH_EDITIONS);
                struct truth_release wide = truth_releases[3];
                wide.steps[0].ppm = 1000000;
                wide.steps[1].ppm = 0;
                red_list(red, scene, &(struct red_entry){ "rules/4", &wide, &red->publisher->notes[3] }, &attack_offline_keys);
        }
        scene->lease = content_lease;
}

/* The release repository, whole, in place of the director's. */
static void as_director(struct red *red)
{
        red_control_keys(red, HOLDS(KEY_DIRECTOR));
        struct scene *scene = beside_director(red, evil(), START + RUSH_S);
        for (enum tuf_role role = TUF_TARGETS; !red->is_control && role < TUF_ROLES; role++)
                scene_set(&scene->files[BUNDLE_DIRECTOR][role], &scene->files[BUNDLE_RELEASE][role]);
        scene->lease = content_lease;
}

const struct attack attacks_content[] = {
        { "content: its own document", CONTENT, PART_CONTENT, own_document, "the director's key" },
        { "content: under 4's name", CONTENT, PART_CONTENT, same_name, "the director's key" },
        { "content: its own lease", CONTENT, PART_CONTENT, own_lease, "the director's key" },
        { "content: as the director", CONTENT, PART_CONTENT, as_director, "the director's key" },
        { .name = NULL },
};
