/* Anything at all: scenes that are put together and spoiled at random, and each device meets a few of them. */
#include "redteam/attack.h"

#include <string.h>

static uint64_t below(struct red *red, uint64_t bound)
{
        return sim_random_below(&red->random, bound);
}

static void spoil_bytes(struct red *red, struct buf *file)
{
        if (file->length)
                file->bytes[below(red, file->length)] ^= (char)(1 << below(red, 8));
}

static void spoil_file(struct red *red, struct scene *scene)
{
        const struct scene *other = &red->scenes[below(red, red->scene_count)];
        const unsigned repository = (unsigned)below(red, BUNDLE_REPOSITORIES), role = (unsigned)below(red, TUF_ROLES);
        struct buf *file = &scene->files[repository][role];
        const struct buf *from = &other->files[below(red, BUNDLE_REPOSITORIES)][below(red, TUF_ROLES)];
        switch (below(red, 5)) {
        case 0: spoil_bytes(red, file); break;
        case 1: if (from != file) scene_set(file, from); break;
        case 2: buf_clear(file); break;
        case 3: if (&other->cohort != &scene->cohort) scene_set(&scene->cohort, &other->cohort); break;
        default: red_edition(red, scene, 1 + (unsigned)below(red, TRUTH_EDITIONS)); break;
        }
}

static void spoil_cohort(struct red *red, struct scene *scene)
{
        struct cohort cohort = red_cohort_for(red, (unsigned)below(red, TRUTH_RELEASES));
        const unsigned other = (unsigned)below(red, TRUTH_RELEASES);
        cohort.state = (enum cohort_state)below(red, 3);
        cohort.fallback = below(red, 8);
        cohort.seq = below(red, 1000);
        cohort.counter = below(red, 4) ? cohort.counter : 1 + below(red, 9);
        cohort.rules[0].is_all = below(red, 4) != 0;
        cohort.rules[0].hi = sim_random_next(&red->random);
        if (truth_releases[other].counter < cohort.counter) {
                cohort.older_count = 1;
                cohort.older[0].counter = truth_releases[other].counter;
                cohort.older[0].length = red->publisher->notes[other].length;
                memcpy(cohort.older[0].sha256, red->publisher->note_sha256[below(red, 4) ? other : below(red, TRUTH_RELEASES)], 32);
        }
        red_offer(red, scene, &cohort);
}

static void any_lease(const struct red *red, const struct ask *ask, struct buf *into)
{
        struct lease lease = red_lease_for(ask);
        switch (ask->nonce[0] % 8) {
        case 0: lease.is_shadow = true; break;
        case 1: lease.nonce[1] ^= 1; break;
        case 2: lease.counter++; break;
        case 3: lease.deadline = lease.granted + 1; break;
        default: break;
        }
        red_lease_sign(red, &lease, ask->nonce[1] % 8 ? KEY_DIRECTOR : KEY_OWN, into);
}

static void any_scene(struct red *red, int64_t at_s)
{
        struct attack_made made = { attack_evil(1 + below(red, 7)), NULL, { KEY_DIRECTOR, KEY_TIMESTAMP }, 2, attack_online_keys };
        if (red->is_control)
                made = (struct attack_made){ attack_evil(6), "rules/6", { KEY_CONTENT_A, KEY_CONTENT_B }, 2, attack_offline_keys };
        struct scene *scene = below(red, 3) ? attack_offer(red, (unsigned)below(red, TRUTH_RELEASES), at_s) : attack_made(red, &made, at_s);
        for (uint64_t i = below(red, 3); i > 0 && !red->is_control; i--)
                (below(red, 3) ? spoil_cohort : spoil_file)(red, scene);
        scene->lease = any_lease;
        scene->lease_after_s = (int64_t)below(red, 3 * HOUR);
        scene->is_silent = below(red, 8) == 0;
}

static void chaos(struct red *red)
{
        red->picks = true;
        red_control_keys(red, HOLDS_CONTENT);
        for (int64_t at_s = START - HOUR; red->scene_count < RED_SCENES; at_s += (int64_t)below(red, 4 * DAY))
                any_scene(red, at_s);
}

static void chaos_of_clocks(struct red *red)
{
        chaos(red);
        red->owns_clock = true;
        for (size_t i = 0; i < red->scene_count; i++)
                red->scenes[i].is_clock_wild = below(red, 2) == 0;
}

const struct attack attacks_chaos[] = {
        { "anything at all", HOLDS_ONLINE, PART_SERVER, chaos, "two content keys" },
        { "anything, with clocks", HOLDS_ONLINE, PART_CLOCK, chaos_of_clocks, "two content keys" },
        { .name = NULL },
};
