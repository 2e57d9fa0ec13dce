#include "log/merkle.h"

/* A node's place in its row, and the last place of that row. */
struct place { uint64_t at, last; };

/* Is the next sibling on the left? Then the node goes up as far as it is alone at the right edge. */
static bool is_right_child(struct place *place)
{
        bool is_right = place->at & 1 || place->at == place->last;
        while (is_right && place->at && !(place->at & 1)) {
                place->at >>= 1;
                place->last >>= 1;
        }
        return is_right;
}

static void go_up(struct place *place)
{
        place->at >>= 1;
        place->last >>= 1;
}

enum err merkle_inclusion(const struct tree_hash *leaf, uint64_t index, const struct tree_head *head,
                          const struct tree_proof *proof, struct why *why)
{
        struct tree_hash node = *leaf;
        if (index >= head->size)
                return FAIL(why, ERR_UNTRUSTED, "the tree has no such entry yet");
        struct place place = { index, head->size - 1 };
        for (size_t i = 0; i < proof->count; i++) {
                if (!place.last)
                        return FAIL(why, ERR_UNTRUSTED, "the inclusion proof is too long");
                if (is_right_child(&place))
                        tree_node(&proof->hashes[i], &node, &node);
                else
                        tree_node(&node, &proof->hashes[i], &node);
                go_up(&place);
        }
        if (place.last)
                return FAIL(why, ERR_UNTRUSTED, "the inclusion proof is too short");
        return tree_hash_equal(&node, &head->root) ? OK : FAIL(why, ERR_UNTRUSTED, "the entry is not in the tree: its proof leads to another root");
}

/* Both trees are walked up at once: `was` becomes the older root, `is` the newer. */
static enum err walk_up(const struct tree_head *older, const struct tree_head *newer, const struct tree_proof *proof, struct why *why)
{
        bool is_whole = (older->size & (older->size - 1)) == 0;    /* then its root is itself a node of the newer tree */
        struct place place = { older->size - 1, newer->size - 1 };
        if (!is_whole && !proof->count)
                return FAIL(why, ERR_UNTRUSTED, "the consistency proof is too short");
        struct tree_hash was = is_whole ? older->root : proof->hashes[0], is = was;
        while (place.at & 1)
                go_up(&place);
        for (size_t i = !is_whole; i < proof->count; i++) {
                if (!place.last)
                        return FAIL(why, ERR_UNTRUSTED, "the consistency proof is too long");
                if (is_right_child(&place)) {
                        tree_node(&proof->hashes[i], &was, &was);
                        tree_node(&proof->hashes[i], &is, &is);
                } else {
                        tree_node(&is, &proof->hashes[i], &is);
                }
                go_up(&place);
        }
        if (place.last)
                return FAIL(why, ERR_UNTRUSTED, "the consistency proof is too short");
        if (!tree_hash_equal(&was, &older->root) || !tree_hash_equal(&is, &newer->root))
                return FAIL(why, ERR_UNTRUSTED, "the newer tree does not begin with the older");
        return OK;
}

enum err merkle_consistency(const struct tree_head *older, const struct tree_head *newer, const struct tree_proof *proof, struct why *why)
{
        struct tree_hash empty;
        tree_root(&(struct tree){ 0 }, &empty);
        if (older->size > newer->size)
                return FAIL(why, ERR_UNTRUSTED, "the newer tree is smaller than the older");
        for (int i = 0; i < 2; i++) {
                const struct tree_head *head = i ? newer : older;
                if (!head->size && !tree_hash_equal(&head->root, &empty))
                        return FAIL(why, ERR_UNTRUSTED, "the root of an empty tree is the SHA-256 of nothing");
        }
        if (older->size && older->size < newer->size)
                return walk_up(older, newer, proof, why);
        if (proof->count)
                return FAIL(why, ERR_UNTRUSTED, "from an empty tree, and between equal ones, there is nothing to prove");
        if (older->size && !tree_hash_equal(&older->root, &newer->root))
                return FAIL(why, ERR_UNTRUSTED, "two trees of one size and different roots: the log is forked");
        return OK;
}
