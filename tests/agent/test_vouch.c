#include "agent/vouch.h"

#include "agent/vouched.h"
#include "format/hex.h"
#include "support/sweep.h"

enum { SEEN = 1000000, NOW = SEEN + 60 };

struct scene {
        struct anchor anchor;
        struct vkey customers[2];
        struct release_note note;
        uint8_t target[32];
        struct install_facts facts;
        struct vouch_of of;
        struct vouch vouch;
        struct buf bytes;
};

static void make(struct scene *scene)
{
        *scene = (struct scene){
                .anchor = vouched_anchor(), .customers = { test_vkey("acme", VOUCHED_CUSTOMER), test_vkey("bolt", VOUCHED_CUSTOMER + 1) },
                .note = { .stream = "rules", .counter = 4, .platform_count = 1, .platforms = { "any" }, .ceiling = { 1, 1, { { 0, CEILING_ALL_PPM } } } },
                .target = { 1, 2, 3 },
        };
        scene->facts = (struct install_facts){ .device = VOUCHED_DEVICE, .stream = "rules", .platform = "linux-amd64", .ring = "all", .now = NOW, .note = &scene->note, .target = scene->target };
        scene->of = (struct vouch_of){ &scene->anchor, scene->customers, 0, &scene->facts };
        vouch_begin(&scene->vouch, &scene->of);
        buf_init(&scene->bytes, VOUCH_BYTES_MAX);
}

static void scene_done(struct scene *scene) { buf_done(&scene->bytes); }
static void scene_release(struct scene *scene) { scene_done(scene); }

static struct logged entry_of(const struct scene *scene)
{
        struct logged logged = { .kind = LOGGED_RELEASE, .name = "rules", .number = 4 };
        memcpy(logged.digest, scene->target, sizeof(logged.digest));
        return logged;
}

static enum err take_proof(struct scene *scene, const struct logged *logged, const char *by)
{
        vouched_proof(logged, by, SEEN, &scene->bytes);
        return vouch_take(&scene->vouch, &scene->of, VOUCH_PROOF, &scene->bytes, NULL);
}

static void prove(struct scene *scene)
{
        const struct logged logged = entry_of(scene);
        CHECK(take_proof(scene, &logged, "12") == OK);
}

static enum err take_approval(struct scene *scene, enum vouch_step step, uint8_t key, unsigned count)
{
        vouched_approval(step == VOUCH_EMERGENCY ? APPROVAL_EMERGENCY : APPROVAL_CUSTOMER, scene->target, key, count, &scene->bytes);
        return vouch_take(&scene->vouch, &scene->of, step, &scene->bytes, NULL);
}

/* As it is judged in the end. */
static enum err judge(const struct scene *scene, bool *ret_is_vouched)
{
        struct ceiling pace;
        struct install_facts facts = scene->facts;
        vouch_apply(&scene->vouch, &scene->of, &pace, &facts);
        *ret_is_vouched = facts.is_vouched;
        return install_candidate(&facts, NULL);
}

static bool installs(const struct scene *scene)
{
        bool is_vouched;
        return judge(scene, &is_vouched) == OK && is_vouched;
}

TEST(vouch, asks_for_nothing_where_nobody_has_a_say)
{
        OWN(scene) struct scene scene;
        make(&scene);
        scene.anchor.has_log = false;
        scene.anchor.pace.count = scene.anchor.witnesses.count = scene.anchor.emergency.count = 0;
        CHECK(vouch_next(&scene.vouch, &scene.of) == VOUCH_DONE && installs(&scene));
        scene.of.anchor = NULL;
        CHECK(vouch_next(&scene.vouch, &scene.of) == VOUCH_DONE && !installs(&scene));
}

TEST(vouch, takes_the_log_s_proof_with_enough_witnesses)
{
        static const struct { const char *by; enum err e; } cases[] = { { "", ERR_UNTRUSTED }, { "1", ERR_UNTRUSTED }, { "11", ERR_UNTRUSTED }, { "14", ERR_UNTRUSTED }, { "31", OK } };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(scene) struct scene scene;
                make(&scene);
                scene.facts.now = SEEN + 3600;
                const struct logged logged = entry_of(&scene);
                CHECK(vouch_next(&scene.vouch, &scene.of) == VOUCH_PROOF && !installs(&scene));
                CHECK(take_proof(&scene, &logged, cases[i].by) == cases[i].e);
                CHECK(vouch_next(&scene.vouch, &scene.of) == (cases[i].e ? VOUCH_PROOF : VOUCH_DONE) && installs(&scene) == !cases[i].e);
        }
}

TEST(vouch, takes_a_proof_of_this_release_only)
{
        OWN(scene) struct scene scene;
        make(&scene);
        const struct logged logged = entry_of(&scene);
        struct logged others[] = { logged, logged, logged, logged };
        others[0].kind = LOGGED_EVIDENCE;
        others[1].number = 5;
        others[2].digest[0] ^= 1;
        snprintf(others[3].name, sizeof(others[3].name), "other");
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
                CHECK(take_proof(&scene, &others[i], "12") == ERR_UNTRUSTED);
        CHECK(vouch_next(&scene.vouch, &scene.of) == VOUCH_PROOF);
}

/* A thief who has one witness's key chooses what that says, and which cosignatures are in the proof. */
TEST(vouch, counts_no_witness_whose_time_is_yet_to_come)
{
        static const int64_t lies[] = { INT64_MAX, INT64_MAX - 86400, NOW + LIMIT_WITNESS_AHEAD_S + 1, NOW + LIMIT_WITNESS_AHEAD_S };
        for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
                OWN(scene) struct scene scene;
                OWN(buf) struct buf note;
                make(&scene);
                scene.anchor.pace.steps[0] = (struct ceiling_step){ 600, 1 };
                const struct logged logged = entry_of(&scene);
                vouched_proof(&logged, "1", SEEN, &scene.bytes);
                struct entry_proof proof;
                CHECK(entry_proof_parse(buf_text(&scene.bytes), scene.bytes.length, &proof, NULL) == OK);
                buf_init(&note, LIMIT_CHECKPOINT_BYTES);
                buf_add(&note, proof.checkpoint.text, proof.checkpoint.length);
                test_cosign(&note, 2, lies[i]);
                proof.checkpoint = (struct line){ buf_text(&note), note.length };
                OWN(buf) struct buf forged;
                buf_init(&forged, VOUCH_BYTES_MAX);
                entry_proof_write(&proof, &forged);
                const bool is_soon = lies[i] == NOW + LIMIT_WITNESS_AHEAD_S;
                CHECK(vouch_take(&scene.vouch, &scene.of, VOUCH_PROOF, &forged, NULL) == (is_soon ? OK : ERR_UNTRUSTED));
                CHECK(!installs(&scene));
        }
}

/* Device `number` of many, at a pace whose first step is a tenth of them, and a release that the log has. */
static void make_one_of_many(struct scene *scene, unsigned number, char device[static 33])
{
        make(scene);
        snprintf(device, 33, "%032x", number * 2654435761u);
        scene->facts.device = device;
        scene->anchor.pace.steps[0].ppm = 100000;
}

static bool installs_seen_at(struct scene *scene, int64_t seen)
{
        vouch_begin(&scene->vouch, &scene->of);
        scene->vouch.is_logged = true;
        scene->vouch.seen = seen;
        return installs(scene);
}

enum { DEVICES = 400, RELEASES = 60 };

/* Many releases at once: who may have one of them may have any, and nobody else. */
TEST(vouch, gives_many_releases_of_a_week_no_more_devices_than_one)
{
        unsigned any = 0, first = 0;
        for (unsigned number = 0; number < DEVICES; number++) {
                OWN(scene) struct scene scene;
                char device[33];
                bool has_any = false;
                make_one_of_many(&scene, number, device);
                for (unsigned release = 0; release < RELEASES; release++) {
                        scene.target[0] = (uint8_t)release;
                        const bool has = installs_seen_at(&scene, SEEN);
                        has_any = has_any || has;
                        first += release == 0 && has;
                }
                any += has_any;
        }
        CHECK(any == first && first > DEVICES / 20 && first < DEVICES / 5);
}

/* But another week, others. */
TEST(vouch, lets_others_be_the_first_in_another_week)
{
        unsigned both = 0, one = 0;
        for (unsigned number = 0; number < DEVICES; number++) {
                OWN(scene) struct scene scene;
                char device[33];
                make_one_of_many(&scene, number, device);
                const bool has = installs_seen_at(&scene, SEEN);
                scene.facts.now += PACE_WEEK_S;
                one += has;
                both += has && installs_seen_at(&scene, SEEN + PACE_WEEK_S);
        }
        CHECK(one > DEVICES / 20 && both < one / 2);
}

TEST(vouch, of_a_log_without_witnesses_is_its_own_word)
{
        OWN(scene) struct scene scene;
        make(&scene);
        scene.anchor.pace.count = scene.anchor.witnesses.count = scene.anchor.witnesses.threshold = scene.anchor.emergency.count = 0;
        const struct logged logged = entry_of(&scene);
        CHECK(take_proof(&scene, &logged, "") == OK && installs(&scene));
}

TEST(vouch, lets_nobody_outrun_the_pace_but_with_the_emergency_keys)
{
        OWN(scene) struct scene scene;
        make(&scene);
        prove(&scene);
        CHECK(vouch_next(&scene.vouch, &scene.of) == VOUCH_EMERGENCY && !installs(&scene));
        CHECK(take_approval(&scene, VOUCH_EMERGENCY, VOUCHED_EMERGENCY, 1) == ERR_UNTRUSTED && !installs(&scene));
        CHECK(vouch_next(&scene.vouch, &scene.of) == VOUCH_DONE);           /* it goes on at the pace */
        vouch_begin(&scene.vouch, &scene.of);
        CHECK(vouch_next(&scene.vouch, &scene.of) == VOUCH_EMERGENCY);
        CHECK(vouch_lacks(&scene.vouch, &scene.of, VOUCH_EMERGENCY, NULL) == OK && vouch_next(&scene.vouch, &scene.of) == VOUCH_DONE && !installs(&scene));
        vouch_begin(&scene.vouch, &scene.of);
        CHECK(take_approval(&scene, VOUCH_EMERGENCY, VOUCHED_EMERGENCY, 2) == OK);
        CHECK(vouch_next(&scene.vouch, &scene.of) == VOUCH_DONE && installs(&scene));
}

TEST(vouch, does_not_ask_the_emergency_keys_when_the_pace_is_not_what_holds)
{
        OWN(scene) struct scene scene;
        make(&scene);
        prove(&scene);
        scene.facts.now = SEEN + 3600;
        CHECK(vouch_next(&scene.vouch, &scene.of) == VOUCH_DONE && installs(&scene));
        scene.facts.now = SEEN + 60;
        scene.facts.ring = "early";
        CHECK(vouch_next(&scene.vouch, &scene.of) == VOUCH_DONE && installs(&scene));
        scene.facts.ring = "all";
        scene.note.ceiling.start = NOW + 1;
        CHECK(vouch_next(&scene.vouch, &scene.of) == VOUCH_DONE && !installs(&scene));
        scene.note.ceiling.start = 1;
        scene.anchor.emergency.count = 0;
        CHECK(vouch_next(&scene.vouch, &scene.of) == VOUCH_DONE && !installs(&scene));
}

TEST(vouch, keeps_to_the_release_s_own_ceiling_when_the_pace_is_lifted)
{
        OWN(scene) struct scene scene;
        make(&scene);
        prove(&scene);
        CHECK(take_approval(&scene, VOUCH_EMERGENCY, VOUCHED_EMERGENCY, 2) == OK);
        scene.note.ceiling = (struct ceiling){ NOW - 60, 2, { { 0, 1 }, { 61, CEILING_ALL_PPM } } };
        CHECK(!installs(&scene));
        scene.facts.now++;
        CHECK(installs(&scene));
}

TEST(vouch, takes_each_customer)
{
        OWN(scene) struct scene scene;
        make(&scene);
        scene.facts.now = SEEN + 3600;
        scene.of.customer_count = 2;
        prove(&scene);
        CHECK(vouch_next(&scene.vouch, &scene.of) == VOUCH_CUSTOMER && !installs(&scene));
        CHECK(vouch_lacks(&scene.vouch, &scene.of, VOUCH_CUSTOMER, NULL) == ERR_REFUSED);
        CHECK(take_approval(&scene, VOUCH_CUSTOMER, VOUCHED_CUSTOMER + 1, 1) == ERR_UNTRUSTED);
        CHECK(take_approval(&scene, VOUCH_CUSTOMER, VOUCHED_CUSTOMER, 1) == OK && !installs(&scene));
        CHECK(vouch_next(&scene.vouch, &scene.of) == VOUCH_CUSTOMER);
        CHECK(take_approval(&scene, VOUCH_CUSTOMER, VOUCHED_CUSTOMER, 1) == ERR_UNTRUSTED);
        CHECK(take_approval(&scene, VOUCH_CUSTOMER, VOUCHED_CUSTOMER + 1, 1) == OK && installs(&scene) && vouch_next(&scene.vouch, &scene.of) == VOUCH_DONE);
}

TEST(vouch, tells_a_customer_from_an_emergency)
{
        OWN(scene) struct scene scene;
        make(&scene);
        scene.of.customer_count = 1;
        prove(&scene);
        vouched_approval(APPROVAL_EMERGENCY, scene.target, VOUCHED_CUSTOMER, 1, &scene.bytes);
        CHECK(vouch_take(&scene.vouch, &scene.of, VOUCH_CUSTOMER, &scene.bytes, NULL) == ERR_UNTRUSTED);
        vouched_approval(APPROVAL_CUSTOMER, scene.target, VOUCHED_EMERGENCY, 2, &scene.bytes);
        CHECK(vouch_take(&scene.vouch, &scene.of, VOUCH_EMERGENCY, &scene.bytes, NULL) == ERR_UNTRUSTED && !scene.vouch.is_lifted);
}

TEST(vouch, is_kept_for_the_same_release_and_anchor_only)
{
        OWN(scene) struct scene scene;
        make(&scene);
        scene.facts.now = SEEN + 3600;
        prove(&scene);
        vouch_begin(&scene.vouch, &scene.of);
        CHECK(vouch_next(&scene.vouch, &scene.of) == VOUCH_DONE && installs(&scene));
        scene.anchor.version = 2;
        vouch_begin(&scene.vouch, &scene.of);
        CHECK(vouch_next(&scene.vouch, &scene.of) == VOUCH_PROOF && !installs(&scene));
        prove(&scene);
        scene.target[0] ^= 1;
        vouch_begin(&scene.vouch, &scene.of);
        CHECK(vouch_next(&scene.vouch, &scene.of) == VOUCH_PROOF && !installs(&scene));
}

TEST(vouch, is_asked_for_by_the_release_s_digest)
{
        OWN(scene) struct scene scene;
        char path[VOUCH_PATH_BYTES];
        make(&scene);
        scene.of.customer_count = 1;
        vouch_path(&scene.vouch, &scene.of, VOUCH_PROOF, path);
        CHECK(strcmp(path, "/v1/log/proof/0102030000000000000000000000000000000000000000000000000000000000") == 0);
        vouch_path(&scene.vouch, &scene.of, VOUCH_CUSTOMER, path);
        char wanted[VOUCH_PATH_BYTES], id[65];
        hex_encode(scene.customers[0].key.bytes, 32, id);
        snprintf(wanted, sizeof(wanted), "/v1/approvals/0102030000000000000000000000000000000000000000000000000000000000/%s", id);
        CHECK(strcmp(path, wanted) == 0);
        vouch_path(&scene.vouch, &scene.of, VOUCH_EMERGENCY, path);
        CHECK(strcmp(path, "/v1/approvals/0102030000000000000000000000000000000000000000000000000000000000/emergency") == 0);
}

TEST(vouch, survives_garbage_and_no_memory)
{
        OWN(scene) struct scene scene;
        make(&scene);
        for (int step = VOUCH_PROOF; step < VOUCH_DONE; step++) {
                scene.of.customer_count = 1;
                buf_clear(&scene.bytes);
                CHECK(vouch_take(&scene.vouch, &scene.of, (enum vouch_step)step, &scene.bytes, NULL) == ERR_SYNTAX);
                buf_add(&scene.bytes, "x\0y\n\n", 6);
                CHECK(vouch_take(&scene.vouch, &scene.of, (enum vouch_step)step, &scene.bytes, NULL) == ERR_SYNTAX);
        }
        const struct logged logged = entry_of(&scene);
        vouched_proof(&logged, "12", SEEN, &scene.bytes);
        SWEEP_MEMORY {
                struct vouch vouch = { 0 };
                enum err e = vouch_take(&vouch, &scene.of, VOUCH_PROOF, &scene.bytes, NULL);
                CHECK((e == OK && vouch.is_logged) || (e == ERR_NOMEM && !vouch.is_logged));
        }
}
