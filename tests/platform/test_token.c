#include "platform/token.h"

#include "support/token_world.h"

static const uint8_t id[17] = "sixteen bytes   ";

struct desk {
        struct token_uri *uri;
        struct token *token;
        struct why why;
};

static void desk_release(struct desk *desk)
{
        token_close(desk->token);
        token_uri_close(desk->uri);
}

static enum err begin(struct desk *desk, const char *text, enum token_use use)
{
        CHECK(token_uri_open(text, &desk->uri, NULL) == OK);
        return token_open(desk->uri, use, &desk->token, &desk->why);
}

static enum err make(struct token_world *world, const char *label, struct token_key *ret_key)
{
        OWN(desk) struct desk desk = { 0 };
        enum err e = begin(&desk, token_world_uri(world, label, "1234"), TOKEN_CHANGE);
        if (!e)
                e = token_login(desk.token, "1234", &desk.why);
        if (!e)
                e = token_make(desk.token, id, ret_key, &desk.why);
        if (e)
                printf("# %s\n", desk.why.text);
        return e;
}

TEST(token, makes_a_key_that_is_found_again_and_signs)
{
        OWN(token_world) struct token_world w = { 0 };
        OWN(desk) struct desk desk = { 0 };
        struct token_key made, found;
        uint8_t one[64], other[64];
        if (!token_world_open(&w))
                return;
        CHECK(make(&w, "root-1", &made) == OK && strcmp(made.label, "root-1") == 0 && made.id_length == 16 && memcmp(made.id, id, 16) == 0);
        CHECK(begin(&desk, token_world_uri(&w, "root-1", ""), TOKEN_LOOK) == OK && strcmp(token_name(desk.token), "acme") == 0 && token_serial(desk.token)[0]);
        CHECK(token_find(desk.token, &found, NULL) == OK && memcmp(&found, &made, sizeof(found)) == 0);
        CHECK(token_login_kind(desk.token) == TOKEN_PIN && token_sign(desk.token, &found, "abc", 3, one, NULL) != OK);       /* not before the PIN */
        CHECK(token_login(desk.token, "1234", NULL) == OK && token_login(desk.token, "1234", NULL) == OK);
        CHECK(token_sign(desk.token, &found, "abc", 3, one, NULL) == OK && token_sign(desk.token, &found, "abc", 3, other, NULL) == OK && memcmp(one, other, 64) == 0);
}

TEST(token, takes_both_forms_of_a_public_key_and_of_the_curve)
{
        OWN(token_world) struct token_world w = { 0 };
        OWN(desk) struct desk desk = { 0 };
        struct token_key wrapped, raw;
        if (!token_world_open(&w))
                return;
        token_fault("oid");
        CHECK(make(&w, "k", &wrapped) == OK);
        token_fault("raw point");
        CHECK(begin(&desk, token_world_uri(&w, "k", ""), TOKEN_LOOK) == OK && token_find(desk.token, &raw, NULL) == OK && memcmp(raw.public, wrapped.public, 32) == 0);
}

TEST(token, never_makes_a_second_key_of_a_label_or_an_id)
{
        OWN(token_world) struct token_world w = { 0 };
        struct token_key key;
        if (!token_world_open(&w))
                return;
        CHECK(make(&w, "k", &key) == OK && make(&w, "k", &key) == ERR_REFUSED && make(&w, "other", &key) == ERR_REFUSED);
        CHECK(make(&w, "k2;id=%02", &key) == OK && key.id_length == 1 && make(&w, "k3;id=%02", &key) == ERR_REFUSED);
}

static enum err count(void *user, const struct token_key *key, struct why *why)
{
        (void)why;
        *(unsigned *)user += key->label[0] == 'k';
        return OK;
}

TEST(token_list, shows_all_keys_without_a_pin)
{
        OWN(token_world) struct token_world w = { 0 };
        OWN(desk) struct desk desk = { 0 };
        struct token_key key;
        unsigned seen = 0;
        if (!token_world_open(&w))
                return;
        CHECK(make(&w, "k1;id=%01", &key) == OK && make(&w, "k2;id=%02", &key) == OK);
        CHECK(begin(&desk, "pkcs11:token=acme?module-path=" FAULTY_TOKEN, TOKEN_LOOK) == OK && token_list(desk.token, count, &seen, NULL) == OK && seen == 2);
        CHECK(token_find(desk.token, &key, &desk.why) == ERR_USAGE && strstr(desk.why.text, "keys list"));
}

TEST(token_find, wants_one_and_only_one)
{
        OWN(token_world) struct token_world w = { 0 };
        struct token_key key;
        if (!token_world_open(&w))
                return;
        OWN(desk) struct desk none = { 0 }, by_id = { 0 };
        CHECK(make(&w, "k", &key) == OK);
        CHECK(begin(&none, token_world_uri(&w, "nothing", ""), TOKEN_LOOK) == OK && token_find(none.token, &key, &none.why) == ERR_NOT_FOUND && strstr(none.why.text, "nothing"));
        CHECK(begin(&by_id, "pkcs11:id=sixteen%20bytes%20%20%20?module-path=" FAULTY_TOKEN, TOKEN_LOOK) == OK && token_find(by_id.token, &key, NULL) == OK && strcmp(key.label, "k") == 0);
}

/* ---- what goes wrong ---- */

static const struct { const char *fault; enum err err; const char *says; } faults[] = {
        { "flip", OK, "" },                      /* who takes the signature sees it: tests/cli/test_signing_key.c */
        { "locked", ERR_REFUSED, "security officer" },
        { "locked before", ERR_REFUSED, "security officer" },
        { "no ed25519", ERR_REFUSED, "no Ed25519" },
        { "gone", ERR_UNAVAILABLE, "taken out" },
        { "short", ERR_IO, "63 bytes" },
        { "no point", ERR_SYNTAX, "not of the kind Ed25519" },
        { "endless point", ERR_SYNTAX, "not of the kind Ed25519" },
};

TEST(token, says_what_is_wrong_with_it)
{
        OWN(token_world) struct token_world w = { 0 };
        struct token_key key;
        uint8_t signature[64];
        if (!token_world_open(&w))
                return;
        CHECK(make(&w, "k", &key) == OK);
        for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
                OWN(desk) struct desk desk = { 0 };
                token_fault(faults[i].fault);
                enum err e = begin(&desk, token_world_uri(&w, "k", ""), TOKEN_LOOK);
                if (!e)
                        e = token_login(desk.token, "1234", &desk.why);
                if (!e)
                        e = token_find(desk.token, &key, &desk.why);
                if (!e)
                        e = token_sign(desk.token, &key, "abc", 3, signature, &desk.why);
                if (e != faults[i].err || !strstr(desk.why.text, faults[i].says))
                        printf("# %s: %d %s\n", faults[i].fault, e, desk.why.text);
                CHECK(e == faults[i].err && strstr(desk.why.text, faults[i].says));
        }
}

TEST(token_login, tells_of_a_wrong_pin_and_of_the_last_try)
{
        OWN(token_world) struct token_world w = { 0 };
        OWN(desk) struct desk desk = { 0 };
        if (!token_world_open(&w))
                return;
        CHECK(begin(&desk, token_world_uri(&w, "k", ""), TOKEN_LOOK) == OK);
        CHECK(token_login(desk.token, "4321", &desk.why) == ERR_UNAUTHORIZED && strstr(desk.why.text, "wrong PIN"));
        CHECK(token_login(desk.token, "", &desk.why) == ERR_UNAUTHORIZED);
        token_fault("last try");
        CHECK(token_login(desk.token, "4321", &desk.why) == ERR_UNAUTHORIZED && strstr(desk.why.text, "one more wrong one locks it"));
}

TEST(token_login, leaves_the_pin_to_the_readers_pad)
{
        OWN(token_world) struct token_world w = { 0 };
        OWN(desk) struct desk desk = { 0 };
        struct token_key key;
        uint8_t signature[64];
        if (!token_world_open(&w))
                return;
        CHECK(make(&w, "k", &key) == OK);
        token_fault("pad");
        CHECK(begin(&desk, token_world_uri(&w, "k", ""), TOKEN_LOOK) == OK && token_login_kind(desk.token) == TOKEN_PAD && token_login(desk.token, NULL, NULL) == OK);
        CHECK(token_sign(desk.token, &key, "abc", 3, signature, NULL) == OK);
}

TEST(token_make, says_why_it_cannot)
{
        OWN(token_world) struct token_world w = { 0 };
        struct token_key key;
        if (!token_world_open(&w))
                return;
        token_fault("read-only");
        CHECK(make(&w, "k", &key) == ERR_REFUSED);
        token_fault("full");
        CHECK(make(&w, "k", &key) == ERR_FULL);
        token_fault("no ed25519");
        CHECK(make(&w, "k", &key) == ERR_REFUSED);
        token_fault("no point");
        CHECK(make(&w, "k", &key) == ERR_REFUSED);
        token_fault("");
        CHECK(make(&w, "k", &key) == OK);        /* what was made in vain is gone */
}

TEST(token_open, says_which_module_or_token_is_not_here)
{
        static const struct { const char *uri; enum err err; const char *says; } cases[] = {
                { "pkcs11:token=acme?module-path=/nonexistent/p11.so", ERR_NOT_FOUND, "no PKCS#11 module /nonexistent/p11.so" },
                { "pkcs11:token=acme?module-path=/etc/passwd", ERR_UNAVAILABLE, "/etc/passwd is no PKCS#11 module" },
                { "pkcs11:token=other?module-path=" FAULTY_TOKEN, ERR_NOT_FOUND, "no token other here" },
                { "pkcs11:token=acme;serial=0?module-path=" FAULTY_TOKEN, ERR_NOT_FOUND, "no token acme here" },
                { "pkcs11:slot-id=77777?module-path=" FAULTY_TOKEN, ERR_NOT_FOUND, "that the URI fits" },
        };
        OWN(token_world) struct token_world w = { 0 };
        if (!token_world_open(&w))
                return;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(desk) struct desk desk = { 0 };
                enum err e = begin(&desk, cases[i].uri, TOKEN_LOOK);
                if (e != cases[i].err || !strstr(desk.why.text, cases[i].says))
                        printf("# %s: %d %s\n", cases[i].uri, e, desk.why.text);
                CHECK(e == cases[i].err && strstr(desk.why.text, cases[i].says));
        }
        OWN(desk) struct desk both = { 0 };
        CHECK(system("softhsm2-util --init-token --free --label second --pin 1234 --so-pin 12345678 >/dev/null") == 0);
        CHECK(begin(&both, "pkcs11:?module-path=" FAULTY_TOKEN, TOKEN_LOOK) == ERR_USAGE && strstr(both.why.text, "2 tokens here"));
}
