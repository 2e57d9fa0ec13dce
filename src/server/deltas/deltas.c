#include "server/deltas/deltas.h"

#include "format/hex.h"
#include "platform/child.h"
#include "platform/confine.h"
#include "platform/disk_folder.h"
#include "platform/link.h"
#include "server/deltas/maker.h"
#include "server/store/artifacts.h"

#include <string.h>

enum { LOOK_MS = 50, JOBS_BYTES_MAX = 4096 * sizeof(struct delta_job) };

struct work {
        const struct deltas_service *service;
        struct buf jobs;                       /* that wait */
        struct child child;
        struct delta_job job;                  /* the child's */
        bool is_again;
};

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

static void tell(const struct work *work, const char *what, const char *follows)
{
        struct why why;
        char release[2 * sizeof(work->job.newer) + 1];
        hex_encode(work->job.newer, sizeof(work->job.newer), release);
        (void)FAIL(&why, ERR_UNAVAILABLE, "a delta to the release of target %.16s: %.100s; %s", release, what, follows);
        LOG_WHY(work->service->log, EVENT_DELTA_FAILED, &why);
}

static void begin(struct work *work)
{
        struct why why;
        if (child_fork(run, work, &work->child, &why))
                tell(work, why.text, "it is made when the server starts again");
}

static void next(struct work *work)
{
        memcpy(&work->job, work->jobs.bytes, sizeof(work->job));
        memmove(work->jobs.bytes, work->jobs.bytes + sizeof(work->job), work->jobs.length - sizeof(work->job));
        work->jobs.length -= sizeof(work->job);
        work->is_again = false;
        begin(work);
}

/* One that was killed, by whom lacked memory perhaps, is tried once more. */
static void ended(struct work *work, const struct child_end *end)
{
        char text[64];
        if (!end->is_signal && !end->code)
                return;
        child_end_text(end, text, sizeof(text));
        tell(work, text, work->is_again ? "it is made when the server starts again" : "it is begun once more");
        if (work->is_again)
                return;
        work->is_again = true;
        begin(work);
}

static bool has_job(const struct work *work)
{
        return work->jobs.length >= sizeof(struct delta_job);
}

enum err deltas_serve(const struct deltas_service *service, struct why *why)
{
        struct work work = { .service = service };
        struct child_end end;
        enum err e = OK;
        buf_init(&work.jobs, JOBS_BYTES_MAX);
        while (!e) {
                /* With as many as there is room for nobody is listened to: what would be read is there at once, always. */
                const bool is_full = work.jobs.length == JOBS_BYTES_MAX;
                e = link_wait(is_full ? -1 : service->end, false, work.child.pid || has_job(&work) ? LOOK_MS : -1, why);
                if (!e && !is_full)
                        e = link_read(service->end, &work.jobs, JOBS_BYTES_MAX - work.jobs.length, why);
                if (!e && work.child.pid && child_ended(&work.child, &end))
                        ended(&work, &end);
                if (!e && !work.child.pid && has_job(&work))
                        next(&work);
        }
        child_kill(&work.child);
        buf_done(&work.jobs);
        return e == ERR_UNAVAILABLE ? OK : e;
}
