#include "tuf/library/firebreak-tuf.h"

#include "base/mem.h"
#include "format/canon.h"
#include "trust/tuf_client.h"

#include <string.h>

struct ftuf { struct tuf_client *client; };

_Static_assert(sizeof(((struct ftuf_task *)0)->name) >= TUF_FILE_NAME_BYTES, "a task's name holds any of ours");

static const struct { enum ftuf_error error; const char *text; } errors[] = {
        [OK] = { FTUF_OK, "all is well" }, [ERR_NOMEM] = { FTUF_NO_MEMORY, "out of memory" }, [ERR_LIMIT] = { FTUF_TOO_LARGE, "larger than is allowed" },
        [ERR_SYNTAX] = { FTUF_MALFORMED, "malformed" }, [ERR_USAGE] = { FTUF_MISUSED, "a call out of turn" }, [ERR_NOT_FOUND] = { FTUF_NOT_FOUND, "not there" },
        [ERR_UNTRUSTED] = { FTUF_UNTRUSTED, "not trusted" }, [ERR_EXPIRED] = { FTUF_EXPIRED, "expired" }, [ERR_ROLLBACK] = { FTUF_OLDER, "older than what is trusted" },
        [ERR_REFUSED] = { FTUF_MISUSED, "a call out of turn" },
};

static enum ftuf_error tell(enum err e, const struct why *from, struct ftuf_why *why)
{
        if (e && why)
                snprintf(why->text, sizeof(why->text), "%s", from->text);
        return errors[e].error;
}

const char *ftuf_error_text(enum ftuf_error error)
{
        for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
                if (errors[i].text && errors[i].error == error)
                        return errors[i].text;
        return "no error of this library";
}

static struct buf borrowed(const void *bytes, size_t length)
{
        return (struct buf){ .bytes = (char *)bytes, .length = length, .length_max = length };
}

enum ftuf_error ftuf_open(const void *root, size_t length, int64_t now, struct ftuf **ret_tuf, struct ftuf_why *why)
{
        struct why own = { 0 };
        struct buf file = borrowed(root, length);
        struct ftuf *tuf = mem_new(1, sizeof(*tuf));
        enum err e = tuf ? tuf_client_open(&file, now, &tuf->client, &own) : FAIL(&own, ERR_NOMEM, "no memory for a client");
        if (e) {
                mem_free(tuf);
                return tell(e, &own, why);
        }
        *ret_tuf = tuf;
        return FTUF_OK;
}

void ftuf_close(struct ftuf *tuf)
{
        if (!tuf)
                return;
        tuf_client_close(tuf->client);
        mem_free(tuf);
}

enum ftuf_error ftuf_next(struct ftuf *tuf, struct ftuf_task *ret_task, struct ftuf_why *why)
{
        static const enum ftuf_step steps[] = { [TUF_DONE] = FTUF_DONE, [TUF_LOAD] = FTUF_LOAD, [TUF_FETCH] = FTUF_FETCH, [TUF_STORE] = FTUF_STORE };
        struct why own = { 0 };
        struct tuf_task task;
        enum err e = tuf_client_next(tuf->client, &task, &own);
        if (e)
                return tell(e, &own, why);
        *ret_task = (struct ftuf_task){ .step = steps[task.kind], .bytes_max = task.bytes_max };
        memcpy(ret_task->name, task.name, sizeof(task.name));
        if (task.file) {
                ret_task->bytes = buf_text(task.file);
                ret_task->length = task.file->length;
        }
        return FTUF_OK;
}

enum ftuf_error ftuf_give(struct ftuf *tuf, const void *bytes, size_t length, struct ftuf_why *why)
{
        struct why own = { 0 };
        struct buf file = borrowed(bytes, length);
        return tell(tuf_client_give(tuf->client, &file, &own), &own, why);
}

enum ftuf_error ftuf_lacks(struct ftuf *tuf, struct ftuf_why *why)
{
        struct why own = { 0 };
        return tell(tuf_client_lacks(tuf->client, &own), &own, why);
}

void ftuf_stored(struct ftuf *tuf)
{
        tuf_client_stored(tuf->client);
}

enum ftuf_error ftuf_seek(struct ftuf *tuf, const char *path, struct ftuf_why *why)
{
        struct why own = { 0 };
        return tell(tuf_client_seek(tuf->client, path, &own), &own, why);
}

int ftuf_found(const struct ftuf *tuf, struct ftuf_target *ret_target)
{
        const struct tuf_found *found = tuf_client_found(tuf->client);
        if (!found)
                return 0;
        *ret_target = (struct ftuf_target){ .length = found->length, .has_sha256 = found->digest.has_sha256, .has_sha512 = found->digest.has_sha512 };
        memcpy(ret_target->sha256, found->digest.sha256, sizeof(ret_target->sha256));
        memcpy(ret_target->sha512, found->digest.sha512, sizeof(ret_target->sha512));
        return 1;
}

char *ftuf_custom(const struct ftuf *tuf)
{
        const struct tuf_found *found = tuf_client_found(tuf->client);
        struct buf text;
        struct why why;
        buf_init(&text, 4 * LIMIT_METADATA_BYTES);
        if (found && found->custom && canon_write(found->custom, &text, &why) == OK)
                return text.bytes;
        buf_done(&text);
        return NULL;
}

void ftuf_free(void *memory)
{
        mem_free(memory);
}

int ftuf_fits(const struct ftuf_target *target, const void *bytes, size_t length)
{
        struct tuf_digest wanted = { .has_sha256 = target->has_sha256, .has_sha512 = target->has_sha512 }, is;
        memcpy(wanted.sha256, target->sha256, sizeof(wanted.sha256));
        memcpy(wanted.sha512, target->sha512, sizeof(wanted.sha512));
        tuf_digest_of(bytes, length, &is);
        return length == target->length && (target->has_sha256 || target->has_sha512) && tuf_digest_fits(&wanted, &is);
}

int ftuf_is_consistent(const struct ftuf *tuf)
{
        return tuf_is_consistent(tuf_client_trusted(tuf->client));
}

/* TUF_ROLES: no such role. */
static enum tuf_role role_named(const char *name)
{
        enum tuf_role role = TUF_ROOT;
        while (role < TUF_ROLES && strcmp(name, tuf_role_name(role)) != 0)
                role++;
        return role;
}

uint64_t ftuf_version(const struct ftuf *tuf, const char *role)
{
        return role_named(role) < TUF_ROLES ? tuf_version(tuf_client_trusted(tuf->client), role_named(role)) : 0;
}

int64_t ftuf_expires(const struct ftuf *tuf, const char *role)
{
        return role_named(role) < TUF_ROLES ? tuf_expires(tuf_client_trusted(tuf->client), role_named(role)) : 0;
}
