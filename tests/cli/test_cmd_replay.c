#include "cli/fake_net.h"
#include "format/json.h"
#include "replay/catalogue.h"
#include "replay/director.h"

#include <signal.h>
#include <sys/resource.h>

static int replayed(struct fake_run *run, const char *line)
{
        return fake_run(run, NULL, 0, line);
}

static unsigned lines_of(const char *text)
{
        unsigned lines = 0;
        for (; *text; text++)
                lines += *text == '\n';
        return lines;
}

TEST(replay, lists_scenarios_and_policies_when_nothing_is_named)
{
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(replayed(&run, "replay") == 0 && !run.err[0]);
        for (size_t i = 0; i < catalogue_count(); i++)
                CHECK(strstr(run.out, catalogue_at(i)->name));
        for (size_t i = 0; i < director_count(); i++)
                CHECK(strstr(run.out, director_at(i)->name));
        CHECK(strstr(run.out, "firebreak replay july-19"));
}

TEST(replay, lists_for_programs_too)
{
        OWN(fake_run) struct fake_run run = { 0 };
        OWN(json) struct json *list = NULL;
        CHECK(replayed(&run, "replay --json") == 0);
        CHECK(json_parse(run.out, strlen(run.out), 1 << 20, &list, NULL) == OK && json_count(list) == catalogue_count());
        CHECK(strcmp(json_text(json_get(json_at(list, 0), "name")), catalogue_at(0)->name) == 0 && json_int(json_get(json_at(list, 0), "devices"), 0) > 0);
}

TEST(replay, prints_a_table_with_what_happened_first)
{
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(replayed(&run, "replay july-19 --fleet 400 --policy firebreak,rings --budget 5") == 0 && !run.err[0]);
        const char *was = strstr(run.out, "\nas it was  8,500,000"), *ours = strstr(run.out, "\nfirebreak "), *rings = strstr(run.out, "\nrings ");
        CHECK(was && ours && rings && was < ours && ours < rings);
        CHECK(strncmp(run.out, "CrowdStrike, Channel File 291, 2024-07-19: brick at load\n400 devices, seed 1, harm budget 5\n", 85) == 0);
        CHECK(!strstr(run.out, "WORST") && !strstr(run.out, "SCENARIO"));
        CHECK(strstr(run.out, "\nFirebreak with a harm budget of 5 stopped it after ") && strstr(run.out, "\nsource ") && strstr(run.out, "\nguessed "));
}

TEST(replay, has_median_and_worst_of_several_seeds)
{
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(replayed(&run, "replay july-19 --fleet 300 --seeds 2 --budget 3,9,3") == 0);
        CHECK(strstr(run.out, "WORST") && strstr(run.out, "\nfirebreak, budget 3 ") && strstr(run.out, "\nfirebreak, budget 9 ") && strstr(run.out, "seed 1 to 2"));
        CHECK(replayed(&run, "replay july-19 --fleet 300 --budget 1000,2000") == 0 && strstr(run.out, "\nfirebreak, budget 1,000 ") && strstr(run.out, "a harm budget of 2,000 "));
        CHECK(replayed(&run, "replay july-19 --fleet 300 --budget 1000") == 0 && strstr(run.out, ", harm budget 1,000\n"));
}

TEST(replay, prints_a_line_of_json_a_run)
{
        static const char *const keys[] = { "scenario", "policy", "budget", "seed", "fleet", "susceptible", "exposed", "hurt", "dark", "recovered", "seen_hurt", "hurt_at_stop",
                                            "unanswered", "control", "control_hurt", "stopped_by",
                                            "stopped_wrongly", "stop_s", "complete_s", "device_hours_lost", "sentence" };
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(replayed(&run, "replay july-19 --fleet 300 --budget 5 --seed 9 --seeds 2 --policy all-at-once,firebreak --json") == 0 && lines_of(run.out) == 4);
        char *rest = run.out;
        for (unsigned i = 0; i < 4; i++) {
                OWN(json) struct json *one = NULL;
                const char *line = strsep(&rest, "\n");
                CHECK(json_parse(line, strlen(line), 4096, &one, NULL) == OK);
                for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
                        CHECK(json_get(one, keys[k]));
                bool is_ours = strcmp(json_text(json_get(one, "policy")), "firebreak") == 0;
                CHECK(is_ours == (i > 1) && json_int(json_get(one, "seed"), 0) == 9 + i % 2 && json_int(json_get(one, "fleet"), 0) == 300);
                CHECK(json_int(json_get(one, "budget"), -1) == (is_ours ? 5 : -1));
                CHECK(is_ours || (!json_int(json_get(one, "control"), -1) && !json_int(json_get(one, "unanswered"), -1)));
                CHECK(is_ours ? json_int(json_get(one, "stop_s"), -1) > 0 : json_type(json_get(one, "stopped_by")) == JSON_NULL);
        }
}

TEST(replay, is_the_same_again_with_the_same_seed)
{
        OWN(fake_run) struct fake_run one = { 0 }, two = { 0 }, other = { 0 };
        CHECK(replayed(&one, "replay good-lossy --fleet 400 --json") == 0 && replayed(&two, "replay good-lossy --fleet 400 --json") == 0);
        CHECK(strcmp(one.out, two.out) == 0);
        CHECK(replayed(&other, "replay good-lossy --fleet 400 --json --seed 2") == 0 && strcmp(one.out, other.out) != 0);
}

static void write_file(const char *folder, const char *name, const char *text, char path[static 128])
{
        snprintf(path, 128, "%s/%s", folder, name);
        CHECK(file_write(path, text, strlen(text), NULL) == OK);
}

TEST(replay, reads_a_scenario_and_a_policy_of_ones_own)
{
        char folder[64], scenario[128], policy[128], line[512];
        CHECK(file_temporary(folder, NULL) == OK);
        write_file(folder, "ours.yaml",
                   "title: Ours\nclass: brick at load\nsource: us\nguessed: all\nstart: fri 04:09\nfor_s: 7200\nfleet:\n  devices: 200\n  attributes:\n"
                   "    - {name: os, values: [{value: a, share_ppm: 1000000}]}\nfaults:\n  - {name: f, onset: load, sign: crash}\n", scenario);
        write_file(folder, "policy.yaml", "budget: 7\nbake_s: 120\n", policy);
        OWN(fake_run) struct fake_run run = { 0 };
        snprintf(line, sizeof(line), "replay %s --policy %s --gap 60 --json", scenario, policy);
        CHECK(replayed(&run, line) == 0 && strstr(run.out, "\"scenario\":\"ours\",\"policy\":\"firebreak\",\"budget\":7,\"seed\":1,\"fleet\":200,"));
        snprintf(line, sizeof(line), "replay %s --policy %s --budget 4 --json", scenario, policy);
        CHECK(replayed(&run, line) == 0 && strstr(run.out, "\"budget\":4,"));
        write_file(folder, "ours.yaml", "title: Ours\nclas: x\n", scenario);
        CHECK(replayed(&run, line) == 65 && strstr(run.err, "ours.yaml:2") && strstr(run.err, "class"));
        file_remove_tree(folder);
}

TEST(replay, takes_fleets_of_one_range_and_says_so_before_it_runs)
{
        char folder[64], scenario[128], line[512];
        CHECK(file_temporary(folder, NULL) == OK);
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(replayed(&run, "replay good-calm --fleet 3 --json") == 0 && replayed(&run, "replay good-calm --fleet 2") == 64 && strstr(run.err, "--fleet: 2 is outside 3 to 50000000"));
        write_file(folder, "two.yaml", "title: T\nclass: good\nsource: s\nguessed: g\nstart: fri 20:00\nfleet:\n  devices: 2\n", scenario);
        snprintf(line, sizeof(line), "replay %s --json", scenario);
        CHECK(replayed(&run, line) == 65 && strstr(run.err, "two.yaml:7: devices: not an integer from 3 to 50000000"));
        file_remove_tree(folder);
}

/* On a Friday night most of them are off: it is complete without them, and does not say that all have it. */
TEST(replay, says_how_many_have_it_when_it_is_complete)
{
        char folder[64], scenario[128], line[512];
        CHECK(file_temporary(folder, NULL) == OK);
        write_file(folder, "fri.yaml", "title: T\nclass: good\nsource: s\nguessed: g\nstart: fri 20:00\nfor_s: 86400\nfleet:\n  devices: 1000\n  office_ppm: 800000\n", scenario);
        OWN(fake_run) struct fake_run run = { 0 };
        snprintf(line, sizeof(line), "replay %s --budget 100 --watch 1h", scenario);
        CHECK(replayed(&run, line) == 0 && strstr(run.out, " called this good release") && strstr(run.out, " of 1,000 devices got it,") && !strstr(run.out, "whole fleet"));
        CHECK(!strstr(run.out, "in all 1,000") && !strstr(run.out, "in all 9"));
        file_remove_tree(folder);
}

TEST(replay, refuses_a_file_beside_the_policy_that_it_stands_for)
{
        char folder[64], policy[128], line[512];
        CHECK(file_temporary(folder, NULL) == OK);
        OWN(fake_run) struct fake_run run = { 0 };
        write_file(folder, "mine.yaml", "budget: 7\n", policy);
        snprintf(line, sizeof(line), "replay july-19 --fleet 300 --policy %s,firebreak --json", policy);
        CHECK(replayed(&run, line) == 64 && !run.out[0] && strstr(run.err, "mine.yaml is firebreak with its values") && strstr(run.err, "once with each"));
        snprintf(line, sizeof(line), "replay july-19 --fleet 300 --policy firebreak,rings,%s --json", policy);
        CHECK(replayed(&run, line) == 64 && strstr(run.err, "mine.yaml is firebreak with its values"));
        snprintf(line, sizeof(line), "replay july-19 --fleet 300 --policy %s,all --json", policy);
        CHECK(replayed(&run, line) == 0 && lines_of(run.out) == director_count() && strstr(run.out, "\"policy\":\"firebreak\",\"budget\":7,"));
        file_remove_tree(folder);
}

TEST(replay, refuses_a_policy_with_freeze_windows_and_says_what_to_do)
{
        char folder[64], policy[128], line[512];
        CHECK(file_temporary(folder, NULL) == OK);
        OWN(fake_run) struct fake_run run = { 0 };
        write_file(folder, "policy.yaml", "budget: 7\nfreeze: [\"fri 16:00 - mon 06:00 Europe/Berlin\"]\n", policy);
        snprintf(line, sizeof(line), "replay july-19 --fleet 300 --policy %s --json", policy);
        CHECK(replayed(&run, line) == 64 && !run.out[0] && strstr(run.err, "policy.yaml: `freeze`") && strstr(run.err, "take them out"));
        write_file(folder, "policy.yaml", "budget: 7\nfreeze: [\"fry 16:00 - mon 06:00 Europe/Berlin\"]\n", policy);
        CHECK(replayed(&run, line) == 64 && strstr(run.err, "fry"));
        write_file(folder, "policy.yaml", "budget: 7\nfreeze: []\n", policy);
        CHECK(replayed(&run, line) == 0);
        file_remove_tree(folder);
}

TEST(replay, writes_a_report_and_says_early_when_it_cannot)
{
        char folder[64], path[128], line[512];
        CHECK(file_temporary(folder, NULL) == OK);
        OWN(fake_run) struct fake_run run = { 0 };
        OWN(buf) struct buf page;
        buf_init(&page, LIMIT_PAGE_BYTES);
        write_file(folder, "r.html", "old", path);
        snprintf(line, sizeof(line), "replay july-19 --fleet 300 --policy all --bake 5m --html %s", path);
        CHECK(replayed(&run, line) == 0 && file_read(path, &page, NULL) == OK);
        CHECK(strncmp(buf_text(&page), "<!DOCTYPE html>\n", 16) == 0 && strstr(buf_text(&page), "</html>\n") && strstr(buf_text(&page), "--bake 5m"));
        CHECK(strstr(buf_text(&page), "<dt>Bake</dt><dd>5 min</dd>") && !strstr(buf_text(&page), folder));
        file_set_mode(path, 0640);
        CHECK(replayed(&run, line) == 0 && file_mode(path) == 0640);
        file_remove(path);
        unsigned of_new = file_mode(path);
        CHECK(replayed(&run, line) == 0 && file_kind(path) == FILE_REGULAR && file_mode(path) == of_new);
        snprintf(line, sizeof(line), "replay july-19 --html %s/no/r.html", folder);
        CHECK(replayed(&run, line) == 66 && !run.out[0]);
        snprintf(line, sizeof(line), "replay july-19 --html %s", folder);
        CHECK(replayed(&run, line) == 78 && !run.out[0]);
        file_remove_tree(folder);
}

TEST(replay, makes_sure_that_a_report_can_be_made_before_it_runs)
{
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(replayed(&run, "replay july-19 --fleet 300 --json --html /proc/x.html") != 0 && !run.out[0] && strstr(run.err, "--html /proc/x.html: "));
        CHECK(replayed(&run, "replay july-19 --fleet 300 --json --html -") == 64 && !run.out[0] && strstr(run.err, "--html report.html"));
        CHECK(file_kind("-") == FILE_ABSENT);
}

/* A disk that is full is played by a limit on the size of files. */
TEST(replay, prints_what_it_found_out_when_the_report_cannot_be_written)
{
        char folder[64], path[128], line[512];
        CHECK(file_temporary(folder, NULL) == OK);
        OWN(fake_run) struct fake_run run = { 0 };
        OWN(buf) struct buf page;
        buf_init(&page, 100);
        write_file(folder, "r.html", "old", path);
        snprintf(line, sizeof(line), "replay july-19 --fleet 300 --html %s", path);
        struct rlimit had, small;
        CHECK(getrlimit(RLIMIT_FSIZE, &had) == 0 && signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
        small = had;
        small.rlim_cur = 1000;
        CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
        int code = replayed(&run, line);
        CHECK(setrlimit(RLIMIT_FSIZE, &had) == 0);
        CHECK(code != 0 && strstr(run.out, "\nfirebreak ") && strstr(run.err, "the report: ") && file_read(path, &page, NULL) == OK && strcmp(buf_text(&page), "old") == 0);
        file_remove_tree(folder);
}

TEST(replay, writes_the_command_as_a_shell_takes_it)
{
        char folder[64], path[128], scenario[128], line[512];
        CHECK(file_temporary(folder, NULL) == OK);
        OWN(fake_run) struct fake_run run = { 0 };
        OWN(buf) struct buf page;
        buf_init(&page, LIMIT_PAGE_BYTES);
        write_file(folder, "r.html", "", path);
        write_file(folder, "it's mine.yaml", "title: T\nclass: good\nsource: s\nguessed: g\nstart: fri 20:00\nfor_s: 7200\nfleet:\n  devices: 100\n", scenario);
        snprintf(line, sizeof(line), "replay %s/it's~mine.yaml --alpha 0.01%% --html %s", folder, path);
        CHECK(replayed(&run, line) == 0 && file_read(path, &page, NULL) == OK);
        CHECK(strstr(buf_text(&page), "firebreak replay &#39;/") && strstr(buf_text(&page), "/it&#39;\\&#39;&#39;s mine.yaml&#39; --alpha 0.01%</dd>"));
        file_remove_tree(folder);
}

TEST(replay, draws_a_bar_on_a_terminal_alone_and_wipes_it)
{
        OWN(fake_run) struct fake_run run = { .is_live = true };
        CHECK(replayed(&run, "replay july-19 --fleet 300") == 0);
        CHECK(strstr(run.err, "july-19, firebreak, seed 1"));
        CHECK(strcmp(run.err + strlen(run.err) - 4, "\r\x1b[K") == 0 && !strchr(run.err, '\n') && !strchr(run.out, '\x1b'));
}
