#include "trust/anchor.h"

#include "base/mem.h"
#include "trust/lines.h"

#include <string.h>

static const char heading[] = "firebreak anchor v1";

OWN_DEFINE(text, char *, mem_free)

struct note_keys anchor_root(const struct anchor *anchor)
{
        return (struct note_keys){ anchor->root, anchor->root_count, anchor->root_threshold };
}

struct note_keys anchor_content(const struct anchor *anchor)
{
        return (struct note_keys){ anchor->content, anchor->content_count, anchor->content_threshold };
}

struct note_keys anchor_director(const struct anchor *anchor)
{
        return (struct note_keys){ &anchor->director, 1, 1 };
}

static bool is_among(const struct vkey *keys, size_t count, const struct public_key *key)
{
        for (size_t i = 0; i < count; i++)
                if (key_equal(&keys[i].key, key))
                        return true;
        return false;
}

static enum err check_role(const struct note_keys *role, const char *name, struct why *why)
{
        if (!role->count || role->count > LIMIT_KEYS)
                return FAIL(why, ERR_SYNTAX, "anchor: 1 to %d %s keys", LIMIT_KEYS, name);
        if (!role->threshold || role->threshold > role->count)
                return FAIL(why, ERR_SYNTAX, "anchor: a threshold of %zu with %zu %s keys", role->threshold, role->count, name);
        for (size_t i = 0; i < role->count; i++)
                if (is_among(role->keys, i, &role->keys[i].key))
                        return FAIL(why, ERR_SYNTAX, "anchor: %s key %s is there twice", name, role->keys[i].name);
        return OK;
}

/* An online key that could also approve content would be the one key that an attacker needs. */
static enum err check(const struct anchor *anchor, struct why *why)
{
        struct note_keys root = anchor_root(anchor), content = anchor_content(anchor), lab = { anchor->lab, anchor->lab_count, 1 };
        enum err e = anchor->version ? OK : FAIL(why, ERR_SYNTAX, "anchor: version 0");
        if (!e)
                e = check_role(&root, "root", why);
        if (!e)
                e = check_role(&content, "content", why);
        if (!e)
                e = check_role(&lab, "lab", why);
        if (e)
                return e;
        const struct public_key *director = &anchor->director.key;
        if (is_among(root.keys, root.count, director) || is_among(content.keys, content.count, director) || is_among(lab.keys, lab.count, director))
                return FAIL(why, ERR_SYNTAX, "anchor: the director's key has another role too; make one that has not");
        return OK;
}

static void write_keys(const char *word, const struct note_keys *keys, struct buf *into)
{
        for (size_t i = 0; i < keys->count; i++) {
                char text[VKEY_TEXT_MAX];
                vkey_text(&keys->keys[i], text);
                buf_addf(into, "%s %s\n", word, text);
        }
}

enum err anchor_write(const struct anchor *anchor, struct buf *into, struct why *why)
{
        struct note_keys root = anchor_root(anchor), content = anchor_content(anchor), director = anchor_director(anchor), lab = { anchor->lab, anchor->lab_count, 1 };
        enum err e = check(anchor, why);
        if (e)
                return e;
        buf_addf(into, "%s\nversion %llu\nroot-threshold %zu\n", heading, (unsigned long long)anchor->version, root.threshold);
        write_keys("root", &root, into);
        buf_addf(into, "content-threshold %zu\n", content.threshold);
        write_keys("content", &content, into);
        write_keys("director", &director, into);
        write_keys("lab", &lab, into);
        return buf_check(into, why);
}

static enum err read_keys(struct lines *lines, const char *word, struct vkey keys[LIMIT_KEYS], size_t *ret_count, struct why *why)
{
        enum err e = OK;
        for (*ret_count = 0; !e && (!*ret_count || lines_is_next(lines, word)); (*ret_count)++)
                e = *ret_count < LIMIT_KEYS ? lines_vkey(lines, word, &keys[*ret_count], why) : FAIL(why, ERR_LIMIT, "anchor: at most %d keys of a role", LIMIT_KEYS);
        return e;
}

static enum err parse(char *text, size_t length, struct anchor *anchor, struct why *why)
{
        struct lines lines = { .at = text, .end = text + length, .what = "anchor" };
        enum err e = lines_first(&lines, heading, why);
        if (!e)
                e = lines_number(&lines, "version", &anchor->version, why);
        if (!e)
                e = lines_number(&lines, "root-threshold", &anchor->root_threshold, why);
        if (!e)
                e = read_keys(&lines, "root", anchor->root, &anchor->root_count, why);
        if (!e)
                e = lines_number(&lines, "content-threshold", &anchor->content_threshold, why);
        if (!e)
                e = read_keys(&lines, "content", anchor->content, &anchor->content_count, why);
        if (!e)
                e = lines_vkey(&lines, "director", &anchor->director, why);
        if (!e)
                e = read_keys(&lines, "lab", anchor->lab, &anchor->lab_count, why);
        if (!e)
                e = lines_end(&lines, why);
        return e ? e : check(anchor, why);
}

static enum err open_note(const char *bytes, size_t length, struct note *note, struct anchor *ret_anchor, struct why *why)
{
        enum err e = note_parse(bytes, length, note, why);
        if (e)
                return DURING(why, e, "anchor");
        OWN(text) char *text = mem_new(note->text_length + 1, 1);
        if (!text)
                return FAIL(why, ERR_NOMEM, "no memory for the anchor");
        memcpy(text, note->text, note->text_length);
        e = parse(text, note->text_length, ret_anchor, why);
        if (e)
                return e;
        struct note_keys root = anchor_root(ret_anchor);
        e = note_verify(note, &root, why);
        return e ? DURING(why, e, "anchor version %llu, by its own root keys", (unsigned long long)ret_anchor->version) : OK;
}

enum err anchor_open(const char *bytes, size_t length, struct anchor *ret_anchor, struct why *why)
{
        struct note note;
        struct anchor anchor = { 0 };
        enum err e = open_note(bytes, length, &note, &anchor, why);
        if (!e)
                *ret_anchor = anchor;
        return e;
}

enum err anchor_follow(const struct anchor *old, const struct buf *bytes, struct anchor *ret_anchor, struct why *why)
{
        struct note note;
        struct anchor anchor = { 0 };
        struct note_keys root = anchor_root(old);
        enum err e = open_note(buf_text(bytes), bytes->length, &note, &anchor, why);
        if (e)
                return e;
        if (anchor.version <= old->version)
                return FAIL(why, ERR_ROLLBACK, "anchor version %llu, and version %llu is pinned", (unsigned long long)anchor.version, (unsigned long long)old->version);
        e = note_verify(&note, &root, why);
        if (e)
                return DURING(why, e, "anchor version %llu, by the root keys before it", (unsigned long long)anchor.version);
        *ret_anchor = anchor;
        return OK;
}
