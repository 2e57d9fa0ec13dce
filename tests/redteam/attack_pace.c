/* Part 4: the content threshold, the director and the whole server, with the log's key, and one of three witnesses' keys. What he signs he may
 * install; but nowhere faster than the pace, counted from when a witness that does not lie could see it. */
#include "redteam/attack.h"

#include <string.h>

enum {
        THIEF = HOLDS_CONTENT | HOLDS_ONLINE | HOLDS(KEY_WITNESS_A),
        THIEF_OF_ONE = THIEF | HOLDS(KEY_EMERGENCY_A), THIEF_OF_ALL = THIEF | HOLDS_EMERGENCY,
        LIFTER = HOLDS_ONLINE | HOLDS_EMERGENCY, CUSTOMER = HOLDS_ONLINE | HOLDS(KEY_CUSTOMER),         /* and no key of content */
        SEEN = START,                    /* when the log is shown to witnesses, and they to devices */
        LONG_AGO = START - 30 * DAY,
        STEP_S = 30,                     /* between two things that he tries */
};

/* Content of his own, for everybody at once by what is signed in it. */
struct bad {
        struct scene *scene;
        struct truth_release release;
        uint8_t target[32];
        struct logged entry;
};

static void make_bad(struct red *red, uint64_t counter, int64_t at_s, struct bad *bad)
{
        static const char *const texts[] = { "bad 0\n", "bad 1\n", "bad 2\n", "bad 3\n", "bad 4\n", "bad 5\n", "bad 6\n", "bad 7\n" };
        enum { FIRST = 6 };
        char path[32];
        *bad = (struct bad){ .release = attack_evil(counter) };
        bad->release.text = texts[counter - FIRST];
        snprintf(path, sizeof(path), "rules/%d", (int)counter);
        const struct attack_made made = { bad->release, path, { KEY_CONTENT_A, KEY_CONTENT_B }, 2, attack_offline_keys };
        bad->scene = attack_unlogged(red, &made, at_s, bad->target);
        bad->entry = publisher_entry(&bad->release, bad->target);
        red->bad[red->bad_count].release = bad->release;
        memcpy(red->bad[red->bad_count++].name, bad->target, 32);
}

/* The same at another time. */
static struct scene *again(struct red *red, const struct scene *scene, int64_t at_s)
{
        struct scene *copy = red_scene(red, at_s);
        scene_copy(scene, copy);
        copy->at_s = at_s;
        return copy;
}

static void set_proof(struct bad *bad, const struct buf *proof)
{
        char path[ANSWER_PATH_BYTES];
        answer_proof_path(bad->target, path);
        answers_set(&bad->scene->answers, path, proof);
}

/* In the place of one of this kind. */
static void set_approval(struct bad *bad, enum approval_kind kind, const struct buf *approval)
{
        char path[ANSWER_PATH_BYTES];
        answer_approval_path(bad->target, publisher_approver(kind).text, path);
        answers_set(&bad->scene->answers, path, approval);
}

static void approve(const struct red *red, struct bad *bad, enum approval_kind kind, const struct red_approval *approval)
{
        OWN(buf) struct buf note = { 0 };
        red_approval(red, approval, &note);
        set_approval(bad, kind, &note);
}

static void approve_emergency(const struct red *red, struct bad *bad)
{
        approve(red, bad, APPROVAL_EMERGENCY, &(struct red_approval){ APPROVAL_EMERGENCY, bad->target, { KEY_EMERGENCY_A, KEY_EMERGENCY_B }, 2 });
}

/* In place of the customer's. What the customer signed of another kind, he did himself. */
static void approve_as_held(struct red *red, struct bad *bad, const struct red_approval *way)
{
        const unsigned holds = red->holds;
        struct red_approval approval = *way;
        approval.target = bad->target;
        if (way->kind == APPROVAL_EMERGENCY)
                red->holds |= HOLDS(KEY_CUSTOMER);
        approve(red, bad, APPROVAL_CUSTOMER, &approval);
        red->holds = holds;
}

/* ---- the log ---- */

/* A checkpoint of `story` by the log and by cosigners of his own, as the proof of its entry `index`. */
struct lie { const struct story *story; size_t index; const struct red_cosigner *by; size_t count; };
static void set_lie(const struct red *red, struct bad *bad, const struct lie *lie)
{
        OWN(buf) struct buf checkpoint = { 0 }, proof = { 0 };
        red_checkpoint(red, lie->story, &checkpoint);
        for (size_t i = 0; i < lie->count; i++)
                red_cosign(red, &lie->by[i], &checkpoint);
        story_prove(lie->story, lie->index, &checkpoint, &proof);
        set_proof(bad, &proof);
}

/* In a control two witnesses are his, and say that they saw it long ago. */
static bool lies_in_control(struct red *red, struct bad *bad)
{
        static const struct red_cosigner both[] = { { 0, KEY_WITNESS_A, LONG_AGO }, { 1, KEY_WITNESS_B, LONG_AGO } };
        red_control_keys(red, HOLDS(KEY_WITNESS_B));
        if (!red->is_control)
                return false;
        struct story story = red->watched.log;
        const size_t index = story_add(&story, &bad->entry);
        set_lie(red, bad, &(struct lie){ &story, index, both, 2 });
        return true;
}

/* To the second before each step of the pace, and to the second at it. */
static void rush(struct red *red)
{
        struct bad bad;
        red_control_keys(red, HOLDS_EMERGENCY);
        make_bad(red, 6, SEEN, &bad);
        red_log(red, &bad.entry, SEEN);
        if (red->is_control)
                approve_emergency(red, &bad);
        for (size_t i = 1; truth_pace[i].ppm; i++)
                for (int late = 0; late < 2; late++)
                        (void)again(red, bad.scene, SEEN + truth_pace[i].after_s - 1 + late);
}

/* One release after the other: each for the same few, as long as the witnesses see them in the same week. */
static void many(struct red *red)
{
        red_control_keys(red, HOLDS_EMERGENCY);
        for (unsigned i = 0; i < 8; i++) {
                struct bad bad;
                make_bad(red, 6 + i, SEEN + (int64_t)i * STEP_S, &bad);
                red_log(red, &bad.entry, bad.scene->at_s);
                if (red->is_control)
                        approve_emergency(red, &bad);
        }
}

/* The second one's honest word, and A's: that it was long ago, twice, and in the future; then A's under the name of another. */
static void lie(struct red *red)
{
        static const struct { struct red_cosigner by[2]; size_t count; bool is_shown; } lies[] = {
                { { { 0, KEY_WITNESS_A, LONG_AGO } }, 1, true },
                { { { 0, KEY_WITNESS_A, LONG_AGO }, { 0, KEY_WITNESS_A, LONG_AGO - DAY } }, 2, true },
                { { { 0, KEY_WITNESS_A, LONG_AGO }, { 0, KEY_WITNESS_A, SEEN + 9 * DAY } }, 2, true },
                { { { 0, KEY_WITNESS_A, LONG_AGO }, { 1, KEY_WITNESS_A, LONG_AGO } }, 2, false },
                { { { 0, KEY_WITNESS_A, LONG_AGO }, { 2, KEY_OWN, LONG_AGO } }, 2, true },
                { { { 0, KEY_WITNESS_A, 0 } }, 1, false },
        };
        for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
                struct bad bad;
                OWN(buf) struct buf checkpoint = { 0 }, proof = { 0 };
                make_bad(red, 6 + i, SEEN + (int64_t)i * STEP_S, &bad);
                if (lies_in_control(red, &bad))
                        return;
                const size_t index = story_add(&red->watched.log, &bad.entry);
                red_checkpoint(red, &red->watched.log, &checkpoint);
                if (lies[i].is_shown)
                        (void)red_show(red, &(struct showing){ &red->watched.log, 1, bad.scene->at_s }, &checkpoint);
                for (size_t by = 0; by < lies[i].count; by++)
                        red_cosign(red, &lies[i].by[by], &checkpoint);
                story_prove(&red->watched.log, index, &checkpoint, &proof);
                set_proof(&bad, &proof);
        }
}

/* What the log has had for long: a release that was approved; one of the same number that nobody ever saw offered; the same digest as of
 * something else, and under another number. */
static void other_proof(struct red *red)
{
        struct bad bad;
        char path[ANSWER_PATH_BYTES];
        for (unsigned i = 0; i < 4; i++) {
                make_bad(red, 6 + i, SEEN + (int64_t)i * STEP_S, &bad);
                if (lies_in_control(red, &bad))
                        return;
                struct logged other = bad.entry;
                other.digest[0] ^= i == 1;
                other.kind = i == 2 ? LOGGED_EVIDENCE : LOGGED_RELEASE;
                other.number -= i == 3;
                if (i)
                        red_log(red, &other, SEEN - WAIT_S + i);
                answer_proof_path(i ? other.digest : red->publisher->note_sha256[3], path);
                const struct buf *proof = answers_find(i ? &red->answers : &red->publisher->answers, path);
                set_proof(&bad, proof);
        }
}

/* The second witness's cosignature of what it saw, under something else. */
static void move_cosignature(struct red *red, int64_t at_s, struct buf *checkpoint)
{
        OWN(buf) struct buf genuine = { 0 };
        red_checkpoint(red, &red->watched.log, &genuine);
        if (!red_show(red, &(struct showing){ &red->watched.log, 1, at_s }, &genuine))
                sure(ERR_UNTRUSTED, &(struct why){ .text = "a witness does not cosign the log" });
        buf_add_text(checkpoint, strstr(genuine.bytes, "\xe2\x80\x94 witness-b"));
}

/* Another story of the log, with the bad release where another one was: A cosigns it as of old, B has seen more than that and C has not. B's word
 * is not to be had, also not from under another checkpoint; C's is, and from then on the pace is counted. */
static void fork_log(struct red *red)
{
        static const struct red_cosigner first = { 0, KEY_WITNESS_A, LONG_AGO };
        for (unsigned i = 0; i < 3; i++) {
                struct bad bad;
                struct story story = red->watched.log;
                OWN(buf) struct buf checkpoint = { 0 }, proof = { 0 };
                make_bad(red, 6 + i, SEEN + (int64_t)i * STEP_S, &bad);
                if (lies_in_control(red, &bad))
                        return;
                story.count -= i < 2 ? 1 : 2;        /* C has not seen the last one */
                const size_t index = story_add(&story, &bad.entry);
                for (unsigned more = 0; more < i; more++)
                        (void)story_add(&story, &bad.entry);
                red_checkpoint(red, &story, &checkpoint);
                red_cosign(red, &first, &checkpoint);
                const bool is_fooled = red_show(red, &(struct showing){ &story, i ? 2 : 1, bad.scene->at_s }, &checkpoint);
                if (is_fooled != (i == 1))
                        sure(ERR_UNTRUSTED, &(struct why){ .text = "a witness of a fork says something else than it should" });
                if (!i)
                        move_cosignature(red, bad.scene->at_s, &checkpoint);
                story_prove(&story, index, &checkpoint, &proof);
                set_proof(&bad, &proof);
        }
}

/* Nothing, garbage, a checkpoint that only the log signed; the emergency keys are no substitute. */
static void no_proof(struct red *red)
{
        static const char *const said[] = { "", "x", "c2sp.org/tlog-proof@v1\nindex 0\n\n", NULL, NULL };
        for (unsigned i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
                struct bad bad;
                OWN(buf) struct buf proof = { 0 };
                make_bad(red, 6 + i, SEEN + (int64_t)i * STEP_S, &bad);
                if (lies_in_control(red, &bad))
                        return;
                buf_init(&proof, LIMIT_PROOF_BYTES);
                buf_add_text(&proof, said[i] ? said[i] : "");
                struct story story = red->watched.log;
                const size_t index = story_add(&story, &bad.entry);
                if (said[i])
                        set_proof(&bad, &proof);
                else
                        set_lie(red, &bad, &(struct lie){ &story, index, &(struct red_cosigner){ 0, KEY_WITNESS_A, LONG_AGO }, i % 2 ? 0 : 1 });
                approve_emergency(red, &bad);
        }
}

/* ---- the emergency keys ---- */

/* For bad content that was just logged; `count` ways to lift the pace for it. */
struct ways { const struct red_approval *of; size_t count; };
static void try_approvals(struct red *red, const struct ways *ways)
{
        red_control_keys(red, HOLDS_EMERGENCY);
        for (unsigned i = 0; i < ways->count; i++) {
                struct bad bad;
                make_bad(red, 6 + i, SEEN + (int64_t)i * STEP_S, &bad);
                red_log(red, &bad.entry, bad.scene->at_s);
                struct red_approval approval = ways->of[i];
                approval.target = approval.target ? approval.target : bad.target;
                if (red->is_control)
                        approve_emergency(red, &bad);
                else
                        approve(red, &bad, APPROVAL_EMERGENCY, &approval);
        }
}

/* By the keys of content, the director, the log and himself; and what was right, for release 3. */
static void others_approvals(struct red *red)
{
        static const struct red_approval ways[] = {
                { APPROVAL_EMERGENCY, NULL, { KEY_CONTENT_A, KEY_CONTENT_B }, 2 }, { APPROVAL_EMERGENCY, NULL, { KEY_DIRECTOR, KEY_LOG }, 2 },
                { APPROVAL_EMERGENCY, NULL, { KEY_WITNESS_A, KEY_OWN }, 2 }, { APPROVAL_EMERGENCY, NULL, { KEY_OWN }, 0 },
        };
        struct bad bad;
        char path[ANSWER_PATH_BYTES];
        try_approvals(red, &(struct ways){ ways, sizeof(ways) / sizeof(ways[0]) });
        make_bad(red, 12, SEEN + HOUR, &bad);
        red_log(red, &bad.entry, bad.scene->at_s);
        answer_approval_path(red->publisher->note_sha256[2], publisher_approver(APPROVAL_EMERGENCY).text, path);
        set_approval(&bad, APPROVAL_EMERGENCY, answers_find(&red->publisher->answers, path));
}

/* One of two, alone, twice, and with others; both, of the other kind. */
static void one_emergency(struct red *red)
{
        static const struct red_approval ways[] = {
                { APPROVAL_EMERGENCY, NULL, { KEY_EMERGENCY_A }, 1 }, { APPROVAL_EMERGENCY, NULL, { KEY_EMERGENCY_A, KEY_EMERGENCY_A }, 2 },
                { APPROVAL_EMERGENCY, NULL, { KEY_EMERGENCY_A, KEY_CONTENT_B }, 2 }, { APPROVAL_CUSTOMER, NULL, { KEY_EMERGENCY_A, KEY_OWN }, 2 },
        };
        try_approvals(red, &(struct ways){ ways, sizeof(ways) / sizeof(ways[0]) });
}

/* The emergency keys, and their approvals of something else: of release 4, and of the customer's kind. */
static void swapped(struct red *red)
{
        const struct red_approval ways[] = {
                { APPROVAL_EMERGENCY, red->publisher->note_sha256[3], { KEY_EMERGENCY_A, KEY_EMERGENCY_B }, 2 },
                { APPROVAL_CUSTOMER, NULL, { KEY_EMERGENCY_A, KEY_EMERGENCY_B }, 2 },
        };
        const unsigned holds = red->holds;
        red->holds |= HOLDS_EMERGENCY;
        try_approvals(red, &(struct ways){ ways, sizeof(ways) / sizeof(ways[0]) });
        red->holds = holds;
}

/* ---- what the pace holds besides ---- */

/* Release 5 was signed for all, an hour after its start; the server logs it two hours after. The control's lift comes later yet. */
static void just_logged(struct red *red)
{
        enum { AT_S = START + DAY + 2 * HOUR };
        const struct logged entry = publisher_entry(&truth_releases[4], red->publisher->note_sha256[4]);
        struct bad bad = { .entry = entry };
        memcpy(bad.target, entry.digest, 32);
        red_control_keys(red, HOLDS_EMERGENCY);
        red_log(red, &entry, AT_S);
        bad.scene = attack_offer(red, 4, AT_S);
        for (int i = 1; i < 4; i++)
                bad.scene = again(red, bad.scene, AT_S + i * HOUR);
        if (red->is_control)
                approve_emergency(red, &bad);
}

/* ---- the customer ---- */

static void approve_customer(const struct red *red, struct bad *bad)
{
        approve(red, bad, APPROVAL_CUSTOMER, &(struct red_approval){ APPROVAL_CUSTOMER, bad->target, { KEY_CUSTOMER }, 1 });
}

/* Logged long enough ago for the pace, and lifted; approved by everybody but the customer, who approved release 4, and lets something else go faster. */
static void not_wanted(struct red *red)
{
        static const struct red_approval ways[] = {
                { APPROVAL_CUSTOMER, NULL, { KEY_CONTENT_A, KEY_CONTENT_B }, 2 }, { APPROVAL_CUSTOMER, NULL, { KEY_EMERGENCY_A, KEY_EMERGENCY_B }, 2 },
                { APPROVAL_CUSTOMER, NULL, { KEY_DIRECTOR, KEY_OWN }, 2 }, { APPROVAL_EMERGENCY, NULL, { KEY_CUSTOMER }, 1 },
        };
        enum { WAYS = sizeof(ways) / sizeof(ways[0]) };
        struct bad bad;
        char path[ANSWER_PATH_BYTES];
        make_bad(red, 6, SEEN, &bad);
        red_log(red, &bad.entry, SEEN - WAIT_S);
        approve_emergency(red, &bad);
        for (unsigned i = 0; i < WAYS; i++) {
                bad.scene = again(red, bad.scene, SEEN + (int64_t)(i + 1) * STEP_S);
                approve_as_held(red, &bad, &ways[i]);
        }
        bad.scene = again(red, bad.scene, SEEN + HOUR);
        answer_approval_path(red->publisher->note_sha256[3], publisher_approver(APPROVAL_CUSTOMER).text, path);
        set_approval(&bad, APPROVAL_CUSTOMER, answers_find(&red->publisher->answers, path));
        red_control_keys(red, HOLDS(KEY_CUSTOMER));
        if (red->is_control)
                approve_customer(red, &bad);
}

/* Release 5 is everybody's by now, but for that. */
static void not_wanted_5(struct red *red)
{
        static const struct red_approval ways[] = { { APPROVAL_CUSTOMER, NULL, { KEY_DIRECTOR, KEY_LOG }, 2 }, { APPROVAL_CUSTOMER, NULL, { KEY_TIMESTAMP, KEY_OWN }, 2 } };
        struct bad bad = { .scene = attack_offer(red, 4, START + 2 * DAY) };
        memcpy(bad.target, red->publisher->note_sha256[4], 32);
        for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
                bad.scene = again(red, bad.scene, START + 2 * DAY + (int64_t)(i + 1) * STEP_S);
                approve_as_held(red, &bad, &ways[i]);
        }
        red_control_keys(red, HOLDS(KEY_CUSTOMER));
        if (red->is_control)
                approve_customer(red, &bad);
}

/* ---- approvals, and no content ---- */

static void approve_all(const struct red *red, struct bad *bad)
{
        if (red->holds & HOLDS(KEY_EMERGENCY_A))
                approve_emergency(red, bad);
        if (red->holds & HOLDS(KEY_CUSTOMER))
                approve_customer(red, bad);
}

/* Release 4 before its time, then content of his own that these keys sign in the place of content's. */
static void approve_alone(struct red *red, enum key a, enum key b)
{
        struct attack_made made = { attack_evil(6), "rules/6", { a, b }, 2, attack_online_keys };
        struct bad bad = { .scene = attack_offer(red, 3, START + RUSH_S) };
        memcpy(bad.target, red->publisher->note_sha256[3], 32);
        approve_all(red, &bad);
        red_control_keys(red, HOLDS_CONTENT);
        if (red->is_control)
                made = (struct attack_made){ attack_evil(6), "rules/6", { KEY_CONTENT_A, KEY_CONTENT_B }, 2, attack_offline_keys };
        bad.scene = attack_unlogged(red, &made, START + RUSH_S + STEP_S, bad.target);
        bad.entry = publisher_entry(&made.release, bad.target);
        red_log(red, &bad.entry, bad.scene->at_s);
        approve_all(red, &bad);
}

static void emergency_alone(struct red *red) { approve_alone(red, KEY_EMERGENCY_A, KEY_EMERGENCY_B); }
static void customer_alone(struct red *red) { approve_alone(red, KEY_CUSTOMER, KEY_OWN); }

/* ---- clocks ---- */

/* With the clocks of devices the pace is lost, as is every ceiling; what their customers say, is not. */
static void ahead(struct red *red)
{
        struct bad bad;
        red->owns_clock = true;
        make_bad(red, 6, SEEN, &bad);
        red_log(red, &bad.entry, SEEN);
        bad.scene->clock_s = SEEN + 4 * DAY;
        red_control_keys(red, HOLDS(KEY_CUSTOMER));
        if (red->is_control)
                approve_customer(red, &bad);
}

const struct attack attacks_pace[] = {
        { "pace: everybody at once", THIEF, PART_PACE, rush, "both emergency keys" },
        { "pace: many releases", THIEF, PART_PACE, many, "both emergency keys" },
        { "pace: a witness lies", THIEF, PART_PACE, lie, "a second witness's key" },
        { "pace: another entry's proof", THIEF, PART_PACE, other_proof, "a second witness's key" },
        { "pace: a fork of the log", THIEF, PART_PACE, fork_log, "a second witness's key" },
        { "pace: no proof", THIEF_OF_ALL, PART_PACE, no_proof, "a second witness's key" },
        { "pace: others' approvals", THIEF, PART_PACE, others_approvals, "both emergency keys" },
        { "pace: one emergency key", THIEF_OF_ONE, PART_PACE, one_emergency, "both emergency keys" },
        { "pace: approvals swapped", THIEF, PART_PACE, swapped, "both emergency keys" },
        { "pace: of what was just logged", HOLDS_ONLINE, PART_SERVER, just_logged, "both emergency keys" },
        { "emergency keys alone", LIFTER, PART_SERVER, emergency_alone, "two content keys" },
        { "a customer's key alone", CUSTOMER, PART_SERVER, customer_alone, "two content keys" },
        { "customer: of bad content", THIEF_OF_ALL, PART_PACE, not_wanted, "the customer's key" },
        { "customer: of release 5", HOLDS_ONLINE, PART_SERVER, not_wanted_5, "the customer's key" },
        { "pace: clocks ahead", THIEF, PART_PACE_CLOCK, ahead, "the customer's key" },
        { .name = NULL },
};
