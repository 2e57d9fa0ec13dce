#include "witness/service.h"

#include <inttypes.h>
#include <string.h>

static const char text_type[] = "text/plain; charset=utf-8";

static enum err last_head(void *context, size_t log, struct tree_head *ret_head, struct why *why)
{
        const struct service *service = context;
        return ledger_head(&service->ledger, service->logs[log].name, ret_head, why);
}

/* The text with the log's own signatures; what else somebody hung on it is not ours to keep. */
static enum err copy_note(const struct checkpoint *checkpoint, const struct verifier *log, struct buf *note, struct why *why)
{
        buf_add(note, checkpoint->text.text, checkpoint->text.length);
        enum err e = buf_check(note, why);
        for (size_t i = 0; i < checkpoint->signature_count && !e; i++) {
                const struct checkpoint_signature *signature = &checkpoint->signatures[i];
                if (checkpoint_is_of(signature, log))
                        e = checkpoint_add_signature(note, log, (struct line){ (const char *)signature->bytes, signature->length }, why);
        }
        return e;
}

static enum err cosign(const struct service *service, const struct witness_request *request, size_t log, struct reply *reply, struct why *why)
{
        OWN(buf) struct buf note;
        const struct cosigner cosigner = { service->witness, service->key };
        buf_init(&note, LIMIT_CHECKPOINT_BYTES);
        enum err e = copy_note(&request->checkpoint, &service->logs[log], &note, why);
        size_t before = note.length;
        if (!e)
                e = cosignature_add(&note, &cosigner, service->clock->ops->wall_s(service->clock), why);
        if (!e)
                e = ledger_keep(&service->ledger, request->checkpoint.origin, &note, why);
        if (e)
                return e;
        buf_add(&reply->body, note.bytes + before, note.length - before);
        return buf_check(&reply->body, why);
}

static enum err trouble(struct reply *reply, enum err e)
{
        reply->status = 500;
        buf_clear(&reply->body);
        buf_add_text(&reply->body, "the witness is in trouble; ask again later\n");
        return e;
}

static enum err refuse(struct reply *reply, const struct witness_ruling *ruling, struct why *why)
{
        reply->status = witness_http_status(ruling->answer);
        if (ruling->answer == WITNESS_OTHER_SIZE) {
                reply->type = "text/x.tlog.size";
                buf_addf(&reply->body, "%" PRIu64 "\n", ruling->last_size);
        } else {
                buf_addf(&reply->body, "%s\n", why->text);
        }
        why->err = ERR_REFUSED;
        return ERR_REFUSED;
}

enum err service_add_checkpoint(const struct service *service, const struct line *request, struct reply *reply, struct why *why)
{
        struct witness_request parsed;
        struct witness_ruling ruling = { .answer = WITNESS_MALFORMED };
        const struct witness_case of = { service->logs, service->log_count, last_head, (void *)service };
        reply->type = text_type;
        reply->origin[0] = 0;
        reply->size = 0;
        if (witness_request_parse(request->text, request->length, &parsed, why))
                return refuse(reply, &ruling, why);
        memcpy(reply->origin, parsed.checkpoint.origin, sizeof(reply->origin));
        reply->size = parsed.checkpoint.head.size;
        enum err e = witness_decide(&parsed, &of, &ruling, why);
        if (!e && ruling.answer != WITNESS_COSIGNS)
                return refuse(reply, &ruling, why);
        if (!e)
                e = cosign(service, &parsed, ruling.log, reply, why);
        reply->status = 200;
        return e ? trouble(reply, e) : OK;
}

enum err service_checkpoint(const struct service *service, const char *name, struct reply *reply, struct why *why)
{
        reply->type = text_type;
        reply->origin[0] = 0;
        reply->size = 0;
        enum err e = ledger_read(&service->ledger, name, &reply->body, why);
        reply->status = 200;
        if (e != ERR_NOT_FOUND && e != ERR_SYNTAX)
                return e ? trouble(reply, e) : OK;
        reply->status = 404;
        buf_add_text(&reply->body, "never cosigned such a log\n");
        return ERR_NOT_FOUND;
}
