#include "agent/trusted_time.h"

#include "support/sim_disk.h"
#include "support/test.h"

#include <string.h>

static struct trusted_time new_device(void)
{
        struct trusted_time time;
        trusted_time_init(&time);
        return time;
}

TEST(trusted_time, is_the_latest_of_clock_build_and_what_was_verified)
{
        struct trusted_time time = new_device();
        const int64_t build_s = time.build_s;
        CHECK(build_s > 0 && trusted_time_s(&time, 0) == build_s && trusted_time_s(&time, build_s + 5) == build_s + 5);
        CHECK(trusted_time_verified(&time, build_s + 7200));
        CHECK(trusted_time_s(&time, build_s + 5) == build_s + 7200 && trusted_time_s(&time, build_s + 7201) == build_s + 7201);
        (void)trusted_time_verified(&time, build_s + 100);
        CHECK(trusted_time_s(&time, 0) == build_s + 7200);
}

TEST(trusted_time, outlives_a_restart_whenever_the_power_goes)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        SWEEP_POWER(&sim) {
                struct trusted_time time = new_device(), again = time;
                const int64_t first_s = time.build_s + 7200, second_s = first_s + 7200;
                bool is_ready = sim.disk.ops->make_folder(&sim.disk, "trust", NULL) == OK && sim.disk.ops->sync_folder(&sim.disk, "", NULL) == OK;
                CHECK(is_ready || sim.is_dark);
                (void)(trusted_time_verified(&time, first_s) && trusted_time_keep(&time, &sim.disk, NULL) == OK);
                bool is_kept = time.kept_s == first_s;
                (void)(trusted_time_verified(&time, second_s) && trusted_time_keep(&time, &sim.disk, NULL) == OK);
                sim_disk_power_on(&sim);
                CHECK(trusted_time_read(&again, &sim.disk, NULL) == OK);
                CHECK(again.verified_s == 0 || again.verified_s == first_s || again.verified_s == second_s);
                CHECK(!is_kept || again.verified_s >= first_s);
        }
}

TEST(trusted_time, is_written_once_an_hour_at_most)
{
        struct trusted_time time = new_device();
        const int64_t begin_s = time.kept_s = time.build_s;
        CHECK(!trusted_time_verified(&time, begin_s + 3599) && trusted_time_verified(&time, begin_s + 3600));
}

/* The bytes of today are read for ever; what is none of them makes a new device. */
TEST(trusted_time, reads_the_bytes_that_devices_have_and_nothing_else)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        struct disk *disk = &sim.disk;
        static const char record[] = "FBTT\1\0\0\0\x80\x33\xe1\x7a\0\0\0\0";
        CHECK(disk->ops->make_folder(disk, "trust", NULL) == OK);
        CHECK(disk->ops->replace(disk, "trust/time", record, 16, NULL) == OK);
        struct trusted_time time = new_device();
        CHECK(trusted_time_read(&time, disk, NULL) == OK);
        CHECK(time.verified_s == 0x7ae13380 && time.kept_s == time.verified_s);
        for (size_t i = 0; i < 16; i++) {
                char bad[16];
                memcpy(bad, record, 16);
                bad[i] ^= (char)0x80;
                time = new_device();
                CHECK(disk->ops->replace(disk, "trust/time", bad, i == 15 || i < 8 ? 16 : i, NULL) == OK);
                CHECK(trusted_time_read(&time, disk, NULL) == OK);
                CHECK(time.verified_s == 0);
        }
}

/* The clock went back meanwhile, and the disk fails while it is asked. */
TEST(trusted_time, is_never_kept_earlier_by_a_disk_that_fails_for_a_while)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        enum { READS_MAX = 4 };
        for (unsigned fails = 0; fails < READS_MAX; fails++) {
                sim_disk_done(&sim);
                sim_disk_init(&sim);
                struct disk *disk = &sim.disk;
                struct trusted_time before = new_device(), time = before;
                const int64_t late_s = before.build_s + 90 * 86400, early_s = before.build_s + 7200;
                CHECK(disk->ops->make_folder(disk, "trust", NULL) == OK);
                CHECK(trusted_time_verified(&before, late_s) && trusted_time_keep(&before, disk, NULL) == OK);
                sim.unread = fails;
                CHECK(trusted_time_read(&time, disk, NULL) == (fails < 3 ? OK : ERR_IO) && time.is_unread == (fails == 3));
                CHECK(trusted_time_s(&time, early_s) == (fails < 3 ? late_s : early_s));
                sim.unread = fails == 3 ? 3 : 0;
                CHECK(trusted_time_verified(&time, early_s) == (fails == 3));
                CHECK(trusted_time_keep(&time, disk, NULL) == (fails == 3 ? ERR_IO : OK));
                CHECK(trusted_time_keep(&time, disk, NULL) == OK && !time.is_unread);
                CHECK(trusted_time_s(&time, early_s) == late_s);
                struct trusted_time after = new_device();
                CHECK(trusted_time_read(&after, disk, NULL) == OK && after.verified_s == late_s);
        }
}
