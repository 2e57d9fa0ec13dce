#include "server/signer/remote.h"

#include "base/mem.h"
#include "platform/clock.h"
#include "platform/link.h"
#include "server/ipc.h"

#include <string.h>

enum { WISH_MAX = LIMIT_METADATA_BYTES + 1024 };

struct remote {
        struct signer signer;
        int end;
        bool is_deaf;
        struct buf in, out;
};

/* The time by which it is to be done; NEVER: no limit. */
#define NEVER INT64_MAX
static int64_t steady_ms(void) { return clock_system()->ops->steady_ms(clock_system()); }

static enum err wait_until(int end, bool wants_room, int64_t until_ms, struct why *why)
{
        int64_t left_ms = until_ms == NEVER ? -1 : until_ms - steady_ms();
        if (until_ms != NEVER && left_ms <= 0)
                return FAIL(why, ERR_EXPIRED, "no answer within %d ms", LIMIT_SIGNER_MS);
        return link_wait(end, wants_room, left_ms, why);
}

static enum err send_all(int end, struct buf *out, int64_t until_ms, struct why *why)
{
        enum err e = buf_check(out, why);
        while (!e && out->length) {
                e = link_write(end, out, why);
                if (!e && out->length)
                        e = wait_until(end, true, until_ms, why);
        }
        return e;
}

/* Waits for one whole frame, which points into `in`. */
static enum err receive(int end, struct buf *in, int64_t until_ms, struct ipc_frame *ret_frame, size_t *ret_used, struct why *why)
{
        for (;;) {
                enum err e = ipc_cut(buf_text(in), in->length, ret_frame, ret_used, why);
                if (e || *ret_used)
                        return e;
                e = wait_until(end, false, until_ms, why);
                if (!e)
                        e = link_read(end, in, WISH_MAX, why);
                if (e)
                        return e;
        }
}

static enum err remote_sign(struct signer *signer, enum signer_form form, const void *bytes, size_t length, uint8_t ret_signature[64], struct why *why)
{
        struct remote *remote = (struct remote *)signer;
        struct ipc_frame frame;
        struct ipc_signed answer;
        size_t used = 0;
        buf_clear(&remote->in);
        buf_clear(&remote->out);
        ipc_write_sign(&remote->out, form, bytes, length);
        int64_t until_ms = steady_ms() + LIMIT_SIGNER_MS;
        enum err e = remote->is_deaf ? FAIL(why, ERR_EXPIRED, "it stopped answering") : send_all(remote->end, &remote->out, until_ms, why);
        if (!e)
                e = receive(remote->end, &remote->in, until_ms, &frame, &used, why);
        remote->is_deaf |= e == ERR_EXPIRED;
        if (!e)
                e = ipc_read_signed(&frame, &answer, why);
        if (e)
                return DURING(why, e == ERR_LIMIT || e == ERR_NOMEM ? e : ERR_UNAVAILABLE, "asking the signer");
        if (answer.failed)
                return FAIL(why, answer.failed, "%s", answer.text);
        memcpy(ret_signature, answer.signature, 64);
        return OK;
}

bool signer_remote_is_deaf(const struct signer *signer)
{
        return ((const struct remote *)signer)->is_deaf;
}

static const struct signer_ops remote_ops = { remote_sign };

enum err signer_remote_open(int end, struct signer **ret_signer, struct why *why)
{
        struct remote *remote = mem_new(1, sizeof(*remote));
        if (!remote)
                return FAIL(why, ERR_NOMEM, "out of memory");
        *remote = (struct remote){ .signer = { &remote_ops }, .end = end };
        buf_init(&remote->in, WISH_MAX);
        buf_init(&remote->out, WISH_MAX);
        *ret_signer = &remote->signer;
        return OK;
}

void signer_remote_close(struct signer *signer)
{
        struct remote *remote = (struct remote *)signer;
        if (!remote)
                return;
        buf_done(&remote->in);
        buf_done(&remote->out);
        mem_free(remote);
}

static enum err answer_wish(struct signer *signer, const struct ipc_frame *frame, struct buf *out, struct why *why)
{
        uint8_t signature[64];
        struct why reason = { 0 };
        enum signer_form form;
        struct store_text wish;
        enum err e = ipc_read_sign(frame, &form, &wish, why);
        if (e)
                return e;
        enum err failed = signer->ops->sign(signer, form, wish.bytes, wish.length, signature, &reason);
        ipc_write_signed(out, &(struct ipc_signed){ .failed = failed, .text = reason.text, .signature = signature });
        return buf_check(out, why);
}

enum err signer_serve(int end, struct signer *signer, struct why *why)
{
        OWN(buf) struct buf in, out;
        buf_init(&in, WISH_MAX);
        buf_init(&out, WISH_MAX);
        for (;;) {
                struct ipc_frame frame;
                size_t used = 0;
                enum err e = receive(end, &in, NEVER, &frame, &used, why);
                if (e)
                        return e == ERR_UNAVAILABLE ? OK : e;
                e = answer_wish(signer, &frame, &out, why);
                if (!e)
                        e = send_all(end, &out, NEVER, why);
                if (e)
                        return e == ERR_UNAVAILABLE ? OK : e;
                memmove(in.bytes, in.bytes + used, in.length - used);
                in.length -= used;
        }
}
