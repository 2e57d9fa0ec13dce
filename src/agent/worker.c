#include "agent/worker.h"

#include "agent/config.h"
#include "base/buf.h"
#include "platform/file.h"

#include <string.h>

enum { STATES_VERSION = 1, STATES_BYTES_MAX = 4096 };

static const char states_path[] = "processes", states_magic[] = "FBPR";

static const struct { const char *name, *user; } known[WORKERS] = {
        [WORKER_FETCH] = { "fetch", "_firebreak-fetch" },
        [WORKER_VERIFY] = { "verify", "_firebreak-verify" },
        [WORKER_PREFLIGHT] = { "preflight", "_firebreak-preflight" },
};

const char *worker_name(enum worker worker)
{
        return known[worker].name;
}

/* Only preflight goes by paths: the spool is where fetch starts, and verify has no files. */
static bool can_pass(const struct agent_config *config, enum worker worker)
{
        enum { OTHERS_PASS = 1 };
        return worker != WORKER_PREFLIGHT || (file_mode(config->state_dir) & OTHERS_PASS);
}

static enum err find_named(struct workers *workers, enum worker worker, const char *name, struct why *why)
{
        enum err e = user_may_change() ? user_find(name, &workers->users[worker], why)
                                       : FAIL(why, ERR_REFUSED, "only root can let %s run as %.60s: leave out `users`, or start as root", worker_name(worker), name);
        workers->has_user[worker] = !e;
        return e ? DURING(why, e, "users") : OK;
}

enum err workers_find(const struct agent_config *config, struct workers *workers, struct why *why)
{
        const char *const named[WORKERS] = {
                [WORKER_FETCH] = config->users.fetch, [WORKER_VERIFY] = config->users.verify, [WORKER_PREFLIGHT] = config->users.preflight,
        };
        for (enum worker worker = 0; worker < WORKERS; worker++) {
                struct why unsaid;
                enum err e = named[worker] ? find_named(workers, worker, named[worker], why) : OK;
                if (!e && named[worker] && workers->units && worker != WORKER_PREFLIGHT && strcmp(named[worker], known[worker].user) != 0)
                        e = FAIL(why, ERR_REFUSED, "users: %s runs as a unit, as %s: leave it out, or run without --units", worker_name(worker), known[worker].user);
                if (!e && named[worker] && !can_pass(config, worker))
                        e = FAIL(why, ERR_REFUSED, "users: %s cannot reach a candidate: chmod 0711 %.150s", named[worker], config->state_dir);
                if (e)
                        return e;
                if (!named[worker] && user_may_change() && can_pass(config, worker))
                        workers->has_user[worker] = user_find(known[worker].user, &workers->users[worker], &unsaid) == OK;
        }
        return OK;
}

const struct user *workers_user(const struct workers *workers, enum worker worker)
{
        return workers && workers->has_user[worker] ? &workers->users[worker] : NULL;
}

static enum err connect_unit(const struct workers *workers, const struct worker_setup *setup, struct worker_link *link, struct why *why)
{
        char path[512];
        if (snprintf(path, sizeof(path), "%s/%s", workers->units, worker_name(setup->worker)) >= (int)sizeof(path))
                return FAIL(why, ERR_LIMIT, "--units %.150s is too long", workers->units);
        return channel_connect(path, setup->kind, &link->channel, why);
}

static enum err start_child(const struct workers *workers, const struct worker_setup *setup, struct worker_link *link, struct why *why)
{
        int ends[2];
        enum err e = (setup->kind == CHANNEL_STREAM ? channel_stream : channel_open)(ends, why);
        if (e)
                return e;
        const struct child_setup child = {
                .argv = setup->argv, .input = ends[1], .output = ends[1], .errors = -1, .limits = setup->limits,
                .user = workers_user(workers, setup->worker), .folder = setup->folder,
        };
        e = child_start(&child, &link->child, why);
        channel_close(ends[1]);
        if (e)
                channel_close(ends[0]);
        else
                link->channel = ends[0];
        return e;
}

enum err worker_start(const struct workers *workers, const struct worker_setup *setup, struct worker_link *ret_link, struct why *why)
{
        struct why unsaid;
        *ret_link = worker_none;
        ret_link->lacks_unit = workers && workers->units && (setup->skips_unit || connect_unit(workers, setup, ret_link, &unsaid));
        if (ret_link->channel >= 0)
                return OK;
        return start_child(workers, setup, ret_link, why);
}

void worker_end(struct worker_link *link)
{
        channel_close(link->channel);
        link->channel = -1;
        child_kill(&link->child);
}

struct worker_state worker_state_of(const struct worker_link *link, const struct confined *confined)
{
        return (struct worker_state){ .confined = *confined, .is_known = true, .is_unit = !link->child.pid, .lacks_unit = link->lacks_unit };
}

void worker_states_read(struct disk *disk, struct worker_states *ret_states)
{
        struct why why;
        OWN(buf) struct buf bytes;
        buf_init(&bytes, STATES_BYTES_MAX);
        bool is_there = disk->ops->read(disk, states_path, &bytes, &why) == OK && bytes.length == sizeof(*ret_states);
        if (is_there)
                memcpy(ret_states, bytes.bytes, sizeof(*ret_states));
        if (!is_there || memcmp(ret_states->magic, states_magic, sizeof(ret_states->magic)) != 0 || ret_states->version != STATES_VERSION)
                *ret_states = (struct worker_states){ .version = 0 };
}

enum err worker_states_write(struct disk *disk, const struct worker_states *states, struct why *why)
{
        struct worker_states stamped = *states;
        memcpy(stamped.magic, states_magic, sizeof(stamped.magic));
        stamped.version = STATES_VERSION;
        return disk->ops->replace(disk, states_path, &stamped, sizeof(stamped), why);
}

void worker_text(enum worker worker, const struct worker_state *state, char text[WORKER_TEXT_MAX])
{
        char confined[CONFINED_TEXT_MAX];
        confined_text(&state->confined, confined);
        const char *unit = state->is_unit ? ", a unit of its own" : state->lacks_unit ? ", whose unit does not answer" : "";
        snprintf(text, WORKER_TEXT_MAX, "%s%s: %s", worker_name(worker), unit, confined);
}
