#include "server/data_folder.h"

#include "platform/disk_folder.h"
#include "platform/file.h"
#include "support/sim_random.h"
#include "support/sweep.h"
#include "support/test.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place { char parent[64], path[80]; struct sim_random random; };

static void open_place(struct place *place)
{
        CHECK(file_temporary(place->parent, NULL) == OK);
        snprintf(place->path, sizeof(place->path), "%s/data", place->parent);
        sim_random_init(&place->random, 1);
}

static enum err try_open(struct place *place, struct data_folder *folder, struct why *why)
{
        const struct data_folder_config config = { .path = place->path, .host = "192.0.2.1", .random = &place->random.source, .now_s = 1784432200 };
        return data_folder_open(&config, folder, why);
}

static void put(const struct place *place, const char *name, const char *text)
{
        char path[160];
        snprintf(path, sizeof(path), "%s/%s", place->path, name);
        CHECK(file_write(path, text, strlen(text), NULL) == OK);
}

static void drop(const struct place *place, const char *name)
{
        char path[160];
        snprintf(path, sizeof(path), "%s/%s", place->path, name);
        CHECK(unlink(path) == 0);
}

TEST(data_folder, is_made_once_and_stays_the_same)
{
        struct place place;
        struct data_folder first, again;
        open_place(&place);
        CHECK(try_open(&place, &first, NULL) == OK && first.is_new && strncmp(first.admin_key, "fba_", 4) == 0);
        uint8_t secret[32];
        char key[DATA_KEY_MAX];
        memcpy(secret, first.secret, sizeof(secret));
        memcpy(key, first.admin_key, sizeof(key));
        data_folder_done(&first);
        CHECK(first.admin_key[0] == 0);
        CHECK(try_open(&place, &again, NULL) == OK && !again.is_new);
        CHECK(memcmp(again.secret, secret, sizeof(secret)) == 0 && strcmp(again.admin_key, key) == 0);
        data_folder_done(&again);
        file_remove_tree(place.parent);
}

TEST(data_folder, is_one_servers_at_a_time)
{
        struct place place;
        struct data_folder first, second;
        struct why why = { 0 };
        open_place(&place);
        CHECK(try_open(&place, &first, NULL) == OK);
        CHECK(try_open(&place, &second, &why) == ERR_BUSY && strstr(why.text, place.path));
        data_folder_done(&first);
        CHECK(try_open(&place, &second, NULL) == OK);
        data_folder_done(&second);
        file_remove_tree(place.parent);
}

/* The order in which things come to be: after a power cut there is some beginning of it. */
TEST(data_folder, is_completed_wherever_its_making_was_cut)
{
        static const char *const made[] = { "server.secret", "tls/cert.pem", "tls/key.pem", "admin.key" };
        for (size_t cut = 1; cut <= sizeof(made) / sizeof(made[0]); cut++) {
                struct place place;
                struct data_folder folder;
                open_place(&place);
                CHECK(try_open(&place, &folder, NULL) == OK);
                data_folder_done(&folder);
                for (size_t i = 0; i < cut; i++)
                        drop(&place, made[i]);
                put(&place, ".pending-server.secret", "half");
                CHECK(try_open(&place, &folder, NULL) == OK && folder.is_new && folder.admin_key[0]);
                CHECK(file_kind(folder.certificate) == FILE_REGULAR && file_kind(folder.certificate_key) == FILE_REGULAR);
                data_folder_done(&folder);
                CHECK(try_open(&place, &folder, NULL) == OK && !folder.is_new);
                data_folder_done(&folder);
                file_remove_tree(place.parent);
        }
}

TEST(data_folder, makes_a_new_key_but_never_a_new_secret)
{
        struct place place;
        struct data_folder folder;
        struct why why = { 0 };
        open_place(&place);
        CHECK(try_open(&place, &folder, NULL) == OK);
        char key[DATA_KEY_MAX];
        memcpy(key, folder.admin_key, sizeof(key));
        data_folder_done(&folder);
        put(&place, "firebreak.db", "");
        drop(&place, "admin.key");
        CHECK(try_open(&place, &folder, NULL) == OK && !folder.is_new && strcmp(folder.admin_key, key) != 0);
        data_folder_done(&folder);
        drop(&place, "server.secret");
        CHECK(try_open(&place, &folder, &why) == ERR_REFUSED && strstr(why.text, "server.secret") && strstr(why.text, "backup"));
        CHECK(try_open(&place, &folder, &why) == ERR_REFUSED);       /* and the first try did not make one */
        file_remove_tree(place.parent);
}

TEST(data_folder, is_not_begun_anew_when_its_database_is_gone)
{
        struct place place;
        struct data_folder folder;
        struct why why;
        open_place(&place);
        CHECK(try_open(&place, &folder, NULL) == OK);
        data_folder_done(&folder);
        CHECK(try_open(&place, &folder, NULL) == OK);                  /* killed before there was one */
        put(&place, "firebreak.db", "rows");
        CHECK(data_folder_mark(&folder, NULL) == OK && data_folder_mark(&folder, NULL) == OK);
        data_folder_done(&folder);
        put(&place, "firebreak.db", "");
        CHECK(try_open(&place, &folder, &why) == ERR_REFUSED && strstr(why.text, "firebreak.db is missing or empty: put it back from a backup"));
        drop(&place, "firebreak.db");
        CHECK(try_open(&place, &folder, &why) == ERR_REFUSED && strstr(why.text, "firebreak.db"));
        put(&place, "firebreak.db", "rows");
        CHECK(try_open(&place, &folder, NULL) == OK);
        data_folder_done(&folder);
        file_remove_tree(place.parent);
}

TEST(data_folder, says_what_is_wrong_and_changes_nothing)
{
        static const struct { const char *name, *text, *says; enum err e; } cases[] = {
                { "server.secret", "abc\n", "backup", ERR_SYNTAX },
                { "server.secret", "zz02030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20\n", "backup", ERR_SYNTAX },
                { "server.secret", "", "backup", ERR_SYNTAX },
                { "admin.key", "short\n", "admin.key", ERR_SYNTAX },
                { "admin.key", "a key that has spaces in it\n", "admin.key", ERR_SYNTAX },
                { "admin.key", "two-lines-of-which\none-is-too-much\n", "admin.key", ERR_SYNTAX },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct place place;
                struct data_folder folder;
                struct why why = { 0 };
                char path[160];
                OWN(buf) struct buf left;
                open_place(&place);
                CHECK(try_open(&place, &folder, NULL) == OK);
                data_folder_done(&folder);
                put(&place, cases[i].name, cases[i].text);
                CHECK(try_open(&place, &folder, &why) == cases[i].e && strstr(why.text, cases[i].says));
                snprintf(path, sizeof(path), "%s/%s", place.path, cases[i].name);
                buf_init(&left, 4096);
                CHECK(file_read(path, &left, NULL) == OK && strcmp(buf_text(&left), cases[i].text) == 0);
                file_remove_tree(place.parent);
        }
}

TEST(data_folder, asks_for_the_folder_above_it)
{
        struct place place;
        struct data_folder folder;
        struct why why = { 0 };
        open_place(&place);
        strncat(place.path, "/x", sizeof(place.path) - strlen(place.path) - 1);
        CHECK(try_open(&place, &folder, &why) == ERR_NOT_FOUND && strstr(why.text, place.path) && strstr(why.text, "mkdir -p"));
        CHECK(file_kind(place.path) == FILE_ABSENT);
        file_remove_tree(place.parent);
}

TEST(data_folder, leaves_the_folder_of_something_else_alone)
{
        struct place place;
        struct data_folder folder;
        struct why why = { 0 };
        OWN(disk_folder) struct disk *disk = NULL;
        open_place(&place);
        CHECK(disk_folder_open(place.path, &disk, NULL) == OK);
        put(&place, "letters.txt", "dear");
        CHECK(try_open(&place, &folder, &why) == ERR_REFUSED && strstr(why.text, "letters.txt") && strstr(why.text, "--data"));
        drop(&place, "letters.txt");
        CHECK(rmdir(place.path) == 0);                               /* so nothing else is in it */
        file_remove_tree(place.parent);
}

TEST(data_folder, is_not_one_that_others_can_write_to)
{
        struct place place;
        struct data_folder folder;
        struct why why = { 0 };
        open_place(&place);
        CHECK(mkdir(place.path, 0700) == 0 && chmod(place.path, 0770) == 0);
        CHECK(try_open(&place, &folder, &why) == ERR_REFUSED && strstr(why.text, "chmod 700"));
        CHECK(chmod(place.path, 0755) == 0 && try_open(&place, &folder, NULL) == OK);
        data_folder_done(&folder);
        file_remove_tree(place.parent);
}

TEST(data_folder, asks_to_move_away_what_stands_in_the_place_of_its_own)
{
        static const struct { const char *name; bool is_folder; } cases[] = { { "artifacts", false }, { "tls/cert.pem", true } };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct place place;
                struct data_folder folder;
                struct why why = { 0 };
                char path[160];
                open_place(&place);
                CHECK(try_open(&place, &folder, NULL) == OK);
                data_folder_done(&folder);
                snprintf(path, sizeof(path), "%s/%s", place.path, cases[i].name);
                CHECK(remove(path) == 0);
                if (cases[i].is_folder)
                        CHECK(mkdir(path, 0700) == 0);
                else
                        put(&place, cases[i].name, "x");
                CHECK(try_open(&place, &folder, &why) == ERR_REFUSED && strstr(why.text, "move it away"));
                file_remove_tree(place.parent);
        }
}

TEST(data_folder, survives_a_lack_of_memory)
{
        struct place place;
        open_place(&place);
        SWEEP_MEMORY {
                struct data_folder folder;
                enum err e = try_open(&place, &folder, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
                if (!e)
                        data_folder_done(&folder);
        }
        file_remove_tree(place.parent);
}
