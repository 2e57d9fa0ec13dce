#include "redteam/device.h"

#include "agent/vouch.h"
#include "base/mem.h"
#include "redteam/past.h"
#include "redteam/small_disk.h"
#include "trust/anchor.h"
#include "trust/sha.h"

#include <inttypes.h>
#include <string.h>

enum { KINDS = 2 };                      /* new, and with a past */

struct device {
        uint32_t index;
        char id[33];
        const char *ring, *platform;
        struct sim_random random;
        struct past *past;
        struct trusted_time time;
        struct small_disk disk;
        struct slots *own;               /* NULL until it changes */
        const struct slots *slots;
        struct offer offer;
        struct slot_release release;     /* the candidate */
        struct release_note *note;
        struct vouch vouch;
        bool has_customer;
        struct past *past_before;        /* this scene */
        bool is_guessed;
        const char *bytes;               /* of the one file that was staged */
        size_t length;
        uint64_t floor, newest;          /* of what it ran */
        unsigned edition;                /* the newest that it ever trusted */
        int64_t fresh_s;                 /* when an honest server last told it anything */
};

struct yard {
        const struct red *red;
        struct anchor anchor;
        struct director_anchor director;
        struct vkey customer;
        struct pasts *pasts;
        bool is_exact;                   /* nobody guesses */
        struct red server;               /* the honest one, before the attack */
        struct device born[TRUTH_PLATFORMS][KINDS];
};

static const char *const platforms[TRUTH_PLATFORMS] = { "linux-amd64", "linux-arm64", "windows-amd64" };
static const char stream[] = "rules";

static uint64_t running(const struct device *device)
{
        return slots_in(device->slots, 0, (enum slot_id)slots_stream(device->slots, 0)->current)->counter;
}

static struct slots *own_slots(struct device *device)
{
        static const char *const names[] = { stream };
        struct why why = { .text = "" };
        if (!device->own)
                sure(slots_open(&device->disk.disk, names, 1, &device->own, &why), &why);
        device->slots = device->own;
        return device->own;
}

static void drop_candidate(struct device *device)
{
        release_note_free(device->note);
        device->note = NULL;
        device->bytes = NULL;
}

static int64_t clock_s(struct device *device, const struct scene *scene)
{
        enum { WILD_S = 120 * DAY, WILD_CLOCKS = 16 };
        if (scene->is_clock_wild)
                return scene->at_s - WILD_S / 2 + WILD_S / WILD_CLOCKS * (int64_t)sim_random_below(&device->random, WILD_CLOCKS);
        return scene->clock_s ? scene->clock_s : scene->at_s;
}

static struct vouch_of vouch_of(const struct yard *yard, const struct device *device, const struct install_facts *facts)
{
        return (struct vouch_of){ &yard->anchor, &yard->customer, device->has_customer ? 1 : 0, facts };
}

/* candidate_facts() */
static struct install_facts facts_of(const struct yard *yard, const struct device *device, int64_t now_s, struct ceiling *ret_pace)
{
        struct install_facts facts = {
                .device = device->id, .stream = stream, .platform = device->platform, .ring = device->ring, .floor = slots_stream(device->slots, 0)->floor,
                .now = now_s, .note = device->note, .target = device->release.target, .nonce = device->release.nonce,
        };
        const struct vouch_of of = vouch_of(yard, device, &facts);
        vouch_apply(&device->vouch, &of, ret_pace, &facts);
        return facts;
}

/* stream_offer() */
static void take_offer(struct device *device, const struct offer *offer)
{
        bool is_same = device->release.counter == offer->counter && memcmp(device->release.target, offer->target, 32) == 0;
        device->offer = *offer;
        if (offer->state == OFFER_NONE || offer->state == OFFER_WITHDRAW || !is_same)
                drop_candidate(device);
}

static void count_refresh(struct tally *tally, const struct refresh_count *count)
{
        tally->requests += count->requests;
        tally->runs += count->runs;
        tally->bytes += count->bytes;
        if (tally->bytes_max < count->bytes)
                tally->bytes_max = count->bytes;
}

static void refresh(struct yard *yard, struct device *device, const struct scene *scene, int64_t now_s, struct tally *tally)
{
        const struct question question = {
                .slots = slots_stream(device->slots, 0), .device = device->id, .ring = device->ring, .platform = device->platform, .stream = stream, .now_s = now_s,
        };
        struct refresh_count count = { 0 };
        struct refreshed refreshed;
        bool may_guess = !yard->is_exact && device->index % PAST_SAMPLE != 0 && !device->is_guessed;
        past_refresh(yard->pasts, &(struct visit){ scene, &question, may_guess }, &device->past, &refreshed, &count);
        count_refresh(tally, &count);
        device->is_guessed = refreshed.is_guessed;
        if (device->edition < device->past->edition)
                device->edition = device->past->edition;
        struct offer offer = device->offer;
        if (refreshed.is_decided && refreshed.verdict.status == VERDICT_ACCEPT) {
                (void)trusted_time_verified(&device->time, now_s);
                offer = offer_of(&refreshed.verdict);
                if (scene->is_honest)
                        device->fresh_s = scene->at_s;
        } else if (refreshed.is_decided || refreshed.is_refused) {
                offer_hold(&offer);
        }
        if (yard->red->faults & FAULT_FORGETS_END)
                offer.expires = INT64_MAX;
        take_offer(device, &offer);
}

/* What runs after it went back is no install; below the floor it must not be all the same. */
static void withdraw(struct yard *yard, struct device *device, int64_t now_s, struct tally *tally)
{
        struct why why = { .text = "" };
        if (!offer_withdraws(&device->offer, running(device)))
                return;
        sure(slots_withdraw(own_slots(device), 0, running(device), now_s, &why), &why);
        bool is_factory = !running(device);
        if (running(device) < device->floor && (!is_factory || (yard->red->lies & LIE_FACTORY_IS_BELOW)))
                tally->harm[HARM_FLOOR]++;
}

/* An artifact by its digest, or a note by that of its text: what the attacker has in its place, or else what was published. */
static bool fetch(const struct yard *yard, const struct scene *scene, const uint8_t sha256[32], size_t length_max, struct buf *ret_bytes)
{
        const struct publisher *publisher = yard->red->publisher;
        *ret_bytes = (struct buf){ 0 };
        for (size_t i = 0; !ret_bytes->length && i < scene->artifact_count; i++)
                if (memcmp(scene->artifacts[i].sha256, sha256, 32) == 0)
                        *ret_bytes = scene->artifacts[i].bytes;
        for (unsigned i = 0; !ret_bytes->length && i < TRUTH_RELEASES; i++)
                if (memcmp(publisher->note_sha256[i], sha256, 32) == 0)
                        *ret_bytes = publisher->notes[i];
        for (unsigned i = 0; !ret_bytes->length && i < TRUTH_RELEASES; i++) {
                struct release_file file;
                (void)publisher_note(&truth_releases[i], &file);
                if (memcmp(file.sha256, sha256, 32) == 0)
                        *ret_bytes = (struct buf){ .bytes = (char *)truth_releases[i].text, .length = file.length };
        }
        return ret_bytes->length && ret_bytes->length <= length_max;
}

/* read_note() and note_arrived() */
static bool get_note(struct yard *yard, struct device *device, const struct scene *scene, int64_t now_s)
{
        struct why why = { .text = "" };
        struct buf bytes;
        const size_t length_max = device->offer.note_length ? device->offer.note_length + NOTE_SIGNATURES_BYTES_MAX : LIMIT_NOTE_BYTES;
        if (!fetch(yard, scene, device->release.target, length_max, &bytes))
                return false;
        struct ceiling pace;
        struct judge_offer offer = { facts_of(yard, device, now_s, &pace), device->release.counter, false };
        offer.facts.pace = NULL;
        enum err e = judge_candidate(&yard->anchor, &offer, &bytes, &device->note, &why);
        const struct slot_refusal refusal = { &device->release, SLOT_DECLINED, true, why.text, now_s };
        if (e == ERR_SYNTAX || e == ERR_LIMIT || e == ERR_ROLLBACK)
                sure(slots_refuse(own_slots(device), 0, &refusal, &why), &why);
        return e == OK;
}

/* What the attacker has in its place, or he or the publisher has anyway. */
static const struct buf *answer_of(const struct yard *yard, const struct scene *scene, const char *path)
{
        const struct answers *all[] = { &scene->answers, &yard->red->answers, &yard->red->publisher->answers };
        const struct buf *found = NULL;
        for (size_t i = 0; !found && i < sizeof(all) / sizeof(all[0]); i++)
                found = answers_find(all[i], path);
        return found && found->length ? found : NULL;
}

/* fetched() and arrived() of stream_vouch.c. False: it waits. */
static bool hear(const struct yard *yard, struct device *device, const struct scene *scene, const struct vouch_of *of)
{
        struct why why = { .text = "" };
        char path[VOUCH_PATH_BYTES];
        const enum vouch_step step = vouch_next(&device->vouch, of);
        vouch_path(&device->vouch, of, step, path);
        const struct buf *answer = answer_of(yard, scene, path);
        if (!answer)
                return vouch_lacks(&device->vouch, of, step, &why) == OK;
        if (answer->length > VOUCH_BYTES_MAX)
                return false;
        enum err e = vouch_take(&device->vouch, of, step, answer, &why);
        return !e || vouch_next(&device->vouch, of) != step;
}

/* vouching_call(), until there is nobody left to ask */
static bool get_vouched(const struct yard *yard, struct device *device, const struct scene *scene, int64_t now_s, struct tally *tally)
{
        struct why why = { .text = "" };
        struct ceiling pace;
        for (;;) {
                const struct install_facts facts = facts_of(yard, device, now_s, &pace);
                const struct vouch_of of = vouch_of(yard, device, &facts);
                if (vouch_next(&device->vouch, &of) == VOUCH_DONE)
                        return !facts.pace || install_candidate(&facts, &why) == OK;
                tally->requests++;
                if (!hear(yard, device, scene, &of))
                        return false;
        }
}

/* candidate_fetch() */
static void begin_vouching(const struct yard *yard, struct device *device, int64_t now_s)
{
        struct ceiling pace;
        const struct install_facts facts = facts_of(yard, device, now_s, &pace);
        const struct vouch_of of = vouch_of(yard, device, &facts);
        vouch_begin(&device->vouch, &of);
}

/* The agent's unpack.c does this over its disk. Releases of this world have one file. */
static bool get_files(const struct yard *yard, struct device *device, const struct scene *scene)
{
        struct buf bytes = { 0 };
        uint8_t digest[32];
        for (size_t i = 0; i < device->note->file_count; i++) {
                const struct release_file *file = &device->note->files[i];
                if (!fetch(yard, scene, file->sha256, file->length, &bytes))
                        return false;
                sha256(bytes.bytes, bytes.length, digest);
                if (bytes.length != file->length || memcmp(digest, file->sha256, 32) != 0)
                        return false;
        }
        device->bytes = bytes.bytes;
        device->length = bytes.length;
        return true;
}

static void stage(struct device *device, enum slot_id *ret_slot)
{
        struct why why = { .text = "" };
        device->release.floor = device->note->floor;
        sure(slots_clear(own_slots(device), 0, ret_slot, &why), &why);
        sure(slots_staged(device->own, 0, *ret_slot, &device->release, &why), &why);
}

/* is_wanted(), offered(), and on to the files. */
static bool prepare(struct yard *yard, struct device *device, const struct scene *scene, int64_t now_s, struct tally *tally)
{
        const struct offer *offer = &device->offer;
        if (device->note)
                return true;
        if (!offer_admits(offer) || running(device) == offer->counter || slots_is_denied(device->slots, 0, offer->counter))
                return false;
        device->release = (struct slot_release){ .counter = offer->counter };
        memcpy(device->release.target, offer->target, 32);
        device->random.source.ops->fill(&device->random.source, device->release.nonce, sizeof(device->release.nonce));
        tally->requests += 2;
        begin_vouching(yard, device, now_s);
        bool is_there = get_note(yard, device, scene, now_s) && get_vouched(yard, device, scene, now_s, tally) && get_files(yard, device, scene);
        if (!is_there)
                drop_candidate(device);
        return is_there;
}

static void judge_install(const struct yard *yard, const struct device *device, int64_t at_s, struct tally *tally)
{
        const struct red *red = yard->red;
        const struct truth_install install = {
                .device = device->id, .ring = device->ring, .platform = device->platform, .stream = stream, .bytes = device->bytes, .length = device->length,
                .at_s = at_s, .fresh_s = device->fresh_s, .owns_clock = red->owns_clock, .edition = device->edition, .floor = device->floor,
                .newest = device->newest, .has_customer = device->has_customer, .log = &red->watched.truth, .bad = red->bad, .bad_count = red->bad_count,
                .lies = red->lies,
        };
        const struct truth_release *release;
        unsigned harm = truth_judge(&install, &release);
        tally->installs++;
        tally->by_release[release ? (size_t)(release - truth_releases) : TRUTH_RELEASES]++;
        for (int i = 0; i < HARMS; i++)
                tally->harm[i] += harm >> i & 1;
}

/* granted(), then all that follows when the release runs well. */
static void start(struct device *device, enum slot_id slot, const struct lease *lease, int64_t now_s)
{
        struct why why = { .text = "" };
        struct slot_trial trial = {
                .granted = lease->granted, .deadline = lease->deadline, .started = now_s, .bake_s = (uint64_t)lease->bake_s, .lease = SLOT_LEASE_EXPOSURE,
                .slot = (uint8_t)slot, .crashes_max = 1, .boots_max = 1,
        };
        memcpy(trial.nonce, device->release.nonce, sizeof(trial.nonce));
        sure(slots_arm(device->own, 0, &trial, &why), &why);
        sure(slots_prove(device->own, 0, now_s, &why), &why);
}

static bool get_lease(struct yard *yard, struct device *device, const struct scene *scene, int64_t now_s, struct lease *ret_lease)
{
        struct why why = { .text = "" };
        if (!offer_is_open(&device->offer, now_s) || !scene->lease)
                return false;
        OWN(buf) struct buf answer;
        buf_init(&answer, LIMIT_DEVICE_REQUEST_BYTES);
        const struct ask question = { device->id, stream, device->release.counter, device->release.target, device->release.nonce, scene->at_s };
        scene->lease(scene->is_honest ? &yard->server : yard->red, &question, &answer);
        const struct slot_release *now = slots_in(device->slots, 0, (enum slot_id)slots_stream(device->slots, 0)->current);
        struct ceiling pace;
        const struct judge_question judged = { facts_of(yard, device, now_s, &pace), now->counter, now->target };
        return judge_lease(&yard->director, &judged, &answer, ret_lease, &why) == OK && !ret_lease->is_shadow;
}

static void install(struct yard *yard, struct device *device, const struct lease *lease, const struct scene *scene, struct tally *tally)
{
        enum slot_id slot;
        stage(device, &slot);
        start(device, slot, lease, lease->granted);
        judge_install(yard, device, scene->at_s + scene->lease_after_s, tally);
        if (device->floor < device->note->floor)
                device->floor = device->note->floor;
        if (device->newest < device->release.counter)
                device->newest = device->release.counter;
        drop_candidate(device);
}

static void live(struct yard *yard, struct device *device, const struct scene *scene, struct tally *tally)
{
        const int64_t clock = clock_s(device, scene);
        if (scene->only != SCENE_EVERYBODY && (uint32_t)scene->only != device->index)
                return;
        if (yard->red->faults & FAULT_FORGETS_TIME)
                device->time.verified_s = 0;
        int64_t now_s = trusted_time_s(&device->time, clock);
        device->past_before = device->past;
        device->is_guessed = false;
        if (!scene->is_silent)
                refresh(yard, device, scene, now_s, tally);
        withdraw(yard, device, now_s, tally);
        struct lease lease;
        if (!prepare(yard, device, scene, now_s, tally))
                return;
        tally->requests++;
        if (!get_lease(yard, device, scene, trusted_time_s(&device->time, clock + scene->lease_after_s), &lease))
                return;
        if (device->is_guessed) {        /* not any more */
                device->past = device->past_before;
                refresh(yard, device, scene, now_s, tally);
        }
        if (device->note)
                install(yard, device, &lease, scene, tally);
}

static void name(struct device *device, uint32_t index, uint64_t seed)
{
        uint8_t digest[32];
        char text[64];
        snprintf(text, sizeof(text), "device %" PRIu32 " of %" PRIu64, index, seed);
        sha256(text, strlen(text), digest);
        for (int i = 0; i < 16; i++)
                snprintf(device->id + 2 * i, 3, "%02x", digest[i]);
        device->index = index;
        sim_random_init(&device->random, seed ^ ((uint64_t)index << 32));
}

/* Before the attack: metadata of all editions, and what was for them and due. Release 4 is announced, a minute early. */
static void make_history(struct red *server)
{
        static const struct { unsigned edition, release; int64_t at_s; } days[] = { { 2, 1, START - 38 * DAY }, { 3, 2, START - 18 * DAY }, { 4, 3, START - 60 } };
        for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
                struct scene *scene = red_scene(server, days[i].at_s);
                struct cohort cohort = red_cohort_for(server, days[i].release);
                scene->is_honest = true;
                scene->lease = red_grant;
                red_edition(server, scene, days[i].edition);
                red_offer(server, scene, &cohort);
        }
}

static void make_born(struct yard *yard, unsigned platform, unsigned kind)
{
        struct device *device = &yard->born[platform][kind];
        struct tally tally = { 0 };
        device->platform = platforms[platform];
        device->ring = "main";
        device->past = past_first(yard->pasts);
        name(device, UINT32_MAX, platform);
        trusted_time_init(&device->time);
        small_disk_init(&device->disk);
        (void)own_slots(device);
        for (size_t i = 0; kind && i < yard->server.scene_count; i++)
                live(yard, device, &yard->server.scenes[i], &tally);
        drop_candidate(device);
}

struct yard *yard_new(const struct red *red, bool is_exact)
{
        struct why why = { .text = "" };
        struct yard *yard = mem_new(1, sizeof(*yard));
        sure(yard ? OK : ERR_NOMEM, NULL);
        yard->red = red;
        yard->is_exact = is_exact;
        const struct publisher *publisher = red->publisher;
        sure(anchor_open(buf_text(&publisher->anchor), publisher->anchor.length, &yard->anchor, &why), &why);
        sure(director_anchor_open(buf_text(&publisher->director_anchor), publisher->director_anchor.length, &yard->director, &why), &why);
        yard->customer = publisher_vkey(KEY_CUSTOMER);
        red_init(&yard->server, red->publisher, HOLDS_ONLINE, 1);
        yard->server.version = 10;
        make_history(&yard->server);
        yard->pasts = pasts_new(red);
        for (unsigned platform = 0; platform < TRUTH_PLATFORMS; platform++)
                for (unsigned kind = 0; kind < KINDS; kind++)
                        make_born(yard, platform, kind);
        return yard;
}

static void device_done(struct device *device)
{
        drop_candidate(device);
        slots_close(device->own);
        small_disk_done(&device->disk);
}

void yard_free(struct yard *yard)
{
        if (!yard)
                return;
        for (unsigned platform = 0; platform < TRUTH_PLATFORMS; platform++)
                for (unsigned kind = 0; kind < KINDS; kind++)
                        device_done(&yard->born[platform][kind]);
        red_done(&yard->server);
        pasts_free(yard->pasts);
        mem_free(yard);
}

void yard_run(struct yard *yard, uint32_t index, uint64_t seed, struct tally *tally)
{
        static const unsigned of_ten[10] = { 0, 0, 0, 0, 0, 0, 1, 1, 2, 2 };
        const unsigned kind = index % 7 ? 1 : 0;
        const struct device *born = &yard->born[of_ten[index % 10]][kind];
        struct device device = *born;
        device.ring = index % 50 == 3 ? "early" : "main";
        device.has_customer = index % 13 == 5;
        device.own = NULL;
        small_disk_copy(&born->disk, &device.disk);
        name(&device, index, seed);
        for (size_t i = 0; i < yard->red->scene_count; i++)
                if (!yard->red->picks || sim_random_below(&device.random, 8) == 0)
                        live(yard, &device, &yard->red->scenes[i], tally);
        device_done(&device);
}
