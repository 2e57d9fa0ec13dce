#include "agent/verify.h"

#include "agent/expand.h"
#include "platform/channel.h"
#include "platform/file.h"

#include <string.h>

/* It works for milliseconds, or a second where the processor is slow; that second takes many when a manager of services sets its unit up, and an engine
 * scans, on the same core: 7 s were seen. Who waits too briefly for it never has an update. One that loops ends by its processor time. */
enum { VERIFY_WAIT_MS = 20000, VERIFY_CPU_S = 10, VERIFY_MEMORY_BYTES = 512 << 20, VERIFY_FILES = 16 };

static enum err run(const struct verify_talk *talk, bool skips_unit, struct worker_state *ret_state, struct why *why)
{
        const char *const argv[] = { child_self, "verify", NULL };
        const struct child_limits limits = { .cpu_s = VERIFY_CPU_S, .memory_bytes = VERIFY_MEMORY_BYTES, .files = VERIFY_FILES };
        OWN(worker_link) struct worker_link link = worker_none;
        buf_clear(talk->answer);
        enum err e = worker_start(talk->workers, &(struct worker_setup){ WORKER_VERIFY, CHANNEL_STREAM, argv, &limits, NULL, skips_unit }, &link, why);
        if (!e)
                e = channel_pour(link.channel, talk->question->bytes, talk->question->length, VERIFY_WAIT_MS, why);
        if (!e)
                e = channel_drain(link.channel, talk->answer, VERIFY_WAIT_MS, why);
        if (!e && talk->answer->length < talk->least)
                e = FAIL(why, ERR_SYNTAX, "an answer of %zu bytes", talk->answer->length);
        *ret_state = worker_state_of(&link, &(struct confined){ 0 });
        return e ? DURING(why, e, "the verifier") : OK;
}

enum err verify_ask(const struct verify_talk *talk, struct worker_state *ret_state, struct why *why)
{
        enum err e = run(talk, false, ret_state, why);
        return e && ret_state->is_unit ? run(talk, true, ret_state, why) : e;
}

enum err verify_run(const struct verify_setup *setup, struct verdict *ret_verdict, struct why *why)
{
        struct verify_answer answer;
        struct worker_state state;
        OWN(buf) struct buf bytes;
        buf_init(&bytes, sizeof(answer));
        enum err e = verify_ask(&(struct verify_talk){ setup->workers, setup->bundle, sizeof(answer), &bytes }, &state, why);
        if (e)
                return e;
        memcpy(&answer, bytes.bytes, sizeof(answer));
        state.confined = answer.confined;
        *setup->state = state;
        *ret_verdict = answer.verdict;
        return verdict_check(ret_verdict, setup->records, why);
}

enum err verify_main(struct why *why)
{
        OWN(buf) struct buf bundle;
        buf_init(&bundle, BUNDLE_BYTES_MAX);
        struct verify_answer answer = { .verdict = { .version = 0 } };
        enum err e = file_read_input(&bundle, why);
        if (e)
                return DURING(why, e, "the bundle");
        /* Before the first of these bytes is looked at. A kernel that cannot is no reason to believe less or more. */
        (void)!confine_to_open_files(&answer.confined, why);
        if (expand_is_meant(&bundle))
                return expand_serve(&bundle, &answer.confined, why);
        verdict_decide(bundle.bytes, bundle.length, &answer.verdict);
        if (fwrite(&answer, sizeof(answer), 1, stdout) != 1 || fflush(stdout))
                return FAIL(why, ERR_IO, "the verdict could not be written");
        return OK;
}
