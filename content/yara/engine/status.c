#include "content/yara/engine/status.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <unistd.h>

static enum err write_new(const char *path, const struct buf *line, struct why *why)
{
        int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (file < 0)
                return FAIL(why, ERR_IO, "%s: %s", path, strerror(errno));
        ssize_t wrote = write(file, line->bytes, line->length);
        int failed = errno;
        bool is_whole = close(file) == 0 && wrote == (ssize_t)line->length;
        return is_whole ? OK : FAIL(why, ERR_IO, "%s: %s", path, wrote < 0 ? strerror(failed) : "not written whole; is the disk full?");
}

enum err status_write(const char *path, const struct status *status, struct why *why)
{
        OWN(buf) struct buf line;
        char fresh[PATH_MAX];
        buf_init(&line, 512);
        buf_addf(&line, "state=%s version=%s rules=%u scanned=%" PRIu64 " matches=%" PRIu64 " reloads=%" PRIu64 "\n",
                 status->is_error ? "error" : "ok", status->version, status->rules, status->scanned, status->matches, status->reloads);
        enum err e = buf_check(&line, why);
        if (!e && snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
                e = FAIL(why, ERR_LIMIT, "the path of the status file is too long");
        if (!e)
                e = write_new(fresh, &line, why);
        if (!e && rename(fresh, path))
                e = FAIL(why, ERR_IO, "%s: %s", path, strerror(errno));
        return e ? DURING(why, e, "writing the status") : OK;
}
