#include "redteam/watched.h"

#include "log/entry_proof.h"
#include "log/witness.h"
#include "redteam/publisher.h"

#include <assert.h>
#include <stdlib.h>

static const char origin[] = "log.example.com/rules";

struct verifier watched_log(void)
{
        struct why why = { .text = "" };
        struct verifier log;
        const struct secret_key key = key_of(KEY_LOG);
        sure(verifier_log(origin, &key.public, &log, &why), &why);
        return log;
}

struct verifier watched_witness(unsigned witness)
{
        struct why why = { .text = "" };
        struct verifier verifier;
        const enum key key = (enum key)(KEY_WITNESS_A + witness);
        const struct secret_key secret = key_of(key);
        sure(verifier_witness(key_name(key), &secret.public, &verifier, &why), &why);
        return verifier;
}

/* ---- Merkle trees, by RFC 6962's own recursion ---- */

struct range { size_t from, to; };

/* The largest power of two below its length. */
static size_t half_of(struct range range)
{
        size_t half = 1;
        while (half * 2 < range.to - range.from)
                half *= 2;
        return range.from + half;
}

static struct tree_hash root_of(const struct story *story, struct range range)
{
        if (range.to - range.from == 1)
                return story->leaves[range.from];
        const size_t half = half_of(range);
        struct tree_hash left = root_of(story, (struct range){ range.from, half }), right = root_of(story, (struct range){ half, range.to });
        tree_node(&left, &right, &left);
        return left;
}

static void add_path(const struct story *story, struct range range, size_t index, struct tree_proof *proof)
{
        if (range.to - range.from == 1)
                return;
        const size_t half = half_of(range);
        const struct range left = { range.from, half }, right = { half, range.to };
        add_path(story, index < half ? left : right, index, proof);
        proof->hashes[proof->count++] = root_of(story, index < half ? right : left);
}

/* That the first `size` entries are the beginning of it. */
static void add_growth(const struct story *story, struct range range, size_t size, struct tree_proof *proof)
{
        if (size == range.to) {
                if (range.from)
                        proof->hashes[proof->count++] = root_of(story, range);
                return;
        }
        const size_t half = half_of(range);
        const struct range left = { range.from, half }, right = { half, range.to };
        add_growth(story, size <= half ? left : right, size, proof);
        proof->hashes[proof->count++] = root_of(story, size <= half ? right : left);
}

static struct tree_head head_of(const struct story *story)
{
        return (struct tree_head){ story->count, root_of(story, (struct range){ 0, story->count }) };
}

/* ---- stories ---- */

size_t story_add(struct story *story, const struct logged *entry)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LOGGED_BYTES_MAX);
        logged_write(entry, &bytes);
        assert(story->count < STORY_ENTRIES);
        tree_leaf(bytes.bytes, bytes.length, &story->leaves[story->count]);
        return story->count++;
}

void story_checkpoint(const struct story *story, struct buf *into)
{
        const struct tree_head head = head_of(story);
        buf_init(into, LIMIT_CHECKPOINT_BYTES);
        checkpoint_write(origin, &head, into);
}

void story_prove(const struct story *story, size_t index, const struct buf *checkpoint, struct buf *into)
{
        struct entry_proof proof = { .index = index, .checkpoint = { buf_text(checkpoint), checkpoint->length } };
        add_path(story, (struct range){ 0, story->count }, index, &proof.path);
        buf_init(into, LIMIT_PROOF_BYTES);
        entry_proof_write(&proof, into);
}

/* ---- witnesses ---- */

static enum err last_head(void *context, size_t log, struct tree_head *ret_head, struct why *why)
{
        (void)log, (void)why;
        *ret_head = *(const struct tree_head *)context;
        return OK;
}

static bool is_willing(struct tree_head *last, const struct story *story, const struct buf *checkpoint)
{
        struct why why = { .text = "" };
        const struct verifier log = watched_log();
        const struct witness_case of = { &log, 1, last_head, last };
        struct witness_request request = { .old_size = last->size, .note = { buf_text(checkpoint), checkpoint->length } };
        struct witness_ruling ruling;
        OWN(buf) struct buf text;
        buf_init(&text, WITNESS_REQUEST_MAX);
        if (last->size && last->size < story->count)
                add_growth(story, (struct range){ 0, story->count }, last->size, &request.proof);
        witness_request_write(&request, &text);
        sure(witness_request_parse(buf_text(&text), text.length, &request, &why), &why);
        sure(witness_decide(&request, &of, &ruling, &why), &why);
        return ruling.answer == WITNESS_COSIGNS;
}

bool watched_show(struct watched *watched, const struct showing *showing, struct buf *checkpoint)
{
        struct why why = { .text = "" };
        const struct story *story = showing->story;
        struct tree_head *last = &watched->cosigned[showing->witness];
        const struct verifier verifier = watched_witness(showing->witness);
        const struct secret_key key = key_of((enum key)(KEY_WITNESS_A + showing->witness));
        if (showing->at_s < watched->now_s)
                sure(FAIL(&why, ERR_REFUSED, "a witness's clock goes back"), &why);
        watched->now_s = showing->at_s;
        if (!is_willing(last, story, checkpoint))
                return false;
        for (size_t i = last->size; i < story->count; i++)
                truth_saw(&watched->truth, story->leaves[i].bytes, showing->at_s);
        *last = head_of(story);
        sure(cosignature_add(checkpoint, &(struct cosigner){ &verifier, &key }, showing->at_s, &why), &why);
        return true;
}
