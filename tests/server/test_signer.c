#include "platform/child.h"
#include "platform/confine.h"
#include "platform/file.h"
#include "platform/link.h"
#include "server/signer/forms.h"
#include "server/signer/keys.h"
#include "server/signer/remote.h"
#include "support/sweep.h"
#include "support/test.h"
#include "trust/key.h"
#include "trust/lease.h"

#include <string.h>
#include <sys/wait.h>

#define LEASE "firebreak lease v1\nkind exposure\ndevice 000102030405060708090a0b0c0d0e0f\nstream edr-rules\ncounter 4\n" \
              "target 000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f\nnonce 000102030405060708090a0b0c0d0e0f\n" \
              "granted 1784432200\ndeadline 1784432800\nbake 480\n"
#define TARGETS "{\"_type\":\"targets\",\"expires\":\"2026-11-21T07:54:03Z\",\"spec_version\":\"1.0.33\",\"targets\":{},\"version\":1}"
#define SNAPSHOT "{\"_type\":\"snapshot\",\"expires\":\"2026-11-21T07:54:03Z\",\"meta\":{\"targets.json\":{\"version\":1}},\"spec_version\":\"1.0.33\",\"version\":1}"
#define TIMESTAMP "{\"_type\":\"timestamp\",\"expires\":\"2026-11-21T07:54:03Z\",\"meta\":{\"snapshot.json\":{\"version\":1}},\"spec_version\":\"1.0.33\",\"version\":1}"

#define CHECKPOINT "log.example.com/fleet\n4\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"

static const char *const good[SIGNER_FORMS] = { LEASE, TARGETS, SNAPSHOT, TIMESTAMP, TIMESTAMP, CHECKPOINT };

TEST(signer_check_form, takes_what_the_online_keys_are_for)
{
        for (enum signer_form form = 0; form < SIGNER_FORMS; form++)
                CHECK(signer_check_form(form, good[form], strlen(good[form]), NULL) == OK);
}

TEST(signer_check_form, takes_nothing_under_the_name_of_another)
{
        for (enum signer_form form = 0; form < SIGNER_FORMS; form++)
                for (enum signer_form other = 0; other < SIGNER_FORMS; other++)
                        if (strcmp(good[form], good[other]) != 0)
                                CHECK(signer_check_form(form, good[other], strlen(good[other]), NULL) == ERR_REFUSED);
}

TEST(signer_check_form, refuses_everything_else_and_says_what_it_should_have_been)
{
        static const struct { enum signer_form form; const char *bytes; } cases[] = {
                { SIGNER_LEASE, "" },
                { SIGNER_LEASE, "firebreak release v1\nstream a\n" },
                { SIGNER_LEASE, LEASE "more\n" },
                { SIGNER_DIRECTOR_TARGETS, "" },
                { SIGNER_DIRECTOR_TARGETS, "{}" },
                { SIGNER_DIRECTOR_TARGETS, " " TARGETS },
                { SIGNER_DIRECTOR_TARGETS, TARGETS "\n" },
                { SIGNER_DIRECTOR_TARGETS, "{\"_type\":\"root\",\"expires\":\"2026-11-21T07:54:03Z\",\"spec_version\":\"1\",\"targets\":{},\"version\":1}" },
                { SIGNER_DIRECTOR_TARGETS, "{\"_type\":\"targets\",\"delegations\":{},\"expires\":\"2026-11-21T07:54:03Z\",\"spec_version\":\"1\",\"targets\":{},\"version\":1}" },
                { SIGNER_DIRECTOR_TARGETS, "{\"_type\":\"targets\",\"expires\":\"2026-11-21T07:54:03Z\",\"spec_version\":\"1\",\"targets\":{},\"version\":0}" },
                { SIGNER_DIRECTOR_TARGETS, "{\"expires\":\"2026-11-21T07:54:03Z\",\"_type\":\"targets\",\"spec_version\":\"1\",\"targets\":{},\"version\":1}" },
                { SIGNER_DIRECTOR_SNAPSHOT, "{\"_type\":\"snapshot\",\"expires\":\"2026-11-21T07:54:03Z\",\"meta\":{},\"spec_version\":\"1\",\"version\":1}" },
                { SIGNER_CHECKPOINT, "" },
                { SIGNER_CHECKPOINT, CHECKPOINT "more\n" },
                { SIGNER_CHECKPOINT, CHECKPOINT "\n" },
                { SIGNER_CHECKPOINT, "cosignature/v1\ntime 4\n" CHECKPOINT },          /* a log is no witness, */
                { SIGNER_CHECKPOINT, "log.example.com/fleet\n04\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n" },
                { SIGNER_CHECKPOINT, "log.example.com/fleet\n4\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n" },
                { SIGNER_CHECKPOINT, "log.example.com/fleet\n4\nAAEC\n" },
                { SIGNER_CHECKPOINT, "a log\n4\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n" },
                { SIGNER_CHECKPOINT, "firebreak release v1\nstream a\n" },              /* and signs no release */
                { SIGNER_CHECKPOINT, "firebreak log entry v1\nkind release\n" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct why why = { 0 };
                CHECK(signer_check_form(cases[i].form, cases[i].bytes, strlen(cases[i].bytes), &why) == ERR_REFUSED);
                CHECK(strstr(why.text, signer_form_name(cases[i].form)));
        }
}

/* Without memory a form is not known: neither taken nor refused for good. */
TEST(signer_check_form, survives_every_allocation_failure)
{
        for (enum signer_form form = 0; form < SIGNER_FORMS; form++) {
                SWEEP_MEMORY {
                        enum err e = signer_check_form(form, good[form], strlen(good[form]), NULL);
                        CHECK(e == OK || e == ERR_NOMEM);
                }
                SWEEP_MEMORY {
                        enum err e = signer_check_form(form, "{\"_type\":\"root\"}", 16, NULL);
                        CHECK(e == ERR_REFUSED || e == ERR_NOMEM);
                }
        }
}

struct folder { char path[64]; struct secret_key director, timestamp, log; };

static void write_key(const struct folder *folder, const char *name, const struct secret_key *key, const char *passphrase)
{
        char path[128];
        OWN(buf) struct buf pem;
        buf_init(&pem, KEY_PEM_MAX);
        CHECK(key_pem_write(key, &(struct key_lock){ .passphrase = passphrase }, &pem, NULL) == OK);
        snprintf(path, sizeof(path), "%s/%s", folder->path, name);
        CHECK(file_write(path, pem.bytes, pem.length, NULL) == OK);
}

static void make_folder(struct folder *folder)
{
        uint8_t a[32], b[32], c[32];
        memset(a, 1, sizeof(a));
        memset(b, 2, sizeof(b));
        memset(c, 3, sizeof(c));
        secret_key_make(c, &folder->log);
        secret_key_make(a, &folder->director);
        secret_key_make(b, &folder->timestamp);
        CHECK(file_temporary(folder->path, NULL) == OK);
        write_key(folder, "director.pem", &folder->director, NULL);
        write_key(folder, "timestamp.pem", &folder->timestamp, NULL);
        write_key(folder, "log.pem", &folder->log, NULL);
}

static void check_signs(struct signer *signer, const struct folder *folder)
{
        for (enum signer_form form = 0; form < SIGNER_FORMS; form++) {
                uint8_t signature[64] = { 0 };
                struct why why = { 0 };
                const struct public_key *key = form == SIGNER_RELEASE_TIMESTAMP ? &folder->timestamp.public : form == SIGNER_CHECKPOINT ? &folder->log.public : &folder->director.public;
                CHECK(signer->ops->sign(signer, form, good[form], strlen(good[form]), signature, &why) == OK);
                CHECK(key_verify(key, good[form], strlen(good[form]), signature));
                CHECK(signer->ops->sign(signer, form, "x", 1, signature, &why) == ERR_REFUSED && strstr(why.text, "this is no "));
        }
}

TEST(signer_keys, signs_each_form_with_its_key)
{
        struct folder folder;
        OWN(signer_keys) struct signer *signer = NULL;
        make_folder(&folder);
        CHECK(signer_keys_open(folder.path, &signer, NULL) == OK);
        check_signs(signer, &folder);
        file_remove_tree(folder.path);
}

TEST(signer_keys, without_a_log_sign_no_checkpoint)
{
        struct folder folder;
        struct why why = { 0 };
        uint8_t signature[64];
        char path[128];
        OWN(signer_keys) struct signer *signer = NULL;
        make_folder(&folder);
        snprintf(path, sizeof(path), "%s/log.pem", folder.path);
        file_remove(path);
        CHECK(signer_keys_open(folder.path, &signer, NULL) == OK);
        CHECK(signer->ops->sign(signer, SIGNER_CHECKPOINT, CHECKPOINT, strlen(CHECKPOINT), signature, &why) == ERR_NOT_FOUND && strstr(why.text, "log.pem"));
        CHECK(signer->ops->sign(signer, SIGNER_LEASE, LEASE, strlen(LEASE), signature, NULL) == OK);
        file_remove_tree(folder.path);
}

TEST(signer_keys, says_what_is_wrong_with_a_folder)
{
        struct folder folder;
        struct signer *signer = NULL;
        struct why why = { 0 };
        char path[128];
        make_folder(&folder);
        write_key(&folder, "timestamp.pem", &folder.timestamp, "secret words");
        CHECK(signer_keys_open(folder.path, &signer, &why) == ERR_UNAUTHORIZED && strstr(why.text, "not encrypted"));
        snprintf(path, sizeof(path), "%s/timestamp.pem", folder.path);
        CHECK(file_write(path, "nonsense", 8, NULL) == OK);
        CHECK(signer_keys_open(folder.path, &signer, &why) == ERR_SYNTAX && strstr(why.text, "timestamp.pem"));
        write_key(&folder, "timestamp.pem", &folder.timestamp, NULL);
        write_key(&folder, "log.pem", &folder.log, "secret words");
        CHECK(signer_keys_open(folder.path, &signer, &why) == ERR_UNAUTHORIZED && strstr(why.text, "log.pem"));
        CHECK(signer_keys_open("/no/such/folder", &signer, &why) == ERR_NOT_FOUND && strstr(why.text, "--keys"));
        CHECK(!signer);
        file_remove_tree(folder.path);
}

TEST(signer_keys, open_survives_a_lack_of_memory)
{
        struct folder folder;
        make_folder(&folder);
        SWEEP_MEMORY {
                struct signer *signer = NULL;
                enum err e = signer_keys_open(folder.path, &signer, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
                CHECK((e == OK) == (signer != NULL));
                signer_keys_close(signer);
        }
        file_remove_tree(folder.path);
}

struct served { const struct folder *folder; int own, other; };

static int serve(void *user)
{
        struct served *served = user;
        struct signer *signer = NULL;
        link_close(served->other);
        if (signer_keys_open(served->folder->path, &signer, NULL) != OK)
                return 2;
        enum err confined = confine_to_open_files(NULL, NULL);
        enum err e = signer_serve(served->own, signer, NULL);
        signer_keys_close(signer);
        return e || (confined && confined != ERR_UNAVAILABLE);
}

TEST(signer_remote, asks_a_confined_process_and_notices_its_end)
{
        struct folder folder;
        struct child child = { 0 };
        struct why why = { 0 };
        uint8_t signature[64];
        int ends[2], status = -1;
        make_folder(&folder);
        CHECK(link_open(ends, NULL) == OK);
        CHECK(child_fork(serve, &(struct served){ &folder, ends[1], ends[0] }, &child, NULL) == OK);
        link_close(ends[1]);
        {
                OWN(signer_remote) struct signer *signer = NULL;
                CHECK(signer_remote_open(ends[0], &signer, NULL) == OK);
                for (int i = 0; i < 20; i++)
                        check_signs(signer, &folder);
                CHECK(child_signal(&child, "KILL"));
                CHECK(waitpid(child.pid, &status, 0) == child.pid);
                CHECK(signer->ops->sign(signer, SIGNER_LEASE, LEASE, strlen(LEASE), signature, &why) == ERR_UNAVAILABLE && strstr(why.text, "signer"));
        }
        link_close(ends[0]);
        file_remove_tree(folder.path);
}

/* Nobody reads at the other end. */
TEST(signer_remote, gives_up_on_one_that_does_not_answer_and_takes_no_late_word)
{
        struct why why = { 0 };
        uint8_t signature[64];
        int ends[2];
        CHECK(link_open(ends, NULL) == OK);
        {
                OWN(signer_remote) struct signer *signer = NULL;
                CHECK(signer_remote_open(ends[0], &signer, NULL) == OK && !signer_remote_is_deaf(signer));
                CHECK(signer->ops->sign(signer, SIGNER_LEASE, LEASE, strlen(LEASE), signature, &why) == ERR_UNAVAILABLE && signer_remote_is_deaf(signer));
                CHECK(signer->ops->sign(signer, SIGNER_LEASE, LEASE, strlen(LEASE), signature, &why) == ERR_UNAVAILABLE && strstr(why.text, "stopped answering"));
        }
        link_close(ends[0]);
        link_close(ends[1]);
}

TEST(signer_serve, ends_well_when_nobody_asks_any_more)
{
        struct folder folder;
        struct child child = { 0 };
        int ends[2], status = -1;
        make_folder(&folder);
        CHECK(link_open(ends, NULL) == OK);
        CHECK(child_fork(serve, &(struct served){ &folder, ends[1], ends[0] }, &child, NULL) == OK);
        link_close(ends[1]);
        link_close(ends[0]);
        CHECK(waitpid(child.pid, &status, 0) == child.pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
        file_remove_tree(folder.path);
}
