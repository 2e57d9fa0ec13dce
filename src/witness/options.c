#include "witness/options.h"

#include <getopt.h>
#include <string.h>

const char witness_usage[] =
        "firebreak-witness - say of transparency logs that they only ever grew (C2SP tlog-witness)\n\n"
        "usage: firebreak-witness --state DIR --key FILE --name NAME --log VKEY [--log VKEY ...] [--listen ADDRESS:PORT]\n"
        "       firebreak-witness --key FILE --name NAME --show-key\n\n"
        "  --state DIR             what was cosigned last of each log; made if absent, and never to be lost\n"
        "  --key FILE              the witness's Ed25519 key, as PKCS#8 in PEM\n"
        "  --name NAME             what the witness is called, like an address: witness.example.com/w1\n"
        "  --log VKEY              a log to look after: its verifier key, whose name is the log's origin\n"
        "  --listen ADDRESS:PORT   where logs ask, over plain HTTP; 127.0.0.1:8480 when not given. Port 0 takes a free one\n"
        "  --show-key              print the witness's verifier key, for those who are to trust it\n\n"
        "exit: 0 told to end; 64 used wrongly; others as firebreak's\n\n"
        "example: openssl genpkey -algorithm ed25519 -out witness.pem\n"
        "         firebreak-witness --key witness.pem --name witness.example.com/w1 --show-key\n"
        "         firebreak-witness --key witness.pem --name witness.example.com/w1 --state /var/lib/firebreak-witness \\\n"
        "                 --log example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n";

static const char default_listen[] = "127.0.0.1:8480";

static const struct option longs[] = {
        { "state", required_argument, NULL, 's' }, { "key", required_argument, NULL, 'k' }, { "name", required_argument, NULL, 'n' }, { "log", required_argument, NULL, 'l' },
        { "listen", required_argument, NULL, 'a' }, { "show-key", no_argument, NULL, 'p' }, { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'v' }, { 0 },
};

static enum err add_log(struct witness_options *options, const char *text, struct why *why)
{
        struct verifier *log = &options->logs[options->log_count];
        if (options->log_count == LIMIT_WITNESS_LOGS)
                return FAIL(why, ERR_USAGE, "more than %d logs; start another witness", LIMIT_WITNESS_LOGS);
        enum err e = verifier_parse(text, log, why);
        if (e)
                return DURING(why, e, "--log");
        if (log->kind != VERIFIER_LOG)
                return FAIL(why, ERR_USAGE, "--log %s: that is a witness's key, not a log's", log->name);
        for (size_t i = 0; i < options->log_count; i++)
                if (strcmp(options->logs[i].name, log->name) == 0)
                        return FAIL(why, ERR_USAGE, "--log %s: twice; a log has one key", log->name);
        options->log_count++;
        return OK;
}

static enum err take(int option, struct witness_options *options, struct why *why)
{
        switch (option) {
        case 's': options->state = optarg; break;
        case 'k': options->key = optarg; break;
        case 'n': options->name = optarg; break;
        case 'a': options->listen = optarg; break;
        case 'p': options->wants_key = true; break;
        case 'h': options->wants_help = true; break;
        case 'v': options->wants_version = true; break;
        default: return add_log(options, optarg, why);
        }
        return OK;
}

static enum err check(const struct witness_options *options, struct why *why)
{
        const struct { bool is_wrong; const char *text; } rules[] = {
                { !options->key, "--key is missing: openssl genpkey -algorithm ed25519 -out witness.pem makes one" },
                { !options->name, "--name is missing: what is the witness called? like witness.example.com/w1" },
                { !options->wants_key && !options->state, "--state is missing: where is kept what was cosigned?" },
                { !options->wants_key && !options->log_count, "--log is missing: which log shall be looked after? give its verifier key" },
        };
        for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
                if (rules[i].is_wrong)
                        return FAIL(why, ERR_USAGE, "%s", rules[i].text);
        return OK;
}

enum err witness_options_read(int argc, char **argv, struct witness_options *ret_options, struct why *why)
{
        enum err e = OK;
        int option;
        *ret_options = (struct witness_options){ .listen = default_listen };
        opterr = 0;                      /* what is wrong is ours to say */
        optind = 0;                      /* begin anew: tests read many command lines */
        while (!e && (option = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
                if (option == ':')
                        e = FAIL(why, ERR_USAGE, "%.80s needs a value", argv[optind - 1]);
                else if (option == '?')
                        e = FAIL(why, ERR_USAGE, "there is no option %.80s", argv[optind - 1]);
                else
                        e = take(option, ret_options, why);
        }
        if (e || ret_options->wants_help || ret_options->wants_version)
                return e;
        return argv[optind] ? FAIL(why, ERR_USAGE, "%.80s: one word too many", argv[optind]) : check(ret_options, why);
}
