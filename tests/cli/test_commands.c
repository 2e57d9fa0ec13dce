#include "cli/commands.h"

#include "cli/fake_net.h"
#include "rollout/rollout.h"
#include "trust/withdrawal.h"

static int run_line(struct fake_run *run, const char *line)
{
        return fake_run(run, NULL, 0, line);
}

TEST(commands, have_unique_names_and_examples_that_name_them)
{
        for (size_t i = 0; i < command_count(); i++) {
                const struct command *command = command_at(i);
                char begins[128];
                snprintf(begins, sizeof(begins), "firebreak %s", command->name);
                CHECK(strncmp(command->examples, begins, strlen(begins)) == 0 && command->words_min <= command->words_max && command->words_max <= ARG_WORDS);
                for (size_t j = 0; j < i; j++)
                        CHECK(strcmp(command->name, command_at(j)->name) != 0);
        }
}

/* The examples of the help are true: each parses. */
TEST(commands, parse_their_own_examples)
{
        for (size_t i = 0; i < command_count(); i++) {
                char copy[1024], *rest = copy;
                snprintf(copy, sizeof(copy), "%s", command_at(i)->examples);
                for (char *line; (line = strsep(&rest, "\n")) && *line;) {
                        char *words[32];
                        int count = 0;
                        bool is_quoted = false;
                        for (char *c = line; *c; c++) {
                                is_quoted ^= *c == '"';
                                *c = is_quoted && *c == ' ' ? '_' : *c;
                        }
                        for (char *word; (word = strsep(&line, " ")) && count < 32 && strcmp(word, ">") != 0;)
                                words[count++] = word;
                        const struct command *found = NULL;
                        enum option_id allowed[OPTION_COUNT + 1];
                        struct args args = { 0 };
                        int used = 0;
                        CHECK(command_find(count - 1, words + 1, &found, &used, NULL) == OK && found == command_at(i));
                        command_options(found, allowed);
                        CHECK(options_parse(allowed, count - 1 - used, words + 1 + used, &args, NULL) == OK);
                        CHECK(args.word_count >= found->words_min && args.word_count <= found->words_max);
                }
        }
}

TEST(commands, say_what_was_meant)
{
        static const struct {
                const char *line, *says;
                int code;
        } cases[] = {
                { "rolout start", "did you mean `firebreak rollout start`?", 64 },
                { "rollout strat edr/1", "did you mean `firebreak rollout start`?", 64 },
                { "statsu", "did you mean `firebreak status`?", 64 },
                { "xyzzy", "`firebreak help` lists", 64 },
                { "rollout", "`firebreak help rollout` lists them", 64 },
                { "rollout start", "usage: firebreak rollout start STREAM/COUNTER", 64 },
                { "rollout start a/1 b", "one word too many: `b`", 64 },
                { "rollout start edr", "write STREAM/COUNTER", 64 },
                { "rollout start ../1", "write STREAM/COUNTER", 64 },
                { "rollout start edr/01", "write STREAM/COUNTER", 64 },
                { "rollout start edr/1 --budgte 5", "did you mean --budget?", 64 },
                { "rollout start edr/1 --override-by a --reason x", "two different people", 64 },
                { "rollout start edr/1 --override-by a --override-by a --reason x", "two different people", 64 },
                { "rollout start edr/1 --override-by a --override-by b", "--reason", 64 },
                { "rollout override edr/1 --who a --second a --reason x", "two different people", 64 },
                { "rollout watch edr/1 --until compelte", "did you mean `complete`?", 64 },
                { "device show xyz", "32 hex digits", 64 },
                { "completion fish", "bash and zsh", 64 },
                { "replay july-91", "did you mean `july-19`?", 66 },
                { "replay xyzzyxyzzyxyzzy", "`firebreak replay` lists", 66 },
                { "replay ./nowhere.yaml", "nowhere.yaml", 66 },
                { "replay july-19 --policy ring", "did you mean `rings`?", 64 },
                { "replay july-19 --policy rings,,steps", "no policy ``", 64 },
                { "replay july-19 --policy ./a.yaml,./b.yaml", "one file is enough", 64 },
                { "replay july-19 --budget 3,x", "`x` is no number from 1 to 1000000", 64 },
                { "replay july-19 --budget 0", "`0` is no number", 64 },
                { "replay july-19 --html /nonexistent/r.html", "--html /nonexistent/r.html", 66 },
                { "replay july-19 --html /tmp", "is a folder", 78 },
                { "replay --html r.html", "goes with a scenario", 64 },
                { "--bogus", "no option --bogus", 64 },
                { "help bogus", "no command `bogus`", 64 },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(fake_run) struct fake_run run = { 0 };
                int code = run_line(&run, cases[i].line);
                if (code != cases[i].code || !strstr(run.err, cases[i].says))
                        printf("# %s: %d %s", cases[i].line, code, run.err);
                CHECK(code == cases[i].code && strstr(run.err, cases[i].says));
        }
}

TEST(help, tells_every_option_and_example_of_a_command)
{
        for (size_t i = 0; i < command_count(); i++) {
                OWN(buf) struct buf text;
                buf_init(&text, 65536);
                help_command(command_at(i), &text);
                enum option_id ids[OPTION_COUNT + 1];
                command_options(command_at(i), ids);
                CHECK(buf_check(&text, NULL) == OK && strstr(buf_text(&text), "examples:"));
                for (size_t j = 0; ids[j] != OPTION_NONE; j++)
                        CHECK(strstr(buf_text(&text), option_info(ids[j])->help));
        }
}

/* What nobody said is the server's to choose; the help must say what that is. */
TEST(help, tells_the_defaults_of_a_rollout)
{
        struct rollout_policy policy = rollout_policy_default();
        const struct {
                enum option_id option;
                int64_t value, unit;
                const char *suffix;
        } cases[] = {
                { OPTION_BUDGET, policy.budget, 1, "" },               { OPTION_BAKE, policy.bake_s, 60, "m" },       { OPTION_GAP, policy.gap_s, 60, "m" },
                { OPTION_GATHER, policy.gather_s, 60, "m" },           { OPTION_CONTROLS, policy.controls, 1, "" },   { OPTION_HOLDOUT, policy.holdout_ppm, 10000, "%" },
                { OPTION_CAP, policy.cap_per_bake, 1, "" },            { OPTION_WATCH, policy.watch_s, 86400, "d" },  { OPTION_COMPLETE, policy.complete_ppm, 10000, "%" },
                { OPTION_BOUND_SILENCE, policy.bound_silence, 1, "" }, { OPTION_ROLLBACK, WITHDRAWAL_OVER_S, 60, "m" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                char text[64];
                snprintf(text, sizeof(text), "; default: %lld%s", (long long)(cases[i].value / cases[i].unit), cases[i].suffix);
                const char *help = option_info(cases[i].option)->help;
                CHECK(strlen(help) > strlen(text) && strcmp(help + strlen(help) - strlen(text), text) == 0 && cases[i].value % cases[i].unit == 0);
        }
        CHECK(policy.alpha_ppm == 100 && strstr(option_info(OPTION_ALPHA)->help, "; default: 0.01%"));
        CHECK(strstr(option_info(OPTION_PACE)->help, "; default: what the rollout was started with"));
}

TEST(help, is_there_however_it_is_asked_for)
{
        static const char *const lines[] = { "--help", "-h", "help", "help rollout", "help rollout start", "rollout start --help", "status -h" };
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
                OWN(fake_run) struct fake_run run = { 0 };
                CHECK(run_line(&run, lines[i]) == 0 && strlen(run.out) > 100 && !run.err[0]);
        }
}

TEST(version, is_printed_both_ways)
{
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(run_line(&run, "version") == 0 && strcmp(run.out, "firebreak " FIREBREAK_VERSION "\n") == 0);
        CHECK(run_line(&run, "--version") == 0 && strcmp(run.out, "firebreak " FIREBREAK_VERSION "\n") == 0);
        CHECK(run_line(&run, "version --json") == 0 && strstr(run.out, "\"version\":\"" FIREBREAK_VERSION "\""));
}

/* The pages are true: each names every command with its words, and every option. */
static void read_page(const char *name, struct buf *into)
{
        char path[512];
        const char *below = strstr(__FILE__, "tests/cli/");      /* tests run in the folder that the compiler ran in */
        snprintf(path, sizeof(path), "%.*sdocs/man/%s", (int)(below - __FILE__), __FILE__, name);
        CHECK(file_read(path, into, NULL) == OK);
}

/* "--no-passphrase" as roff writes it: "\-\-no\-passphrase". */
static void roff_option(const struct option *option, char text[static 128])
{
        size_t used = (size_t)snprintf(text, 128, "\\-\\-");
        for (const char *c = option->name; *c; c++)
                used += (size_t)snprintf(text + used, 128 - used, *c == '-' ? "\\-" : "%c", *c);
}

TEST(manual, has_every_command_with_every_option_of_its_own)
{
        for (size_t i = 0; i < command_count(); i++) {
                const struct command *command = command_at(i);
                OWN(buf) struct buf page;
                buf_init(&page, 1 << 20);
                char name[64], heading[128];
                size_t group = strcspn(command->name, " ");
                if (strncmp(command->name, "lab ", 4) == 0)         /* firebreak-lab.1 is about that program */
                        snprintf(name, sizeof(name), "firebreak-release.1");
                else if (command->name[group] || strcmp(command->name, "replay") == 0)
                        snprintf(name, sizeof(name), "firebreak-%.*s.1", (int)group, command->name);
                else
                        snprintf(name, sizeof(name), "firebreak.1");
                read_page(name, &page);
                snprintf(heading, sizeof(heading), "\n.SS \"firebreak %s%s%s\"\n", command->name, command->words[0] ? " " : "", command->words);
                const char *section = strstr(buf_text(&page), heading);
                if (!section)
                        printf("# %s lacks%s", name, heading);
                CHECK(section);
                const char *end = strstr(section + strlen(heading), "\n.S");
                for (size_t j = 0; command->own[j] != OPTION_NONE; j++) {
                        char text[128];
                        roff_option(option_info(command->own[j]), text);
                        const char *found = strstr(section, text);
                        if (!found || (end && found > end))
                                printf("# %s: firebreak %s lacks --%s\n", name, command->name, option_info(command->own[j])->name);
                        CHECK(found && (!end || found < end));
                }
        }
}
