/* Have witnesses cosign the newest checkpoint, and give the server what they signed: once, or again and again. */
#include "base/text.h"
#include "cli/cosigning.h"
#include "cli/facts.h"
#include "cli/log_reader.h"
#include "cli/witness_call.h"
#include "format/json.h"
#include "log/prover.h"
#include "log/witness.h"
#include "platform/channel.h"
#include "platform/net.h"

#include <inttypes.h>
#include <string.h>

enum { EXIT_TOO_FEW = 4, TRIES = 3, TEXT_BYTES = 1 << 20 };      /* a witness says once from where to ask, and once more when another cosigner was faster */

/* What came of a witness. Each is one word for people and programs. */
enum outcome { OUTCOME_NONE, OUTCOME_COSIGNED, OUTCOME_REFUSED, OUTCOME_UNREACHABLE, OUTCOME_STRANGER };
static const char *const outcome_words[] = {
        [OUTCOME_NONE] = "not asked", [OUTCOME_COSIGNED] = "cosigned", [OUTCOME_REFUSED] = "refused", [OUTCOME_UNREACHABLE] = "unreachable", [OUTCOME_STRANGER] = "not in the anchor",
};

struct asked {
        const char *url;
        uint64_t old_size;                       /* what it cosigned last, as far as we know: it is asked from there */
        enum outcome outcome, before;            /* of this round and the one before */
        struct cosigning_hearing hearing;
        struct why why;                          /* of a refusal, or why it cannot be reached */
};

struct cosigner_run {
        struct cli *cli;
        struct net *net, *own_net;               /* to the witnesses; the same, unless the network is a test's */
        int signals;                             /* -1: a signal ends us as it ends any program */
        bool is_over;
        size_t count;
        struct asked asked[ARG_WORDS];
};
static void cosigner_run_release(struct cosigner_run *run)
{
        net_close(run->own_net);
        channel_close(run->signals);
}

/* ---- one witness ---- */

static enum err make_request(const struct cosigning *cosigning, const struct tile_store *store, uint64_t old_size, struct buf *request, struct why *why)
{
        struct prover_growth growth;
        enum err e = prover_consistency(store, &cosigning->head, old_size, &growth, why);
        if (e)
                return DURING(why, e, "proving that the log grew from %" PRIu64 " entries", old_size);
        cosigning_ask(cosigning, old_size, &growth.proof, request);
        return buf_check(request, why);
}

static enum err ask_once(struct cosigner_run *run, struct asked *asked, struct cosigning *cosigning, const struct tile_store *store, struct why *why)
{
        OWN(buf) struct buf request, answer;
        int status = 0;
        buf_init(&request, WITNESS_REQUEST_MAX);
        buf_init(&answer, LIMIT_WITNESS_ANSWER_BYTES);
        enum err e = make_request(cosigning, store, asked->old_size, &request, why);
        if (e)
                return e;
        e = witness_call(run->net, asked->url, &request, &status, &answer, &asked->why);
        if (e == ERR_NOMEM)
                return FAIL(why, e, "asking a witness");
        if (e) {
                asked->outcome = OUTCOME_UNREACHABLE;
                return OK;
        }
        return cosigning_hear(cosigning, &(struct cosigning_answer){ status, &answer, cli_now(run->cli) }, &asked->hearing, &asked->why);
}

/* From what we know of it, or else from nothing: it says where to begin. */
static enum err ask_witness(struct cosigner_run *run, struct asked *asked, struct cosigning *cosigning, const struct tile_store *store, struct why *why)
{
        static const enum outcome outcomes[] = { [COSIGNING_GIVEN] = OUTCOME_COSIGNED, [COSIGNING_OTHER_SIZE] = OUTCOME_REFUSED, [COSIGNING_STRANGER] = OUTCOME_STRANGER, [COSIGNING_REFUSED] = OUTCOME_REFUSED };
        enum err e = OK;
        asked->outcome = OUTCOME_NONE;
        asked->why = (struct why){ 0 };
        asked->old_size = asked->old_size <= cosigning->head.size ? asked->old_size : 0;
        for (int i = 0; !e && i < TRIES && asked->outcome == OUTCOME_NONE; i++) {
                e = ask_once(run, asked, cosigning, store, why);
                if (e || asked->outcome == OUTCOME_UNREACHABLE)
                        return e;
                if (asked->hearing.word == COSIGNING_OTHER_SIZE)
                        asked->old_size = asked->hearing.last_size;
                else
                        asked->outcome = outcomes[asked->hearing.word];
        }
        if (asked->outcome == OUTCOME_NONE) {
                (void)FAIL(&asked->why, ERR_REFUSED, "each time it says another size to go on from");
                asked->outcome = OUTCOME_REFUSED;
        }
        if (asked->outcome == OUTCOME_COSIGNED)
                asked->old_size = cosigning->head.size;
        return OK;
}

/* ---- what is said ---- */

static void set_clean(struct json *json, const char *key, const char *text)
{
        OWN(buf) struct buf clean;
        buf_init(&clean, 8 * WHY_TEXT_MAX);
        text_add_utf8(text, &clean);
        json_set_text(json, key, buf_text(&clean));
}

static struct json *witness_json(const struct asked *asked)
{
        struct json *json = json_new_object();
        const bool has_name = asked->outcome == OUTCOME_COSIGNED || asked->outcome == OUTCOME_STRANGER;
        json_set_text(json, "url", asked->url);
        json_set_text(json, "outcome", outcome_words[asked->outcome]);
        if (has_name)
                set_clean(json, "name", asked->hearing.name);
        if (asked->outcome == OUTCOME_COSIGNED)
                json_set_int(json, "cosigned", asked->hearing.time);
        if (!has_name)
                set_clean(json, "why", asked->why.text);
        return json;
}

static struct json *round_json(const struct cosigner_run *run, const struct cosigning *cosigning)
{
        struct json *json = json_new_object(), *list = json_new_array();
        for (size_t i = 0; i < run->count; i++)
                if (run->asked[i].outcome != OUTCOME_NONE)
                        json_add(list, witness_json(&run->asked[i]));
        json_set_int(json, "size", (int64_t)cosigning->head.size);
        json_set(json, "witnesses", list);
        json_set_int(json, "cosigned", (int64_t)cosigning_count(cosigning));
        json_set_int(json, "threshold", (int64_t)cosigning->trust->witnesses.threshold);
        return json;
}

/* A line a witness: in the long run only what is new, so that one that is away for a week says so once. */
static void write_lines(const struct cosigner_run *run, const struct json *round, struct buf *into)
{
        const struct json *list = json_get(round, "witnesses");
        for (size_t i = 0, at = 0; i < run->count; i++) {
                const struct asked *asked = &run->asked[i];
                const struct json *witness = asked->outcome == OUTCOME_NONE ? NULL : json_at(list, at++);
                if (!witness || (asked->outcome == asked->before && asked->outcome != OUTCOME_COSIGNED))
                        continue;
                buf_addf(into, "%s  %s", asked->url, outcome_words[asked->outcome]);
                buf_add_text(into, asked->outcome == OUTCOME_COSIGNED ? " the log of " : ": ");
                if (asked->outcome == OUTCOME_COSIGNED)
                        buf_addf(into, "%lld entries as ", (long long)json_int(json_get(round, "size"), 0));
                print_value(into, json_get(witness, json_get(witness, "name") ? "name" : "why"));
                buf_add_text(into, "\n");
        }
}

static enum err say(struct cosigner_run *run, const struct json *round, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, TEXT_BYTES);
        if (!json_is_whole(round))
                return FAIL(why, ERR_NOMEM, "telling of the witnesses");
        if (!arg_has(run->cli->args, OPTION_JSON)) {
                write_lines(run, round, &text);
                return print_buf(run->cli, &text, why);
        }
        if (!arg_has(run->cli->args, OPTION_EVERY))
                return print_json(run->cli, round, why);
        enum err e = json_write(round, 0, &text, why);
        buf_add_text(&text, "\n");
        return e ? e : print_buf(run->cli, &text, why);
}

/* ---- one round ---- */

static enum err ask_all(struct cosigner_run *run, struct cosigning *cosigning, const struct tile_store *store, struct why *why)
{
        enum err e = OK;
        for (size_t i = 0; i < run->count; i++) {
                run->asked[i].before = run->asked[i].outcome;
                run->asked[i].outcome = OUTCOME_NONE;
        }
        for (size_t i = 0; !e && i < run->count && !run->is_over; i++) {
                e = ask_witness(run, &run->asked[i], cosigning, store, why);
                run->is_over = run->signals >= 0 && channel_signals_take(run->signals);
        }
        return e;
}

/* It must say that it took them for this head, and count as we do. */
static enum err check_taken(const struct cosigning *cosigning, const struct json *answer, struct why *why)
{
        const int64_t witnesses = json_int(json_get(answer, "witnesses"), -1);
        if (json_int(json_get(answer, "size"), -1) != (int64_t)cosigning->head.size)
                return FAIL(why, ERR_SYNTAX, "the server did not say that it took them for the log of %" PRIu64 " entries", cosigning->head.size);
        if (cosigning_is_enough(cosigning) && witnesses < (int64_t)cosigning->trust->witnesses.threshold)
                return FAIL(why, ERR_REFUSED, "the server counts %lld witnesses where this anchor counts %zu: it has another one", (long long)witnesses, cosigning_count(cosigning));
        return OK;
}

static enum err hand_over(struct api *api, const struct cosigning *cosigning, struct why *why)
{
        OWN(buf) struct buf answer;
        OWN(json) struct json *json = NULL;
        buf_init(&answer, LIMIT_REQUEST_BYTES);
        enum err e = api_ask_text(api, &(struct api_text){ .path = "/api/v1/log/cosignatures", .body = &cosigning->note }, &answer, why);
        if (!e)
                e = json_parse(buf_text(&answer), answer.length, LIMIT_REQUEST_BYTES, &json, why);
        if (!e)
                e = check_taken(cosigning, json, why);
        return e ? DURING(why, e, "handing the cosignatures over") : OK;
}

/* What was gathered is handed over also when it could not go on to the end. */
static enum err gather(struct cosigner_run *run, struct api *api, struct log_reader *reader, struct cosigning *cosigning, struct why *why)
{
        const struct tile_store store = log_reader_store(reader);
        enum err cut = ask_all(run, cosigning, &store, why);
        struct why *later = cut ? NULL : why;
        OWN(json) struct json *round = round_json(run, cosigning);
        enum err e = say(run, round, later);
        if (!e && cosigning->gathered)
                e = hand_over(api, cosigning, later);
        return cut ? cut : e;
}

/* With --every, witnesses are asked only while there are too few cosignatures; the next checkpoint has none. OK also with too few: then
 * why->text says how many there are. */
static enum err one_round(struct cosigner_run *run, bool *ret_is_enough, struct why *why)
{
        OWN(api) struct api *api = NULL;
        OWN(log_reader) struct log_reader *reader = NULL;
        OWN(buf) struct buf note;
        OWN(cosigning) struct cosigning cosigning = { 0 };
        struct checkpoint checkpoint;
        struct log_trust trust;
        buf_init(&note, LIMIT_CHECKPOINT_BYTES);
        enum err e = log_trust_read(run->cli, &trust, why);
        if (!e && !trust.witnesses.threshold)
                e = FAIL(why, ERR_REFUSED, "the publisher's anchor names no witnesses: the log's own word is enough for its devices");
        if (!e)
                e = api_open(run->cli, &api, why);
        if (!e)
                e = log_reader_open(api, &reader, why);
        if (!e)
                e = log_reader_checkpoint(reader, &trust.log, &note, &checkpoint, why);
        if (!e)
                e = cosigning_begin(&cosigning, &trust, &note, why);
        if (!e && !(arg_has(run->cli->args, OPTION_EVERY) && cosigning_is_enough(&cosigning)))
                e = gather(run, api, reader, &cosigning, why);
        if (e)
                return e;
        *ret_is_enough = cosigning_is_enough(&cosigning);
        if (!*ret_is_enough)
                (void)FAIL(why, ERR_UNAVAILABLE, "%zu of the anchor's witnesses cosigned the log of %" PRIu64 " entries, and it takes %zu", cosigning_count(&cosigning),
                           cosigning.head.size, trust.witnesses.threshold);
        return OK;
}

/* ---- once, or on and on ---- */

static enum err once(struct cosigner_run *run, struct why *why)
{
        bool is_enough = false;
        enum err e = one_round(run, &is_enough, why);
        if (e || is_enough)
                return e;
        run->cli->exit_code = EXIT_TOO_FEW;
        return ERR_UNAVAILABLE;
}

/* What will not go away by itself ends the first round; later ones go on, and each new cause is said once. */
static enum err again_and_again(struct cosigner_run *run, struct why *why)
{
        const int64_t every_ms = arg_int(run->cli->args, OPTION_EVERY, 0) * 1000;
        enum err before = OK, e = channel_signals(&run->signals, why);
        for (bool is_first = true; !e && !run->is_over; is_first = false) {
                bool is_enough = false, has_signal = false;
                enum err trouble = one_round(run, &is_enough, why);
                if (trouble && is_first && !err_info(trouble)->retry)
                        return trouble;
                trouble = trouble || is_enough ? trouble : ERR_UNAVAILABLE;
                if (trouble && trouble != before) {
                        OWN(buf) struct buf text;
                        buf_init(&text, TEXT_BYTES);
                        print_clean(&text, why->text);
                        fprintf(run->cli->err, "firebreak: %s; trying again\n", buf_text(&text));
                }
                before = trouble;
                if (!run->is_over)
                        e = channel_wait(&run->signals, 1, every_ms, &has_signal, why);
                run->is_over = run->is_over || channel_signals_take(run->signals);
        }
        return e;
}

static enum err prepare(struct cosigner_run *run, struct why *why)
{
        const struct args *args = run->cli->args;
        enum err e = arg_has(args, OPTION_PUBLISHER) ? OK : FAIL(why, ERR_USAGE, "whose witnesses? give --publisher DIR, the folder whose anchor names them");
        for (run->count = 0; !e && run->count < args->word_count; run->count++) {
                run->asked[run->count].url = args->words[run->count];
                e = witness_call_check(args->words[run->count], why);
        }
        run->net = run->cli->net;
        if (!e && !run->net) {
                e = witness_call_open(&run->own_net, why);
                run->net = run->own_net;
        }
        return e;
}

enum err cmd_log_cosign(struct cli *cli, struct why *why)
{
        OWN(cosigner_run) struct cosigner_run run = { .cli = cli, .signals = -1 };
        enum err e = prepare(&run, why);
        if (e)
                return e;
        return arg_has(cli->args, OPTION_EVERY) ? again_and_again(&run, why) : once(&run, why);
}
