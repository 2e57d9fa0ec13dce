#include "redteam/truth.h"

#include <sodium.h>
#include <string.h>

const struct truth_release truth_releases[TRUTH_RELEASES] = {
        { "rules", 1, 1, { "any" }, START - 60 * DAY, { { 0, 1000 }, { HOUR, 10000 }, { 4 * HOUR, 1000000 } }, "one\n" },
        { "rules", 2, 1, { "any" }, START - 40 * DAY, { { 0, 1000 }, { HOUR, 10000 }, { 4 * HOUR, 1000000 } }, "two\n" },
        { "rules", 3, 2, { "linux-amd64" }, START - 20 * DAY, { { 0, 50000 }, { DAY, 1000000 } }, "three\n" },
        { "rules", 4, 3, { "linux-amd64", "linux-arm64" }, START, { { 0, 1000 }, { HOUR, 10000 }, { 4 * HOUR, 200000 }, { DAY, 1000000 } }, "four\n" },
        { "rules", 5, 3, { "any" }, START + DAY, { { 0, 1000 }, { HOUR, 1000000 } }, "five\n" },
        { "other", 9, 1, { "any" }, START - 20 * DAY, { { 0, 1000000 } }, "of another stream\n" },
};

const struct truth_edition truth_editions[TRUTH_EDITIONS] = {
        { 1, START - 30 * DAY }, { 2, START - 10 * DAY }, { 3, START + 10 * DAY }, { TRUTH_RELEASES, START + 30 * DAY },
};

static uint8_t names[TRUTH_RELEASES][32];

const char *harm_name(enum harm harm)
{
        static const char *const of[HARMS] = { "unapproved", "platform", "floor", "ceiling", "expired", "older" };
        return of[harm];
}

void truth_name(unsigned release, const void *note, size_t length)
{
        crypto_hash_sha256(names[release], note, length);
}

static const struct truth_release *find(const struct truth_install *install, unsigned *ret_index)
{
        for (unsigned i = 0; i < TRUTH_RELEASES; i++) {
                const struct truth_release *release = &truth_releases[i];
                *ret_index = i;
                if (strcmp(release->stream, install->stream) == 0 && strlen(release->text) == install->length && memcmp(release->text, install->bytes, install->length) == 0)
                        return (install->lies & LIE_NEVER_APPROVED_4) && release->counter == 4 ? NULL : release;
        }
        return NULL;
}

static bool is_for(const struct truth_release *release, const char *platform)
{
        for (size_t i = 0; release->platforms[i]; i++)
                if (strcmp(release->platforms[i], "any") == 0 || strcmp(release->platforms[i], platform) == 0)
                        return true;
        return false;
}

/* Among 2^64, by the name of the release and the device: SHA-256("cohort/v1" 0 name 0 device), its first eight bytes. */
static double place(unsigned release, const char *device)
{
        char text[160];
        uint8_t digest[32];
        memcpy(text, "cohort/v1", 10);
        sodium_bin2hex(text + 10, 65, names[release], 32);
        memcpy(text + 75, device, 32);
        crypto_hash_sha256(digest, (const uint8_t *)text, 107);
        double place = 0;
        for (int i = 6; i >= 0; i--)
                place = (place + digest[i]) / 256;
        return place;                    /* 53 bits: a device in 10^13 could be misjudged */
}

static bool is_within(const struct truth_release *release, unsigned index, const struct truth_install *install)
{
        double share = 0;
        for (size_t i = 0; release->steps[i].ppm; i++)
                if (install->at_s >= release->start + release->steps[i].after_s)
                        share = release->steps[i].ppm / 1e6;
        bool is_early = strcmp(install->ring, "early") == 0 && !(install->lies & LIE_NO_EARLY_RING);
        return share > 0 && (is_early || place(index, install->device) < share);
}

static uint64_t floor_of(const struct truth_install *install)
{
        uint64_t floor = install->floor;
        const unsigned edition = install->lies & LIE_FLOOR_IS_NEWEST ? TRUTH_EDITIONS : install->edition;
        for (unsigned i = 0; edition && i < truth_editions[edition - 1].releases; i++)
                if (strcmp(truth_releases[i].stream, install->stream) == 0 && truth_releases[i].floor > floor)
                        floor = truth_releases[i].floor;
        return floor;
}

static bool is_expired(const struct truth_install *install)
{
        const int64_t known_s = install->owns_clock ? install->fresh_s : install->at_s;
        return install->edition && truth_editions[install->edition - 1].expires <= known_s;
}

unsigned truth_judge(const struct truth_install *install, const struct truth_release **ret_release)
{
        unsigned index = 0, harm = 0;
        const struct truth_release *release = find(install, &index);
        *ret_release = release;
        if (!release)
                return 1u << HARM_UNAPPROVED;
        if (!is_for(release, install->platform))
                harm |= 1u << HARM_PLATFORM;
        if (release->counter < floor_of(install))
                harm |= 1u << HARM_FLOOR;
        if (!is_within(release, index, install))
                harm |= 1u << HARM_CEILING;
        if (is_expired(install))
                harm |= 1u << HARM_EXPIRED;
        if (release->counter < install->newest)
                harm |= 1u << HARM_OLDER;
        return harm;
}
