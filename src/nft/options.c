#include "nft/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { WITHIN_MS = 10000, WITHIN_MIN_S = 1, WITHIN_MAX_S = 20 };     /* the agent waits 30 s for an engine to load */

const char nft_usage[] =
        "firebreak-nft - rules of the firewall that come into force only if the device can still be reached\n\n"
        "usage: firebreak-nft run --rules FILE --owns TABLE --answer PLACE --status FILE [--within SECONDS] [--state DIR] [--ca FILE]\n"
        "       firebreak-nft check --rules FILE --owns TABLE      would they load, and do they touch no other table? In an empty network\n"
        "       firebreak-nft ask --answer PLACE [--ca FILE]       does it answer, now?\n"
        "       firebreak-nft boot [--state DIR]                   the rules that answered last; what waited for an answer is forgotten\n"
        "       firebreak-nft switch [--state DIR]                 keep watch over a change that waits for its answer\n\n"
        "  --rules FILE       for nft(8); it defines the tables of --owns and no other\n"
        "  --owns TABLE       a family and a name, as \"inet acme\": replaced whole, others are left alone. May be said again\n"
        "  --answer PLACE     tcp://HOST:PORT, https://HOST:PORT/ or run:/PROGRAM: the management path. May be said again; each must answer\n"
        "  --within SECONDS   from 1 to 20; without an answer by then the rules of before stand again. 10 when not given\n"
        "  --status FILE      state=ok or state=error, and version=, for firebreak-agent.yaml(5)\n"
        "  --state DIR        what answered, and how to go back; /var/lib/firebreak-nft when not given\n"
        "  --ca FILE          for https; else the system's authorities\n\n"
        "exit: 0 well; 1 the rules are at fault; 64 used wrongly; others as firebreak's\n\n"
        "example: firebreak-nft check --rules acme.nft --owns \"inet acme\"\n";

static const struct option longs[] = {
        { "rules", required_argument, NULL, 'r' }, { "owns", required_argument, NULL, 'o' },   { "answer", required_argument, NULL, 'a' }, { "within", required_argument, NULL, 'w' },
        { "status", required_argument, NULL, 's' }, { "state", required_argument, NULL, 'd' }, { "ca", required_argument, NULL, 'c' },     { "channel", no_argument, NULL, 'k' },
        { "quiet", no_argument, NULL, 'q' },        { "help", no_argument, NULL, 'h' },        { "version", no_argument, NULL, 'v' },      { 0 },
};

static enum err take_within(struct nft_options *options, struct why *why)
{
        char *end;
        long seconds = strtol(optarg, &end, 10);
        if (end == optarg || *end || seconds < WITHIN_MIN_S || seconds > WITHIN_MAX_S)
                return FAIL(why, ERR_USAGE, "--within %.20s: a number of seconds from %d to %d", optarg, WITHIN_MIN_S, WITHIN_MAX_S);
        options->within_ms = seconds * 1000;
        return OK;
}

static enum err take(int option, struct nft_options *options, struct why *why)
{
        switch (option) {
        case 'r': options->rules = optarg; break;
        case 's': options->status = optarg; break;
        case 'd': options->state = optarg; break;
        case 'c': options->places.ca = optarg; break;
        case 'k': options->has_channel = true; break;
        case 'q': options->is_quiet = true; break;
        case 'h': options->wants_help = true; break;
        case 'v': options->wants_version = true; break;
        case 'o': return rules_own(&options->owned, optarg, why);
        case 'a': return answer_add(&options->places, optarg, why);
        case 'w': return take_within(options, why);
        default: return FAIL(why, ERR_USAGE, "see firebreak-nft --help");
        }
        return OK;
}

/* What each command cannot do without. */
static enum err check_needs(const struct nft_options *options, struct why *why)
{
        const char *command = options->command;
        bool is_run = strcmp(command, "run") == 0, makes = is_run || strcmp(command, "check") == 0 || strcmp(command, "make") == 0;
        if (makes && !options->rules)
                return FAIL(why, ERR_USAGE, "%s needs --rules FILE", command);
        if (makes && !options->owned.count)
                return FAIL(why, ERR_USAGE, "%s needs --owns TABLE: which tables are replaced", command);
        if ((is_run || strcmp(command, "ask") == 0) && !options->places.count)
                return FAIL(why, ERR_USAGE, "%s needs --answer PLACE: without a path that must answer there is nothing to go back for", command);
        if (is_run && !options->status)
                return FAIL(why, ERR_USAGE, "run needs --status FILE");
        if (options->state[0] != '/')
                return FAIL(why, ERR_USAGE, "--state %s: an absolute path", options->state);
        return OK;
}

enum err nft_options_read(int argc, char **argv, struct nft_options *ret_options, struct why *why)
{
        struct nft_options options = { .state = "/var/lib/firebreak-nft", .within_ms = WITHIN_MS };
        enum err e = OK;
        for (int option; !e && (option = getopt_long(argc, argv, "", longs, NULL)) != -1;)
                e = take(option, &options, why);
        if (e)
                return e;
        options.command = argv[optind];
        *ret_options = options;
        if (options.wants_help || options.wants_version)
                return OK;
        if (!options.command || argv[optind + 1])
                return FAIL(why, ERR_USAGE, "one command: run, check, ask, boot or switch; see firebreak-nft --help");
        return check_needs(&options, why);
}
