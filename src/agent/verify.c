#include "agent/verify.h"

#include "platform/channel.h"
#include "platform/child.h"
#include "platform/confine.h"
#include "platform/file.h"

enum { VERIFY_MS = 10000, VERIFY_MEMORY_BYTES = 512 << 20, VERIFY_FILES = 16 };

static enum err take_verdict(int end, size_t records, struct verdict *ret_verdict, struct why *why)
{
        bool is_ready = false;
        size_t length = 0;
        enum err e = channel_wait(&end, 1, VERIFY_MS, &is_ready, why);
        if (!e && !is_ready)
                return FAIL(why, ERR_TIMEOUT, "the verifier took more than %d s", VERIFY_MS / 1000);
        if (!e)
                e = channel_receive(end, ret_verdict, sizeof(*ret_verdict), &length, why);
        if (e)
                return DURING(why, e, "the verifier");
        if (length != sizeof(*ret_verdict))
                return FAIL(why, ERR_SYNTAX, "a verdict of %zu bytes", length);
        return verdict_check(ret_verdict, records, why);
}

enum err verify_run(const struct buf *bundle, size_t records, struct verdict *ret_verdict, struct why *why)
{
        int ends[2] = { -1, -1 }, input = -1;
        struct child child = { 0 };
        enum err e = channel_memory(bundle->bytes, bundle->length, &input, why);
        if (!e)
                e = channel_open(ends, why);
        const char *const argv[] = { child_self, "verify", NULL };
        const struct child_limits limits = { .cpu_s = VERIFY_MS / 1000, .memory_bytes = VERIFY_MEMORY_BYTES, .files = VERIFY_FILES };
        if (!e)
                e = child_start(&(struct child_setup){ argv, input, ends[1], -1, &limits }, &child, why);
        channel_close(ends[1]);
        if (!e)
                e = take_verdict(ends[0], records, ret_verdict, why);
        channel_close(ends[0]);
        channel_close(input);
        child_kill(&child);
        return e;
}

enum err verify_main(struct why *why)
{
        OWN(buf) struct buf bundle;
        buf_init(&bundle, BUNDLE_BYTES_MAX);
        struct verdict verdict;
        enum err e = file_read("/dev/stdin", &bundle, why);
        if (e)
                return e;
        /* Before the first of these bytes is looked at. A kernel that cannot is no reason to believe less or more. */
        (void)!confine_to_open_files(why);
        verdict_decide(bundle.bytes, bundle.length, &verdict);
        if (fwrite(&verdict, sizeof(verdict), 1, stdout) != 1 || fflush(stdout))
                return FAIL(why, ERR_IO, "the verdict could not be written");
        return OK;
}
