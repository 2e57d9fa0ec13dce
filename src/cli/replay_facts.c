#include "cli/replay_facts.h"

#include "format/json.h"
#include "replay/words.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 1 << 20 };

static void set_time(struct json *json, const char *key, int64_t seconds)
{
        json_set(json, key, seconds >= 0 ? json_new_int(seconds) : json_new_null());
}

static void set_counts(struct json *json, const struct replay_result *run)
{
        const struct { const char *key; uint32_t count; } counts[] = {
                { "fleet", run->fleet },     { "susceptible", run->susceptible }, { "exposed", run->exposed },     { "hurt", run->hurt },
                { "dark", run->dark },       { "recovered", run->recovered },     { "seen_hurt", run->seen_hurt }, { "hurt_at_stop", run->hurt_at_stop },
                { "unanswered", run->unanswered }, { "control", run->control }, { "control_hurt", run->control_hurt },
        };
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
                json_set_int(json, counts[i].key, counts[i].count);
}

struct json *replay_json(const struct study_row *row, size_t at)
{
        const struct replay_result *run = &row->runs[at];
        const char *stopper = rollout_stopper_word(run->stopped_by);
        struct json *json = json_new_object();
        json_set_text(json, "scenario", row->scenario->name);
        json_set_text(json, "policy", row->director->name);
        json_set(json, "budget", study_knows_budget(row->director) ? json_new_int(row->policy.budget) : json_new_null());
        json_set_int(json, "seed", (int64_t)(row->seed + at));
        set_counts(json, run);
        json_set(json, "stopped_by", stopper ? json_new_text(stopper) : json_new_null());
        json_set_bool(json, "stopped_wrongly", run->was_stopped_wrongly);
        set_time(json, "stop_s", run->stop_s);
        set_time(json, "complete_s", run->complete_s);
        json_set_int(json, "device_hours_lost", llround(run->device_hours_lost));
        json_set_text(json, "sentence", run->sentence);
        return json;
}

struct json *replay_list_json(const struct scenario *scenarios, size_t count)
{
        struct json *list = json_new_array();
        for (size_t i = 0; i < count; i++) {
                struct json *one = json_new_object();
                json_set_text(one, "name", scenarios[i].name);
                json_set_text(one, "title", scenarios[i].title);
                json_set_text(one, "when", scenarios[i].when ? scenarios[i].when : "");
                json_set_text(one, "class", scenarios[i].class);
                json_set_text(one, "unseen", scenarios[i].unseen);
                json_set_text(one, "contained", scenarios[i].contained);
                json_set_int(one, "devices", scenarios[i].fleet.devices);
                json_add(list, one);
        }
        return list;
}

static void add_policies(struct cli *cli, struct buf *into)
{
        buf_add_text(into, "\npolicies:\n");
        for (size_t i = 0; i < director_count(); i++) {
                OWN(buf) struct buf line;
                buf_init(&line, TEXT_BYTES_MAX);
                buf_addf(&line, "  %-16s %s", director_at(i)->name, director_at(i)->what);
                print_wrapped(into, buf_text(&line), cli->columns, 19);
        }
}

enum err replay_list(struct cli *cli, const struct scenario *scenarios, size_t count, struct why *why)
{
        static const struct column columns[] = { { "SCENARIO", "name", NULL }, { "WHEN", "when", NULL }, { "CLASS", "class", NULL }, { "TITLE", "title", NULL } };
        const struct table table = { .columns = columns, .column_count = sizeof(columns) / sizeof(columns[0]) };
        OWN(json) struct json *list = replay_list_json(scenarios, count);
        OWN(buf) struct buf text;
        buf_init(&text, TEXT_BYTES_MAX);
        if (arg_has(cli->args, OPTION_JSON))
                return print_json(cli, list, why);
        if (!json_is_whole(list))
                return FAIL(why, ERR_NOMEM, "the list");
        enum err e = print_table(&table, list, &text, why);
        if (e)
                return e;
        add_policies(cli, &text);
        buf_add_text(&text, "\nrun one:       firebreak replay july-19 --fleet 200000 --policy all --html july-19.html\n"
                            "all of them:   firebreak replay all\n"
                            "your own:      firebreak replay ./ours.yaml       (firebreak-replay(1) says what it holds)\n");
        return print_buf(cli, &text, why);
}

static void set_spread(struct json *json, const char *key, const char *worst_key, struct study_spread spread)
{
        json_set_int(json, key, spread.median);
        json_set_int(json, worst_key, spread.worst);
}

static struct json *row_json(const struct study *study, const struct study_row *row)
{
        struct json *json = json_new_object();
        OWN(buf) struct buf text;
        buf_init(&text, TEXT_BYTES_MAX);
        words_row(&text, study, row);
        json_set_text(json, "scenario", row->scenario->name);
        json_set_text(json, "policy", buf_text(&text));
        buf_clear(&text);
        words_stopped(&text, row);
        json_set_text(json, "stopped", buf_text(&text));
        set_spread(json, "hurt", "hurt_worst", row->hurt);
        set_spread(json, "exposed", "exposed_worst", row->exposed);
        set_spread(json, "stop_s", "stop_worst", row->stop_s);
        set_spread(json, "complete_s", "complete_worst", row->complete_s);
        return json;
}

static struct json *history_json(const struct scenario *scenario)
{
        struct json *json = json_new_object();
        json_set_text(json, "scenario", scenario->name);
        json_set_text(json, "policy", "as it was");
        json_set_text(json, "stopped", scenario->history.stop_s >= 0 ? "people" : "-");
        json_set_int(json, "hurt", scenario->history.hurt);
        json_set_int(json, "hurt_worst", -1);
        json_set_int(json, "exposed", scenario->history.exposed);
        json_set_int(json, "exposed_worst", -1);
        json_set_int(json, "stop_s", scenario->history.stop_s);
        json_set_int(json, "stop_worst", -1);
        json_set_int(json, "complete_s", -1);
        json_set_int(json, "complete_worst", -1);
        return json;
}

static bool has_history(const struct scenario *scenario)
{
        return scenario->history.hurt >= 0 || scenario->history.exposed >= 0 || scenario->history.stop_s >= 0;
}

static struct json *rows_json(const struct study *study)
{
        struct json *rows = json_new_array();
        for (size_t s = 0; s < study->plan.scenario_count; s++) {
                const struct scenario *scenario = &study->plan.scenarios[s];
                if (has_history(scenario))
                        json_add(rows, history_json(scenario));
                for (size_t i = 0; i < study->row_count; i++)
                        if (study->rows[i].scenario == scenario)
                                json_add(rows, row_json(study, &study->rows[i]));
        }
        return rows;
}

/* With one seed the worst is the median, and with one scenario its name says nothing. */
static size_t choose_columns(const struct study *study, struct column columns[static 11])
{
        static const struct { struct column column; bool is_for_seeds, is_for_scenarios; } all[] = {
                { { "SCENARIO", "scenario", NULL }, false, true },
                { { "POLICY", "policy", NULL }, false, false },
                { { "HURT", "hurt", print_count }, false, false },
                { { "WORST", "hurt_worst", print_count }, true, false },
                { { "EXPOSED", "exposed", print_count }, false, false },
                { { "WORST", "exposed_worst", print_count }, true, false },
                { { "STOPPED BY", "stopped", NULL }, false, false },
                { { "AFTER", "stop_s", print_seconds }, false, false },
                { { "WORST", "stop_worst", print_seconds }, true, false },
                { { "COMPLETE AFTER", "complete_s", print_seconds }, false, false },
                { { "WORST", "complete_worst", print_seconds }, true, false },
        };
        size_t count = 0;
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
                if ((!all[i].is_for_seeds || study->plan.seeds > 1) && (!all[i].is_for_scenarios || study->plan.scenario_count > 1))
                        columns[count++] = all[i].column;
        return count;
}

static void add_term(struct cli *cli, const char *term, const char *text, struct buf *into)
{
        OWN(buf) struct buf line, clean;
        buf_init(&line, TEXT_BYTES_MAX);
        buf_init(&clean, TEXT_BYTES_MAX);
        if (!text || !text[0])
                return;
        print_clean(&clean, text);
        buf_addf(&line, "%-10s %s", term, buf_text(&clean));
        print_wrapped(into, buf_text(&line), cli->columns, 11);
}

/* Which scenario, how many devices, which seeds. */
static void add_head(struct cli *cli, const struct study *study, struct buf *into)
{
        const struct scenario *scenario = &study->plan.scenarios[0];
        OWN(buf) struct buf line;
        buf_init(&line, TEXT_BYTES_MAX);
        if (study->plan.scenario_count == 1) {
                print_clean(&line, scenario->title);
                if (scenario->when && scenario->when[0])
                        buf_add_text(&line, ", ");
                print_clean(&line, scenario->when && scenario->when[0] ? scenario->when : "");
                buf_add_text(&line, ": ");
                print_clean(&line, scenario->class);
                print_wrapped(into, buf_text(&line), cli->columns, 0);
                buf_clear(&line);
        }
        if (study->row_count && study->rows[0].run_count)
                words_count(&line, study->rows[0].runs[0].fleet);
        buf_addf(&line, " devices, seed %" PRIu64, study->plan.seed);
        if (study->plan.seeds > 1)
                buf_addf(&line, " to %" PRIu64, study->plan.seed + study->plan.seeds - 1);
        if (study->plan.budget_count == 1) {
                buf_add_text(&line, ", harm budget ");
                words_count(&line, study->plan.budgets[0]);
        }
        print_wrapped(into, buf_text(&line), cli->columns, 0);
        buf_add_text(into, "\n");
}

static void add_tail(struct cli *cli, const struct study *study, struct buf *into)
{
        const struct scenario *scenario = &study->plan.scenarios[0];
        OWN(buf) struct buf line;
        buf_init(&line, TEXT_BYTES_MAX);
        if (study->plan.scenario_count == 1)
                words_headline(&line, study, scenario);
        else
                words_overview(&line, study);
        buf_add_text(into, "\n");
        print_wrapped(into, buf_text(&line), cli->columns, 0);
        if (study->plan.scenario_count > 1)
                return;
        buf_add_text(into, "\n");
        add_term(cli, "history", scenario->history.text, into);
        add_term(cli, "source", scenario->source, into);
        add_term(cli, "guessed", scenario->guessed, into);
        buf_clear(&line);
        words_marks(&line, scenario);
        add_term(cli, "marks", buf_text(&line), into);
        add_term(cli, "unseen", scenario->unseen, into);
        add_term(cli, "contained", scenario->contained, into);
}

enum err replay_table(struct cli *cli, const struct study *study, struct why *why)
{
        struct column columns[11];
        const struct table table = { .columns = columns, .column_count = choose_columns(study, columns) };
        OWN(json) struct json *rows = rows_json(study);
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_ANSWER_BYTES);
        if (!json_is_whole(rows))
                return FAIL(why, ERR_NOMEM, "the table");
        add_head(cli, study, &text);
        enum err e = print_table(&table, rows, &text, why);
        if (e)
                return e;
        add_tail(cli, study, &text);
        return print_buf(cli, &text, why);
}
