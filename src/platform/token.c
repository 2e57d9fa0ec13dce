#include "platform/token.h"

#include "base/mem.h"
#include "platform/file.h"

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>
#include <string.h>

enum { SLOTS_MAX = 64, KEYS_MAX = 256 };         /* a reader has one, an HSM some; and a list that people read */

struct token {
        const struct token_uri *uri;
        CK_FUNCTION_LIST **modules;              /* NULL: `only` alone */
        CK_FUNCTION_LIST *only;                  /* the one that the URI names */
        CK_FUNCTION_LIST *module;                /* which of them has the token */
        CK_SLOT_ID slot;
        CK_TOKEN_INFO info;
        CK_SESSION_HANDLE session;
        CK_OBJECT_HANDLE made[2];                /* by token_make(): both halves */
        bool has_session, has_begun, has_made;   /* has_begun: `only` was initialized */
        char name[33], serial[17];
};

/* ---- errors ---- */

static const struct { CK_RV code; enum err err; const char *text; } codes[] = {
        { CKR_PIN_INCORRECT, ERR_UNAUTHORIZED, "wrong PIN" },
        { CKR_PIN_INVALID, ERR_UNAUTHORIZED, "wrong PIN: it holds bytes that the token takes in none" },
        { CKR_PIN_LEN_RANGE, ERR_UNAUTHORIZED, "wrong PIN: it is shorter or longer than any of this token" },
        { CKR_PIN_LOCKED, ERR_REFUSED, "the PIN is locked after too many wrong ones; the token's security officer sets a new one" },
        { CKR_PIN_EXPIRED, ERR_REFUSED, "the PIN has expired; set a new one with the token's own tools" },
        { CKR_USER_PIN_NOT_INITIALIZED, ERR_REFUSED, "the token has no PIN yet; its security officer sets one" },
        { CKR_FUNCTION_CANCELED, ERR_UNAUTHORIZED, "it was cancelled at the token" },
        { CKR_MECHANISM_INVALID, ERR_REFUSED, "the token does no Ed25519 (CKM_EDDSA)" },
        { CKR_CURVE_NOT_SUPPORTED, ERR_REFUSED, "the token does no Ed25519 (CKM_EDDSA)" },
        { CKR_KEY_TYPE_INCONSISTENT, ERR_REFUSED, "this key does no Ed25519" },
        { CKR_KEY_FUNCTION_NOT_PERMITTED, ERR_REFUSED, "this key may not sign (CKA_SIGN)" },
        { CKR_USER_NOT_LOGGED_IN, ERR_REFUSED, "the token wants its PIN for each signature, which is not served" },
        { CKR_TOKEN_WRITE_PROTECTED, ERR_REFUSED, "the token cannot be written to" },
        { CKR_TOKEN_NOT_PRESENT, ERR_UNAVAILABLE, "the token was taken out" },
        { CKR_TOKEN_NOT_RECOGNIZED, ERR_UNAVAILABLE, "the module does not know this kind of token" },
        { CKR_DEVICE_REMOVED, ERR_UNAVAILABLE, "the token was taken out" },
        { CKR_DEVICE_MEMORY, ERR_FULL, "no room left in the token" },
        { CKR_HOST_MEMORY, ERR_NOMEM, "no memory for the token's module" },
};

static enum err fail(CK_RV code, const char *doing, struct why *why)
{
        for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
                if (codes[i].code == code)
                        return FAIL(why, codes[i].err, "%s", codes[i].text);
        return FAIL(why, ERR_IO, "%s: the token's module says: %s", doing, p11_kit_strerror(code));
}

/* ---- the token ---- */

static enum err begin_only(struct token *token, const char *path, struct why *why)
{
        if (file_kind(path) == FILE_ABSENT)
                return FAIL(why, ERR_NOT_FOUND, "there is no PKCS#11 module %s; install the token's software, or correct module-path=", path);
        token->only = p11_kit_module_load(path, 0);
        if (!token->only)
                return FAIL(why, ERR_UNAVAILABLE, "%s is no PKCS#11 module that can be loaded", path);
        CK_RV code = p11_kit_module_initialize(token->only);
        token->has_begun = code == CKR_OK;
        return code == CKR_OK ? OK : FAIL(why, ERR_UNAVAILABLE, "the PKCS#11 module %s does not start: %s", path, p11_kit_strerror(code));
}

static enum err begin(struct token *token, struct why *why)
{
        p11_kit_be_quiet();                      /* it would write to standard error by itself */
        if (token->uri->module)
                return begin_only(token, token->uri->module, why);
        token->modules = p11_kit_modules_load_and_initialize(0);
        if (!token->modules || !token->modules[0])
                return FAIL(why, ERR_NOT_FOUND, "no PKCS#11 module is set up on this machine; name one with ?module-path=FILE");
        return OK;
}

static bool fits(const struct token *token, CK_FUNCTION_LIST *module, CK_SLOT_ID slot, CK_TOKEN_INFO *ret_info)
{
        CK_SLOT_INFO slot_info;
        CK_SLOT_ID wanted = p11_kit_uri_get_slot_id(token->uri->parsed);
        if (module->C_GetSlotInfo(slot, &slot_info) != CKR_OK || module->C_GetTokenInfo(slot, ret_info) != CKR_OK)
                return false;
        return (ret_info->flags & CKF_TOKEN_INITIALIZED) && (wanted == (CK_SLOT_ID)-1 || wanted == slot) && p11_kit_uri_match_slot_info(token->uri->parsed, &slot_info) &&
               p11_kit_uri_match_token_info(token->uri->parsed, ret_info);
}

/* Adds the tokens of a module that fit; the first is kept. */
static unsigned look(struct token *token, CK_FUNCTION_LIST *module, unsigned found)
{
        CK_INFO info;
        CK_SLOT_ID slots[SLOTS_MAX];
        CK_ULONG count = SLOTS_MAX;
        if (module->C_GetInfo(&info) != CKR_OK || !p11_kit_uri_match_module_info(token->uri->parsed, &info) || module->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
                return found;
        for (CK_ULONG i = 0; i < count; i++) {
                CK_TOKEN_INFO token_info;
                if (!fits(token, module, slots[i], &token_info) || found++)
                        continue;
                token->module = module;
                token->slot = slots[i];
                token->info = token_info;
        }
        return found;
}

static enum err find_token(struct token *token, struct why *why)
{
        CK_FUNCTION_LIST *one[] = { token->only, NULL }, **modules = token->only ? one : token->modules;
        const char *name = token->uri->token[0] ? token->uri->token : "that the URI fits";
        unsigned found = 0;
        for (size_t i = 0; modules[i]; i++)
                found = look(token, modules[i], found);
        if (!found)
                return FAIL(why, ERR_NOT_FOUND, "there is no token %s here; put it in, or correct the URI", name);
        if (found > 1)
                return FAIL(why, ERR_USAGE, "%u tokens here fit the URI; say more of the one, as token= or serial=", found);
        memcpy(token->name, token->info.label, p11_kit_space_strlen(token->info.label, sizeof(token->info.label)));
        memcpy(token->serial, token->info.serialNumber, p11_kit_space_strlen(token->info.serialNumber, sizeof(token->info.serialNumber)));
        return OK;
}

static enum err open_session(struct token *token, enum token_use use, struct why *why)
{
        if (use == TOKEN_CHANGE && (token->info.flags & CKF_WRITE_PROTECTED))
                return fail(CKR_TOKEN_WRITE_PROTECTED, "", why);
        CK_RV code = token->module->C_OpenSession(token->slot, CKF_SERIAL_SESSION | (use == TOKEN_CHANGE ? CKF_RW_SESSION : 0), NULL, NULL, &token->session);
        token->has_session = code == CKR_OK;
        return code == CKR_OK ? OK : fail(code, "opening it", why);
}

enum err token_open(const struct token_uri *uri, enum token_use use, struct token **ret_token, struct why *why)
{
        OWN(token) struct token *token = mem_new(1, sizeof(*token));
        if (!token)
                return FAIL(why, ERR_NOMEM, "no memory for a token");
        token->uri = uri;
        enum err e = begin(token, why);
        if (!e)
                e = find_token(token, why);
        if (!e)
                e = open_session(token, use, why);
        if (!e)
                *ret_token = GIVE(token);
        return e;
}

void token_close(struct token *token)
{
        if (!token)
                return;
        if (token->has_session)
                token->module->C_CloseSession(token->session);
        if (token->has_begun)
                p11_kit_module_finalize(token->only);
        if (token->only)
                p11_kit_module_release(token->only);
        if (token->modules)
                p11_kit_modules_finalize_and_release(token->modules);
        mem_free(token);
}

const char *token_name(const struct token *token)
{
        return token->name;
}

const char *token_serial(const struct token *token)
{
        return token->serial;
}

/* ---- the PIN ---- */

enum token_login token_login_kind(const struct token *token)
{
        if (!(token->info.flags & CKF_LOGIN_REQUIRED))
                return TOKEN_FREE;
        return token->info.flags & CKF_PROTECTED_AUTHENTICATION_PATH ? TOKEN_PAD : TOKEN_PIN;
}

/* After a wrong one, before the last one is spent. */
static const char *tries_left(const struct token *token)
{
        CK_TOKEN_INFO info;
        if (token->module->C_GetTokenInfo(token->slot, &info) != CKR_OK)
                return "";
        if (info.flags & CKF_USER_PIN_LOCKED)
                return "; it is locked now";
        return info.flags & CKF_USER_PIN_FINAL_TRY ? "; one more wrong one locks it" : info.flags & CKF_USER_PIN_COUNT_LOW ? "; few tries are left" : "";
}

enum err token_login(struct token *token, const char *pin, struct why *why)
{
        if (token_login_kind(token) == TOKEN_FREE)
                return OK;
        if (token->info.flags & CKF_USER_PIN_LOCKED)
                return fail(CKR_PIN_LOCKED, "", why);
        CK_RV code = token->module->C_Login(token->session, CKU_USER, (CK_UTF8CHAR_PTR)pin, pin ? strlen(pin) : 0);
        if (code == CKR_OK || code == CKR_USER_ALREADY_LOGGED_IN)
                return OK;
        enum err e = fail(code, "giving the PIN", why);
        const char *left = e == ERR_UNAUTHORIZED ? tries_left(token) : "";
        return left[0] ? FAIL(why, e, "wrong PIN%s", left) : e;
}

/* ---- keys ---- */

/* What an object has of a kind, of at most *length bytes; false: nothing, or more. */
static bool attribute(struct token *token, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, void *value, size_t *length)
{
        CK_ATTRIBUTE wanted = { type, value, *length };
        if (token->module->C_GetAttributeValue(token->session, object, &wanted, 1) != CKR_OK || wanted.ulValueLen > *length)
                return false;
        *length = wanted.ulValueLen;
        return true;
}

/* 32 bytes (PKCS#11 3.0), or these in an OCTET STRING (as for other curves, and what SoftHSM does). */
static bool read_point(const uint8_t *point, size_t length, uint8_t public[32])
{
        static const uint8_t wrapped[] = { 0x04, 32 };
        bool is_wrapped = length == 34 && memcmp(point, wrapped, 2) == 0;
        if (length != 32 && !is_wrapped)
                return false;
        memcpy(public, point + (is_wrapped ? 2 : 0), 32);
        return true;
}

static bool read_key(struct token *token, CK_OBJECT_HANDLE object, struct token_key *ret_key)
{
        struct token_key key = { 0 };
        CK_KEY_TYPE type = 0;
        uint8_t point[64];
        size_t type_length = sizeof(type), label_length = TOKEN_LABEL_MAX, point_length = sizeof(point);
        key.id_length = sizeof(key.id);
        if (!attribute(token, object, CKA_KEY_TYPE, &type, &type_length) || type != CKK_EC_EDWARDS || !attribute(token, object, CKA_EC_POINT, point, &point_length) ||
            !read_point(point, point_length, key.public))
                return false;
        if (!attribute(token, object, CKA_ID, key.id, &key.id_length))
                key.id_length = 0;
        if (!attribute(token, object, CKA_LABEL, key.label, &label_length))
                label_length = 0;
        key.label[label_length] = '\0';
        *ret_key = key;
        return true;
}

struct wanted { CK_OBJECT_CLASS class; const char *label; const uint8_t *id; size_t id_length; };

/* Up to `most` objects of a class, with this label (unless empty) and this id (unless of no bytes). */
static enum err find(struct token *token, const struct wanted *wanted, CK_OBJECT_HANDLE *handles, CK_ULONG most, CK_ULONG *ret_count, struct why *why)
{
        CK_OBJECT_CLASS class = wanted->class;
        CK_ATTRIBUTE template[3] = { { CKA_CLASS, &class, sizeof(class) } };
        CK_ULONG used = 1, count = 0, more = 1;
        if (wanted->label[0])
                template[used++] = (CK_ATTRIBUTE){ CKA_LABEL, (void *)wanted->label, strlen(wanted->label) };
        if (wanted->id_length)
                template[used++] = (CK_ATTRIBUTE){ CKA_ID, (void *)wanted->id, wanted->id_length };
        CK_RV code = token->module->C_FindObjectsInit(token->session, template, used);
        if (code != CKR_OK)
                return fail(code, "looking for keys", why);
        while (code == CKR_OK && more && count < most) {
                more = 0;
                code = token->module->C_FindObjects(token->session, handles + count, most - count, &more);
                count += code == CKR_OK ? more : 0;
        }
        token->module->C_FindObjectsFinal(token->session);
        if (code != CKR_OK)
                return fail(code, "looking for keys", why);
        *ret_count = count;
        return OK;
}

static enum err find_one(struct token *token, const struct wanted *wanted, CK_OBJECT_HANDLE *ret_handle, struct why *why)
{
        CK_OBJECT_HANDLE handles[2];
        CK_ULONG count = 0;
        const char *half = wanted->class == CKO_PRIVATE_KEY ? "secret" : "public";
        enum err e = find(token, wanted, handles, 2, &count, why);
        if (e)
                return e;
        if (!count)
                return FAIL(why, ERR_NOT_FOUND, "the token %s shows no %s key %s", token->name, half, wanted->label[0] ? wanted->label : "of that id");
        if (count > 1)
                return FAIL(why, ERR_USAGE, "the token %s has several such %s keys; name one by id= and object=", token->name, half);
        *ret_handle = handles[0];
        return OK;
}

enum err token_find(struct token *token, struct token_key *ret_key, struct why *why)
{
        const struct token_uri *uri = token->uri;
        CK_OBJECT_HANDLE handle;
        if (!uri->label[0] && !uri->id_length)
                return FAIL(why, ERR_USAGE, "which key of the token %s? add ;object=LABEL; `firebreak keys list` tells those there are", token->name);
        enum err e = find_one(token, &(struct wanted){ CKO_PUBLIC_KEY, uri->label, uri->id, uri->id_length }, &handle, why);
        if (!e && !read_key(token, handle, ret_key))
                e = FAIL(why, ERR_SYNTAX, "the key %s of the token %s is not of the kind Ed25519", uri->label, token->name);
        return e;
}

enum err token_list(struct token *token, token_visit *visit, void *user, struct why *why)
{
        CK_OBJECT_HANDLE handles[KEYS_MAX];
        CK_ULONG count = 0;
        const struct token_uri *uri = token->uri;
        enum err e = find(token, &(struct wanted){ CKO_PUBLIC_KEY, uri->label, uri->id, uri->id_length }, handles, KEYS_MAX, &count, why);
        if (!e && count == KEYS_MAX)
                e = FAIL(why, ERR_LIMIT, "the token %s shows %d keys or more; name one by object= or id=", token->name, KEYS_MAX);
        for (CK_ULONG i = 0; !e && i < count; i++) {
                struct token_key key;
                if (read_key(token, handles[i], &key))
                        e = visit(user, &key, why);
        }
        return e;
}

/* ---- signing and making ---- */

static enum err check_ed25519(struct token *token, CK_MECHANISM_TYPE mechanism, struct why *why)
{
        CK_MECHANISM_INFO info;
        return token->module->C_GetMechanismInfo(token->slot, mechanism, &info) == CKR_OK ? OK : fail(CKR_MECHANISM_INVALID, "", why);
}

enum err token_sign(struct token *token, const struct token_key *key, const void *bytes, size_t length, uint8_t signature[64], struct why *why)
{
        CK_MECHANISM how = { CKM_EDDSA, NULL, 0 };
        CK_OBJECT_HANDLE secret;
        uint8_t made[64];
        CK_ULONG made_length = sizeof(made);
        enum err e = check_ed25519(token, CKM_EDDSA, why);
        if (!e)
                e = find_one(token, &(struct wanted){ CKO_PRIVATE_KEY, token->uri->label, key->id, key->id_length }, &secret, why);
        if (e)
                return e;
        CK_RV code = token->module->C_SignInit(token->session, &how, secret);
        if (code == CKR_OK)
                code = token->module->C_Sign(token->session, (CK_BYTE_PTR)bytes, length, made, &made_length);
        if (code != CKR_OK)
                return fail(code, "signing", why);
        if (made_length != sizeof(made))
                return FAIL(why, ERR_IO, "the token made a signature of %lu bytes, which is no Ed25519", made_length);
        memcpy(signature, made, sizeof(made));
        return OK;
}

/* One label, one key: whoever asks for it later must not have to guess. */
static enum err check_free(struct token *token, const struct wanted *wanted, const char *what, struct why *why)
{
        CK_OBJECT_HANDLE handle;
        CK_ULONG count = 0;
        enum err e = find(token, wanted, &handle, 1, &count, why);
        if (!e && count)
                e = FAIL(why, ERR_REFUSED, "the token %s has a key of that %s already; choose another, it is never written over", token->name, what);
        return e;
}

/* The curve has two spellings: the name (PKCS#11 3.0), and the object identifier of RFC 8410; a token may know one of them. */
static CK_RV generate(struct token *token, const struct token_key *key)
{
        static const struct { uint8_t bytes[15]; CK_ULONG length; } curves[] = { { "\x13\x0c" "edwards25519", 14 }, { "\x06\x03\x2b\x65\x70", 5 } };
        static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
        CK_MECHANISM how = { CKM_EC_EDWARDS_KEY_PAIR_GEN, NULL, 0 };
        CK_RV code = CKR_OK;
        for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
                CK_ATTRIBUTE public[] = { { CKA_TOKEN, &yes, sizeof(yes) }, { CKA_PRIVATE, &no, sizeof(no) }, { CKA_VERIFY, &yes, sizeof(yes) },
                                          { CKA_LABEL, (void *)key->label, strlen(key->label) }, { CKA_ID, (void *)key->id, key->id_length },
                                          { CKA_EC_PARAMS, (void *)curves[i].bytes, curves[i].length } };
                CK_ATTRIBUTE secret[] = { { CKA_TOKEN, &yes, sizeof(yes) }, { CKA_PRIVATE, &yes, sizeof(yes) }, { CKA_SENSITIVE, &yes, sizeof(yes) },
                                          { CKA_EXTRACTABLE, &no, sizeof(no) }, { CKA_SIGN, &yes, sizeof(yes) },
                                          { CKA_LABEL, (void *)key->label, strlen(key->label) }, { CKA_ID, (void *)key->id, key->id_length } };
                code = token->module->C_GenerateKeyPair(token->session, &how, public, sizeof(public) / sizeof(public[0]), secret, sizeof(secret) / sizeof(secret[0]), &token->made[0], &token->made[1]);
                token->has_made = code == CKR_OK;
                if (code == CKR_OK)
                        return code;
        }
        return code;
}

void token_unmake(struct token *token)
{
        for (size_t i = 0; token->has_made && i < 2; i++)
                token->module->C_DestroyObject(token->session, token->made[i]);
        token->has_made = false;
}

enum err token_make(struct token *token, const uint8_t id[16], struct token_key *ret_key, struct why *why)
{
        const struct token_uri *uri = token->uri;
        struct token_key key = { .id_length = uri->id_length ? uri->id_length : 16 };
        if (!uri->label[0])
                return FAIL(why, ERR_USAGE, "under which label? add ;object=LABEL to the URI");
        snprintf(key.label, sizeof(key.label), "%s", uri->label);
        memcpy(key.id, uri->id_length ? uri->id : id, key.id_length);
        enum err e = check_ed25519(token, CKM_EC_EDWARDS_KEY_PAIR_GEN, why);
        for (unsigned class = CKO_PUBLIC_KEY; !e && class <= CKO_PRIVATE_KEY; class++) {
                e = check_free(token, &(struct wanted){ class, key.label, NULL, 0 }, "label", why);
                if (!e)
                        e = check_free(token, &(struct wanted){ class, "", key.id, key.id_length }, "id", why);
        }
        if (e)
                return e;
        CK_RV code = generate(token, &key);
        if (code != CKR_OK)
                return fail(code, "making a key", why);
        if (read_key(token, token->made[0], ret_key))
                return OK;
        token_unmake(token);
        return FAIL(why, ERR_REFUSED, "the token made a key of another kind than Ed25519, and it was taken away again");
}
