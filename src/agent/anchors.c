#include "agent/anchors.h"

#include "agent/pinned.h"
#include "base/mem.h"

struct pair {
        struct anchor release;
        struct director_anchor director;
};

struct anchors {
        struct disk *disk;
        struct pair pair;
        struct why passed_over[BUNDLE_REPOSITORIES];     /* no text: it was not */
};

static const struct { const char *pinned, *kept; } names[BUNDLE_REPOSITORIES] = {
        [BUNDLE_RELEASE] = { "release.anchor", "trust/release.anchor" }, [BUNDLE_DIRECTOR] = { "director.anchor", "trust/director.anchor" },
};

static uint64_t version(const struct pair *pair, unsigned repository)
{
        return repository == BUNDLE_RELEASE ? pair->release.version : pair->director.version;
}

static enum err open_one(const struct buf *bytes, unsigned repository, struct pair *into, struct why *why)
{
        return repository == BUNDLE_RELEASE ? anchor_open(buf_text(bytes), bytes->length, &into->release, why)
                                            : director_anchor_open(buf_text(bytes), bytes->length, &into->director, why);
}

static enum err read_pinned(const char *trust, struct pair *into, struct why *why)
{
        enum err e = OK;
        for (unsigned repository = 0; !e && repository < BUNDLE_REPOSITORIES; repository++) {
                OWN(buf) struct buf bytes;
                buf_init(&bytes, LIMIT_METADATA_BYTES);
                e = pinned_read(trust, names[repository].pinned, &bytes, why);
                if (!e)
                        e = open_one(&bytes, repository, into, why);
        }
        return e;
}

/* In the place of the pinned one, if it is newer. */
static enum err read_kept(struct disk *disk, unsigned repository, struct pair *pair, struct why *why)
{
        struct pair kept = *pair;
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LIMIT_METADATA_BYTES);
        enum err e = disk->ops->read(disk, names[repository].kept, &bytes, why);
        if (e == ERR_NOT_FOUND)
                return OK;
        if (!e)
                e = open_one(&bytes, repository, &kept, why);
        if (e)
                return e;
        if (version(&kept, repository) > version(pair, repository))
                *pair = kept;
        return OK;
}

static void pass_over(struct anchors *anchors, unsigned repository, enum err e, const struct why *because)
{
        struct why *why = &anchors->passed_over[repository];
        *why = *because;
        (void)DURING(why, e, "%s does not count and is followed anew", names[repository].kept);
}

/* What was kept counts only if it can be read, is sound and fits: a state folder that is damaged stops no updates. */
static enum err add_kept(struct anchors *anchors, struct why *why)
{
        struct pair pair = anchors->pair;
        struct why trouble = { 0 };
        for (unsigned repository = 0; repository < BUNDLE_REPOSITORIES; repository++) {
                enum err e = read_kept(anchors->disk, repository, &pair, &trouble);
                if (e == ERR_NOMEM)
                        return FAIL(why, e, "no memory for %s", names[repository].kept);
                if (e)
                        pass_over(anchors, repository, e, &trouble);
        }
        enum err e = anchor_check_pair(&pair.release, &pair.director, &trouble);
        if (!e) {
                anchors->pair = pair;
                return OK;
        }
        for (unsigned repository = 0; repository < BUNDLE_REPOSITORIES; repository++)
                if (version(&pair, repository) > version(&anchors->pair, repository))
                        pass_over(anchors, repository, e, &trouble);
        return anchor_check_pair(&anchors->pair.release, &anchors->pair.director, why);
}

enum err anchors_open(const char *trust, struct disk *disk, struct anchors **ret_anchors, struct why *why)
{
        OWN(anchors) struct anchors *anchors = mem_new(1, sizeof(*anchors));
        if (!anchors)
                return FAIL(why, ERR_NOMEM, "reading the anchors");
        anchors->disk = disk;
        enum err e = read_pinned(trust, &anchors->pair, why);
        if (!e)
                e = add_kept(anchors, why);
        if (e)
                return DURING(why, e, "the anchors in %s", trust);
        *ret_anchors = GIVE(anchors);
        return OK;
}

void anchors_close(struct anchors *anchors)
{
        mem_free(anchors);
}

const char *anchors_passed_over(const struct anchors *anchors, enum bundle_repository repository)
{
        const char *text = anchors->passed_over[repository].text;
        return text[0] ? text : NULL;
}

const struct anchor *anchors_publisher(const struct anchors *anchors)
{
        return anchors ? &anchors->pair.release : NULL;
}

const struct director_anchor *anchors_director(const struct anchors *anchors)
{
        return anchors ? &anchors->pair.director : NULL;
}

uint64_t anchors_version(const struct anchors *anchors, enum bundle_repository repository)
{
        return version(&anchors->pair, repository);
}

enum err anchors_follow(struct anchors *anchors, enum bundle_repository repository, const struct buf *bytes, struct why *why)
{
        struct pair next = anchors->pair;
        enum err e = repository == BUNDLE_RELEASE ? anchor_follow(&anchors->pair.release, bytes, &next.release, why)
                                                  : director_anchor_follow(&anchors->pair.director, bytes, &next.director, why);
        if (!e)
                e = anchor_check_pair(&next.release, &next.director, why);
        if (!e)
                e = anchors->disk->ops->replace(anchors->disk, names[repository].kept, bytes->bytes, bytes->length, why);
        if (!e)
                anchors->pair = next;
        return e;
}
