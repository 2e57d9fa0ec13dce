#include "log/cosignature.h"

#include <inttypes.h>
#include <string.h>

enum { TIME_BYTES = 8, SIGNATURE_BYTES = 64, COSIGNATURE_BYTES = TIME_BYTES + SIGNATURE_BYTES };

/* What is signed: two lines that no note begins with, so that it is a signature of nothing else. */
static enum err write_message(struct line text, int64_t time, struct buf *into, struct why *why)
{
        buf_init(into, LIMIT_CHECKPOINT_BYTES + 64);
        buf_addf(into, "cosignature/v1\ntime %" PRId64 "\n", time);
        buf_add(into, text.text, text.length);
        return buf_check(into, why);
}

enum err cosignature_add(struct buf *note, const struct cosigner *cosigner, int64_t time, struct why *why)
{
        OWN(buf) struct buf message = { 0 };
        uint8_t blob[COSIGNATURE_BYTES];
        struct checkpoint checkpoint;
        enum err e = checkpoint_parse(buf_text(note), note->length, &checkpoint, why);
        if (!e && (cosigner->verifier->kind != VERIFIER_WITNESS || time < 0))
                e = FAIL(why, ERR_SYNTAX, "a cosignature is a witness's, and has a time since 1970");
        if (!e)
                e = write_message(checkpoint.text, time, &message, why);
        if (e)
                return e;
        for (int i = 0; i < TIME_BYTES; i++)
                blob[i] = (uint8_t)((uint64_t)time >> (8 * (TIME_BYTES - 1 - i)));
        key_sign(cosigner->key, buf_text(&message), message.length, blob + TIME_BYTES);
        return checkpoint_add_signature(note, cosigner->verifier, (struct line){ (const char *)blob, sizeof(blob) }, why);
}

static enum err check_one(const struct checkpoint *checkpoint, const struct checkpoint_signature *signature, const struct verifier *witness, int64_t *ret_time, struct why *why)
{
        OWN(buf) struct buf message = { 0 };
        uint64_t time = 0;
        for (int i = 0; i < TIME_BYTES; i++)
                time = time << 8 | signature->bytes[i];
        if (signature->length != COSIGNATURE_BYTES || time > INT64_MAX)
                return FAIL(why, ERR_UNTRUSTED, "the cosignature of %s is not a time and a signature", witness->name);
        enum err e = write_message(checkpoint->text, (int64_t)time, &message, why);
        if (e)
                return e;
        *ret_time = (int64_t)time;
        return key_verify(&witness->key, buf_text(&message), message.length, signature->bytes + TIME_BYTES)
               ? OK : FAIL(why, ERR_UNTRUSTED, "the cosignature of %s does not fit the checkpoint", witness->name);
}

enum err cosignature_time(const struct checkpoint *checkpoint, const struct verifier *witness, int64_t *ret_time, struct why *why)
{
        int64_t time = -1;
        if (witness->kind != VERIFIER_WITNESS)
                return FAIL(why, ERR_UNTRUSTED, "%s is the key of a log, not of a witness", witness->name);
        for (size_t i = 0; i < checkpoint->signature_count; i++) {
                int64_t found = -1;
                if (!checkpoint_is_of(&checkpoint->signatures[i], witness))
                        continue;
                enum err e = check_one(checkpoint, &checkpoint->signatures[i], witness, &found, why);
                if (e)
                        return e;
                time = found > time ? found : time;
        }
        if (time < 0)
                return FAIL(why, ERR_NOT_FOUND, "%s has not cosigned the checkpoint", witness->name);
        *ret_time = time;
        return OK;
}

/* The good ones, a key once. */
struct tally { size_t count, late; int64_t times[LIMIT_WITNESSES]; const struct verifier *by[LIMIT_WITNESSES]; };

/* Has this key, maybe under another name, been counted already? */
static bool is_counted(const struct tally *tally, const struct verifier *witness)
{
        for (size_t i = 0; i < tally->count; i++)
                if (key_equal(&tally->by[i]->key, &witness->key))
                        return true;
        return false;
}

static enum err count(const struct checkpoint *checkpoint, const struct witnesses *witnesses, struct tally *tally, struct why *why)
{
        for (size_t i = 0; i < witnesses->count; i++) {
                const struct verifier *witness = &witnesses->verifiers[i];
                int64_t time = -1;
                enum err e = cosignature_time(checkpoint, witness, &time, why);
                if (e == ERR_NOT_FOUND)
                        continue;
                if (e)
                        return e;
                bool is_timely = time >= witnesses->not_before && time <= witnesses->not_after;
                tally->late += !is_timely;
                if (!is_timely || is_counted(tally, witness))
                        continue;
                tally->by[tally->count] = witness;
                tally->times[tally->count++] = time;
        }
        return OK;
}

/* The threshold-th from below. */
static int64_t seen_by_enough(const struct tally *tally, size_t threshold)
{
        int64_t best = INT64_MAX;
        for (size_t i = 0; i < tally->count; i++) {
                size_t before = 0;
                for (size_t other = 0; other < tally->count; other++)
                        before += tally->times[other] <= tally->times[i];
                if (before >= threshold && tally->times[i] < best)
                        best = tally->times[i];
        }
        return best;
}

enum err cosignature_verify(const struct checkpoint *checkpoint, const struct witnesses *witnesses, int64_t *ret_seen, struct why *why)
{
        struct tally tally = { 0 };
        if (!witnesses->threshold || witnesses->count > LIMIT_WITNESSES)
                return FAIL(why, ERR_UNTRUSTED, "a threshold of %zu of %zu witnesses means nothing", witnesses->threshold, witnesses->count);
        enum err e = count(checkpoint, witnesses, &tally, why);
        if (e)
                return e;
        if (tally.count < witnesses->threshold)
                return FAIL(why, ERR_UNTRUSTED, "cosigned by %zu of the witnesses that count, and it takes %zu; %zu more not at the right time", tally.count, witnesses->threshold, tally.late);
        *ret_seen = seen_by_enough(&tally, witnesses->threshold);
        return OK;
}
