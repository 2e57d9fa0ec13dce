/* identity.h - who this device is: its random id, its Ed25519 key, and the MAC key that the server gave it.
 *
 * Made on the device and stored (durable) before it is told to anybody, so that a lost answer is asked for again with the
 * same identity. */
#pragma once

#include "base/err.h"
#include "platform/disk.h"
#include "platform/random.h"

#include <stdbool.h>
#include <stdint.h>

/* On disk (state_dir/identity), and therefore frozen. */
struct identity {
        char magic[4];                   /* "FBID" */
        uint32_t version, is_enrolled, unused;
        uint8_t id[16], seed[32], mac_key[32];
};
_Static_assert(sizeof(struct identity) == 96, "on-disk format");

/* ERR_NOT_FOUND: this device has none yet. ERR_SYNTAX: damaged. */
MUST_CHECK enum err identity_load(struct disk *disk, struct identity *ret_identity, struct why *why);
/* A new one, stored. */
MUST_CHECK enum err identity_make(struct disk *disk, struct random_source *random, struct identity *ret_identity, struct why *why);
/* The server's answer, stored. */
MUST_CHECK enum err identity_enrolled(struct disk *disk, struct identity *identity, const uint8_t mac_key[32], struct why *why);
void identity_text(const struct identity *identity, char text[33]);      /* the device id as hex */
void identity_wipe(struct identity *identity);
