/* A PKCS#11 module for tests: SoftHSM's, with one fault that FIREBREAK_FAULT names. FIREBREAK_MODULE is SoftHSM's path. */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static CK_FUNCTION_LIST real, faulty;

static bool is(const char *fault)
{
        const char *wanted = getenv("FIREBREAK_FAULT");
        return wanted && strcmp(wanted, fault) == 0;
}

/* SoftHSM 2.6.1 loses an ASN.1 string with each Ed25519 key that it takes into use; the leak sanitizer is to look for ours. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static void watch_leaks(bool is_watched)
{
        void (*set)(void) = is_watched ? __lsan_enable : __lsan_disable;
        if (set)
                set();
}

static CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
        CK_RV code = real.C_GetTokenInfo(slot, info);
        if (code == CKR_OK && is("last try"))
                info->flags |= CKF_USER_PIN_FINAL_TRY;
        if (code == CKR_OK && is("locked before"))
                info->flags |= CKF_USER_PIN_LOCKED;
        if (code == CKR_OK && is("read-only"))
                info->flags |= CKF_WRITE_PROTECTED;
        if (code == CKR_OK && is("pad"))
                info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
        return code;
}

static CK_RV get_mechanism_info(CK_SLOT_ID slot, CK_MECHANISM_TYPE mechanism, CK_MECHANISM_INFO_PTR info)
{
        return is("no ed25519") ? CKR_MECHANISM_INVALID : real.C_GetMechanismInfo(slot, mechanism, info);
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG length)
{
        if (is("locked"))
                return CKR_PIN_LOCKED;
        if (is("pad") && !pin)                    /* typed at the reader */
                return real.C_Login(session, user, (CK_UTF8CHAR_PTR) "1234", 4);
        return real.C_Login(session, user, pin, length);
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM_PTR how, CK_OBJECT_HANDLE key)
{
        watch_leaks(false);
        CK_RV code = real.C_SignInit(session, how, key);
        watch_leaks(true);
        return code;
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE_PTR bytes, CK_ULONG length, CK_BYTE_PTR signature, CK_ULONG_PTR signature_length)
{
        if (is("gone"))
                return CKR_DEVICE_REMOVED;
        watch_leaks(false);
        CK_RV code = real.C_Sign(session, bytes, length, signature, signature_length);
        watch_leaks(true);
        if (is("flip"))
                signature[7] ^= 0x10;
        if (is("short"))
                *signature_length = 63;
        return code;
}

/* Says what others say: 32 bytes alone; a point that is none; a label that is longer than it was asked for. */
static CK_RV get_attribute(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR wanted, CK_ULONG count)
{
        CK_RV code = real.C_GetAttributeValue(session, object, wanted, count);
        if (code != CKR_OK || wanted->type != CKA_EC_POINT)
                return code;
        if (is("raw point")) {
                memmove(wanted->pValue, (char *)wanted->pValue + 2, 32);
                wanted->ulValueLen = 32;
        }
        if (is("no point"))
                wanted->ulValueLen = 20;
        if (is("endless point"))
                wanted->ulValueLen = 1 << 20;
        return code;
}

/* Knows the curve by its object identifier only. */
static CK_RV generate(CK_SESSION_HANDLE session, CK_MECHANISM_PTR how, CK_ATTRIBUTE_PTR public, CK_ULONG public_count, CK_ATTRIBUTE_PTR secret, CK_ULONG secret_count,
                      CK_OBJECT_HANDLE_PTR one, CK_OBJECT_HANDLE_PTR other)
{
        static char name[] = "\x13\x0c" "edwards25519";
        for (CK_ULONG i = 0; is("oid") && i < public_count; i++) {
                if (public[i].type != CKA_EC_PARAMS)
                        continue;
                if (public[i].ulValueLen != 5 || memcmp(public[i].pValue, "\x06\x03\x2b\x65\x70", 5) != 0)
                        return CKR_DOMAIN_PARAMS_INVALID;
                public[i].pValue = name;
                public[i].ulValueLen = sizeof(name) - 1;
        }
        if (is("full"))
                return CKR_DEVICE_MEMORY;
        watch_leaks(false);
        CK_RV code = real.C_GenerateKeyPair(session, how, public, public_count, secret, secret_count, one, other);
        watch_leaks(true);
        return code;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR ret_list)
{
        CK_C_GetFunctionList get = NULL;
        CK_FUNCTION_LIST *list = NULL;
        const char *path = getenv("FIREBREAK_MODULE");
        void *module = path ? dlopen(path, RTLD_NOW) : NULL;
        void *found = module ? dlsym(module, "C_GetFunctionList") : NULL;
        memcpy(&get, &found, sizeof(get));
        if (!get || get(&list) != CKR_OK)
                return CKR_GENERAL_ERROR;
        real = faulty = *list;
        faulty.C_GetTokenInfo = get_token_info;
        faulty.C_GetMechanismInfo = get_mechanism_info;
        faulty.C_Login = login;
        faulty.C_SignInit = sign_init;
        faulty.C_Sign = sign;
        faulty.C_GetAttributeValue = get_attribute;
        faulty.C_GenerateKeyPair = generate;
        *ret_list = &faulty;
        return CKR_OK;
}
