#include "tuf/options.h"

#include <getopt.h>
#include <string.h>

const char tuf_usage[] =
        "firebreak-tuf - follow a TUF 1.0 repository, and download what it vouches for\n\n"
        "usage: firebreak-tuf --metadata-dir DIR init ROOT\n"
        "       firebreak-tuf --metadata-dir DIR --metadata-url URL refresh\n"
        "       firebreak-tuf --metadata-dir DIR --metadata-url URL --target-name NAME [--target-name NAME ...]\n"
        "                     --target-dir DIR --target-base-url URL download\n\n"
        "  init ROOT               trust this root.json, which came on a way that you trust\n"
        "  refresh                 bring what is trusted up to date\n"
        "  download                refresh, then fetch the named targets that are not there yet\n\n"
        "  --metadata-dir DIR      where trusted metadata is kept; init makes it\n"
        "  --metadata-url URL      the repository's folder of metadata\n"
        "  --target-name NAME      a target's path, as the repository lists it\n"
        "  --target-dir DIR        where targets go, each in a file named by its path, escaped; made if absent\n"
        "  --target-base-url URL   the repository's folder of targets\n"
        "  --ca FILE               certificates to trust instead of the system's (PEM)\n"
        "  --json                  say what is trusted, and what was downloaded, as JSON\n\n"
        "exit: 0 done; 1 not trusted, or not to be had; 64 used wrongly\n\n"
        "example: firebreak-tuf --metadata-dir ~/tuf init root.json\n"
        "         firebreak-tuf --metadata-dir ~/tuf --metadata-url https://tuf.example/metadata refresh\n";

enum { TAKES_VALUE = 256 };              /* above all characters: there are no short options */

static const struct option longs[] = {
        { "metadata-dir", required_argument, NULL, TAKES_VALUE }, { "metadata-url", required_argument, NULL, TAKES_VALUE + 1 },
        { "target-dir", required_argument, NULL, TAKES_VALUE + 2 }, { "target-base-url", required_argument, NULL, TAKES_VALUE + 3 },
        { "ca", required_argument, NULL, TAKES_VALUE + 4 }, { "target-name", required_argument, NULL, 'n' },
        { "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'v' }, { 0 },
};

static enum err take(int option, struct tuf_options *options, struct why *why)
{
        const char **const values[] = { &options->metadata_dir, &options->metadata_url, &options->target_dir, &options->target_base_url, &options->ca };
        switch (option) {
        case 'n':
                if (options->name_count == TUF_NAMES_MAX)
                        return FAIL(why, ERR_USAGE, "more than %d targets; take several commands", TUF_NAMES_MAX);
                options->names[options->name_count++] = optarg;
                break;
        case 'j': options->is_json = true; break;
        case 'h': options->wants_help = true; break;
        case 'v': options->wants_version = true; break;
        default: *values[option - TAKES_VALUE] = optarg;
        }
        return OK;
}

static enum err read_command(char **words, struct tuf_options *options, struct why *why)
{
        static const char *const names[] = { [TUF_INIT] = "init", [TUF_REFRESH] = "refresh", [TUF_DOWNLOAD] = "download" };
        size_t command = 0;
        while (*words && command < sizeof(names) / sizeof(names[0]) && strcmp(*words, names[command]) != 0)
                command++;
        if (!*words || command == sizeof(names) / sizeof(names[0]))
                return FAIL(why, ERR_USAGE, "what shall it do? say init, refresh or download");
        options->command = (enum tuf_command)command;
        if (options->command == TUF_INIT)
                options->root = *++words;
        return *words && words[1] ? FAIL(why, ERR_USAGE, "%.80s: one word too many", words[1]) : OK;
}

static enum err check(const struct tuf_options *options, struct why *why)
{
        bool is_init = options->command == TUF_INIT, is_download = options->command == TUF_DOWNLOAD;
        const struct { bool is_wrong; const char *text; } rules[] = {
                { !options->metadata_dir, "--metadata-dir is missing: where is trusted metadata kept?" },
                { is_init && !options->root, "init what? name the root.json that you trust" },
                { !is_init && !options->metadata_url, "--metadata-url is missing: where is the repository?" },
                { !is_download && (options->name_count || options->target_dir || options->target_base_url), "targets are for download: leave --target-... out" },
                { is_download && !options->name_count, "--target-name is missing: what shall be downloaded?" },
                { is_download && !options->target_dir, "--target-dir is missing: where does it go?" },
                { is_download && !options->target_base_url, "--target-base-url is missing: where are the targets?" },
        };
        for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
                if (rules[i].is_wrong)
                        return FAIL(why, ERR_USAGE, "%s", rules[i].text);
        return OK;
}

/* getopt says which letter of a word it does not know, and of a long option nothing. */
static enum err unknown(const char *word, struct why *why)
{
        const char *value = strchr(word, '=');
        const size_t length = value ? (size_t)(value - word) : strlen(word);
        if (optopt && optopt < TAKES_VALUE && strncmp(word, "--", 2) != 0)
                return FAIL(why, ERR_USAGE, "there is no option -%c", optopt);
        for (const struct option *option = longs; option->name; option++)
                if (value && length > 2 && strlen(option->name) == length - 2 && strncmp(word + 2, option->name, length - 2) == 0)
                        return FAIL(why, ERR_USAGE, "--%s takes no value", option->name);
        for (const struct option *option = longs; option->name; option++)
                if (length > 2 && strncmp(word + 2, option->name, length - 2) == 0)
                        return FAIL(why, ERR_USAGE, "%.80s may mean several options; --%s is one", word, option->name);
        return FAIL(why, ERR_USAGE, "there is no option %.80s", word);
}

enum err tuf_options_read(int argc, char **argv, struct tuf_options *ret_options, struct why *why)
{
        struct tuf_options options = { 0 };
        enum err e = OK;
        int option;
        opterr = 0;                      /* what is wrong is ours to say */
        while (!e && (option = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
                if (option == ':')
                        e = FAIL(why, ERR_USAGE, "%.80s needs a value", argv[optind - 1]);
                else if (option == '?')
                        e = unknown(argv[optind - 1], why);
                else
                        e = take(option, &options, why);
        }
        if (!e && !options.wants_help && !options.wants_version) {
                e = read_command(argv + optind, &options, why);
                if (!e)
                        e = check(&options, why);
        }
        if (!e)
                *ret_options = options;
        return e;
}
