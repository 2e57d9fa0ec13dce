#include "support/sweep.h"
#include "trust/repository.h"
#include "trust/verdict.h"

#include "format/json.h"

static const char device[] = "00112233445566778899aabbccddeeff";

/* All that a server would hold, and what the device keeps between refreshes. */
struct world {
        struct repository of[BUNDLE_REPOSITORIES];
        struct buf cohort, roots[BUNDLE_REPOSITORIES];      /* roots: version 2, or empty */
        struct buf kept[BUNDLE_REPOSITORIES][TUF_ROLES];
        struct tuf_target release;
        struct cohort says;
        const struct json *custom;       /* beside what it says; NULL: nothing */
        int64_t now;
        uint64_t floor, wanted, above, denied[2];
        bool has_above;
        const char *platform, *ring;
        unsigned runs;
};

static void world_release(struct world *world)
{
        buf_done(&world->cohort);
        for (int i = 0; i < BUNDLE_REPOSITORIES; i++) {
                repository_release(&world->of[i]);
                buf_done(&world->roots[i]);
                for (int role = 0; role < TUF_ROLES; role++)
                        buf_done(&world->kept[i][role]);
        }
}

static struct release_note release_of(uint64_t counter, uint64_t floor)
{
        struct release_note note = { .stream = "rules", .version = "1.0", .counter = counter, .floor = floor, .platform_count = 1, .platforms = { "linux-amd64" } };
        note.ceiling = (struct ceiling){ .start = NOW - 60, .count = 1, .steps = { { 0, CEILING_ALL_PPM } } };
        return note;
}

/* The publisher approves rules/COUNTER. */
static void approve(struct world *world, uint64_t counter, uint64_t floor)
{
        char path[32];
        struct release_note note = release_of(counter, floor);
        OWN(json) struct json *custom = release_custom_new(&note);
        snprintf(path, sizeof(path), "rules/%d", (int)counter);
        world->release = target_of(path, path);
        world->release.custom = custom;
        publish(&world->of[BUNDLE_RELEASE], &world->release);
        world->release.custom = NULL;
}

/* The director offers what world->says says. */
static void offer(struct world *world)
{
        struct tuf_target target = { .path = "rules", .custom = world->custom };
        buf_clear(&world->cohort);
        CHECK(cohort_write(&world->says, &world->cohort, NULL) == OK);
        sha256(world->cohort.bytes, world->cohort.length, target.sha256);
        target.length = world->cohort.length;
        publish(&world->of[BUNDLE_DIRECTOR], &target);
        world->says.seq++;
}

static void world_init(struct world *world)
{
        *world = (struct world){ .now = NOW, .platform = "linux-amd64", .ring = "main" };
        buf_init(&world->cohort, COHORT_BYTES_MAX);
        repository_init(&world->of[BUNDLE_RELEASE], 1, 2, 3);
        repository_init(&world->of[BUNDLE_DIRECTOR], 4, 5, 5);
        for (int i = 0; i < BUNDLE_REPOSITORIES; i++) {
                buf_init(&world->roots[i], LIMIT_METADATA_BYTES);
                for (int role = 0; role < TUF_ROLES; role++)
                        buf_init(&world->kept[i][role], LIMIT_METADATA_BYTES);
                buf_add(&world->kept[i][TUF_ROOT], world->of[i].root.bytes, world->of[i].root.length);
        }
        approve(world, 4, 1);
        world->says = (struct cohort){ .state = COHORT_GO, .stream = "rules", .tenant = "default", .seq = 1, .counter = 4, .fallback = 2, .length = world->release.length,
                                       .expires = EXPIRES, .rule_count = 1, .rules = { { .ring = "all", .platform = "any", .is_all = true } } };
        memcpy(world->says.salt, world->release.sha256, 32);
        memcpy(world->says.sha256, world->release.sha256, 32);
        offer(world);
}

static void add_facts(const struct world *world, struct buf *bundle)
{
        bundle_add_number(bundle, BUNDLE_NOW, (uint64_t)world->now);
        bundle_add_number(bundle, BUNDLE_FLOOR, world->floor);
        if (world->wanted)
                bundle_add_number(bundle, BUNDLE_WANTED, world->wanted);
        if (world->has_above)
                bundle_add_number(bundle, BUNDLE_ABOVE, world->above);
        if (world->denied[0])
                bundle_add_numbers(bundle, BUNDLE_DENIED, world->denied, 2);
        bundle_add_text(bundle, BUNDLE_DEVICE, device);
        bundle_add_text(bundle, BUNDLE_RING, world->ring);
        bundle_add_text(bundle, BUNDLE_PLATFORM, world->platform);
        bundle_add_text(bundle, BUNDLE_STREAM, "rules");
        for (int i = 0; i < BUNDLE_REPOSITORIES; i++)
                for (int role = 0; role < TUF_ROLES; role++)
                        if (world->kept[i][role].length)
                                bundle_add(bundle, bundle_file(BUNDLE_KEPT, (enum bundle_repository)i, (enum tuf_role)role), world->kept[i][role].bytes,
                                           world->kept[i][role].length);
}

static void bring(const struct world *world, const struct verdict *verdict, struct buf *bundle)
{
        enum bundle_repository repository = (enum bundle_repository)verdict->want_repository;
        enum tuf_role role = (enum tuf_role)verdict->want_role;
        if (verdict->want_role == VERDICT_COHORT_ROLE) {
                CHECK(world->cohort.length <= verdict->want_bytes_max);
                bundle_add(bundle, BUNDLE_COHORT, world->cohort.bytes, world->cohort.length);
                return;
        }
        const struct buf *file = role == TUF_ROOT ? &world->roots[repository] : repository_file(&world->of[repository], role);
        if (role == TUF_ROOT && (verdict->want_version != 2 || !file->length))
                bundle_add(bundle, bundle_file(BUNDLE_ABSENT, repository, role), NULL, 0);
        else
                bundle_add(bundle, bundle_file(BUNDLE_FRESH, repository, role), file->bytes, file->length);
}

static void keep(struct world *world, const struct verdict *verdict, const struct buf *bundle)
{
        static struct bundle parsed;
        CHECK(bundle_parse(bundle->bytes, bundle->length, &parsed, NULL) == OK && verdict_check(verdict, parsed.count, NULL) == OK);
        for (int i = 0; i < BUNDLE_REPOSITORIES; i++)
                for (int role = 0; role < TUF_ROLES; role++) {
                        uint16_t index = verdict->kept[i][role];
                        if (index == BUNDLE_NONE)
                                continue;
                        buf_clear(&world->kept[i][role]);
                        buf_add(&world->kept[i][role], parsed.records[index].bytes, parsed.records[index].length);
                }
}

/* The supervisor's loop, as verdict.h has it. */
static struct verdict refresh(struct world *world)
{
        OWN(buf) struct buf bundle;
        struct verdict verdict;
        buf_init(&bundle, BUNDLE_BYTES_MAX);
        add_facts(world, &bundle);
        for (world->runs = 1; world->runs < VERDICT_RUNS_MAX; world->runs++) {
                verdict_decide(bundle.bytes, bundle.length, &verdict);
                if (verdict.status != VERDICT_WANT)
                        break;
                bring(world, &verdict, &bundle);
        }
        keep(world, &verdict, &bundle);
        return verdict;
}

static enum err refusal(struct world *world)
{
        struct verdict verdict = refresh(world);
        CHECK(verdict.status == VERDICT_REFUSE && verdict.reason[0]);
        return (enum err)verdict.err;
}

TEST(verdict, accepts_what_publisher_and_director_agree_on)
{
        OWN(world) struct world world;
        world_init(&world);
        struct verdict verdict = refresh(&world);
        CHECK(verdict.status == VERDICT_ACCEPT && verdict.state == COHORT_GO && verdict.is_admitted && verdict.counter == 4 && verdict.fallback == 2);
        CHECK(verdict.seq == 1 && verdict.floor == 1 && verdict.note_length == 7 && memcmp(verdict.target, world.release.sha256, 32) == 0);
        CHECK(world.runs == 10);                         /* one root each, three files each, the cohort, the answer */
}

TEST(verdict, wants_only_what_is_new_the_next_time)
{
        OWN(world) struct world world;
        world_init(&world);
        CHECK(refresh(&world).status == VERDICT_ACCEPT);
        CHECK(refresh(&world).status == VERDICT_ACCEPT && world.runs == 6);     /* roots, timestamps, the cohort */
        offer(&world);
        CHECK(refresh(&world).status == VERDICT_ACCEPT && world.runs == 8);
}

TEST(verdict, offers_nothing_when_the_director_lists_nothing)
{
        OWN(world) struct world world;
        world_init(&world);
        repository_release(&world.of[BUNDLE_DIRECTOR]);
        repository_init(&world.of[BUNDLE_DIRECTOR], 4, 5, 5);
        publish(&world.of[BUNDLE_DIRECTOR], NULL);
        struct verdict verdict = refresh(&world);
        CHECK(verdict.status == VERDICT_ACCEPT && !verdict.counter && !verdict.is_admitted);
}

TEST(verdict, hears_hold_and_withdraw_without_the_publisher)
{
        static const enum cohort_state states[] = { COHORT_HOLD, COHORT_WITHDRAW };
        for (int i = 0; i < 2; i++) {
                OWN(world) struct world world;
                world_init(&world);
                world.says.state = states[i];
                offer(&world);
                buf_clear(&world.of[BUNDLE_RELEASE].timestamp);
                struct verdict verdict = refresh(&world);
                CHECK(verdict.status == VERDICT_ACCEPT && verdict.state == states[i] && verdict.counter == 4 && verdict.fallback == 2 && world.runs == 6);
        }
}

TEST(verdict, tells_which_other_releases_were_withdrawn)
{
        OWN(world) struct world world;
        world_init(&world);
        world.says.withdrawn_count = 2;
        world.says.withdrawn[0] = 1;
        world.says.withdrawn[1] = 3;
        offer(&world);
        struct verdict verdict = refresh(&world);
        CHECK(verdict.status == VERDICT_ACCEPT && verdict.counter == 4 && verdict.withdrawn_count == 2 && verdict.withdrawn[0] == 1 && verdict.withdrawn[1] == 3);
        verdict.withdrawn_count = COHORT_WITHDRAWN_MAX + 1;
        CHECK(verdict_check(&verdict, BUNDLE_NONE, NULL) == ERR_SYNTAX);
}

TEST(verdict, tells_since_when_and_how_fast_beside_what_an_older_device_reads)
{
        OWN(world) struct world world;
        world_init(&world);
        static const struct withdrawal two[] = { { 3, NOW - 90, 0 }, { 4, NOW, 600 } };
        OWN(json) struct json *custom = withdrawals_json(two, 2);
        world.custom = custom;
        world.says.state = COHORT_WITHDRAW;
        offer(&world);
        struct verdict verdict = refresh(&world);
        CHECK(verdict.status == VERDICT_ACCEPT && verdict.state == COHORT_WITHDRAW && verdict.withdrawal_count == 2);
        CHECK(memcmp(verdict.withdrawals, two, sizeof(two)) == 0 && verdict_check(&verdict, BUNDLE_NONE, NULL) == OK);
        verdict.withdrawals[1].over_s = LIMIT_ROLL_BACK_S + 1;
        CHECK(verdict_check(&verdict, BUNDLE_NONE, NULL) == ERR_SYNTAX);
        verdict.withdrawal_count = 1;
        CHECK(verdict_check(&verdict, BUNDLE_NONE, NULL) == OK);
        verdict.withdrawal_count = WITHDRAWALS_MAX + 1;
        CHECK(verdict_check(&verdict, BUNDLE_NONE, NULL) == ERR_SYNTAX);
}

/* What cannot be read means at once: it must not keep a device from hearing that it is to go back. */
TEST(verdict, tells_of_a_withdrawal_whatever_nonsense_stands_beside_it)
{
        OWN(world) struct world world;
        world_init(&world);
        OWN(json) struct json *custom = json_new_object();
        json_set_text(custom, "withdrawn", "soon");
        world.custom = custom;
        world.says.state = COHORT_WITHDRAW;
        offer(&world);
        struct verdict verdict = refresh(&world);
        CHECK(verdict.status == VERDICT_ACCEPT && verdict.state == COHORT_WITHDRAW && verdict.counter == 4 && !verdict.withdrawal_count);
}

/* The newest is 6, in that state; 4 is named beside it, and given back. */
static struct tuf_target offer_six(struct world *world, enum cohort_state state)
{
        struct tuf_target older = world->release;
        approve(world, 6, 1);
        world->says.state = state;
        world->says.counter = 6;
        world->says.length = world->release.length;
        memcpy(world->says.salt, world->release.sha256, 32);
        memcpy(world->says.sha256, world->release.sha256, 32);
        world->says.older_count = 1;
        world->says.older[0] = (struct cohort_older){ .counter = 4, .length = older.length };
        memcpy(world->says.older[0].sha256, older.sha256, 32);
        offer(world);
        return older;
}

TEST(verdict, offers_the_wanted_release_where_the_director_names_it)
{
        static const enum cohort_state states[] = { COHORT_GO, COHORT_HOLD, COHORT_WITHDRAW };
        for (int i = 0; i < 3; i++) {
                OWN(world) struct world world;
                world_init(&world);
                struct tuf_target older = offer_six(&world, states[i]);
                struct verdict verdict = refresh(&world);
                CHECK(verdict.status == VERDICT_ACCEPT && verdict.counter == 6 && verdict.state == states[i]);
                world.wanted = 4;
                verdict = refresh(&world);
                CHECK(verdict.status == VERDICT_ACCEPT && verdict.counter == 4 && verdict.state == COHORT_GO && verdict.is_admitted);
                CHECK(memcmp(verdict.target, older.sha256, 32) == 0 && verdict.note_length == older.length);
                CHECK(verdict.withdrawn_count == (states[i] == COHORT_WITHDRAW) && (!verdict.withdrawn_count || verdict.withdrawn[0] == 6));
                world.wanted = 3;
                CHECK(refresh(&world).counter == 6);
                world.says.older[0].sha256[0] ^= 1;
                offer(&world);
                world.wanted = 4;
                CHECK(refusal(&world) == ERR_UNTRUSTED);
        }
}

/* A device that cannot ask for the newest is never told which older one it may have. */
TEST(verdict, offers_an_older_release_by_itself_where_the_newest_is_not_to_be_had)
{
        static const struct { enum cohort_state state; uint64_t above, wanted, denied[2], offers; } cases[] = {
                { COHORT_GO, 0, 0, { 0, 0 }, 6 },        { COHORT_HOLD, 0, 0, { 0, 0 }, 4 },      { COHORT_WITHDRAW, 0, 0, { 0, 0 }, 4 },
                { COHORT_HOLD, 3, 3, { 0, 0 }, 4 },      { COHORT_HOLD, 4, 0, { 0, 0 }, 6 },      { COHORT_WITHDRAW, 6, 0, { 0, 0 }, 6 },
                { COHORT_GO, 0, 0, { 3, 6 }, 4 },        { COHORT_HOLD, 0, 0, { 4, 6 }, 6 },      { COHORT_GO, 5, 4, { 0, 0 }, 6 },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(world) struct world world;
                world_init(&world);
                (void)offer_six(&world, cases[i].state);
                world.has_above = true;
                world.above = cases[i].above;
                world.wanted = cases[i].wanted;
                memcpy(world.denied, cases[i].denied, sizeof(world.denied));
                struct verdict verdict = refresh(&world);
                CHECK(verdict.status == VERDICT_ACCEPT && verdict.counter == cases[i].offers);
                CHECK(verdict.state == (cases[i].offers == 6 ? cases[i].state : COHORT_GO));
        }
}

TEST(verdict, admits_by_the_first_rule_that_fits)
{
        OWN(world) struct world world;
        world_init(&world);
        world.says.rules[0] = (struct cohort_rule){ .ring = "early", .platform = "any", .is_all = true };
        offer(&world);
        struct verdict verdict = refresh(&world);
        CHECK(verdict.status == VERDICT_ACCEPT && !verdict.is_admitted);
        world.ring = "early";
        CHECK(refresh(&world).is_admitted);
}

TEST(verdict, refuses_a_release_that_the_publisher_did_not_approve)
{
        OWN(world) struct world world;
        world_init(&world);
        world.says.counter = 5;
        offer(&world);
        CHECK(refusal(&world) == ERR_UNTRUSTED);
}

TEST(verdict, refuses_another_digest_or_length_than_approved)
{
        OWN(world) struct world world;
        world_init(&world);
        world.says.length++;
        offer(&world);
        CHECK(refusal(&world) == ERR_UNTRUSTED);
        world.says.length--;
        world.says.sha256[0] ^= 1;
        world.says.salt[0] ^= 1;
        offer(&world);
        CHECK(refusal(&world) == ERR_UNTRUSTED);
}

TEST(verdict, refuses_what_is_below_the_floor_or_for_others)
{
        OWN(world) struct world world;
        world_init(&world);
        world.floor = 5;
        CHECK(refusal(&world) == ERR_ROLLBACK);
        world.floor = 4;
        world.platform = "linux-arm64";
        CHECK(refusal(&world) == ERR_REFUSED);
        world.platform = "linux-amd64";
        CHECK(refresh(&world).status == VERDICT_ACCEPT);
}

/* Whoever has the director's key could keep a device from the release that raised the floor, and give it all those below. */
TEST(verdict, goes_by_the_highest_floor_that_the_publisher_lists)
{
        OWN(world) struct world world;
        world_init(&world);
        struct tuf_target four = world.release;
        approve(&world, 6, 5);
        CHECK(world.says.counter == 4 && memcmp(world.says.sha256, four.sha256, 32) == 0);
        CHECK(refusal(&world) == ERR_ROLLBACK);
        world.says.counter = 6;
        memcpy(world.says.sha256, world.release.sha256, 32);
        memcpy(world.says.salt, world.release.sha256, 32);
        offer(&world);
        CHECK(refresh(&world).floor == 5);
}

/* The director signs for as long as it likes; what the publisher signed ends when the publisher said. */
TEST(verdict, offers_nothing_past_the_end_of_what_it_stands_on)
{
        OWN(world) struct world world;
        world_init(&world);
        world.says.expires = INT64_MAX;
        world.of[BUNDLE_DIRECTOR].lives_s = world.of[BUNDLE_RELEASE].lives_s = 90 * 86400;
        offer(&world);
        CHECK(refresh(&world).expires == EXPIRES);
        approve(&world, 4, 1);
        CHECK(refresh(&world).expires == EXPIRES);                               /* the roots' */
        world.of[BUNDLE_RELEASE].lives_s = -60;
        approve(&world, 4, 1);
        CHECK(refresh(&world).expires == EXPIRES - 60);
}

TEST(verdict, refuses_a_cohort_document_that_is_not_the_listed_one)
{
        OWN(world) struct world world;
        world_init(&world);
        world.cohort.bytes[world.cohort.length - 2] ^= 1;
        CHECK(refusal(&world) == ERR_UNTRUSTED);
}

TEST(verdict, refuses_when_time_has_passed)
{
        OWN(world) struct world world;
        world_init(&world);
        world.says.expires = NOW + 10;
        offer(&world);
        world.now = NOW + 9;
        CHECK(refresh(&world).status == VERDICT_ACCEPT);
        world.now = NOW + 10;
        CHECK(refusal(&world) == ERR_EXPIRED);
        world.now = EXPIRES;
        CHECK(refusal(&world) == ERR_EXPIRED);
}

TEST(verdict, remembers_versions_across_refreshes)
{
        OWN(world) struct world world;
        world_init(&world);
        OWN(buf) struct buf old;
        buf_init(&old, LIMIT_METADATA_BYTES);
        buf_add(&old, world.of[BUNDLE_DIRECTOR].timestamp.bytes, world.of[BUNDLE_DIRECTOR].timestamp.length);
        offer(&world);
        CHECK(refresh(&world).status == VERDICT_ACCEPT);
        buf_clear(&world.of[BUNDLE_DIRECTOR].timestamp);
        buf_add(&world.of[BUNDLE_DIRECTOR].timestamp, old.bytes, old.length);
        CHECK(refusal(&world) == ERR_ROLLBACK);
}

TEST(verdict, follows_a_new_root_and_keeps_it)
{
        OWN(world) struct world world;
        world_init(&world);
        world.of[BUNDLE_DIRECTOR].targets_key = world.of[BUNDLE_DIRECTOR].timestamp_key = 6;
        make_root(&world.of[BUNDLE_DIRECTOR], 2, (struct root_signers){ 4, 0 }, &world.roots[BUNDLE_DIRECTOR]);
        CHECK(refusal(&world) == ERR_UNTRUSTED);         /* still signed by the old key */
        CHECK(world.kept[BUNDLE_DIRECTOR][TUF_ROOT].length == world.roots[BUNDLE_DIRECTOR].length);
        buf_clear(&world.of[BUNDLE_DIRECTOR].targets);
        offer(&world);
        CHECK(refresh(&world).status == VERDICT_ACCEPT);
}

TEST(verdict, forgets_fast_forwarded_versions_with_the_key_that_made_them)
{
        OWN(world) struct world world;
        world_init(&world);
        world.of[BUNDLE_DIRECTOR].version = 1000000;
        offer(&world);
        CHECK(refresh(&world).status == VERDICT_ACCEPT);
        world.of[BUNDLE_DIRECTOR].version = 3;
        offer(&world);
        CHECK(refusal(&world) == ERR_ROLLBACK);
        world.of[BUNDLE_DIRECTOR].targets_key = world.of[BUNDLE_DIRECTOR].timestamp_key = 6;
        make_root(&world.of[BUNDLE_DIRECTOR], 2, (struct root_signers){ 4, 0 }, &world.roots[BUNDLE_DIRECTOR]);
        offer(&world);
        CHECK(refresh(&world).status == VERDICT_ACCEPT);
}

TEST(verdict, refuses_a_bundle_that_is_cut_doubled_or_short_of_facts)
{
        OWN(world) struct world world;
        OWN(buf) struct buf bundle;
        struct verdict verdict;
        world_init(&world);
        buf_init(&bundle, BUNDLE_BYTES_MAX);
        add_facts(&world, &bundle);
        for (size_t length = 0; length < 200; length++) {
                verdict_decide(bundle.bytes, length, &verdict);
                CHECK(verdict.status == VERDICT_REFUSE && verdict.err == ERR_SYNTAX && verdict_check(&verdict, 0, NULL) == OK);
        }
        verdict_decide(bundle.bytes, bundle.length, &verdict);
        CHECK(verdict.status == VERDICT_WANT && verdict.want_role == TUF_ROOT && verdict.want_repository == BUNDLE_DIRECTOR && verdict.want_version == 2);
        bundle_add_text(&bundle, BUNDLE_RING, "early");
        verdict_decide(bundle.bytes, bundle.length, &verdict);
        CHECK(verdict.status == VERDICT_REFUSE && verdict.err == ERR_SYNTAX);
}

TEST(verdict, names_what_it_wants_as_the_server_serves_it)
{
        struct verdict verdict = { .want_repository = BUNDLE_RELEASE, .want_role = TUF_TARGETS, .want_version = 7 };
        char name[VERDICT_NAME_BYTES];
        verdict_want_name(&verdict, name);
        CHECK(strcmp(name, "tuf/release/7.targets.json") == 0);
        verdict.want_repository = BUNDLE_DIRECTOR;
        verdict.want_role = TUF_TIMESTAMP;
        verdict_want_name(&verdict, name);
        CHECK(strcmp(name, "tuf/director/timestamp.json") == 0);
        verdict.want_role = VERDICT_COHORT_ROLE;
        verdict.want_sha256[0] = 0xab;
        verdict_want_name(&verdict, name);
        CHECK(strcmp(name, "artifacts/ab00000000000000000000000000000000000000000000000000000000000000") == 0);
}

TEST(verdict, of_another_form_is_not_believed)
{
        struct verdict good;
        verdict_decide("", 0, &good);
        CHECK(verdict_check(&good, 0, NULL) == OK);
        struct verdict bad = good;
        bad.version++;
        CHECK(verdict_check(&bad, 0, NULL) == ERR_SYNTAX);
        bad = good;
        bad.expires = -1;
        CHECK(verdict_check(&bad, 0, NULL) == ERR_SYNTAX);
        bad = good;
        memset(bad.reason, 'x', sizeof(bad.reason));
        CHECK(verdict_check(&bad, 0, NULL) == ERR_SYNTAX);
        bad = good;
        bad.kept[1][2] = 3;
        CHECK(verdict_check(&bad, 3, NULL) == ERR_SYNTAX && verdict_check(&bad, 4, NULL) == OK);
        bad = good;
        bad.want_bytes_max = UINT64_MAX;
        CHECK(verdict_check(&bad, 0, NULL) == ERR_SYNTAX);
}

/* The last run of a refresh, which looks at everything. */
TEST(verdict, refuses_without_memory)
{
        OWN(world) struct world world;
        OWN(buf) struct buf bundle;
        struct verdict verdict;
        world_init(&world);
        buf_init(&bundle, BUNDLE_BYTES_MAX);
        add_facts(&world, &bundle);
        for (verdict_decide(bundle.bytes, bundle.length, &verdict); verdict.status == VERDICT_WANT; verdict_decide(bundle.bytes, bundle.length, &verdict))
                bring(&world, &verdict, &bundle);
        CHECK(verdict.status == VERDICT_ACCEPT);
        SWEEP_MEMORY {
                verdict_decide(bundle.bytes, bundle.length, &verdict);
                CHECK(verdict.status == VERDICT_ACCEPT || (verdict.status == VERDICT_REFUSE && verdict.err == ERR_NOMEM));
        }
}
