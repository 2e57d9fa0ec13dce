#include "cli/signing_key.h"

#include "base/mem.h"
#include "platform/file.h"
#include "platform/random.h"
#include "platform/terminal.h"
#include "platform/token.h"

#include <string.h>

struct signing_key {
        struct public_key public;
        enum signing_place place;
        struct secret_key secret;                /* of a file */
        struct signing_secrets *secrets;
        struct token_uri *uri;                   /* of a token, as the rest below */
        struct token *token;
        struct token_key token_key;
        bool is_open;                            /* the PIN was given */
};

void signing_secrets_release(struct signing_secrets *secrets)
{
        passphrase_release(&secrets->passphrase);
        passphrase_release(&secrets->pin);
        secrets->pin_of[0] = '\0';
}

static struct key_files files_of(const struct signing_keys_opener *opener)
{
        return (struct key_files){ .disk = opener->disk, .folder = opener->folder, .args = opener->args, .passphrase = &opener->secrets->passphrase };
}

static enum err open_file(const struct signing_keys_opener *opener, const char *path, struct signing_key *key, struct why *why)
{
        struct key_files files = files_of(opener);
        bool is_encrypted = false;
        enum err e = key_file_read(&files, path, &key->secret, &is_encrypted, why);
        key->public = key->secret.public;
        key->place = is_encrypted ? SIGNING_ENCRYPTED : SIGNING_PLAIN;
        return e;
}

/* ---- tokens ---- */

static void take_public(struct signing_key *key)
{
        memcpy(key->public.bytes, key->token_key.public, sizeof(key->public.bytes));
}

static enum err open_token(const char *reference, enum token_use use, struct signing_key *key, struct why *why)
{
        key->place = SIGNING_TOKEN;
        enum err e = token_uri_open(reference, &key->uri, why);
        return e ? e : token_open(key->uri, use, &key->token, why);
}

static enum err find_in_token(const char *reference, struct signing_key *key, struct why *why)
{
        enum err e = open_token(reference, TOKEN_LOOK, key, why);
        if (!e)
                e = token_find(key->token, &key->token_key, why);
        if (!e)
                take_public(key);
        return e;
}

static enum err get_pin(struct signing_key *key, struct passphrase *pin, struct why *why)
{
        char prompt[96];
        if (key->uri->pin_file)
                return passphrase_read(key->uri->pin_file, pin, why);
        snprintf(prompt, sizeof(prompt), "PIN of the token %s: ", token_name(key->token));
        enum err e = terminal_ask_secret(prompt, pin->text, sizeof(pin->text), why);
        return e == ERR_UNAVAILABLE ? DURING(why, ERR_USAGE, "add pin-source=FILE to the URI") : e;
}

/* A PIN that was wrong, or is of another token, is not tried: each try costs one of few. */
static enum err log_in_by_pin(struct signing_key *key, struct why *why)
{
        struct signing_secrets *secrets = key->secrets;
        char of[sizeof(secrets->pin_of)];
        snprintf(of, sizeof(of), "%s/%s", token_name(key->token), token_serial(key->token));
        enum err e = strcmp(secrets->pin_of, of) == 0 ? OK : get_pin(key, &secrets->pin, why);
        if (!e)
                e = token_login(key->token, secrets->pin.text, why);
        snprintf(secrets->pin_of, sizeof(secrets->pin_of), "%s", e ? "" : of);
        return e;
}

static enum err log_in(struct signing_key *key, struct why *why)
{
        enum err e = token_login_kind(key->token) == TOKEN_PIN ? log_in_by_pin(key, why) : token_login(key->token, NULL, why);
        key->is_open = !e;
        return e ? DURING(why, e, "the PIN of the token %s", token_name(key->token)) : OK;
}

static enum err sign_in_token(struct signing_key *key, const void *bytes, size_t length, uint8_t signature[64], struct why *why)
{
        enum err e = key->is_open ? OK : log_in(key, why);
        if (!e)
                e = token_sign(key->token, &key->token_key, bytes, length, signature, why);
        return e;
}

/* ---- making ---- */

/* Before a passphrase is asked for. */
static enum err check_absent(const char *path, struct why *why)
{
        char folder[4096];
        const char *slash = strrchr(path, '/');
        int length = slash ? slash > path ? (int)(slash - path) : 1 : 1;
        snprintf(folder, sizeof(folder), "%.*s", length, slash ? path : ".");
        if (file_kind(folder) != FILE_FOLDER)
                return FAIL(why, ERR_NOT_FOUND, "there is no folder %.300s; bring and mount the medium, or make the folder", folder);
        if (file_kind(path) != FILE_ABSENT)
                return FAIL(why, ERR_REFUSED, "%.300s is there already; choose another name, or move it away", path);
        return OK;
}

static enum err make_file(const struct signing_keys_opener *opener, const char *path, struct random_source *random, struct why *why)
{
        struct passphrase *passphrase = &opener->secrets->passphrase;
        OWN(secret_key) struct secret_key seed = { 0 };
        OWN(secret_key) struct secret_key key = { 0 };
        struct key_lock lock = { .passphrase = passphrase->text };
        enum err e = check_absent(path, why);
        if (!e)
                e = passphrase_choose(opener->args, passphrase, why);
        if (e)
                return e;
        random->ops->fill(random, seed.seed, sizeof(seed.seed));
        random->ops->fill(random, lock.random, sizeof(lock.random));
        secret_key_make(seed.seed, &key);
        return key_file_write(path, &(struct key_writing){ &key, &lock, FILE_ONLY_NEW }, why);
}

static enum err make_in_token(const char *reference, struct random_source *random, struct signing_key *key, struct why *why)
{
        uint8_t id[16];
        random->ops->fill(random, id, sizeof(id));
        enum err e = open_token(reference, TOKEN_CHANGE, key, why);
        if (!e)
                e = log_in(key, why);
        if (!e)
                e = token_make(key->token, id, &key->token_key, why);
        if (!e)
                take_public(key);
        return e;
}

static enum err key_new(const struct signing_keys_opener *opener, struct signing_key **ret_key, struct why *why)
{
        struct signing_key *key = mem_new(1, sizeof(*key));
        if (!key)
                return FAIL(why, ERR_NOMEM, "no memory for a key");
        key->secrets = opener->secrets;
        *ret_key = key;
        return OK;
}

enum err signing_key_open(const struct signing_keys_opener *opener, const char *reference, struct signing_key **ret_key, struct why *why)
{
        OWN(signing_key) struct signing_key *key = NULL;
        enum err e = key_new(opener, &key, why);
        if (!e)
                e = token_uri_is(reference) ? find_in_token(reference, key, why) : open_file(opener, reference, key, why);
        if (!e)
                *ret_key = GIVE(key);
        return e;
}

enum err signing_key_make(const struct signing_keys_opener *opener, const char *reference, struct random_source *random, struct signing_key **ret_key, struct why *why)
{
        static const char probe[] = "\0firebreak key check";     /* no document of ours begins so */
        uint8_t signature[64];
        OWN(signing_key) struct signing_key *key = NULL;
        bool is_token = token_uri_is(reference);
        enum err e = key_new(opener, &key, why);
        if (!e)
                e = is_token ? make_in_token(reference, random, key, why) : make_file(opener, reference, random, why);
        if (!e && !is_token)
                e = open_file(opener, reference, key, why);
        if (!e)
                e = signing_key_sign(key, probe, sizeof(probe), signature, why);
        if (e && key && key->token)
                token_unmake(key->token);
        if (!e)
                *ret_key = GIVE(key);
        return e;
}

void signing_key_close(struct signing_key *key)
{
        if (!key)
                return;
        secret_key_done(&key->secret);
        token_close(key->token);
        token_uri_close(key->uri);
        mem_free(key);
}

const struct public_key *signing_key_public(const struct signing_key *key)
{
        return &key->public;
}

enum signing_place signing_key_place(const struct signing_key *key)
{
        return key->place;
}

enum err signing_key_sign(struct signing_key *key, const void *bytes, size_t length, uint8_t signature[64], struct why *why)
{
        uint8_t made[64] = { 0 };
        enum err e = OK;
        if (key->token)
                e = sign_in_token(key, bytes, length, made, why);
        else
                key_sign(&key->secret, bytes, length, made);
        if (!e && !key_verify(&key->public, bytes, length, made))
                e = FAIL(why, ERR_UNTRUSTED, "a signature was made that the public key does not verify, and is not used; %s", key->token ? "the token is broken, or its two halves are of two keys" : "check this machine's memory");
        if (!e)
                memcpy(signature, made, sizeof(made));
        return e;
}
