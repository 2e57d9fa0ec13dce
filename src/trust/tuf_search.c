#include "trust/tuf_search.h"

#include "base/mem.h"
#include "trust/tuf_set.h"

#include <string.h>

enum { LEFT_MAX = LIMIT_DELEGATIONS + LIMIT_ROLES_ASKED };      /* delegations that may wait: what one file has, and a few of each before it */

struct tuf_search {
        const struct tuf *tuf;
        char *path;
        enum tuf_search_state state;
        struct tuf_found found;
        struct tuf_delegation left[LEFT_MAX];    /* the next one is the last */
        size_t left_count;
        struct tuf_doc *asked[LIMIT_ROLES_ASKED];        /* owned: whom they delegate to points into them */
        const char *asked_names[LIMIT_ROLES_ASKED];
        size_t asked_count;
};

void tuf_search_close(struct tuf_search *search)
{
        if (!search)
                return;
        for (size_t i = 0; i < search->asked_count; i++)
                tuf_doc_free(search->asked[i]);
        mem_free(search->path);
        mem_free(search);
}

static bool was_asked(const struct tuf_search *search, const char *role)
{
        for (size_t i = 0; i < search->asked_count; i++)
                if (strcmp(search->asked_names[i], role) == 0)
                        return true;
        return false;
}

/* Those that speak for the path, the first on top; nobody after one that ends the search, and none of those that waited. */
static enum err push(struct tuf_search *search, const struct tuf_doc *doc, struct why *why)
{
        size_t last = 0, count = tuf_doc_delegations(doc);
        while (last < count) {
                struct tuf_delegation delegation = tuf_doc_delegation(doc, last++);
                if (delegation.is_terminating && tuf_delegation_covers(&delegation, search->path)) {
                        search->left_count = 0;
                        break;
                }
        }
        for (size_t i = last; i-- > 0;) {
                struct tuf_delegation delegation = tuf_doc_delegation(doc, i);
                if (!tuf_delegation_covers(&delegation, search->path))
                        continue;
                if (search->left_count == LEFT_MAX)
                        return FAIL(why, ERR_LIMIT, "more than %d roles speak for %.200s", LEFT_MAX, search->path);
                search->left[search->left_count++] = delegation;
        }
        return OK;
}

/* What a trusted targets file says, or whom it names to be asked. */
static enum err look(struct tuf_search *search, const struct tuf_doc *doc, struct why *why)
{
        const struct json *target = json_get(json_get(doc->body, "targets"), search->path);
        search->state = TUF_SEARCH_OVER;
        enum err e = target ? tuf_doc_target(target, &search->found, why) : push(search, doc, why);
        if (e)
                return DURING(why, e, "target %.200s", search->path);
        if (target) {
                search->state = TUF_SEARCH_FOUND;
                return OK;
        }
        while (search->left_count && was_asked(search, search->left[search->left_count - 1].keyring.name))
                search->left_count--;
        if (search->left_count && search->asked_count == LIMIT_ROLES_ASKED)
                return FAIL(why, ERR_LIMIT, "target %.200s: %d roles were asked, and there are more", search->path, LIMIT_ROLES_ASKED);
        if (search->left_count)
                search->state = TUF_SEARCH_WANTS;
        return OK;
}

enum err tuf_search_open(const struct tuf *tuf, const char *path, struct tuf_search **ret_search, struct why *why)
{
        OWN(tuf_search) struct tuf_search *search = mem_new(1, sizeof(*search));
        if (!tuf_is_current(tuf, TUF_TARGETS))
                return FAIL(why, ERR_REFUSED, "a search before there are targets");
        if (!search || !(search->path = mem_new(strlen(path) + 1, 1)))
                return FAIL(why, ERR_NOMEM, "no memory for a search");
        memcpy(search->path, path, strlen(path));
        search->tuf = tuf;
        enum err e = look(search, tuf->docs[TUF_TARGETS], why);
        if (!e)
                *ret_search = GIVE(search);
        return e;
}

enum tuf_search_state tuf_search_state(const struct tuf_search *search)
{
        return search->state;
}

/* Only while it wants a file. */
static const struct tuf_delegation *top(const struct tuf_search *search)
{
        return &search->left[search->left_count - 1];
}

const char *tuf_search_role(const struct tuf_search *search)
{
        return top(search)->keyring.name;
}

enum err tuf_search_wanted(const struct tuf_search *search, struct tuf_want *ret_want, struct why *why)
{
        struct tuf_meta meta;
        if (search->state != TUF_SEARCH_WANTS)
                return FAIL(why, ERR_USAGE, "the search is over");
        enum err e = tuf_meta_of(search->tuf, tuf_search_role(search), &meta, why);
        if (!e)
                *ret_want = (struct tuf_want){ meta.version, tuf_meta_bytes(&meta), meta.digest };
        return e;
}

enum err tuf_search_give(struct tuf_search *search, const struct buf *file, struct why *why)
{
        if (search->state != TUF_SEARCH_WANTS)
                return FAIL(why, ERR_USAGE, "the search is over");
        struct tuf_named named = { .keyring = top(search)->keyring, .form = TUF_TARGETS };
        struct tuf_doc *doc = NULL;
        enum err e = tuf_meta_of(search->tuf, named.keyring.name, &named.meta, why);
        if (!e)
                e = tuf_open_named(search->tuf, &named, file, &doc, why);
        if (e)
                return e;
        search->asked_names[search->asked_count] = named.keyring.name;
        search->asked[search->asked_count++] = doc;
        search->left_count--;
        return look(search, doc, why);
}

const struct tuf_found *tuf_search_found(const struct tuf_search *search)
{
        return &search->found;
}
