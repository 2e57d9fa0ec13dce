#include "platform/token_uri.h"

#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

TEST(token_uri, is_told_from_a_path)
{
        CHECK(token_uri_is("pkcs11:") && token_uri_is("pkcs11:token=a") && !token_uri_is("pkcs11") && !token_uri_is("./pkcs11:a") && !token_uri_is(""));
}

TEST(token_uri, says_token_key_module_and_where_the_pin_is)
{
        OWN(token_uri) struct token_uri *uri = NULL;
        CHECK(token_uri_open("pkcs11:token=my%20card;object=root-1;id=%01%ff?module-path=/usr/lib/x.so&pin-source=file:///run/pin", &uri, NULL) == OK);
        CHECK(strcmp(uri->token, "my card") == 0 && strcmp(uri->label, "root-1") == 0 && uri->id_length == 2 && memcmp(uri->id, "\x01\xff", 2) == 0);
        CHECK(strcmp(uri->module, "/usr/lib/x.so") == 0 && strcmp(uri->pin_file, "/run/pin") == 0);
}

TEST(token_uri, says_nothing_that_it_does_not_hold)
{
        OWN(token_uri) struct token_uri *uri = NULL;
        CHECK(token_uri_open("pkcs11:", &uri, NULL) == OK && !uri->token[0] && !uri->label[0] && !uri->id_length && !uri->module && !uri->pin_file);
}

TEST(token_uri, is_refused_with_what_to_write_instead)
{
        static const struct { const char *uri, *says; } cases[] = {
                { "pkcs11:tokn=a", "not known" }, { "pkcs11:token=%zz", "write pkcs11:token=" }, { "pkcs11:token", "write pkcs11:token=" },
                { "pkcs11:token=a?pin-value=1234", "list of processes" }, { "pkcs11:token=a?pin-source=|cat%20/run/pin", "programs are not run" },
                { "pkcs11:token=a?pin-source=", "holds the PIN" }, { "pkcs11:token=a?module-path=x.so", "absolute" }, { "pkcs11:type=cert", "signs nothing" },
                { "pkcs11:object=a%00b", "label" }, { "pkcs11:object=", "label" }, { "pkcs11:id=", "id= has" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(token_uri) struct token_uri *uri = NULL;
                struct why why = { 0 };
                enum err e = token_uri_open(cases[i].uri, &uri, &why);
                if (e != ERR_USAGE || !strstr(why.text, cases[i].says))
                        printf("# %s: %d %s\n", cases[i].uri, e, why.text);
                CHECK(e == ERR_USAGE && strstr(why.text, cases[i].says) && !strstr(why.text, "1234"));
        }
}

TEST(token_uri, survives_a_lack_of_memory)
{
        unsigned failed = 0;
        SWEEP_MEMORY {
                OWN(token_uri) struct token_uri *uri = NULL;
                enum err e = token_uri_open("pkcs11:token=acme", &uri, NULL);
                CHECK(e ? e == ERR_NOMEM && !uri : uri != NULL);
                failed += e == ERR_NOMEM;
        }
        CHECK(failed > 0);
}
