/* Ed25519 as we have it from libsodium, against OpenSSL's; and what a device's request costs with a MAC or with a signature. */
#include "bench/measure.h"
#include "trust/key.h"
#include "trust/request.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

enum { DOCUMENT_BYTES = 512 };
static const char device[] = "000102030405060708090a0b0c0d0e0f";
static const uint8_t secret[32] = "the server's secret, in a bench";

struct bench {
        struct secret_key key;
        EVP_PKEY *private, *public;
        EVP_MD_CTX *context;
        uint8_t document[DOCUMENT_BYTES], signature[64], mac_key[32];
        struct request_facts facts;
        char request_signature[REQUEST_SIGNATURE_BYTES], request_mac[REQUEST_MAC_BYTES];
};

static bool sodium_sign(void *user)
{
        struct bench *bench = user;
        key_sign(&bench->key, bench->document, sizeof(bench->document), bench->signature);
        return true;
}

static bool sodium_verify(void *user)
{
        struct bench *bench = user;
        return key_verify(&bench->key.public, bench->document, sizeof(bench->document), bench->signature);
}

static bool openssl_sign(void *user)
{
        struct bench *bench = user;
        size_t length = sizeof(bench->signature);
        return EVP_MD_CTX_reset(bench->context) == 1 && EVP_DigestSignInit(bench->context, NULL, NULL, NULL, bench->private) == 1 &&
               EVP_DigestSign(bench->context, bench->signature, &length, bench->document, sizeof(bench->document)) == 1;
}

static bool openssl_verify(void *user)
{
        struct bench *bench = user;
        return EVP_MD_CTX_reset(bench->context) == 1 && EVP_DigestVerifyInit(bench->context, NULL, NULL, NULL, bench->public) == 1 &&
               EVP_DigestVerify(bench->context, bench->signature, sizeof(bench->signature), bench->document, sizeof(bench->document)) == 1;
}

static bool check_signature(void *user)
{
        struct bench *bench = user;
        return request_check_signature(&bench->facts, bench->key.public.bytes, bench->request_signature, NULL) == OK;
}

/* As the server does it: the device's key is made from the secret first. */
static bool check_mac(void *user)
{
        struct bench *bench = user;
        uint8_t mac_key[32];
        request_mac_key(secret, device, mac_key);
        return request_check_mac(&bench->facts, mac_key, bench->request_mac, NULL) == OK;
}

static bool make_signature(void *user)
{
        struct bench *bench = user;
        return request_sign(&bench->facts, &bench->key, bench->request_signature, NULL) == OK;
}

static bool make_mac(void *user)
{
        struct bench *bench = user;
        return request_mac(&bench->facts, bench->mac_key, bench->request_mac, NULL) == OK;
}

/* The yardstick of a MAC: OpenSSL's one call over as many bytes as a request's message has. */
static bool openssl_hmac(void *user)
{
        struct bench *bench = user;
        uint8_t mac[32];
        unsigned length = 0;
        return HMAC(EVP_sha256(), bench->mac_key, sizeof(bench->mac_key), bench->document, 94, mac, &length) && length == sizeof(mac);
}

static bool prepare(struct bench *bench)
{
        static const uint8_t random[32] = "32 bytes that everybody may see";
        static const char body[] = "{\"epoch\":7,\"busy\":0}";
        secret_key_make(random, &bench->key);
        bench->private = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bench->key.seed, 32);
        bench->public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bench->key.public.bytes, 32);
        bench->context = EVP_MD_CTX_new();
        memset(bench->document, 'x', sizeof(bench->document));
        bench->facts = (struct request_facts){ "POST", "/v1/checkin", "1784432200", body, sizeof(body) - 1 };
        request_mac_key(secret, device, bench->mac_key);
        return bench->private && bench->public && bench->context && make_signature(bench) && make_mac(bench);
}

int main(int argc, char **argv)
{
        static struct bench bench;
        static const struct measure_case cases[] = {
                { "openssl_sign", NULL, openssl_sign, NULL, &bench, 1 },
                { "sodium_sign", "openssl_sign", sodium_sign, NULL, &bench, 1 },
                { "openssl_verify", NULL, openssl_verify, NULL, &bench, 1 },
                { "sodium_verify", "openssl_verify", sodium_verify, NULL, &bench, 1 },
                { "request_sign", NULL, make_signature, NULL, &bench, 1 },
                { "request_mac", "request_sign", make_mac, NULL, &bench, 1 },
                { "request_check_signature", NULL, check_signature, NULL, &bench, 1 },
                { "request_check_mac", "request_check_signature", check_mac, NULL, &bench, 1 },
                { "openssl_hmac", "request_check_signature", openssl_hmac, NULL, &bench, 1 },
        };
        bool is_smoke = measure_is_smoke(argc, argv);
        int code = prepare(&bench) ? measure_run(&(struct measure){ "sign", cases, sizeof(cases) / sizeof(cases[0]), is_smoke }) : 1;
        EVP_PKEY_free(bench.private);
        EVP_PKEY_free(bench.public);
        EVP_MD_CTX_free(bench.context);
        return code;
}
