#include "ceremony/addition.h"

#include "format/json.h"
#include "trust/release_custom.h"
#include "trust/tuf.h"
#include "trust/tuf_build.h"

#include <string.h>

enum err addition_note(const struct proposal *proposal, struct release_note **ret_note, struct why *why)
{
        const struct buf *text = &proposal->papers[PAPER_NOTE].text;
        enum err e = release_note_parse(buf_text(text), text->length, ret_note, why);
        return e ? DURING(why, e, "%s", paper_name(PAPER_NOTE)) : OK;
}

enum err addition_write_targets(const struct proposal *proposal, const struct tuf_stamp *stamp, struct buf *into, struct why *why)
{
        char path[RELEASE_PATH_MAX];
        OWN(release_note) struct release_note *note = NULL;
        enum err e = addition_note(proposal, &note, why);
        if (e)
                return e;
        OWN(json) struct json *custom = release_custom_new(note);
        if (!json_is_whole(custom))
                return FAIL(why, ERR_NOMEM, "no memory to list a release");
        release_note_path(note, path);
        struct tuf_target target = { .path = path, .length = note->text_length, .custom = custom };
        memcpy(target.sha256, note->target, sizeof(target.sha256));
        return tuf_targets_write(stamp, &(struct tuf_change){ &proposal->papers[PAPER_TARGETS].before, &target }, into, why);
}

/* One that is listed was signed once, and may be on devices: another under its name would never get there. */
static enum err check_unlisted(const struct proposal *proposal, const char *path, struct why *why)
{
        OWN(tuf) struct tuf *tuf = NULL;
        enum err e = tuf_open(&proposal->papers[PAPER_RELEASE_ROOT].before, 0, &tuf, why);
        if (!e)
                e = tuf_keep(tuf, TUF_SNAPSHOT, &proposal->papers[PAPER_SNAPSHOT].before, why);
        if (!e)
                e = tuf_keep(tuf, TUF_TARGETS, &proposal->papers[PAPER_TARGETS].before, why);
        if (e)
                return DURING(why, e, "the metadata as it was");
        for (size_t i = 0; i < tuf_target_count(tuf); i++)
                if (strcmp(tuf_target_path(tuf, i), path) == 0)
                        return FAIL(why, ERR_REFUSED, "another %s was signed before; pack this content with a higher counter", path);
        return OK;
}

enum err addition_check(const struct proposal *proposal, struct why *why)
{
        char path[RELEASE_PATH_MAX];
        OWN(release_note) struct release_note *note = NULL;
        for (enum paper paper = 0; paper < PAPERS_IN_FORCE; paper++)
                if (proposal->papers[paper].text.length && !paper_is_listing(paper))
                        return FAIL(why, ERR_REFUSED, "a release is signed by itself, and not with %s", paper_name(paper));
        enum err e = addition_note(proposal, &note, why);
        if (e)
                return e;
        release_note_path(note, path);
        return check_unlisted(proposal, path, why);
}

enum err addition_propose(struct proposal *proposal, const struct buf *text, int64_t expires, struct why *why)
{
        struct holders before, after;
        enum err e = holders_read(proposal, &before, why);
        if (e)
                return e;
        buf_add(&proposal->papers[PAPER_NOTE].text, text->bytes, text->length);
        e = buf_check(&proposal->papers[PAPER_NOTE].text, why);
        if (!e)
                e = addition_check(proposal, why);
        if (e)
                return e;
        after = before;
        after.adds_release = true;
        after.targets = (struct tuf_stamp){ before.targets.version + 1, expires };
        after.snapshot = (struct tuf_stamp){ before.snapshot.version + 1, expires };
        e = holders_write(&after, PAPER_TARGETS, proposal, &proposal->papers[PAPER_TARGETS].text, why);
        return e ? e : holders_write(&after, PAPER_SNAPSHOT, proposal, &proposal->papers[PAPER_SNAPSHOT].text, why);
}
