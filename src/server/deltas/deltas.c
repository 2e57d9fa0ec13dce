#include "server/deltas/deltas.h"

#include "platform/child.h"
#include "platform/confine.h"
#include "platform/disk_folder.h"
#include "platform/link.h"
#include "server/deltas/maker.h"
#include "server/store/artifacts.h"

#include <string.h>

enum { LOOK_MS = 50, JOBS_BYTES_MAX = 4096 * sizeof(struct delta_job) };

struct work { const struct deltas_service *service; struct delta_job job; };

static int run(void *user)
{
        const struct work *work = user;
        OWN(disk_folder) struct disk *artifacts = NULL;
        struct why why;
        uint64_t bytes = 0;
        child_give_way();
        enum err e = disk_folder_open(work->service->artifacts, &artifacts, &why);
        if (!e)
                e = artifact_make_folders(artifacts, &why);
        /* What is read here was published by who may; the walls are for what nobody thought of. */
        if (!e)
                (void)!confine_to_folder(work->service->artifacts, NULL, &why);
        if (!e)
                e = delta_make(artifacts, &work->job, &bytes, &why);
        if (e && e != ERR_LIMIT)               /* too much for a delta is no news */
                LOG_WHY(work->service->log, EVENT_DELTA_FAILED, &why);
        return 0;
}

static void tell_end(const struct deltas_service *service, const struct child_end *end)
{
        struct why why = { .err = ERR_UNAVAILABLE };
        if (!end->is_signal && !end->code)
                return;
        child_end_text(end, why.text, sizeof(why.text));
        LOG_WHY(service->log, EVENT_DELTA_FAILED, &why);
}

static enum err begin(const struct deltas_service *service, struct buf *jobs, struct child *child, struct why *why)
{
        struct work work = { .service = service };
        memcpy(&work.job, jobs->bytes, sizeof(work.job));
        memmove(jobs->bytes, jobs->bytes + sizeof(work.job), jobs->length - sizeof(work.job));
        jobs->length -= sizeof(work.job);
        enum err e = child_fork(run, &work, child, why);
        if (e)
                LOG_WHY(service->log, EVENT_DELTA_FAILED, why);
        return OK;                             /* the next release will have one, perhaps */
}

enum err deltas_serve(const struct deltas_service *service, struct why *why)
{
        OWN(buf) struct buf jobs;
        struct child child = { 0 };
        struct child_end end;
        enum err e = OK;
        buf_init(&jobs, JOBS_BYTES_MAX);
        while (!e) {
                e = link_wait(service->end, false, child.pid ? LOOK_MS : -1, why);
                if (!e && jobs.length < JOBS_BYTES_MAX)
                        e = link_read(service->end, &jobs, JOBS_BYTES_MAX - jobs.length, why);
                if (!e && child.pid && child_ended(&child, &end))
                        tell_end(service, &end);
                if (!e && !child.pid && jobs.length >= sizeof(struct delta_job))
                        e = begin(service, &jobs, &child, why);
        }
        child_kill(&child);
        return e == ERR_UNAVAILABLE ? OK : e;
}
