#include "cli/signing_key.h"

#include "platform/disk.h"
#include "support/sim_disk.h"
#include "support/sim_random.h"
#include "support/sweep.h"
#include "support/token_world.h"

#include <sys/wait.h>
#include <unistd.h>

/* A folder with a passphrase's file, and who opens keys there. */
struct desk {
        char folder[64], words[128], text[256];
        struct args args;
        struct signing_secrets secrets;
        struct sim_random random;
        struct why why;
};

static void say(struct desk *desk, enum option_id option, const char *words)
{
        snprintf(desk->words, sizeof(desk->words), "%s/words", desk->folder);
        CHECK(file_write(desk->words, words, strlen(words), NULL) == OK);
        desk->args.of[option] = (struct arg){ .count = 1, .texts = { desk->words } };
}

static void desk_open(struct desk *desk)
{
        CHECK(file_temporary(desk->folder, NULL) == OK);
        sim_random_init(&desk->random, 1);
}

static void desk_release(struct desk *desk)
{
        signing_secrets_release(&desk->secrets);
        file_remove_tree(desk->folder);
}

static const char *path_of(struct desk *desk, const char *name)
{
        snprintf(desk->text, sizeof(desk->text), "%s/%s", desk->folder, name);
        return desk->text;
}

static struct signing_keys_opener opener_of(struct desk *desk)
{
        return (struct signing_keys_opener){ .args = &desk->args, .secrets = &desk->secrets };
}

static enum err open_at(struct desk *desk, const char *reference, struct signing_key **ret_key)
{
        struct signing_keys_opener opener = opener_of(desk);
        return signing_key_open(&opener, reference, ret_key, &desk->why);
}

static enum err make_at(struct desk *desk, const char *reference, struct signing_key **ret_key)
{
        struct signing_keys_opener opener = opener_of(desk);
        return signing_key_make(&opener, reference, &desk->random.source, ret_key, &desk->why);
}

static bool signs(struct signing_key *key)
{
        uint8_t signature[64];
        return signing_key_sign(key, "abc", 3, signature, NULL) == OK && key_verify(signing_key_public(key), "abc", 3, signature);
}

static void forget(struct desk *desk)
{
        signing_secrets_release(&desk->secrets);
}

/* ---- files ---- */

TEST(signing_key, is_made_in_a_file_and_opened_again)
{
        OWN(desk) struct desk d = { 0 };
        OWN(signing_key) struct signing_key *made = NULL, *opened = NULL;
        desk_open(&d);
        d.args.of[OPTION_NO_PASSPHRASE].count = 1;
        CHECK(make_at(&d, path_of(&d, "k.pem"), &made) == OK && signing_key_place(made) == SIGNING_PLAIN && signs(made) && file_mode(d.text) == 0600);
        CHECK(open_at(&d, d.text, &opened) == OK && key_equal(signing_key_public(opened), signing_key_public(made)) && signs(opened));
}

TEST(signing_key, opens_an_encrypted_file_by_its_passphrase_only)
{
        OWN(desk) struct desk d = { 0 };
        OWN(signing_key) struct signing_key *made = NULL, *again = NULL, *none = NULL;
        desk_open(&d);
        say(&d, OPTION_PASSPHRASE, "correct horse\n");
        CHECK(make_at(&d, path_of(&d, "k.pem"), &made) == OK && signing_key_place(made) == SIGNING_ENCRYPTED);
        forget(&d);
        say(&d, OPTION_PASSPHRASE, "wrong horse\n");
        CHECK(open_at(&d, path_of(&d, "k.pem"), &none) == ERR_UNAUTHORIZED && strstr(d.why.text, "wrong passphrase") && !none);
        forget(&d);
        say(&d, OPTION_PASSPHRASE, "correct horse\n");
        CHECK(open_at(&d, path_of(&d, "k.pem"), &again) == OK && signs(again));
}

TEST(signing_key, is_never_made_over_anything)
{
        OWN(desk) struct desk d = { 0 };
        OWN(signing_key) struct signing_key *key = NULL;
        desk_open(&d);
        d.args.of[OPTION_NO_PASSPHRASE].count = 1;
        CHECK(file_write(path_of(&d, "k.pem"), "mine", 4, NULL) == OK);
        CHECK(make_at(&d, d.text, &key) == ERR_REFUSED && strstr(d.why.text, "there already"));
        CHECK(symlink("/nonexistent/x", path_of(&d, "link.pem")) == 0 && make_at(&d, d.text, &key) == ERR_BUSY && !key);
}

TEST(signing_key, asks_for_the_medium_when_nothing_is_there)
{
        OWN(desk) struct desk d = { 0 };
        OWN(signing_key) struct signing_key *key = NULL;
        desk_open(&d);
        d.args.of[OPTION_NO_PASSPHRASE].count = 1;
        CHECK(open_at(&d, "/media/nowhere/k.pem", &key) == ERR_NOT_FOUND && strcmp(d.why.text, "the key /media/nowhere/k.pem is not here; bring the medium that holds it") == 0);
        CHECK(make_at(&d, "/media/nowhere/k.pem", &key) == ERR_NOT_FOUND && strstr(d.why.text, "no folder /media/nowhere"));
}

static const struct { unsigned mode; bool is_encrypted; enum err err; } modes[] = {
        { 0600, false, OK }, { 0640, false, ERR_REFUSED }, { 0604, false, ERR_REFUSED }, { 0400, false, OK }, { 0644, true, OK },
};

TEST(signing_key, is_refused_when_others_may_read_it_and_it_is_not_encrypted)
{
        for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
                OWN(desk) struct desk d = { 0 };
                OWN(signing_key) struct signing_key *key = NULL, *again = NULL;
                desk_open(&d);
                if (modes[i].is_encrypted)
                        say(&d, OPTION_PASSPHRASE, "correct horse\n");
                else
                        d.args.of[OPTION_NO_PASSPHRASE].count = 1;
                CHECK(make_at(&d, path_of(&d, "k.pem"), &key) == OK);
                file_set_mode(d.text, modes[i].mode);
                CHECK(open_at(&d, d.text, &again) == modes[i].err && (again || strstr(d.why.text, "chmod 600")));
        }
}

TEST(signing_key, is_no_pipe_no_folder_and_no_other_text)
{
        OWN(desk) struct desk d = { 0 };
        OWN(signing_key) struct signing_key *key = NULL;
        desk_open(&d);
        CHECK(mkfifo(path_of(&d, "pipe"), 0600) == 0 && open_at(&d, d.text, &key) == ERR_REFUSED);
        CHECK(open_at(&d, d.folder, &key) == ERR_REFUSED);
        CHECK(file_write(path_of(&d, "text"), "no key\n", 7, NULL) == OK && open_at(&d, d.text, &key) == ERR_SYNTAX);
}

/* The publisher's folder, seen as a disk: the path is below it, and who may read it is asked where it is. */
TEST(signing_key, is_found_below_a_disk)
{
        static const uint8_t seed[32] = { 7 };
        OWN(desk) struct desk d = { 0 };
        OWN(sim_disk) struct sim_disk sim = { 0 };
        OWN(signing_key) struct signing_key *key = NULL, *open_one = NULL;
        OWN(buf) struct buf pem;
        struct secret_key secret;
        desk_open(&d);
        sim_disk_init(&sim);
        secret_key_make(seed, &secret);
        buf_init(&pem, KEY_PEM_MAX);
        CHECK(key_pem_write(&secret, NULL, &pem, NULL) == OK && sim.disk.ops->replace(&sim.disk, "k.pem", pem.bytes, pem.length, NULL) == OK);
        struct signing_keys_opener opener = { .args = &d.args, .secrets = &d.secrets, .disk = &sim.disk };
        CHECK(signing_key_open(&opener, "k.pem", &key, NULL) == OK && key_equal(signing_key_public(key), &secret.public) && signs(key));
        CHECK(file_write(path_of(&d, "k.pem"), "x", 1, NULL) == OK);
        file_set_mode(d.text, 0644);
        opener.folder = d.folder;
        CHECK(signing_key_open(&opener, "k.pem", &open_one, NULL) == ERR_REFUSED);
}

TEST(signing_key, survives_a_lack_of_memory)
{
        OWN(desk) struct desk d = { 0 };
        unsigned failed = 0;
        desk_open(&d);
        d.args.of[OPTION_NO_PASSPHRASE].count = 1;
        SWEEP_MEMORY {
                OWN(signing_key) struct signing_key *made = NULL, *opened = NULL;
                file_remove(path_of(&d, "k.pem"));
                enum err e = make_at(&d, d.text, &made);
                if (!e)
                        e = open_at(&d, d.text, &opened);
                CHECK(e ? e == ERR_NOMEM && !opened : signs(opened));
                failed += e == ERR_NOMEM;
        }
        CHECK(failed > 4);
}

/* ---- tokens ---- */

TEST(signing_key, is_made_in_a_token_and_opened_without_a_pin)
{
        OWN(token_world) struct token_world w = { 0 };
        OWN(desk) struct desk d = { 0 };
        desk_open(&d);
        if (!token_world_open(&w))
                return;
        OWN(signing_key) struct signing_key *made = NULL, *opened = NULL;
        CHECK(make_at(&d, token_world_uri(&w, "root-1", "1234"), &made) == OK && signing_key_place(made) == SIGNING_TOKEN && signs(made));
        forget(&d);
        CHECK(open_at(&d, token_world_uri(&w, "root-1", "4321"), &opened) == OK && key_equal(signing_key_public(opened), signing_key_public(made)));
}

TEST(signing_key, gives_out_no_signature_that_does_not_fit)
{
        OWN(token_world) struct token_world w = { 0 };
        OWN(desk) struct desk d = { 0 };
        uint8_t signature[64] = { 0 };
        desk_open(&d);
        if (!token_world_open(&w))
                return;
        OWN(signing_key) struct signing_key *key = NULL, *bad = NULL;
        CHECK(make_at(&d, token_world_uri(&w, "k", "1234"), &key) == OK);
        token_fault("flip");
        CHECK(signing_key_sign(key, "abc", 3, signature, &d.why) == ERR_UNTRUSTED && strstr(d.why.text, "the token is broken") && !signature[0] && !signature[63]);
        CHECK(make_at(&d, token_world_uri(&w, "k2", "1234"), &bad) == ERR_UNTRUSTED && !bad);
        CHECK(open_at(&d, token_world_uri(&w, "k2", ""), &bad) == ERR_NOT_FOUND);       /* of no use, so it was taken away */
}

/* Each wrong one costs one of few tries. */
TEST(signing_key, takes_the_pin_once_for_all_keys_of_a_token_and_a_wrong_one_never_twice)
{
        OWN(token_world) struct token_world w = { 0 };
        OWN(desk) struct desk d = { 0 };
        uint8_t signature[64];
        desk_open(&d);
        if (!token_world_open(&w))
                return;
        OWN(signing_key) struct signing_key *one = NULL, *two = NULL, *again = NULL;
        CHECK(make_at(&d, token_world_uri(&w, "one", "1234"), &one) == OK);
        CHECK(make_at(&d, token_world_uri(&w, "two", "4321"), &two) == OK && signs(two));            /* its file is not read: the PIN is known */
        signing_key_close(GIVE(one));
        signing_key_close(GIVE(two));
        forget(&d);
        CHECK(open_at(&d, token_world_uri(&w, "one", "4321"), &again) == OK && signing_key_sign(again, "abc", 3, signature, &d.why) == ERR_UNAUTHORIZED && !d.secrets.pin_of[0]);
        CHECK(strstr(d.why.text, "the PIN of the token acme: wrong PIN"));
        (void)token_world_uri(&w, "one", "1234");
        CHECK(signs(again));
}

TEST(signing_key, says_how_to_give_a_pin_where_no_terminal_is)
{
        OWN(token_world) struct token_world w = { 0 };
        OWN(desk) struct desk d = { 0 };
        desk_open(&d);
        if (!token_world_open(&w))
                return;
        {
                OWN(signing_key) struct signing_key *made = NULL;
                CHECK(make_at(&d, token_world_uri(&w, "k", "1234"), &made) == OK);
        }
        forget(&d);
        pid_t child = fork();
        CHECK(child >= 0);
        if (!child) {
                struct signing_key *key = NULL;
                uint8_t signature[64];
                setsid();
                enum err e = open_at(&d, "pkcs11:token=acme;object=k?module-path=" FAULTY_TOKEN, &key);
                if (!e)
                        e = signing_key_sign(key, "abc", 3, signature, &d.why);
                _exit(e == ERR_USAGE && strstr(d.why.text, "pin-source=FILE") ? 0 : 1);
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
