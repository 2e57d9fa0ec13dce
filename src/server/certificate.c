#include "server/certificate.h"

#include "base/own.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <uv.h>

enum { DAYS = 3650, NAMES_MAX = 1024 };

OWN_DEFINE(pkey, EVP_PKEY *, EVP_PKEY_free)
OWN_DEFINE(x509, X509 *, X509_free)
OWN_DEFINE(bio, BIO *, BIO_free_all)

static enum err fail(const char *doing, struct why *why)
{
        char text[120];
        ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
        ERR_clear_error();
        return FAIL(why, ERR_IO, "making a certificate: %s: %s", doing, text);
}

static bool is_address(const char *host)
{
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        return uv_ip4_addr(host, 0, &v4) == 0 || uv_ip6_addr(host, 0, &v6) == 0;
}

/* A name as DNS and X.509 have them; others are left out, the certificate holds without. */
static bool is_name(const char *host)
{
        size_t length = strlen(host);
        return length && length <= 253 && strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == length;
}

static void list_names(const char *host, struct buf *names)
{
        char own[256] = "";
        size_t length = sizeof(own);
        buf_add_text(names, "IP:127.0.0.1,IP:::1,DNS:localhost");
        if (uv_os_gethostname(own, &length) == 0 && is_name(own))
                buf_addf(names, ",DNS:%s", own);
        if (host && is_address(host))
                buf_addf(names, ",IP:%s", host);
        else if (host && is_name(host))
                buf_addf(names, ",DNS:%s", host);
}

static bool add_extension(X509 *certificate, int number, const char *value)
{
        X509V3_CTX context;
        X509V3_set_ctx_nodb(&context);
        X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, number, value);
        bool is_added = extension && X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
        return is_added;
}

static bool fill(X509 *certificate, EVP_PKEY *key, int64_t now_s, const char *names)
{
        X509_NAME *name = X509_get_subject_name(certificate);
        BIGNUM *serial = BN_new();
        bool is_good = serial && BN_rand(serial, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) && BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate));
        BN_free(serial);
        /* A day back, for devices whose clock is behind. */
        is_good = is_good && ASN1_TIME_set(X509_getm_notBefore(certificate), now_s - 86400) &&
                  ASN1_TIME_set(X509_getm_notAfter(certificate), now_s + (int64_t)DAYS * 86400);
        return is_good && X509_set_version(certificate, X509_VERSION_3) && X509_set_pubkey(certificate, key) &&
               X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"firebreakd", -1, -1, 0) &&
               X509_set_issuer_name(certificate, name) && add_extension(certificate, NID_subject_alt_name, names) &&
               add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
               add_extension(certificate, NID_key_usage, "critical,digitalSignature") && add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
               add_extension(certificate, NID_subject_key_identifier, "hash") && X509_sign(certificate, key, EVP_sha256());
}

static enum err give(BIO *bio, struct buf *into, struct why *why)
{
        char *bytes = NULL;
        long length = BIO_get_mem_data(bio, &bytes);
        buf_add(into, bytes, (size_t)length);
        return buf_check(into, why);
}

enum err certificate_make(const char *host, int64_t now_s, struct buf *certificate, struct buf *key, struct why *why)
{
        OWN(buf) struct buf names;
        buf_init(&names, NAMES_MAX);
        list_names(host, &names);
        enum err e = buf_check(&names, why);
        if (e)
                return e;
        OWN(pkey) EVP_PKEY *pair = EVP_EC_gen("P-256");
        OWN(x509) X509 *made = X509_new();
        OWN(bio) BIO *certificate_pem = BIO_new(BIO_s_mem());
        OWN(bio) BIO *key_pem = BIO_new(BIO_s_secmem());
        if (!pair || !made || !certificate_pem || !key_pem)
                return fail("key", why);
        if (!fill(made, pair, now_s, buf_text(&names)))
                return fail(buf_text(&names), why);
        if (!PEM_write_bio_X509(certificate_pem, made) || !PEM_write_bio_PKCS8PrivateKey(key_pem, pair, NULL, NULL, 0, NULL, NULL))
                return fail("writing", why);
        e = give(certificate_pem, certificate, why);
        return e ? e : give(key_pem, key, why);
}
