#include "cli/cosigning.h"

#include "log/cosignature.h"
#include "log/witness.h"

#include <inttypes.h>
#include <string.h>

enum { SAID_BYTES = 120 };               /* of what a witness says of its refusal */

/* ---- what there is ---- */

static enum err write_plain(struct cosigning *cosigning, const struct checkpoint *checkpoint, struct why *why)
{
        const struct verifier *log = &cosigning->trust->log;
        size_t i = 0;
        while (!checkpoint_is_of(&checkpoint->signatures[i], log))       /* one is: it is verified */
                i++;
        buf_add(&cosigning->note, checkpoint->text.text, checkpoint->text.length);
        enum err e = buf_check(&cosigning->note, why);
        const struct checkpoint_signature *signature = &checkpoint->signatures[i];
        return e ? e : checkpoint_add_signature(&cosigning->note, log, (struct line){ (const char *)signature->bytes, signature->length }, why);
}

enum err cosigning_begin(struct cosigning *cosigning, const struct log_trust *trust, const struct buf *note, struct why *why)
{
        struct checkpoint checkpoint;
        *cosigning = (struct cosigning){ .trust = trust };
        buf_init(&cosigning->note, LIMIT_CHECKPOINT_BYTES);
        enum err e = checkpoint_parse(buf_text(note), note->length, &checkpoint, why);
        if (!e)
                e = checkpoint_verify(&checkpoint, &trust->log, why);
        if (!e)
                e = write_plain(cosigning, &checkpoint, why);
        if (e)
                return e;
        cosigning->head = checkpoint.head;
        cosigning->plain_length = cosigning->note.length;
        for (size_t i = 0; !e && i < trust->witnesses.count; i++) {
                e = cosignature_time(&checkpoint, &trust->witnesses.keys[i], &cosigning->times[i], why);
                if (e == ERR_NOT_FOUND || e == ERR_UNTRUSTED) {          /* one that does not fit is none */
                        cosigning->times[i] = -1;
                        e = OK;
                }
        }
        return e;
}

void cosigning_release(struct cosigning *cosigning)
{
        buf_done(&cosigning->note);
}

size_t cosigning_count(const struct cosigning *cosigning)
{
        size_t count = 0;
        for (size_t i = 0; i < cosigning->trust->witnesses.count; i++)     /* an anchor has no key twice */
                count += cosigning->times[i] >= 0;
        return count;
}

bool cosigning_is_enough(const struct cosigning *cosigning)
{
        return cosigning_count(cosigning) >= cosigning->trust->witnesses.threshold;
}

void cosigning_ask(const struct cosigning *cosigning, uint64_t old_size, const struct tree_proof *proof, struct buf *request)
{
        struct witness_request asked = { .old_size = old_size, .proof = *proof, .note = { buf_text(&cosigning->note), cosigning->plain_length } };
        witness_request_write(&asked, request);
}

/* ---- what is answered ---- */

static enum err refuse(struct cosigning_hearing *hearing)
{
        hearing->word = COSIGNING_REFUSED;
        return OK;
}

static enum err refuse_status(const struct cosigning_answer *answer, struct cosigning_hearing *hearing, struct why *why)
{
        static const struct { int status; const char *means; } known[] = {
                { 403, "it does not know the log's key, or has another" }, { 404, "it is no witness of this log, or not at this address" }, { 409, "it says no size to go on from" },
                { 422, "the log does not begin with what it cosigned last: is this a fork, or was the log set back?" },
        };
        const char *means = answer->status >= 300 && answer->status < 400 ? "it points to another address, which is not followed" : "no answer of a witness";
        const char *text = buf_text(answer->body);
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (known[i].status == answer->status)
                        means = known[i].means;
        int length = (int)strcspn(text, "\r\n");
        length = length < SAID_BYTES ? length : SAID_BYTES;
        (void)FAIL(why, ERR_REFUSED, "status %d: %s%s%.*s", answer->status, means, length ? "; it says: " : "", length, text);
        return refuse(hearing);
}

static enum err hear_size(const struct cosigning *cosigning, const struct cosigning_answer *answer, struct cosigning_hearing *hearing, struct why *why)
{
        struct line rest = { buf_text(answer->body), answer->body->length }, line;
        if (!line_next(&rest, &line) || !line_number(line, &hearing->last_size) || rest.length)
                return refuse_status(answer, hearing, why);
        hearing->word = COSIGNING_OTHER_SIZE;
        if (hearing->last_size <= cosigning->head.size)
                return OK;
        (void)FAIL(why, ERR_ROLLBACK, "it cosigned a log of %" PRIu64 " entries, and this one has %" PRIu64, hearing->last_size, cosigning->head.size);
        return refuse(hearing);
}

/* The lines that were answered below the checkpoint, as a note. Borrows `trial`. */
static enum err try_lines(const struct cosigning *cosigning, const struct buf *lines, struct buf *trial, struct checkpoint *ret_checkpoint, struct why *why)
{
        buf_add(trial, cosigning->note.bytes, cosigning->plain_length);
        buf_add(trial, lines->bytes, lines->length);
        enum err e = buf_check(trial, why);
        if (!e)
                e = checkpoint_parse(buf_text(trial), trial->length, ret_checkpoint, why);
        size_t signed_length = note_signed_length(buf_text(&cosigning->note), cosigning->plain_length);
        if (!e && (ret_checkpoint->text.length != signed_length || ret_checkpoint->signature_count < 2))
                e = FAIL(why, ERR_SYNTAX, "no lines of cosignatures");
        return e;
}

static const struct checkpoint_signature *find(const struct checkpoint *checkpoint, const struct verifier *witness)
{
        for (size_t i = 1; i < checkpoint->signature_count; i++)         /* the first is the log's */
                if (checkpoint_is_of(&checkpoint->signatures[i], witness))
                        return &checkpoint->signatures[i];
        return NULL;
}

/* Of one witness, whose lines fit. */
static enum err take(struct cosigning *cosigning, size_t index, const struct checkpoint_signature *signature, int64_t time, struct why *why)
{
        if (!cosigning->is_gathered[index]) {
                enum err e = checkpoint_add_signature(&cosigning->note, &cosigning->trust->witnesses.keys[index], (struct line){ (const char *)signature->bytes, signature->length }, why);
                if (e)
                        return e;
                cosigning->is_gathered[index] = true;
                cosigning->gathered++;
        }
        cosigning->times[index] = time > cosigning->times[index] ? time : cosigning->times[index];
        return OK;
}

/* First all that are there are judged: of an answer with a line that does not fit nothing is taken. */
static enum err take_lines(struct cosigning *cosigning, const struct checkpoint *checkpoint, int64_t now_s, struct cosigning_hearing *hearing, struct why *why)
{
        const struct anchor_witnesses *witnesses = &cosigning->trust->witnesses;
        int64_t times[LIMIT_WITNESSES];
        enum err e = OK;
        for (size_t i = 0; i < witnesses->count; i++) {
                times[i] = -1;
                e = cosignature_time(checkpoint, &witnesses->keys[i], &times[i], why);
                if (e == ERR_UNTRUSTED)
                        return refuse(hearing);
                if (e && e != ERR_NOT_FOUND)
                        return e;
                if (times[i] > now_s + LIMIT_WITNESS_AHEAD_S) {
                        (void)FAIL(why, ERR_REFUSED, "the clock of %.100s is %" PRId64 " s ahead of this one; devices count it when its time has come", witnesses->keys[i].name, times[i] - now_s);
                        return refuse(hearing);
                }
        }
        e = OK;
        for (size_t i = 0; !e && i < witnesses->count; i++) {
                if (times[i] < 0)
                        continue;
                e = take(cosigning, i, find(checkpoint, &witnesses->keys[i]), times[i], why);
                if (hearing->word == COSIGNING_GIVEN)
                        continue;
                hearing->word = COSIGNING_GIVEN;
                hearing->time = times[i];
                snprintf(hearing->name, sizeof(hearing->name), "%s", witnesses->keys[i].name);
        }
        return e;
}

static enum err hear_lines(struct cosigning *cosigning, const struct cosigning_answer *answer, struct cosigning_hearing *hearing, struct why *why)
{
        OWN(buf) struct buf trial;
        struct checkpoint checkpoint;
        buf_init(&trial, LIMIT_CHECKPOINT_BYTES);
        enum err e = try_lines(cosigning, answer->body, &trial, &checkpoint, why);
        if (e == ERR_NOMEM)
                return e;
        if (e) {
                (void)DURING(why, e, "it answers what is no cosignature");
                return refuse(hearing);
        }
        const struct line name = checkpoint.signatures[1].name;
        hearing->word = COSIGNING_STRANGER;
        snprintf(hearing->name, sizeof(hearing->name), "%.*s", (int)name.length, name.text);
        return take_lines(cosigning, &checkpoint, answer->now_s, hearing, why);
}

enum err cosigning_hear(struct cosigning *cosigning, const struct cosigning_answer *answer, struct cosigning_hearing *ret_hearing, struct why *why)
{
        *ret_hearing = (struct cosigning_hearing){ .time = -1 };
        if (answer->status == 200)
                return hear_lines(cosigning, answer, ret_hearing, why);
        return answer->status == 409 ? hear_size(cosigning, answer, ret_hearing, why) : refuse_status(answer, ret_hearing, why);
}
