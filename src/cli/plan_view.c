#include "cli/plan_view.h"

#include "cli/print.h"
#include "format/json.h"
#include "replay/words.h"

#include <inttypes.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 64 << 10, INDENT = 11, NAMES_SHOWN = 8 };

static const char *s_of(int64_t count) { return count == 1 ? "" : "s"; }

/* "3 devices" */
static void add_count(struct buf *into, int64_t count, const char *what)
{
        words_count(into, count);
        buf_addf(into, " %s%s", what, s_of(count));
}

static void add_crashes(struct buf *into, int64_t ppm_per_day)
{
        buf_add_text(into, "a device crashes every ");
        words_span(into, ppm_per_day > 0 ? 86400 * INT64_C(1000000) / ppm_per_day : -1);
}

static void add_ms(struct buf *into, int64_t ms)
{
        if (ms < 10000)
                buf_addf(into, "%" PRId64 ".%" PRId64 " s", ms / 1000, ms % 1000 / 100);
        else
                words_span(into, ms / 1000);
}

static void add_share(struct buf *into, int64_t part, int64_t whole)
{
        int64_t ppm = whole > 0 ? part * 1000000 / whole : 0;
        words_ppm(into, ppm < 1000 ? ppm : ppm / 100 * 100);
}

static void add_paragraph(struct cli *cli, struct buf *line, unsigned indent, struct buf *into)
{
        OWN(buf) struct buf clean;
        buf_init(&clean, TEXT_BYTES_MAX);
        print_clean(&clean, buf_text(line));
        print_wrapped(into, buf_text(&clean), cli->columns, indent);
        buf_clear(line);
}

/* What it was made of. */

static void add_head(struct cli *cli, const struct plan *plan, struct buf *line, struct buf *into)
{
        const struct rollout_policy *policy = &plan->policy;
        buf_addf(line, "%s/%" PRId64 " with a harm budget of ", plan->fleet.stream, plan->fleet.counter);
        words_count(line, policy->budget);
        buf_add_text(line, ": bake ");
        words_span(line, policy->bake_s);
        buf_add_text(line, ", gap ");
        words_span(line, policy->gap_s);
        buf_addf(line, ", %" PRId64 " control%s for each exposed device, hold-out ", policy->controls, s_of(policy->controls));
        words_ppm(line, policy->holdout_ppm);
        add_paragraph(cli, line, 0, into);
        if (strcmp(plan->fleet.state, "draft") == 0)
                return;
        buf_addf(line, "It has had its rollout (%s): this is what another release like it would meet now.", plan->fleet.state);
        add_paragraph(cli, line, 0, into);
}

static void add_rings(const struct plan_fleet *fleet, struct buf *line)
{
        int64_t rings[ROLLOUT_RING_LATE + 1] = { 0 };
        for (size_t i = 0; i < fleet->profiles.count; i++)
                rings[fleet->profiles.items[i].ring] += fleet->profiles.items[i].devices;
        if (!rings[ROLLOUT_RING_EARLY] && !rings[ROLLOUT_RING_LATE]) {
                buf_add_text(line, "; no ring goes first or last");
                return;
        }
        buf_add_text(line, "; ring early: ");
        words_count(line, rings[ROLLOUT_RING_EARLY]);
        buf_add_text(line, ", late: ");
        words_count(line, rings[ROLLOUT_RING_LATE]);
}

static void add_fleet(struct cli *cli, const struct plan_fleet *fleet, struct buf *line, struct buf *into)
{
        buf_add_text(line, "fleet      ");
        add_count(line, fleet->devices, "device");
        buf_add_text(line, "; checked in within an hour: ");
        words_count(line, fleet->seen_1h);
        buf_add_text(line, ", a day: ");
        words_count(line, fleet->seen_1d);
        buf_add_text(line, ", a week: ");
        words_count(line, fleet->seen_7d);
        buf_add_text(line, "; ");
        words_count(line, (int64_t)fleet->stratum_count);
        buf_add_text(line, fleet->stratum_count == 1 ? " stratum" : " strata");
        buf_add_text(line, ", each tested by itself; ");
        add_count(line, fleet->block_count, "block");
        buf_add_text(line, " of devices that are compared with each other (same ring and site)");
        add_rings(fleet, line);
        add_paragraph(cli, line, INDENT, into);
}

/* Only when each hour has something to say. */
static void add_hours(const struct plan_past *past, struct buf *line)
{
        enum { HOURS = 24, FEWEST = 100 };
        size_t best = 0, worst = 0;
        for (size_t i = 0; i < HOURS; i++) {
                if (past->hours[i].leases < FEWEST)
                        return;
                if (past->hours[i].dark * past->hours[best].leases < past->hours[best].dark * past->hours[i].leases)
                        best = i;
                if (past->hours[i].dark * past->hours[worst].leases > past->hours[worst].dark * past->hours[i].leases)
                        worst = i;
        }
        buf_add_text(line, "; by the hour (UTC) from ");
        add_share(line, past->hours[best].dark, past->hours[best].leases);
        buf_addf(line, " dark at %zu h to ", best);
        add_share(line, past->hours[worst].dark, past->hours[worst].leases);
        buf_addf(line, " at %zu h (simulated with the mean)", worst);
}

static void add_seen(const struct plan_past *past, struct buf *line)
{
        add_count(line, past->leases, "lease");
        buf_add_text(line, " (");
        words_count(line, past->control);
        buf_add_text(line, " of control) of ");
        add_count(line, past->rollouts, "earlier rollout");
        buf_add_text(line, "; dark at the deadline: ");
        words_count(line, past->dark);
        buf_add_text(line, " (");
        add_share(line, past->dark, past->leases);
        buf_add_text(line, ")");
        if (past->dark) {
                buf_add_text(line, ", of these ");
                words_count(line, past->late);
                buf_add_text(line, " spoke later");
        }
        if (past->late_median_ms >= 0) {
                buf_add_text(line, ", half of them within ");
                add_ms(line, past->late_median_ms);
        }
        buf_add_text(line, "; told of harm: ");
        words_count(line, past->harmed);
        if (past->answer_median_ms >= 0) {
                buf_add_text(line, "; answers came ");
                add_ms(line, past->answer_median_ms);
                buf_add_text(line, " after the bake (99 in 100 within ");
                add_ms(line, past->answer_p99_ms);
                buf_add_text(line, ")");
        }
        add_hours(past, line);
}

static void add_past(struct cli *cli, const struct plan *plan, struct buf *line, struct buf *into)
{
        const struct plan_past *past = &plan->fleet.past;
        buf_add_text(line, "baseline   ");
        if (past->leases)
                add_seen(past, line);
        else
                buf_addf(line, "none: no device has answered in a rollout of %s yet", plan->fleet.stream);
        if (past->leases && past->leases < PLAN_LEASES_FEWEST)
                buf_addf(line, "; fewer than %d leases say too little", PLAN_LEASES_FEWEST);
        add_paragraph(cli, line, INDENT, into);
}

static const char *assumed(bool is_assumed) { return is_assumed ? " (assumed)" : ""; }

static void add_weather(const struct plan *plan, struct buf *line)
{
        const struct plan_weather *weather = &plan->cases.weather;
        buf_add_text(line, "in 12 min ");
        words_ppm(line, weather->dark_ppm);
        buf_addf(line, " go dark%s for ", assumed(weather->is_dark_assumed));
        words_span(line, weather->dark_for_s);
        buf_addf(line, " in the mean%s, whatever they run; ", assumed(weather->is_return_assumed));
        add_crashes(line, weather->crash_ppm_per_day);
        buf_addf(line, "%s; it switches within ", assumed(weather->is_crash_assumed));
        words_span(line, weather->switch_s);
        buf_addf(line, "%s and asks every ", assumed(weather->is_switch_assumed));
        words_span(line, plan->cases.scenarios[0].fleet.poll_s);
}

static void add_simulated(struct cli *cli, const struct plan *plan, struct buf *line, struct buf *into)
{
        buf_add_text(line, "simulated  ");
        add_count(line, plan->fleet.present, "device");
        buf_add_text(line, " under the rollout's own code, ");
        add_count(line, plan->study.plan.seeds, "run");
        buf_add_text(line, " of each case; ");
        add_weather(plan, line);
        buf_add_text(line, "; a fault shows ");
        words_span(line, plan->cases.shows_after_s);
        buf_add_text(line, " after the release runs");
        add_paragraph(cli, line, INDENT, into);
}

/* Tables. */

/* With one run the worst is the median. */
static enum err add_table(const struct plan *plan, const struct column *columns, size_t count, const struct json *rows, struct buf *into, struct why *why)
{
        struct column shown[12];
        struct table table = { .columns = shown };
        for (size_t i = 0; i < count; i++)
                if (plan->study.plan.seeds > 1 || strcmp(columns[i].title, "WORST") != 0)
                        shown[table.column_count++] = columns[i];
        if (!json_is_whole(rows))
                return FAIL(why, ERR_NOMEM, "the tables");
        buf_add_text(into, "\n");
        return print_table(&table, rows, into, why);
}

static struct json *case_json(const struct plan *plan, size_t at)
{
        const struct plan_case *of = &plan->cases.cases[at];
        const struct study_row *row = plan_row(plan, at, plan_first(plan));
        OWN(buf) struct buf text;
        struct json *json = json_new_object();
        buf_init(&text, TEXT_BYTES_MAX);
        if (of->share_ppm)
                words_ppm(&text, of->share_ppm);
        buf_add_text(&text, !of->share_ppm ? "nobody" : of->is_told ? ", which tell of a crash" : ", which fall silent");
        json_set_text(json, "case", buf_text(&text));
        buf_clear(&text);
        words_stopped(&text, row);
        json_set_text(json, "stopped", buf_text(&text));
        json_set_int(json, "hurt", row->hurt.median);
        json_set_int(json, "hurt_worst", row->hurt.worst);
        json_set_int(json, "exposed", row->exposed.median);
        json_set_int(json, "stop", row->stop_s.median);
        json_set_int(json, "reached", row->reached_s.median);
        json_set_int(json, "reached_worst", row->reached_s.worst);
        return json;
}

static enum err add_cases(const struct plan *plan, struct buf *into, struct why *why)
{
        static const struct column columns[] = {
                { "THE RELEASE HARMS", "case", NULL }, { "HURT", "hurt", print_count },          { "WORST", "hurt_worst", print_count },
                { "EXPOSED", "exposed", print_count },  { "STOPPED BY", "stopped", NULL },       { "AFTER", "stop", print_seconds },
                { "REACHED AFTER", "reached", print_seconds }, { "WORST", "reached_worst", print_seconds },
        };
        OWN(json) struct json *rows = json_new_array();
        for (size_t i = 0; i < plan->cases.count; i++)
                json_add(rows, case_json(plan, i));
        return add_table(plan, columns, sizeof(columns) / sizeof(columns[0]), rows, into, why);
}

static struct json *budget_json(const struct plan *plan, size_t at)
{
        const struct study_row *good = plan_row(plan, 0, at);
        uint32_t stopped = (uint32_t)good->run_count - good->stopped[ROLLOUT_BY_NOBODY];
        struct json *json = json_new_object();
        OWN(buf) struct buf text;
        buf_init(&text, TEXT_BYTES_MAX);
        buf_addf(&text, "%" PRIu32 " of %zu", stopped, good->run_count);
        json_set_int(json, "budget", plan->budgets.items[at]);
        json_set_int(json, "reached", good->reached_s.median);
        json_set_int(json, "reached_worst", good->reached_s.worst);
        json_set_int(json, "told", plan_worst(plan, at, true));
        json_set_int(json, "silent", plan_worst(plan, at, false));
        json_set_text(json, "stopped", buf_text(&text));
        return json;
}

static enum err add_budgets(const struct plan *plan, struct buf *into, struct why *why)
{
        static const struct column columns[] = {
                { "BUDGET", "budget", print_count },          { "REACHED AFTER", "reached", print_seconds },        { "WORST", "reached_worst", print_seconds },
                { "WORST HARM, TOLD", "told", print_count },  { "WORST HARM, SILENT", "silent", print_count },     { "HARMLESS BUT STOPPED", "stopped", NULL },
        };
        OWN(json) struct json *rows = json_new_array();
        for (size_t i = 0; i < plan->budgets.count; i++)
                json_add(rows, budget_json(plan, i));
        return add_table(plan, columns, sizeof(columns) / sizeof(columns[0]), rows, into, why);
}

/* In words. */

static void add_good(struct cli *cli, const struct plan *plan, struct buf *line, struct buf *into)
{
        const struct study_row *good = plan_row(plan, 0, plan_first(plan));
        if (good->reached_s.median >= 0) {
                buf_add_text(line, "A harmless release has reached the fleet after ");
                words_span(line, good->reached_s.median);
                if (plan->study.plan.seeds > 1 && good->reached_s.worst >= 0) {
                        buf_add_text(line, ", at worst after ");
                        words_span(line, good->reached_s.worst);
                }
                buf_add_text(line, ": ");
        } else {
                buf_add_text(line, "A harmless release has not reached the fleet within ");
                words_span(line, plan->cases.scenarios[0].for_s);
                buf_add_text(line, ", the time simulated; try a larger budget, or --bound-silence 0. Reached is: ");
        }
        words_ppm(line, plan->policy.complete_ppm);
        buf_add_text(line, " of the simulated devices, held-out ones left out, have it proven.");
        add_paragraph(cli, line, 0, into);
}

static void add_left_out(const struct plan *plan, struct buf *line)
{
        const struct plan_cases *cases = &plan->cases;
        if (!cases->left_out_count)
                return;
        buf_add_text(line, " Harm of ");
        for (size_t i = 0; i < cases->left_out_count; i++) {
                buf_add_text(line, !i ? "" : i + 1 < cases->left_out_count ? ", " : " and ");
                words_ppm(line, cases->left_out_ppm[i]);
        }
        buf_add_text(line, " of the devices was left out: of ");
        words_count(line, plan->fleet.present);
        buf_add_text(line, " that is less than one.");
}

static void add_bad(struct cli *cli, const struct plan *plan, struct buf *line, struct buf *into)
{
        int64_t told = plan_worst(plan, plan_first(plan), true), silent = plan_worst(plan, plan_first(plan), false);
        if (told < 0)
                return;
        buf_add_text(line, "A harmful one hurts at most ");
        words_count(line, told);
        buf_add_text(line, " in these runs if devices tell, and ");
        words_count(line, silent);
        buf_add_text(line, " if they fall silent.");
        add_left_out(plan, line);
        buf_add_text(line, " A fault in only one value of an attribute was not simulated: the same rule holds it to about the budget.");
        add_paragraph(cli, line, 0, into);
}

static void add_warning(struct cli *cli, const struct plan *plan, struct buf *line, struct buf *into)
{
        const struct study_row *good = plan_row(plan, 0, plan_first(plan));
        uint32_t stopped = (uint32_t)good->run_count - good->stopped[ROLLOUT_BY_NOBODY];
        if (plan->policy.budget >= plan->fleet.devices) {
                buf_add_text(line, "This budget is as large as the fleet, or larger: everybody may be hurt before anything stops. Choose one far below ");
                words_count(line, plan->fleet.devices);
                buf_add_text(line, ".");
                add_paragraph(cli, line, 0, into);
        }
        if (stopped) {
                buf_add_text(line, "A harmless release was stopped in ");
                words_count(line, stopped);
                buf_add_text(line, " of ");
                add_count(line, (int64_t)good->run_count, "run");
                buf_add_text(line, ": what goes wrong anyway spends this budget. Choose a larger one.");
                add_paragraph(cli, line, 0, into);
        }
}

static void begin_item(struct buf *line)
{
        buf_add_text(line, "  * ");
}

static void end_item(struct cli *cli, struct buf *line, struct buf *into)
{
        add_paragraph(cli, line, 4, into);
}

typedef bool is_such(const struct plan *plan, size_t stratum);

static size_t count_such(const struct plan *plan, is_such *is)
{
        size_t count = 0;
        for (size_t i = 0; i < plan->fleet.stratum_count; i++)
                count += is(plan, i);
        return count;
}

/* "a=1 (2), b=1 (3), and 4 more" */
static void add_names(const struct plan *plan, is_such *is, bool has_counts, struct buf *line)
{
        size_t shown = 0, all = count_such(plan, is);
        for (size_t i = 0; i < plan->fleet.stratum_count && shown < NAMES_SHOWN; i++) {
                if (!is(plan, i))
                        continue;
                buf_addf(line, "%s%s", shown++ ? ", " : "", plan->fleet.strata[i].name);
                if (!has_counts)
                        continue;
                buf_add_text(line, " (");
                words_count(line, plan->fleet.strata[i].devices);
                buf_add_text(line, ")");
        }
        if (all > shown)
                buf_addf(line, ", and %zu more", all - shown);
}

static void add_strata(struct cli *cli, const struct plan *plan, struct buf *line, struct buf *into)
{
        size_t rare = count_such(plan, plan_is_rare);
        if (rare) {
                begin_item(line);
                buf_add_text(line, "too rare to test, fewer than ");
                add_count(line, plan->policy.budget, "device");
                buf_add_text(line, ", and served last: ");
                add_names(plan, plan_is_rare, true, line);
                end_item(cli, line, into);
        }
        if (count_such(plan, plan_is_alone)) {
                begin_item(line);
                buf_add_text(line, "the same in every device, so that nothing shows whether harm comes from it: ");
                add_names(plan, plan_is_alone, false, line);
                end_item(cli, line, into);
        }
        if (plan->fleet.no_stratum) {
                begin_item(line);
                add_count(line, plan->fleet.no_stratum, "device");
                buf_addf(line, " with values beyond the first %d: these are not tested by themselves", LIMIT_STRATA);
                end_item(cli, line, into);
        }
}

static void add_blocks(struct cli *cli, const struct plan_fleet *fleet, struct buf *line, struct buf *into)
{
        if (fleet->block_single) {
                begin_item(line);
                add_count(line, fleet->block_single, "block");
                buf_add_text(line, " of a single device: no control is beside it, so that its harm counts against the budget and proves nothing");
                end_item(cli, line, into);
        }
        if (fleet->merged_devices) {
                begin_item(line);
                buf_add_text(line, "in this plan only: ");
                add_count(line, fleet->merged_devices, "device");
                buf_add_text(line, " of rare combinations of attributes were simulated as the most common one of their block or ring");
                end_item(cli, line, into);
        }
}

static void add_absent(struct cli *cli, const struct plan_fleet *fleet, struct buf *line, struct buf *into)
{
        const struct { int64_t devices; const char *text; } rows[] = {
                { fleet->devices - fleet->seen_7d, ": not checked in for a week; not simulated, and no part of \"complete\" until they are back" },
                { fleet->seen_7d - fleet->seen_1d, ": not checked in for a day; simulated as laptops, on by fits in office hours (assumed)" },
                { fleet->enrolled_later, ": enrolled after the release was published; they get it when it is complete, and count as no evidence" },
                { fleet->kept_back, ": kept on an older release with their group" },
                { fleet->other_platform, ": on platforms that the release is not for" },
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                if (rows[i].devices <= 0)
                        continue;
                begin_item(line);
                add_count(line, rows[i].devices, "device");
                buf_add_text(line, rows[i].text);
                end_item(cli, line, into);
        }
}

static void add_late_harm(struct cli *cli, const struct plan *plan, struct buf *line, struct buf *into)
{
        const struct rollout_policy *policy = &plan->policy;
        begin_item(line);
        buf_add_text(line, "harm that shows later than the bake (");
        words_span(line, policy->bake_s);
        buf_add_text(line, "): by then others have it, and the watch can only keep it from the rest; after the watch (");
        words_span(line, policy->watch_s);
        buf_add_text(line, ") nothing stops by itself");
        end_item(cli, line, into);
}

/* What keeps people waiting, whatever the devices answer. */
static void add_pauses(struct cli *cli, const struct plan *plan, struct buf *line, struct buf *into)
{
        if (!plan->ceiling && !plan->has_freeze)
                return;
        begin_item(line);
        buf_add_text(line, "in this plan only: ");
        if (plan->ceiling) {
                buf_add_text(line, "the ceiling that was signed for its ramp (");
                print_ceiling(line, plan->ceiling);
                buf_add_text(line, plan->has_freeze ? "), and " : "): where it is reached nobody starts");
        }
        if (plan->has_freeze)
                buf_add_text(line, plan->ceiling ? "freeze windows: at the one, or while one of the others is open, nobody starts" : "freeze windows: while one is open nobody starts");
        buf_add_text(line, ", and all takes longer by that");
        end_item(cli, line, into);
}

enum err plan_view(struct cli *cli, const struct plan *plan, struct buf *into, struct why *why)
{
        OWN(buf) struct buf line;
        buf_init(&line, TEXT_BYTES_MAX);
        add_head(cli, plan, &line, into);
        add_fleet(cli, &plan->fleet, &line, into);
        add_past(cli, plan, &line, into);
        add_simulated(cli, plan, &line, into);
        enum err e = add_cases(plan, into, why);
        if (!e)
                e = add_budgets(plan, into, why);
        if (e)
                return e;
        buf_add_text(into, "\n");
        add_good(cli, plan, &line, into);
        add_bad(cli, plan, &line, into);
        add_warning(cli, plan, &line, into);
        buf_add_text(into, "\nWhat this rollout cannot see:\n");
        add_strata(cli, plan, &line, into);
        add_blocks(cli, &plan->fleet, &line, into);
        add_absent(cli, &plan->fleet, &line, into);
        add_late_harm(cli, plan, &line, into);
        add_pauses(cli, plan, &line, into);
        return buf_check(into, why);
}
