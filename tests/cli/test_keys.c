/* The commands about keys, as a person types them. */
#include "cli/desk.h"
#include "support/sweep.h"
#include "support/token_world.h"

static void desk_open(struct desk *desk)
{
        desk_init(desk);
        put(desk, "words", "correct horse\n");
        put(desk, "others", "staple battery\n");
}

/* RFC 8032, section 7.1, test 1: a key whose public half is known. */
static const char known_key[] = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/Vpg" "uoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";

TEST(keys_show, tells_name_key_id_and_place)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        CHECK(say(&d, "keys new @/root-1.pem --no-passphrase --name root.acme --json") == 0);
        CHECK(strstr(d.run.out, "\"name\": \"root.acme\"") && strstr(d.run.out, "\"vkey\": \"root.acme+") && strstr(d.run.out, "\"held\": \"file\"") && strstr(d.run.out, "/root-1.pem\""));
        CHECK(say(&d, "keys show @/root-1.pem") == 0 && strncmp(d.run.out, "root-1+", 7) == 0 && strstr(d.run.out, "\nkey id ") && strstr(d.run.out, "held           file\n"));
}

TEST(keys_new, refuses_what_makes_no_sense)
{
        static const struct { const char *line, *says; int code; } cases[] = {
                { "keys new @/a~b.pem --no-passphrase", "give --name NAME", 64 },
                { "keys new @/a+b.pem --no-passphrase", "give --name NAME", 64 },
                { "keys new @/nowhere/k.pem --no-passphrase", "bring and mount the medium", 66 },
                { "keys new @/words --no-passphrase", "there already", 78 },
                { "keys new @ --no-passphrase", "there already", 78 },
                { "keys new @/k.pem --no-passphrase --passphrase-file @/words", "exclude each other", 64 },
                { "keys new pkcs11:token=acme;object=k --no-passphrase", "pin-source=FILE", 64 },
                { "keys new pkcs11:token=acme;object=k?module-path=/nonexistent/p11.so", "no PKCS#11 module /nonexistent/p11.so", 66 },
                { "keys new pkcs11:token=acme", "add ;object=LABEL", 64 },
                { "keys show pkcs11:tokn=acme;object=k", "not known", 64 },
                { "keys show @/nothing.pem", "bring the medium", 66 },
                { "keys list @/nowhere", "bring and mount the medium", 66 },
                { "keys passphrase pkcs11:token=acme;object=k", "for files", 64 },
        };
        OWN(desk) struct desk d;
        desk_open(&d);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                int code = say(&d, cases[i].line);
                if (code != cases[i].code || !strstr(d.run.err, cases[i].says))
                        printf("# %s: %d %s\n", cases[i].line, code, d.run.err);
                CHECK(code == cases[i].code && strstr(d.run.err, cases[i].says) && !d.run.out[0]);
        }
}

TEST(keys_list, shows_what_it_can_without_a_passphrase)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        put(&d, "b.pem", known_key);
        put(&d, "z.pem", "-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n");
        CHECK(say(&d, "keys new @/a.pem --passphrase-file @/words") == 0 && say(&d, "keys show @/b.pem --json") == 0);
        CHECK(strstr(d.run.out, "\"vkey\": \"b+") && strstr(d.run.out, "+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea\""));
        CHECK(say(&d, "keys list @") == 0);
        const char *a = strstr(d.run.out, "a.pem  encrypted       -\n"), *b = strstr(d.run.out, "b.pem  file            "), *z = strstr(d.run.out, "z.pem  no Ed25519 key  -\n");
        CHECK(a && b && z && a < b && b < z && !strstr(d.run.out, "words"));
        CHECK(say(&d, "keys list @ --json") == 0 && strstr(d.run.out, "\"held\": \"encrypted\"") && strstr(d.run.out, "\"key_id\": null"));
}

TEST(keys_passphrase, changes_it_and_keeps_the_key)
{
        OWN(desk) struct desk d;
        char before[128];
        desk_open(&d);
        CHECK(say(&d, "keys new @/k.pem --passphrase-file @/words") == 0);
        snprintf(before, sizeof(before), "%.*s", (int)strcspn(d.run.out, "\n"), d.run.out);
        CHECK(say(&d, "keys passphrase @/k.pem --passphrase-file @/others --no-passphrase") == 77 && strstr(d.run.err, "wrong passphrase"));
        CHECK(say(&d, "keys passphrase @/k.pem --passphrase-file @/words --new-passphrase-file @/others") == 0 && strstr(d.run.out, "has the new passphrase"));
        CHECK(say(&d, "keys show @/k.pem --passphrase-file @/words") == 77);
        CHECK(say(&d, "keys show @/k.pem --passphrase-file @/others") == 0 && strstr(d.run.out, before));
        CHECK(say(&d, "keys passphrase @/k.pem --passphrase-file @/others --no-passphrase --json") == 0 && strstr(d.run.out, "\"held\": \"file\""));
        CHECK(say(&d, "keys show @/k.pem") == 0 && strstr(d.run.out, before));
        put(&d, "short", "seven77\n");
        CHECK(say(&d, "keys passphrase @/k.pem --new-passphrase-file @/short") == 64 && say(&d, "keys show @/k.pem") == 0);
}

/* The old file stays where a link pointed to it, were the link replaced. */
TEST(keys_passphrase, follows_a_link_to_the_file)
{
        OWN(desk) struct desk d;
        char path[128];
        desk_open(&d);
        put(&d, "k.pem", known_key);
        snprintf(path, sizeof(path), "%s/link.pem", d.path);
        CHECK(symlink("k.pem", path) == 0 && say(&d, "keys passphrase @/link.pem --new-passphrase-file @/words") == 0);
        CHECK(say(&d, "keys list @") == 0 && strstr(d.run.out, "k.pem  encrypted"));
}

TEST(keys_passphrase, leaves_a_key_that_opens_when_memory_is_short)
{
        OWN(desk) struct desk d;
        unsigned failed = 0;
        desk_open(&d);
        put(&d, "k.pem", known_key);
        SWEEP_MEMORY {
                int code = say(&d, "keys passphrase @/k.pem --no-passphrase");
                CHECK(code == 0 || code == err_info(ERR_NOMEM)->exit);
                failed += code != 0;
        }
        CHECK(failed > 4 && say(&d, "keys show @/k.pem") == 0);
}

TEST(keys, live_in_a_token_as_in_a_file)
{
        OWN(token_world) struct token_world w = { 0 };
        OWN(desk) struct desk d;
        char line[700], before[128];
        desk_open(&d);
        if (!token_world_open(&w))
                return;
        snprintf(line, sizeof(line), "keys new %s --name root.acme", token_world_uri(&w, "root-1", "1234"));
        CHECK(say(&d, line) == 0 && strncmp(d.run.out, "root.acme+", 10) == 0 && strstr(d.run.out, "held           token\n"));
        snprintf(before, sizeof(before), "%.*s", (int)strcspn(d.run.out, "\n"), d.run.out);
        CHECK(say(&d, line) == 78 && strstr(d.run.err, "never written over"));
        snprintf(line, sizeof(line), "keys show pkcs11:token=acme;object=root-1?module-path=%s --name root.acme", w.module);
        CHECK(say(&d, line) == 0 && strstr(d.run.out, before));
        snprintf(line, sizeof(line), "keys list pkcs11:token=acme?module-path=%s", w.module);
        CHECK(say(&d, line) == 0 && strstr(d.run.out, "root-1  token  "));
        snprintf(line, sizeof(line), "keys new %s", token_world_uri(&w, "root-2", "4321"));
        CHECK(say(&d, line) == 77 && strstr(d.run.err, "wrong PIN"));
}
