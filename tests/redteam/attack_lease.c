/* Leases without the director's key: the attacker has the network and the other online key, and what the director signed for others. */
#include "redteam/attack.h"

#include <string.h>

enum { WITHOUT = HOLDS(KEY_TIMESTAMP) | HOLDS(KEY_OWN) };

/* The director's own documents, fresh: they were on their way to devices. */
static struct scene *overheard(struct red *red)
{
        unsigned holds = red->holds;
        red->holds |= HOLDS_ONLINE;
        struct scene *scene = attack_offer(red, 3, START + 2 * DAY);
        red->holds = holds;
        red_control_keys(red, HOLDS(KEY_DIRECTOR));
        return scene;
}

/* What the director once signed; only a control asks it again. */
static void overheard_lease(const struct red *red, const struct lease *lease, struct buf *into)
{
        struct red director = *red;
        director.holds |= HOLDS(KEY_DIRECTOR);
        red_lease_sign(&director, lease, KEY_DIRECTOR, into);
}

static bool in_control(const struct red *red, const struct ask *ask, struct buf *into)
{
        if (red->is_control)
                red_grant(red, ask, into);
        return red->is_control;
}

static void others_device(const struct red *red, const struct ask *ask, struct buf *into)
{
        struct lease lease = red_lease_for(ask);
        snprintf(lease.device, sizeof(lease.device), "00112233445566778899aabbccddeeff");
        if (!in_control(red, ask, into))
                overheard_lease(red, &lease, into);
}

static void other_nonce(const struct red *red, const struct ask *ask, struct buf *into)
{
        struct lease lease = red_lease_for(ask);
        lease.nonce[15] ^= 1;
        if (!in_control(red, ask, into))
                overheard_lease(red, &lease, into);
}

static void others_stream(const struct red *red, const struct ask *ask, struct buf *into)
{
        struct lease lease = red_lease_for(ask);
        snprintf(lease.stream, sizeof(lease.stream), "other");
        if (!in_control(red, ask, into))
                overheard_lease(red, &lease, into);
}

static void other_release(const struct red *red, const struct ask *ask, struct buf *into)
{
        struct lease lease = red_lease_for(ask);
        lease.counter = 3;
        memcpy(lease.target, red->publisher->note_sha256[2], 32);
        if (!in_control(red, ask, into))
                overheard_lease(red, &lease, into);
}

static void too_late(const struct red *red, const struct ask *ask, struct buf *into)
{
        struct lease lease = red_lease_for(ask);
        lease.granted -= HOUR;
        lease.deadline = ask->at_s;
        if (!in_control(red, ask, into))
                overheard_lease(red, &lease, into);
}

static void shadow(const struct red *red, const struct ask *ask, struct buf *into)
{
        struct lease lease = red_lease_for(ask);
        lease.is_shadow = true;
        if (!in_control(red, ask, into))
                overheard_lease(red, &lease, into);
}

static void own_key(const struct red *red, const struct ask *ask, struct buf *into)
{
        const struct lease lease = red_lease_for(ask);
        if (!in_control(red, ask, into))
                red_lease_sign(red, &lease, ask->nonce[0] & 1 ? KEY_TIMESTAMP : KEY_OWN, into);
}

/* A lease for somebody else, changed after it was signed. */
static void changed(const struct red *red, const struct ask *ask, struct buf *into)
{
        struct lease lease = red_lease_for(ask);
        snprintf(lease.device, sizeof(lease.device), "00112233445566778899aabbccddeeff");
        if (in_control(red, ask, into))
                return;
        overheard_lease(red, &lease, into);
        memcpy(strstr(into->bytes, "device ") + 7, ask->device, 32);
        red_sign_note(red, into, "director", KEY_OWN);
}

static void ask_leases(struct red *red, void (*lease)(const struct red *red, const struct ask *ask, struct buf *into))
{
        struct scene *scene = overheard(red);
        scene->lease = lease;
        if (red->is_control)
                red->lies = LIE_NEVER_APPROVED_4;
}

static void lease_device(struct red *red) { ask_leases(red, others_device); }
static void lease_nonce(struct red *red) { ask_leases(red, other_nonce); }
static void lease_stream(struct red *red) { ask_leases(red, others_stream); }
static void lease_release(struct red *red) { ask_leases(red, other_release); }
static void lease_late(struct red *red) { ask_leases(red, too_late); }
static void lease_shadow(struct red *red) { ask_leases(red, shadow); }
static void lease_key(struct red *red) { ask_leases(red, own_key); }
static void lease_changed(struct red *red) { ask_leases(red, changed); }

const struct attack attacks_lease[] = {
        { "another device's lease", WITHOUT, PART_CONTENT, lease_device, "the director's key" },
        { "an old answer's lease", WITHOUT, PART_CONTENT, lease_nonce, "the director's key" },
        { "another stream's lease", WITHOUT, PART_CONTENT, lease_stream, "the director's key" },
        { "another release's lease", WITHOUT, PART_CONTENT, lease_release, "the director's key" },
        { "a lease past its deadline", WITHOUT, PART_CONTENT, lease_late, "the director's key" },
        { "a shadow's lease", WITHOUT, PART_CONTENT, lease_shadow, "the director's key" },
        { "a lease of another key", WITHOUT, PART_CONTENT, lease_key, "the director's key" },
        { "a lease that was changed", WITHOUT, PART_CONTENT, lease_changed, "the director's key" },
        { .name = NULL },
};
