/* usage: redteam [--devices N] [--seed S] [--attack NAME] [--exact] [--json]
 *
 * Attackers with stolen keys against simulated devices that run the agent's own decisions. Ends with `N passed, N failed`, and with 1 when
 * something that must not be installed was, or when an attack is harmless although its guard is out of the way. The seed decides everything.
 * --exact: devices that differ in their ids alone are not spared a run of the verifier (past.h). */
#include "redteam/attack.h"
#include "redteam/device.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONTROL_DEVICES = 600, BYTES_MAX = 8 * LIMIT_METADATA_BYTES };      /* bytes: of one device, in one refresh */

struct options { uint32_t devices; uint64_t seed; const char *attack; bool is_json, is_exact; };
struct result { struct tally attack, control; bool is_good, has_teeth; };

/* Ten thousand devices, a release that all of Linux may have, and the ramp that was signed with it. */
static void honest(struct red *red)
{
        static const int64_t at_s[] = { START + 1, START + HOUR, START + 4 * HOUR, START + DAY };
        for (size_t i = 0; i < sizeof(at_s) / sizeof(at_s[0]); i++)
                attack_offer(red, 3, at_s[i])->is_honest = true;
}

static const struct attack honest_server[] = { { "(an honest server)", HOLDS_ONLINE, PART_NONE, honest, NULL }, { .name = NULL } };
static const struct attack *const tables[] = { honest_server, attacks_server, attacks_lease, attacks_content, attacks_clock, attacks_pace, attacks_chaos };
enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

static struct tally run(const struct publisher *publisher, const struct attack *attack, const struct options *options, bool is_control)
{
        struct tally tally = { 0 };
        struct red red;
        red_init(&red, publisher, attack->holds, options->seed);
        red.is_control = is_control;
        attack->prepare(&red);
        OWN(yard) struct yard *yard = yard_new(&red, options->is_exact);
        uint32_t devices = is_control && options->devices > CONTROL_DEVICES ? CONTROL_DEVICES : options->devices;
        for (uint32_t i = 0; i < devices; i++)
                yard_run(yard, i, options->seed, &tally);
        red_done(&red);
        return tally;
}

/* What nobody may do who has that: clocks are worth what goes by them, the keys of content all that they sign. Going back to an older release, at or
 * above the floor, is not among it. */
static uint64_t breaches(const struct tally *tally, enum attack_part part)
{
        enum { BY_CLOCK = 1u << HARM_CEILING | 1u << HARM_PACE, BY_OTHERS = 1u << HARM_PACE | 1u << HARM_CUSTOMER, ALL = (1u << HARMS) - 1 - (1u << HARM_OLDER) };
        static const unsigned harms[] = {
                [PART_NONE] = ALL, [PART_SERVER] = ALL, [PART_CONTENT] = ALL, [PART_CLOCK] = ALL & ~BY_CLOCK, [PART_PACE] = BY_OTHERS, [PART_PACE_CLOCK] = BY_OTHERS & ~BY_CLOCK,
        };
        uint64_t sum = 0;
        for (int harm = 0; harm < HARMS; harm++)
                sum += harms[part] >> harm & 1 ? tally->harm[harm] : 0;
        return sum;
}

/* What shows that it is an attack. */
static uint64_t control_harm(const struct attack *attack, const struct tally *tally)
{
        return breaches(tally, attack->part) + (attack->part < PART_PACE ? tally->harm[HARM_OLDER] : 0);
}

static uint64_t eligible(uint32_t devices)
{
        uint64_t count = 0;
        for (uint32_t i = 0; i < devices; i++)
                count += i % 10 < 8;
        return count;
}

static bool is_good(const struct attack *attack, const struct tally *tally, uint32_t devices)
{
        if (breaches(tally, attack->part) || tally->bytes_max > BYTES_MAX)
                return false;
        if (attack->part == PART_NONE)
                return tally->installs == eligible(devices) && tally->by_release[3] == tally->installs;
        return attack->part != PART_CONTENT || !tally->installs;
}

static struct result try(const struct publisher *publisher, const struct attack *attack, const struct options *options)
{
        struct result result = { .attack = run(publisher, attack, options, false), .has_teeth = true };
        result.is_good = is_good(attack, &result.attack, options->devices);
        if (attack->control) {
                result.control = run(publisher, attack, options, true);
                result.has_teeth = control_harm(attack, &result.control) > 0;
        }
        return result;
}

static void print_keys(unsigned holds)
{
        const char *between = "";
        for (enum key key = KEY_RELEASE_ROOT; key < KEYS; key++)
                if (key != KEY_OWN && (holds & HOLDS(key))) {
                        printf("%s%s", between, key_name(key));
                        between = ",";
                }
}

static void print_head(void)
{
        printf("     %-30s %9s %8s", "attack", "requests", "installs");
        for (int harm = 0; harm < HARMS; harm++)
                printf(" %10s", harm_name((enum harm)harm));
        printf(" %8s  keys\n", "control");
}

static void print_row(const struct attack *attack, const struct result *result)
{
        const struct tally *tally = &result->attack;
        printf("%-4s %-30s %9" PRIu64 " %8" PRIu64, result->is_good && result->has_teeth ? "ok" : "FAIL", attack->name, tally->requests, tally->installs);
        for (int harm = 0; harm < HARMS; harm++)
                printf(" %10" PRIu64, tally->harm[harm]);
        printf(" %8" PRIu64 "  ", control_harm(attack, &result->control));
        print_keys(attack->holds);
        printf("; control: %s\n", attack->control ? attack->control : "none");
}

static void print_json(const struct attack *attack, const struct result *result, const char *before)
{
        printf("%s{\"attack\":\"%s\",\"keys\":\"", before, attack->name);
        print_keys(attack->holds);
        printf("\",\"requests\":%" PRIu64 ",\"runs\":%" PRIu64 ",\"installs\":%" PRIu64, result->attack.requests, result->attack.runs, result->attack.installs);
        for (int harm = 0; harm < HARMS; harm++)
                printf(",\"%s\":%" PRIu64, harm_name((enum harm)harm), result->attack.harm[harm]);
        printf(",\"control\":\"%s\",\"control_harm\":%" PRIu64 ",\"passed\":%s}", attack->control ? attack->control : "",
               control_harm(attack, &result->control), result->is_good && result->has_teeth ? "true" : "false");
}

/* What must be lost, or nobody attacked it: ceilings and the pace with the clocks, and to the keys of content what the pace lets through. */
enum loss { LOST_CEILING, LOST_PACE, LOST_CONTENT, LOSSES };
struct score { unsigned passed, failed; uint64_t lost[LOSSES]; };

static void count(struct score *score, const struct attack *attack, const struct result *result)
{
        const bool outcomes[] = { result->is_good, result->has_teeth };
        for (size_t i = 0; i < (attack->control ? 2 : 1); i++)
                *(outcomes[i] ? &score->passed : &score->failed) += 1;
        if (attack->part == PART_CLOCK)
                score->lost[LOST_CEILING] += result->attack.harm[HARM_CEILING];
        if (attack->part == PART_PACE_CLOCK)
                score->lost[LOST_PACE] += result->attack.harm[HARM_PACE];
        if (attack->part == PART_PACE)
                score->lost[LOST_CONTENT] += result->attack.harm[HARM_UNAPPROVED];
}

static struct score run_all(const struct publisher *publisher, const struct options *options)
{
        struct score score = { 0 };
        const char *before = "[";
        for (size_t table = 0; table < TABLES; table++)
                for (const struct attack *attack = tables[table]; attack->name; attack++) {
                        if (options->attack && strcmp(options->attack, attack->name) != 0)
                                continue;
                        const struct result result = try(publisher, attack, options);
                        if (options->is_json)
                                print_json(attack, &result, before);
                        else
                                print_row(attack, &result);
                        fflush(stdout);
                        before = ",\n";
                        count(&score, attack, &result);
                }
        if (options->is_json)
                printf("]\n");
        for (int loss = 0; loss < LOSSES && !options->attack; loss++)
                *(score.lost[loss] ? &score.passed : &score.failed) += 1;
        return score;
}

static bool read_options(int argc, char **argv, struct options *options)
{
        *options = (struct options){ .devices = 10000, .seed = 1 };
        for (int i = 1; i < argc; i++) {
                const char *value = i + 1 < argc ? argv[i + 1] : NULL;
                if (strcmp(argv[i], "--json") == 0) {
                        options->is_json = true;
                        continue;
                }
                if (strcmp(argv[i], "--exact") == 0) {
                        options->is_exact = true;
                        continue;
                }
                if (!value)
                        return false;
                if (strcmp(argv[i], "--devices") == 0)
                        options->devices = (uint32_t)strtoul(value, NULL, 10);
                else if (strcmp(argv[i], "--seed") == 0)
                        options->seed = strtoull(value, NULL, 10);
                else if (strcmp(argv[i], "--attack") == 0)
                        options->attack = value;
                else
                        return false;
                i++;
        }
        return options->devices > 0;
}

int main(int argc, char **argv)
{
        struct options options;
        struct publisher publisher;
        if (!read_options(argc, argv, &options)) {
                fprintf(stderr, "usage: redteam [--devices N] [--seed S] [--attack NAME] [--exact] [--json]\n");
                return 64;
        }
        publisher_init(&publisher);
        if (!options.is_json)
                print_head();
        const struct score score = run_all(&publisher, &options);
        publisher_done(&publisher);
        printf("%u passed, %u failed\n", score.passed, score.failed);
        return score.failed || !score.passed ? 1 : 0;
}
