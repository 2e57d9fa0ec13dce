/* A disk that is full, or fails, at the 1st, 2nd, 3rd ... write of the database: what was answered is kept, the rest is told
 * to come again, and can. */
#include "server/store/audit.h"
#include "server/log_view.h"

#include "evidence/record.h"
#include "support/test.h"

#include <sqlite3.h>

enum { TICK_FAILED = 1 };

/* SQLite's own files, whose writes fail when their number is up. */
static struct {
        sqlite3_vfs vfs, *own;
        sqlite3_io_methods methods[2];           /* of the database, which is locked, and of its log */
        const sqlite3_io_methods *own_methods[2];
        int writes_left, code;                   /* `code` 0: nothing fails */
} disk;

static int write_or_fail(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 at)
{
        if (disk.code && disk.writes_left-- <= 0)
                return disk.code;
        return disk.own_methods[file->pMethods - disk.methods]->xWrite(file, bytes, length, at);
}

/* A crash here is the end of a process, not of the machine: nothing needs to reach the platters. */
static int sync_nothing(sqlite3_file *file, int flags)
{
        (void)file, (void)flags;
        return SQLITE_OK;
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
        (void)vfs;
        int code = disk.own->xOpen(disk.own, name, file, flags, ret_flags);
        if (code != SQLITE_OK || !file->pMethods)
                return code;
        int kind = !(flags & SQLITE_OPEN_MAIN_DB);
        disk.own_methods[kind] = file->pMethods;
        disk.methods[kind] = *file->pMethods;
        disk.methods[kind].xWrite = write_or_fail;
        disk.methods[kind].xSync = sync_nothing;
        file->pMethods = &disk.methods[kind];
        return code;
}

static void disk_takes(int writes, int code)
{
        disk.writes_left = writes;
        disk.code = code;
}

static void disk_open(void)
{
        if (disk.own)
                return;
        disk.own = sqlite3_vfs_find(NULL);
        disk.vfs = *disk.own;
        disk.vfs.zName = "failing";
        disk.vfs.xOpen = open_file;
        CHECK(sqlite3_vfs_register(&disk.vfs, 1) == SQLITE_OK);
}

struct fleet { struct world world; struct world_device devices[2]; char token[64], enrol[2048]; };
static void fleet_release(struct fleet *fleet) { world_close(&fleet->world); }

/* Signed already, and only files are missing: the next tick writes them. */
static bool left_heads(struct fleet *fleet) { return log_count(&fleet->world, "SELECT count(*) FROM log_heads") > 0; }

static int make_token(struct fleet *fleet)
{
        int status = world_ask(&fleet->world, "POST", "/api/v1/tokens", "{\"group\":\"late\",\"uses\":1,\"expires_s\":3600}");
        if (status == 200)
                snprintf(fleet->token, sizeof(fleet->token), "%s", world_text(&fleet->world, "token"));
        return status;
}

static int enrol(struct fleet *fleet)
{
        struct world_device *device = &fleet->devices[1];
        snprintf(fleet->enrol, sizeof(fleet->enrol), "%s", world_enrol_body(&fleet->world, device, fleet->token, "os=debian"));
        return world_device_ask(&fleet->world, device, "/v1/enrol", fleet->enrol);
}

static int publish(struct fleet *fleet)
{
        fleet->world.version = 0;                /* the same again, if it failed */
        buf_clear(&fleet->world.targets);
        return world_publish(&fleet->world, 1);
}

static int prove_1(struct fleet *fleet) { return world_evidence(&fleet->world, 1, "S1", RECORD_PASS, false); }
static int prove_2(struct fleet *fleet) { return world_evidence(&fleet->world, 1, "S2", RECORD_PASS, false); }
static int prove_4(struct fleet *fleet) { return world_evidence(&fleet->world, 1, "S4", RECORD_PASS, false); }

static int start(struct fleet *fleet)
{
        return world_ask(&fleet->world, "POST", "/api/v1/rollouts",
                         "{\"stream\":\"edr-rules\",\"counter\":1,\"policy\":{\"budget\":2,\"bake_s\":2,\"gap_s\":3,\"gather_s\":0,\"holdout_ppm\":0,\"controls\":0}}");
}

/* As a device does: it asks until it has it. A tick that fails is tried again by the next. */
static int lease(struct fleet *fleet)
{
        int status = 202;
        for (int i = 0; i < 4 && status == 202; i++) {
                status = world_lease(&fleet->world, &fleet->devices[0], 1, !fleet->devices[0].nonce[0]);
                fleet->world.now_ms += 100;
                if (store_tick(fleet->world.store, fleet->world.now_ms, NULL) != OK)
                        status = status == 202 ? TICK_FAILED : status;
        }
        return status;
}

static int report(struct fleet *fleet)
{
        fleet->devices[0].seq = 0;
        return world_report(&fleet->world, &fleet->devices[0], "harmed", "crash");
}

static int halt(struct fleet *fleet)
{
        return world_ask(&fleet->world, "POST", "/api/v1/rollouts/edr-rules/1/halt", "{\"who\":\"ann\",\"reason\":\"test\"}");
}

static int log_head(struct fleet *fleet)
{
        fleet->world.now_ms += 100;
        return store_log_tick(fleet->world.store, fleet->world.now_ms, NULL) == OK || left_heads(fleet) ? 200 : TICK_FAILED;
}

static int cosign(struct fleet *fleet) { return log_cosign(&fleet->world, 1, WORLD_START_S); }

/* One life; `sql` finds what each step left, which is 1 as soon as it was answered and never 2. */
static const struct step { int (*take)(struct fleet *fleet); int status; const char *sql; } steps[] = {
        { make_token, 200, "SELECT count(*) FROM tokens WHERE device_group = 'late'" },
        { enrol, 200, "SELECT count(*) FROM devices WHERE device_group = 'late'" },
        { publish, 201, "SELECT count(*) FROM releases" },
        { prove_1, 201, "SELECT count(*) FROM audit WHERE what = 'evidence.add' AND detail LIKE 'S1%'" },
        { prove_2, 201, "SELECT count(*) FROM audit WHERE what = 'evidence.add' AND detail LIKE 'S2%'" },
        { prove_4, 201, "SELECT count(*) FROM audit WHERE what = 'evidence.add' AND detail LIKE 'S4%'" },
        { start, 201, "SELECT count(*) FROM rollouts" },
        { lease, 200, "SELECT count(*) FROM leases WHERE note IS NOT NULL" },
        { report, 200, "SELECT count(*) FROM reports" },
        { halt, 200, "SELECT count(*) FROM rollouts WHERE state = 'halted'" },
        { log_head, 200, "SELECT count(*) FROM log_heads" },
        { cosign, 200, "SELECT count(*) FROM log_cosignatures" },
};

static int64_t left_by(struct fleet *fleet, const struct step *step)
{
        int64_t count = -1;
        CHECK(db_number(fleet->world.store->db, step->sql, NO_VALUES, 0, &count, NULL) == OK);
        return count;
}

static void check_all(struct fleet *fleet, size_t done)
{
        int64_t lines = 0;
        for (size_t i = 0; i < done; i++)
                CHECK(left_by(fleet, &steps[i]) == 1);
        CHECK(audit_verify(fleet->world.store->db, &lines, NULL) == OK);
}

/* All of it is in the log, and the release has its proof. */
static void check_log(struct fleet *fleet)
{
        const struct logged release = view_release(&fleet->world, 1, fleet->world.target);
        log_tick(&fleet->world);
        CHECK(view_find(&fleet->world, &release) == 4 && view_head(&fleet->world, NULL).size == 8 && view_proof(&fleet->world, &release, 1) == OK);
}

/* The disk is well again, or the server is also killed; then the same is asked once more. */
struct trouble { int code, status; const char *advice; bool crashes; };

static void try_again(struct fleet *fleet, size_t at, const struct trouble *trouble)
{
        disk_takes(0, 0);
        if (trouble->crashes)
                world_crash(&fleet->world);
        check_all(fleet, at);
        CHECK(left_by(fleet, &steps[at]) == 0);
        CHECK(steps[at].take(fleet) == steps[at].status);
}

/* False: there was no trouble after so many writes. */
static bool live(struct fleet *fleet, int writes, const struct trouble *trouble)
{
        bool has_failed = false;
        disk_takes(0, 0);
        fleet->world = (struct world){ .has_log = true, .witnesses = 1, .witness_threshold = 1 };
        world_open_file(&fleet->world);
        world_enrol(&fleet->world, &fleet->devices[0], "os=debian");
        world_device_init(&fleet->world, &fleet->devices[1]);
        disk_takes(writes, trouble->code);
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
                int status = steps[i].take(fleet);
                if (status == steps[i].status)
                        continue;
                CHECK(!has_failed && (status == trouble->status || status == TICK_FAILED));
                if (status != TICK_FAILED)
                        CHECK(fleet->world.answer.retry_after_s && strstr(world_text(&fleet->world, "detail"), trouble->advice));
                has_failed = true;
                try_again(fleet, i, trouble);
        }
        disk_takes(0, 0);
        world_crash(&fleet->world);
        check_all(fleet, sizeof(steps) / sizeof(steps[0]));
        check_log(fleet);
        return has_failed;
}

static void sweep_writes(const struct trouble *trouble)
{
        bool has_failed = true;
        int writes = 0;
        disk_open();
        for (; has_failed; writes++) {
                OWN(fleet) struct fleet fleet = { 0 };
                has_failed = live(&fleet, writes, trouble);
        }
        CHECK(writes > (int)(sizeof(steps) / sizeof(steps[0])));
}

TEST(full_disk, loses_nothing_that_was_answered_and_lets_go_on_when_there_is_room)
{
        sweep_writes(&(struct trouble){ SQLITE_FULL, 507, "disk is full; free some space", false });
}

TEST(full_disk, loses_nothing_when_the_server_is_killed_as_well)
{
        sweep_writes(&(struct trouble){ SQLITE_FULL, 507, "disk is full; free some space", true });
}

TEST(failing_disk, loses_nothing_that_was_answered)
{
        sweep_writes(&(struct trouble){ SQLITE_IOERR_WRITE, 500, "the disk failed", true });
}
