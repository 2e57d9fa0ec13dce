#include "agent/worker.h"

#include "agent/config.h"
#include "platform/file.h"
#include "support/sim_disk.h"
#include "support/test.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(workers_find, takes_the_users_that_are_named_and_refuses_what_cannot_be)
{
        struct why why;
        struct workers workers = { .units = "/run/firebreak" };
        struct agent_config config = { .state_dir = "/" };
        CHECK(workers_find(&config, &workers, NULL) == OK && strcmp(workers.units, "/run/firebreak") == 0);
        config.users.fetch = "no-such-user";
        CHECK(workers_find(&config, &workers, &why) == (user_may_change() ? ERR_NOT_FOUND : ERR_REFUSED) && strstr(why.text, "no-such-user"));
        CHECK(!workers_user(&workers, WORKER_FETCH) && !workers_user(NULL, WORKER_FETCH));
        if (!user_may_change())
                return;
        config.users = (struct agent_users){ .fetch = "daemon", .verify = "nobody" };
        CHECK(workers_find(&config, &workers, &why) == ERR_REFUSED && strstr(why.text, "without --units"));
        workers.units = NULL;
        CHECK(workers_find(&config, &workers, NULL) == OK && workers_user(&workers, WORKER_FETCH)->number == 1);
        CHECK(workers_user(&workers, WORKER_VERIFY)->number == 65534 && !workers_user(&workers, WORKER_PREFLIGHT));
}

TEST(workers_find, gives_preflight_a_user_only_where_he_can_pass)
{
        char folder[64];
        struct why why;
        struct workers workers = { .units = NULL };
        struct agent_config config = { .state_dir = folder, .users = { .preflight = "daemon" } };
        CHECK(file_temporary(folder, NULL) == OK);
        CHECK(workers_find(&config, &workers, &why) == ERR_REFUSED && (!user_may_change() || strstr(why.text, "chmod 0711")));
        CHECK(chmod(folder, 0711) == 0 && workers_find(&config, &workers, NULL) == (user_may_change() ? OK : ERR_REFUSED));
        CHECK(rmdir(folder) == 0);
}

TEST(worker_states, are_kept_and_a_file_that_is_none_says_nothing)
{
        struct sim_disk sim;
        sim_disk_init(&sim);
        struct worker_states states = { .each[WORKER_VERIFY] = { .confined = { .user = 9, .landlock = 6, .has_filter = 1 }, .is_known = 1, .is_unit = 1 } }, read;
        struct disk *disk = &sim.disk;
        worker_states_read(disk, &read);
        CHECK(!read.each[WORKER_VERIFY].is_known);
        CHECK(worker_states_write(disk, &states, NULL) == OK);
        worker_states_read(disk, &read);
        CHECK(memcmp(read.each, states.each, sizeof(states.each)) == 0);
        static const char *const bad[] = { "", "x", "FBPR" };
        for (size_t i = 0; i < 3; i++) {
                CHECK(disk->ops->replace(disk, "processes", bad[i], strlen(bad[i]), NULL) == OK);
                worker_states_read(disk, &read);
                CHECK(!read.each[WORKER_VERIFY].is_known);
        }
        states.each[WORKER_VERIFY].is_unit = 7;
        CHECK(disk->ops->replace(disk, "processes", &states, sizeof(states), NULL) == OK);           /* of its length, and without its name */
        worker_states_read(disk, &read);
        CHECK(!read.each[WORKER_VERIFY].is_known);
        sim_disk_done(&sim);
}

TEST(worker_text, says_what_is_in_force_and_what_is_not)
{
        char text[WORKER_TEXT_MAX];
        worker_text(WORKER_FETCH, &(struct worker_state){ .confined = { .user = 993, .landlock = 6, .has_filter = 1 }, .is_known = 1, .is_unit = 1 }, text);
        CHECK(strcmp(text, "fetch, a unit of its own: user 993, landlock 6, system calls limited") == 0);
        worker_text(WORKER_VERIFY, &(struct worker_state){ .confined = { .has_capabilities = 1 }, .is_known = 1 }, text);
        CHECK(strcmp(text, "verify: root, no landlock, any system call, with capabilities") == 0);
}
