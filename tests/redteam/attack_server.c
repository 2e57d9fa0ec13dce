/* Part 1: the whole server with every online key, and everything that was ever published. */
#include "redteam/attack.h"

#include "trust/sha.h"

#include <assert.h>
#include <string.h>

const struct red_keys attack_offline_keys = { { KEY_CONTENT_A, KEY_CONTENT_B }, 2, KEY_SNAPSHOT, KEY_TIMESTAMP };
const struct red_keys attack_online_keys = { { KEY_DIRECTOR, KEY_TIMESTAMP }, 2, KEY_TIMESTAMP, KEY_TIMESTAMP };

/* If the publisher did not, and he can. */
static void log_in_time(struct red *red, const struct logged *entry, int64_t at_s)
{
        char path[ANSWER_PATH_BYTES];
        answer_proof_path(entry->digest, path);
        if ((red->holds & HOLDS(KEY_LOG)) && !answers_find(&red->publisher->answers, path) && !answers_find(&red->answers, path))
                red_log(red, entry, at_s);
}

struct scene *attack_offer(struct red *red, unsigned release, int64_t at_s)
{
        const struct logged entry = publisher_entry(&truth_releases[release], red->publisher->note_sha256[release]);
        log_in_time(red, &entry, at_s - WAIT_S);
        struct scene *scene = red_scene(red, at_s);
        struct cohort cohort = red_cohort_for(red, release);
        scene->lease = red_grant;
        red_edition(red, scene, TRUTH_EDITIONS);
        red_offer(red, scene, &cohort);
        return scene;
}

struct truth_release attack_evil(uint64_t counter)
{
        return (struct truth_release){ "rules", counter, counter < 3 ? counter : 3, { "any" }, START - DAY, { { 0, 1000000 } }, "made up\n", 0, false, false };
}

struct scene *attack_unlogged(struct red *red, const struct attack_made *made, int64_t at_s, uint8_t ret_target[32])
{
        struct scene *scene = red_scene(red, at_s);
        OWN(buf) struct buf note;
        buf_init(&note, LIMIT_NOTE_BYTES);
        scene->lease = red_grant;
        red_edition(red, scene, TRUTH_EDITIONS);
        red_note(red, scene, &made->release, &note);
        for (size_t i = 0; i < made->note_count; i++)
                red_sign_note(red, &note, made->note[i] == KEY_CONTENT_A ? "content-a" : "content-b", made->note[i]);
        red_serve_note(scene, &note);
        sha256(note.bytes, note_signed_length(note.bytes, note.length), ret_target);
        if (made->path)
                red_list(red, scene, &(struct red_entry){ made->path, &made->release, &note }, &made->keys);
        struct cohort cohort = red_cohort(red, made->release.counter, &note);
        red_offer(red, scene, &cohort);
        return scene;
}

struct scene *attack_made(struct red *red, const struct attack_made *made, int64_t at_s)
{
        uint8_t target[32];
        struct scene *scene = attack_unlogged(red, made, at_s, target);
        const struct logged entry = publisher_entry(&made->release, target);
        log_in_time(red, &entry, at_s - WAIT_S);
        return scene;
}

/* The best that the whole server can do, and all that the content keys add to it in a control. */
static struct attack_made made_online(struct red *red, struct truth_release release, const char *path)
{
        red_control_keys(red, HOLDS_CONTENT);
        struct attack_made made = { release, path, { KEY_DIRECTOR, KEY_TIMESTAMP }, 2, attack_online_keys };
        if (red->is_control)
                made = (struct attack_made){ release, path, { KEY_CONTENT_A, KEY_CONTENT_B }, 2, attack_offline_keys };
        return made;
}

static void make_up(struct red *red)
{
        struct attack_made made = made_online(red, attack_evil(6), "rules/6");
        (void)attack_made(red, &made, START + RUSH_S);
}

/* In place of release 4, under its name; listed nowhere. */
static void make_up_unlisted(struct red *red)
{
        struct attack_made made = made_online(red, attack_evil(4), red->is_control ? "rules/4" : NULL);
        (void)attack_made(red, &made, START + RUSH_S);
}

static void other_bytes(struct red *red)
{
        struct scene *scene = attack_offer(red, 3, START + 5 * HOUR);
        struct release_file file;
        (void)publisher_note(&truth_releases[3], &file);
        scene_serve(scene, file.sha256, "fore\n", file.length);
        if (red->is_control) {
                red->lies = LIE_NEVER_APPROVED_4;        /* and nothing is in the way of the right ones */
                scene_done(scene);
                red->scene_count = 0;
                (void)attack_offer(red, 3, START + 5 * HOUR);
        }
}

static void other_note(struct red *red)
{
        struct scene *scene = attack_offer(red, 3, START + 5 * HOUR);
        OWN(buf) struct buf note;
        buf_init(&note, LIMIT_NOTE_BYTES);
        const struct truth_release evil = attack_evil(4);
        red_note(red, scene, &evil, &note);
        red_sign_note(red, &note, "content-a", KEY_OWN);
        if (red->is_control)
                red->lies = LIE_NEVER_APPROVED_4;
        else
                scene_serve(scene, red->publisher->note_sha256[3], note.bytes, note.length);
}

/* Targets of one edition under the snapshot of another. */
static void mix(struct red *red)
{
        struct scene *scene = attack_offer(red, 3, START + RUSH_S);
        scene_set(&scene->files[BUNDLE_RELEASE][TUF_SNAPSHOT], &red->publisher->editions[2].snapshot);
        red_timestamp(red, scene, TRUTH_EDITIONS, KEY_TIMESTAMP);
        scene = attack_offer(red, 1, START + RUSH_S + 60);
        scene_set(&scene->files[BUNDLE_RELEASE][TUF_TARGETS], &red->publisher->editions[2].targets);
        if (!red->is_control)
                return;
        red_control_keys(red, HOLDS_CONTENT);
        struct attack_made made = made_online(red, attack_evil(6), "rules/6");
        (void)attack_made(red, &made, START + RUSH_S + 120);
}

/* Metadata that is older than what most have, and not yet expired; new devices take it, as they must. */
static void replay(struct red *red)
{
        for (unsigned release = 0; release < 3; release++) {
                struct scene *scene = attack_offer(red, release, START + HOUR + (int64_t)release);
                red_edition(red, scene, 3);
        }
        if (red->is_control)
                red->lies = LIE_FLOOR_IS_NEWEST;
}

static void replay_expired(struct red *red)
{
        for (unsigned edition = 1; edition < 3; edition++) {
                struct scene *scene = attack_offer(red, edition - 1, START + HOUR + (int64_t)edition);
                red_edition(red, scene, edition);
                if (red->is_control)
                        scene->clock_s = truth_editions[edition - 1].expires - HOUR;
        }
}

/* First everything at the highest version that there is, then the attack. */
static void fast_forward(struct red *red)
{
        struct scene *scene = attack_offer(red, 3, START + RUSH_S);
        red->version = INT64_MAX - 100;
        struct cohort cohort = red_cohort_for(red, 3);
        red_timestamp(red, scene, TRUTH_EDITIONS, KEY_TIMESTAMP);
        red_offer(red, scene, &cohort);
        struct attack_made made = made_online(red, attack_evil(6), "rules/6");
        (void)attack_made(red, &made, START + RUSH_S + 60);
}

/* Everybody at once, again and again, from before the start on. */
static void rush(struct red *red)
{
        static const int64_t at_s[] = { START - 1, START, START + RUSH_S, START + HOUR, START + 5 * HOUR };
        for (size_t i = 0; i < sizeof(at_s) / sizeof(at_s[0]); i++) {
                struct scene *scene = attack_offer(red, 3, at_s[i]);
                if (red->is_control)
                        scene->clock_s = START + 2 * DAY;
        }
}

static void too_soon(struct red *red)
{
        struct scene *scene = attack_offer(red, 4, START + RUSH_S);
        if (red->is_control)
                scene->clock_s = START + 3 * DAY;
}

/* Release 3 is for one platform only, and most have proven it; then one that he says is for all. */
static void wrong_platform(struct red *red)
{
        (void)attack_offer(red, 3, START + 5 * HOUR);
        struct truth_release wide = truth_releases[3];
        wide.platforms[0] = "any";
        wide.platforms[1] = NULL;
        struct attack_made made = made_online(red, wide, "rules/4");
        (void)attack_made(red, &made, START + 5 * HOUR + 60);
}

/* 1 and 2 are below the floor that 4 sets, whoever has it. The control lists anew, without it. */
static void below_floor(struct red *red)
{
        for (unsigned release = 0; release < 2; release++)
                (void)attack_offer(red, release, START + RUSH_S + (int64_t)release);
        red_control_keys(red, HOLDS_CONTENT);
        if (!red->is_control)
                return;
        struct scene *scene = attack_offer(red, 1, START + RUSH_S + 60);
        buf_clear(&scene->files[BUNDLE_RELEASE][TUF_TARGETS]);
        red_list(red, scene, &(struct red_entry){ "rules/2", &truth_releases[1], &red->publisher->notes[1] }, &attack_offline_keys);
}

/* Allowed, where it is not below the floor: the choice of a release may go back. */
static void older(struct red *red)
{
        (void)attack_offer(red, 3, START + 5 * HOUR);
        (void)attack_offer(red, 2, START + 5 * HOUR + 60);
        if (red->is_control)
                red->lies = LIE_OLDER_IS_HARM;
}

static void other_stream(struct red *red)
{
        struct truth_release stolen = truth_releases[5];
        struct scene *scene = attack_offer(red, 5, START + RUSH_S);
        struct cohort cohort = red_cohort_for(red, 5);
        snprintf(cohort.stream, sizeof(cohort.stream), "other");
        scene = attack_offer(red, 5, START + RUSH_S + 60);
        red_offer(red, scene, &cohort);
        stolen.stream = "rules";
        struct attack_made made = made_online(red, stolen, "rules/9");
        (void)attack_made(red, &made, START + RUSH_S + 120);
}

static void replace_text(struct buf *document, const char *word, const char *with)
{
        char *at = strstr(document->bytes, word);
        if (at)
                memcpy(at, with, strlen(with));
}

/* A salt under which whom he likes comes first. The document then says two different things. */
static void grind(struct red *red)
{
        static const char *const salts[] = { "\"salt\":\"00000000", "\"salt\":\"ffffffff" };
        struct why why = { .text = "" };
        for (int i = 0; i < 2; i++) {
                struct scene *scene = attack_offer(red, 3, START + RUSH_S + i);
                struct cohort cohort = red_cohort_for(red, 3);
                OWN(buf) struct buf document;
                buf_init(&document, COHORT_BYTES_MAX);
                cohort.rules[0].is_all = false;
                cohort.rules[0].hi = UINT64_MAX / 2;
                sure(cohort_write(&cohort, &document, &why), &why);
                if (!red->is_control)
                        replace_text(&document, "\"salt\":\"", salts[i]);
                red_offer_bytes(red, scene, &document, KEY_DIRECTOR);
        }
        if (red->is_control)
                red->lies = LIE_NEVER_APPROVED_4;
}

static void ring_lies(struct red *red)
{
        struct scene *scene = attack_offer(red, 3, START + RUSH_S);
        struct cohort cohort = red_cohort_for(red, 3);
        static const char *const rings[] = { "early", "main", "all" };
        cohort.rule_count = 0;
        for (size_t i = 0; i < 3; i++) {
                struct cohort_rule *rule = &cohort.rules[cohort.rule_count++];
                *rule = (struct cohort_rule){ .platform = "any", .is_all = true };
                snprintf(rule->ring, sizeof(rule->ring), "%s", rings[i]);
        }
        red_offer(red, scene, &cohort);
        if (red->is_control)
                red->lies = LIE_NO_EARLY_RING;
}

/* New roots that name his keys; signed by all that he has. The control has the roots' keys and the anchor's content keys. */
static void rotate(struct red *red)
{
        static const enum key release[TUF_ROLES] = { KEY_OWN, KEY_OWN, KEY_OWN, KEY_OWN }, online[] = { KEY_TIMESTAMP, KEY_DIRECTOR, KEY_OWN };
        static const enum key offline[] = { KEY_RELEASE_ROOT, KEY_OWN }, director[] = { KEY_DIRECTOR_ROOT, KEY_OWN };
        const struct red_keys own = { { KEY_OWN }, 1, KEY_OWN, KEY_OWN };
        red_control_keys(red, HOLDS_OFFLINE);
        struct attack_made made = made_online(red, attack_evil(6), "rules/6");
        made.keys = own;
        struct scene *scene = attack_made(red, &made, START + RUSH_S);
        publisher_root(2, release, red->is_control ? offline : online, red->is_control ? 2 : 3, &scene->files[BUNDLE_RELEASE][TUF_ROOT]);
        publisher_root(2, release, red->is_control ? director : online, red->is_control ? 2 : 3, &scene->files[BUNDLE_DIRECTOR][TUF_ROOT]);
        OWN(buf) struct buf document;
        buf_init(&document, COHORT_BYTES_MAX);
        scene_set(&document, &scene->cohort);
        red_offer_bytes(red, scene, &document, KEY_OWN);
}

/* The director's repository in place of the release repository, and its keys in the place of those. */
static void confuse(struct red *red)
{
        struct scene *scene = attack_offer(red, 3, START + RUSH_S);
        for (enum tuf_role role = TUF_TARGETS; role < TUF_ROLES; role++)
                scene_set(&scene->files[BUNDLE_RELEASE][role], &scene->files[BUNDLE_DIRECTOR][role]);
        scene = attack_offer(red, 3, START + RUSH_S + 30);
        scene_set(&scene->files[BUNDLE_RELEASE][TUF_TARGETS], &scene->files[BUNDLE_RELEASE][TUF_SNAPSHOT]);
        const struct red_keys director = { { KEY_DIRECTOR }, 1, KEY_DIRECTOR, KEY_DIRECTOR }, timestamp = { { KEY_TIMESTAMP }, 1, KEY_TIMESTAMP, KEY_TIMESTAMP };
        for (int i = 0; i < 2; i++) {
                struct attack_made made = made_online(red, attack_evil(6), "rules/6");
                made.keys = red->is_control ? made.keys : i ? director : timestamp;
                (void)attack_made(red, &made, START + RUSH_S + 60 + i);
        }
}

/* One of three content keys; the same signature twice, and his own under the second key's name. */
static void one_key(struct red *red)
{
        red->holds |= HOLDS(KEY_CONTENT_A) | HOLDS(KEY_SNAPSHOT);
        struct attack_made made = { attack_evil(6), "rules/6", { KEY_CONTENT_A, KEY_OWN }, 2, { { KEY_CONTENT_A, KEY_CONTENT_A }, 2, KEY_SNAPSHOT, KEY_TIMESTAMP } };
        for (int i = 0; i < 2; i++) {
                red_control_keys(red, HOLDS_CONTENT);
                made = red->is_control ? made_online(red, attack_evil(6), "rules/6") : made;
                (void)attack_made(red, &made, START + RUSH_S + i);
                made.keys.targets[1] = KEY_OWN;
                made.note_count = 1;
        }
}

/* A signature of his own under the id of a key that is trusted. */
static void key_ids(struct red *red)
{
        static const enum key as[] = { KEY_CONTENT_A, KEY_CONTENT_B };
        struct why why = { .text = "" };
        struct attack_made made = made_online(red, attack_evil(6), "rules/6");
        struct scene *scene = attack_made(red, &made, START + RUSH_S);
        if (red->is_control)
                return;
        OWN(buf) struct buf to_sign;
        struct tuf_signature signatures[2];
        struct secret_key own = key_of(KEY_OWN);
        struct buf *targets = &scene->files[BUNDLE_RELEASE][TUF_TARGETS];
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        const char *body = strstr(targets->bytes, "\"signed\":") + 9;
        buf_add(&to_sign, body, targets->length - (size_t)(body - targets->bytes) - 1);
        for (int i = 0; i < 2; i++) {
                signatures[i].key = key_of(as[i]).public;
                key_sign(&own, to_sign.bytes, to_sign.length, signatures[i].signature);
        }
        buf_clear(targets);
        sure(tuf_file_write(&to_sign, signatures, 2, targets, &why), &why);
        red_snapshot(red, scene, red->version, KEY_TIMESTAMP);
        red_timestamp(red, scene, red->version, KEY_TIMESTAMP);
}

/* An approved note with one more signature is the same release. With another line it is not, whoever signed what it was before. */
static void extra_signature(struct red *red)
{
        struct scene *scene = attack_offer(red, 3, START + 5 * HOUR);
        OWN(buf) struct buf note;
        buf_init(&note, LIMIT_NOTE_BYTES);
        scene_set(&note, &red->publisher->notes[3]);
        red_sign_note(red, &note, "content-c", KEY_OWN);
        if (red->is_control) {
                red->lies = LIE_NEVER_APPROVED_4;
                return;
        }
        red_serve_note(scene, &note);
        scene = attack_offer(red, 3, START + 5 * HOUR + 60);
        assert(strncmp(note.bytes, "firebreak release v1\nstream ", 28) == 0);
        note.bytes[28] ^= 1;
        struct cohort cohort = red_cohort(red, 4, &note);
        red_serve_note(scene, &note);
        red_offer(red, scene, &cohort);
}

/* As much as fits, of everything. */
static void huge(struct red *red)
{
        OWN(buf) struct buf space;
        buf_init(&space, 4 * LIMIT_METADATA_BYTES);
        while (space.length < 3 * LIMIT_METADATA_BYTES)
                buf_add_text(&space, "                                                                ");
        for (int i = 0; i < 8; i++) {
                struct scene *scene = attack_offer(red, 3, START + RUSH_S + i);
                struct buf *files[] = {
                        &scene->files[BUNDLE_DIRECTOR][TUF_TIMESTAMP], &scene->files[BUNDLE_DIRECTOR][TUF_SNAPSHOT], &scene->files[BUNDLE_DIRECTOR][TUF_TARGETS],
                        &scene->cohort, &scene->files[BUNDLE_RELEASE][TUF_TIMESTAMP], &scene->files[BUNDLE_RELEASE][TUF_SNAPSHOT],
                        &scene->files[BUNDLE_DIRECTOR][TUF_ROOT], &scene->files[BUNDLE_RELEASE][TUF_ROOT],
                };
                if (!red->is_control)
                        scene_set(files[i], &space);
        }
        if (red->is_control)
                red->lies = LIE_NEVER_APPROVED_4;
}

/* The one thing that it can do about anybody: leave all others out. */
static void withhold(struct red *red)
{
        struct scene *scene = attack_offer(red, 3, START + 5 * HOUR);
        scene->only = 3;                 /* of ring `early`: whoever sits there, he is let in first */
        if (red->is_control)
                red->lies = LIE_NEVER_APPROVED_4;
}

/* Back from what runs, to what he names: below the floor, or not approved. */
static void withdraw(struct red *red)
{
        (void)attack_offer(red, 3, START + 5 * HOUR);
        for (unsigned i = 0; i < 2; i++) {
                struct scene *scene = attack_offer(red, 3, START + 5 * HOUR + 60 + (int64_t)i);
                struct cohort cohort = red_cohort_for(red, i ? 2 : 3);
                cohort.state = COHORT_WITHDRAW;
                cohort.fallback = i ? 1 : 77;
                cohort.withdrawn_count = i ? 1 : 0;
                cohort.withdrawn[0] = 4;
                red_offer(red, scene, &cohort);
        }
        for (unsigned release = 0; release < 2; release++)
                (void)attack_offer(red, release, START + 5 * HOUR + 120 + (int64_t)release);
        if (red->is_control)
                red->lies = LIE_FACTORY_IS_BELOW;
}

/* Older releases beside one that is held: below the floor, made up, and with the digest of another. */
static void older_list(struct red *red)
{
        struct attack_made made = made_online(red, attack_evil(3), red->is_control ? "rules/3" : NULL);
        for (unsigned i = 0; i < 3; i++) {
                struct scene *scene = attack_made(red, &made, START + 5 * HOUR + (int64_t)i);
                struct cohort own = red_cohort_for(red, 3), cohort = own;
                const unsigned release = i < 2 ? i : 1;
                cohort.state = i ? COHORT_HOLD : COHORT_WITHDRAW;
                cohort.counter = 7;
                cohort.older_count = 1;
                cohort.older[0].counter = truth_releases[release].counter;
                cohort.older[0].length = note_signed_length(red->publisher->notes[release].bytes, red->publisher->notes[release].length);
                memcpy(cohort.older[0].sha256, red->publisher->note_sha256[i < 2 ? release : 3], 32);
                if (i == 2 || red->is_control) {
                        const struct buf *note = &scene->artifacts[scene->artifact_count - 1].bytes;
                        cohort.older[0].counter = 3;
                        cohort.older[0].length = note_signed_length(note->bytes, note->length);
                        sha256(note->bytes, cohort.older[0].length, cohort.older[0].sha256);
                }
                red_offer(red, scene, &cohort);
        }
}

/* An offer that never ends, taken up when what the publisher signed has ended. */
static void outlive(struct red *red)
{
        struct scene *scene = attack_offer(red, 3, START + RUSH_S);
        scene->lease = NULL;
        scene = attack_offer(red, 3, START + 29 * DAY);
        scene->lease = NULL;
        scene = attack_offer(red, 3, truth_editions[TRUTH_EDITIONS - 1].expires + HOUR);
        scene->is_silent = true;
        scene = attack_offer(red, 3, truth_editions[TRUTH_EDITIONS - 1].expires + 2 * HOUR);
        if (red->is_control)
                red->faults = FAULT_FORGETS_END;
}

const struct attack attacks_server[] = {
        { "make up a release", HOLDS_ONLINE, PART_SERVER, make_up, "two content keys" },
        { "make one up, unlisted", HOLDS_ONLINE, PART_SERVER, make_up_unlisted, "two content keys" },
        { "other bytes for a file", HOLDS_ONLINE, PART_SERVER, other_bytes, "4 counts as not approved" },
        { "other bytes for a note", HOLDS_ONLINE, PART_SERVER, other_note, "4 counts as not approved" },
        { "mix editions", HOLDS_ONLINE, PART_SERVER, mix, "two content keys" },
        { "replay an edition", HOLDS_ONLINE, PART_SERVER, replay, "the floor of what it never saw" },
        { "replay an expired edition", HOLDS_ONLINE, PART_SERVER, replay_expired, "new devices' clocks" },
        { "fast-forward, then make up", HOLDS_ONLINE, PART_SERVER, fast_forward, "two content keys" },
        { "everybody at once", HOLDS_ONLINE, PART_SERVER, rush, "clocks two days ahead" },
        { "before its start", HOLDS_ONLINE, PART_SERVER, too_soon, "clocks three days ahead" },
        { "another platform", HOLDS_ONLINE, PART_SERVER, wrong_platform, "two content keys" },
        { "below the floor", HOLDS_ONLINE, PART_SERVER, below_floor, "two content keys" },
        { "an older release", HOLDS_ONLINE, PART_SERVER, older, "older counts as harm" },
        { "another stream's", HOLDS_ONLINE, PART_SERVER, other_stream, "two content keys" },
        { "a ground salt", HOLDS_ONLINE, PART_SERVER, grind, "4 counts as not approved" },
        { "lies about rings", HOLDS_ONLINE, PART_SERVER, ring_lies, "no ring is early" },
        { "new roots", HOLDS_ONLINE, PART_SERVER, rotate, "roots' and two content keys" },
        { "roles confused", HOLDS_ONLINE, PART_SERVER, confuse, "two content keys" },
        { "one content key, twice", HOLDS_ONLINE, PART_SERVER, one_key, "two content keys" },
        { "signatures under others' ids", HOLDS_ONLINE, PART_SERVER, key_ids, "two content keys" },
        { "a signature too many", HOLDS_ONLINE, PART_SERVER, extra_signature, "4 counts as not approved" },
        { "endless data", HOLDS_ONLINE, PART_SERVER, huge, "4 counts as not approved" },
        { "withheld from all but one", HOLDS_ONLINE, PART_SERVER, withhold, "4 counts as not approved" },
        { "withdraw, and fall back", HOLDS_ONLINE, PART_SERVER, withdraw, "factory content is below" },
        { "lists of older releases", HOLDS_ONLINE, PART_SERVER, older_list, "two content keys" },
        { "an offer without end", HOLDS_ONLINE, PART_SERVER, outlive, "devices forget its end" },
        { .name = NULL },
};
