/* Part 3: the whole server, every online key, and the devices' clocks. The ceiling goes by a device's clock and is lost; nothing else is. */
#include "redteam/attack.h"

static void add_evil(struct red *red, int64_t at_s)
{
        red_control_keys(red, HOLDS_CONTENT);
        struct attack_made made = { attack_evil(6), "rules/6", { KEY_DIRECTOR, KEY_TIMESTAMP }, 2, attack_online_keys };
        if (red->is_control)
                made = (struct attack_made){ attack_evil(6), "rules/6", { KEY_CONTENT_A, KEY_CONTENT_B }, 2, attack_offline_keys };
        (void)attack_made(red, &made, at_s);
}

/* Four hours after its start release 4 is for every fifth device, and release 5 for its first step a day before it begins. */
static void ahead(struct red *red)
{
        red->owns_clock = true;
        for (unsigned release = 0; release < 4; release++)
                attack_offer(red, release, START + RUSH_S + (int64_t)release)->clock_s = START + 5 * HOUR;
        attack_offer(red, 4, START + HOUR)->clock_s = START + DAY + 60;
        add_evil(red, START + 2 * HOUR);
}

/* All that the publisher signed has ended, and devices know it from an honest server; then it is last week again. */
static void back(struct red *red)
{
        const int64_t end_s = truth_editions[TRUTH_EDITIONS - 1].expires;
        struct scene *scene = attack_offer(red, 3, end_s + HOUR);
        struct cohort cohort = red_cohort_for(red, 3);
        red->owns_clock = true;
        cohort.state = COHORT_HOLD;
        red_offer(red, scene, &cohort);
        scene->is_honest = true;
        attack_offer(red, 3, end_s + 2 * HOUR)->clock_s = end_s - 2 * DAY;
        attack_offer(red, 4, end_s + 3 * HOUR)->clock_s = end_s - 2 * DAY;
        attack_offer(red, 3, end_s + 4 * HOUR)->clock_s = 1;
        if (red->is_control)
                red->faults = FAULT_FORGETS_TIME;
}

static void to_and_fro(struct red *red)
{
        red->owns_clock = true;
        for (unsigned i = 0; i < 12; i++) {
                struct scene *scene = attack_offer(red, i % 5, START + (int64_t)i * DAY);
                scene->is_clock_wild = true;
                if (i % 4 == 3)
                        red_edition(red, scene, 1 + i / 4);
        }
        add_evil(red, START + 13 * DAY);
}

const struct attack attacks_clock[] = {
        { "clocks ahead", HOLDS_ONLINE, PART_CLOCK, ahead, "two content keys" },
        { "clocks back", HOLDS_ONLINE, PART_CLOCK, back, "devices forget the time" },
        { "clocks to and fro", HOLDS_ONLINE, PART_CLOCK, to_and_fro, "two content keys" },
        { .name = NULL },
};
