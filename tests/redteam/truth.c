#include "redteam/truth.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* The pace is behind all that were in the log before the attack. */
const struct truth_release truth_releases[TRUTH_RELEASES] = {
        { "rules", 1, 1, { "any" }, START - 60 * DAY, { { 0, 1000 }, { HOUR, 10000 }, { 4 * HOUR, 1000000 } }, "one\n", START - 64 * DAY, false, true },
        { "rules", 2, 1, { "any" }, START - 40 * DAY, { { 0, 1000 }, { HOUR, 10000 }, { 4 * HOUR, 1000000 } }, "two\n", START - 44 * DAY, false, true },
        { "rules", 3, 2, { "linux-amd64" }, START - 20 * DAY, { { 0, 50000 }, { DAY, 1000000 } }, "three\n", START - 18 * DAY - HOUR, true, true },
        { "rules", 4, 3, { "linux-amd64", "linux-arm64" }, START, { { 0, 1000 }, { HOUR, 10000 }, { 4 * HOUR, 200000 }, { DAY, 1000000 } }, "four\n", START - 4 * DAY, false, true },
        { "rules", 5, 3, { "any" }, START + DAY, { { 0, 1000 }, { HOUR, 1000000 } }, "five\n", 0, false, false },
        { "other", 9, 1, { "any" }, START - 20 * DAY, { { 0, 1000000 } }, "of another stream\n", START - 24 * DAY, false, false },
};

const struct truth_step truth_pace[TRUTH_STEPS + 1] = { { 0, 10000 }, { 6 * HOUR, 50000 }, { DAY, 250000 }, { 3 * DAY, 1000000 } };

const struct truth_edition truth_editions[TRUTH_EDITIONS] = {
        { 1, START - 30 * DAY }, { 2, START - 10 * DAY }, { 3, START + 10 * DAY }, { TRUTH_RELEASES, START + 30 * DAY },
};

static uint8_t names[TRUTH_RELEASES][32];

const char *harm_name(enum harm harm)
{
        static const char *const of[HARMS] = { "unapproved", "platform", "floor", "ceiling", "expired", "pace", "customer", "older" };
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

/* Among 2^64, by a salt and the device: SHA-256("cohort/v1" 0 salt 0 device), its first eight bytes. */
static double place(const char *salt, const char *device)
{
        char text[160];
        uint8_t digest[32];
        int length = snprintf(text, sizeof(text), "cohort/v1%c%s%c%s", 0, salt, 0, device);
        crypto_hash_sha256(digest, (const uint8_t *)text, (size_t)length);
        double place = 0;
        for (int i = 6; i >= 0; i--)
                place = (place + digest[i]) / 256;
        return place;                    /* 53 bits: a device in 10^13 could be misjudged */
}

static bool is_within(const struct truth_step *steps, int64_t since_s, const char *salt, const struct truth_install *install)
{
        double share = 0;
        for (; steps->ppm; steps++)
                if (install->at_s >= since_s + steps->after_s)
                        share = steps->ppm / 1e6;
        bool is_early = strcmp(install->ring, "early") == 0 && !(install->lies & LIE_NO_EARLY_RING);
        return share > 0 && (is_early || place(salt, install->device) < share);
}

void truth_saw(struct truth_log *log, const uint8_t leaf[32], int64_t at_s)
{
        size_t i = 0;
        while (i < log->count && memcmp(log->sights[i].leaf, leaf, 32) != 0)
                i++;
        if (i < log->count || i == TRUTH_SIGHTS)         /* times ascend; what is forgotten may not be installed */
                return;
        memcpy(log->sights[log->count].leaf, leaf, 32);
        log->sights[log->count++].at_s = at_s;
}

/* The release's entry in the log, as a leaf: SHA-256(0, entry). */
static void make_leaf(const struct truth_release *release, const uint8_t name[32], uint8_t ret_leaf[32])
{
        char text[256] = "", digest[65];
        sodium_bin2hex(digest, sizeof(digest), name, 32);
        int length = snprintf(text + 1, sizeof(text) - 1, "firebreak log entry v1\nkind release\nname %s\nnumber %llu\ndigest %s\n", release->stream,
                              (unsigned long long)release->counter, digest);
        crypto_hash_sha256(ret_leaf, (const uint8_t *)text, 1 + (size_t)length);
}

/* The pace's places are those of a week, for all that the witnesses first saw in it. */
static bool is_at_pace_since(const struct truth_release *release, int64_t seen_s, const struct truth_install *install)
{
        char salt[96];
        snprintf(salt, sizeof(salt), "pace/%s/%lld", release->stream, (long long)(seen_s / (7 * DAY)));
        return release->is_lifted || is_within(truth_pace, seen_s, salt, install);
}

static bool is_at_pace(const struct truth_release *release, const uint8_t name[32], const struct truth_install *install)
{
        uint8_t leaf[32];
        make_leaf(release, name, leaf);
        for (size_t i = 0; i < install->log->count; i++)
                if (memcmp(install->log->sights[i].leaf, leaf, 32) == 0)
                        return is_at_pace_since(release, install->log->sights[i].at_s, install);
        return false;
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

/* Of what stolen keys signed. */
static unsigned judge_bad(const struct truth_install *install)
{
        unsigned harm = 1u << HARM_UNAPPROVED | (install->has_customer ? 1u << HARM_CUSTOMER : 0);
        for (size_t i = 0; i < install->bad_count; i++) {
                const struct truth_bad *bad = &install->bad[i];
                if (strlen(bad->release.text) == install->length && memcmp(bad->release.text, install->bytes, install->length) == 0)
                        return is_at_pace(&bad->release, bad->name, install) ? harm : harm | 1u << HARM_PACE;
        }
        return harm | 1u << HARM_PACE;
}

static bool is_in_ramp(const struct truth_release *release, const uint8_t name[32], const struct truth_install *install)
{
        char salt[65];
        sodium_bin2hex(salt, sizeof(salt), name, 32);
        return is_within(release->steps, release->start, salt, install);
}

unsigned truth_judge(const struct truth_install *install, const struct truth_release **ret_release)
{
        unsigned index = 0, harm = 0;
        const struct truth_release *release = find(install, &index);
        *ret_release = release;
        if (!release)
                return judge_bad(install);
        if (!is_for(release, install->platform))
                harm |= 1u << HARM_PLATFORM;
        if (release->counter < floor_of(install))
                harm |= 1u << HARM_FLOOR;
        if (!is_in_ramp(release, names[index], install))
                harm |= 1u << HARM_CEILING;
        if (is_expired(install))
                harm |= 1u << HARM_EXPIRED;
        if (!is_at_pace(release, names[index], install))
                harm |= 1u << HARM_PACE;
        if (install->has_customer && !release->is_wanted)
                harm |= 1u << HARM_CUSTOMER;
        if (release->counter < install->newest)
                harm |= 1u << HARM_OLDER;
        return harm;
}
