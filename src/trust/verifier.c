#include "trust/verifier.h"

#include "base/text.h"
#include "format/hex.h"

#include <string.h>

/* All that Unicode calls white space, beyond ASCII; U+2000 to U+200A stand once, by their first. */
static const char *const spaces[] = { "\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80" };

static bool is_space(const char *at, size_t left)
{
        if (left >= 3 && memcmp(at, "\xe2\x80", 2) == 0 && (unsigned char)at[2] >= 0x80 && (unsigned char)at[2] <= 0x8a)
                return true;
        for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
                if (left >= strlen(spaces[i]) && memcmp(at, spaces[i], strlen(spaces[i])) == 0)
                        return true;
        return false;
}

bool verifier_is_name(struct line name)
{
        if (!name.length || name.length > LIMIT_ORIGIN_BYTES || !text_is_utf8(name.text, name.length))
                return false;
        for (size_t i = 0; i < name.length; i++)
                if ((unsigned char)name.text[i] <= ' ' || name.text[i] == '+' || name.text[i] == 0x7f || is_space(name.text + i, name.length - i))
                        return false;
        return true;
}

static enum err make(struct line name, enum verifier_kind kind, const struct public_key *key, struct verifier *ret_verifier, struct why *why)
{
        if (!verifier_is_name(name))
                return FAIL(why, ERR_SYNTAX, "the name of a log or witness is 1 to %d bytes without spaces and `+`, as log.example.com/fleet", LIMIT_ORIGIN_BYTES);
        *ret_verifier = (struct verifier){ .kind = kind, .key = *key };
        memcpy(ret_verifier->name, name.text, name.length);
        return OK;
}

enum err verifier_log(const char *name, const struct public_key *key, struct verifier *ret_verifier, struct why *why)
{
        return make((struct line){ name, strlen(name) }, VERIFIER_LOG, key, ret_verifier, why);
}

enum err verifier_witness(const char *name, const struct public_key *key, struct verifier *ret_verifier, struct why *why)
{
        return make((struct line){ name, strlen(name) }, VERIFIER_WITNESS, key, ret_verifier, why);
}

void verifier_id(const struct verifier *verifier, uint8_t id[4])
{
        key_id(&verifier->key, verifier->name, (uint8_t)verifier->kind, id);
}

void verifier_text(const struct verifier *verifier, char text[VERIFIER_TEXT_MAX])
{
        key_text(&verifier->key, verifier->name, (uint8_t)verifier->kind, text);
}

enum err verifier_parse(const char *text, struct verifier *ret_verifier, struct why *why)
{
        struct verifier verifier;
        struct public_key public;
        char again[VERIFIER_TEXT_MAX];
        uint8_t key[33];
        size_t length = 0;
        struct line name = { text, strcspn(text, "+") };
        if (strlen(text + name.length) < 10 || text[name.length + 9] != '+')
                return FAIL(why, ERR_SYNTAX, "not the key of a log or witness, NAME+HEX+BASE64");
        const char *base64 = text + name.length + 10;
        enum err e = base64_decode(base64, strlen(base64), key, sizeof(key), &length, why);
        if (e || length != sizeof(key) || (key[0] != VERIFIER_LOG && key[0] != VERIFIER_WITNESS))
                return FAIL(why, ERR_SYNTAX, "%.*s: not the Ed25519 key of a log or witness, in base64", (int)name.length, text);
        memcpy(public.bytes, key + 1, sizeof(public.bytes));
        e = make(name, key[0], &public, &verifier, why);
        if (e)
                return e;
        verifier_text(&verifier, again);
        if (strcmp(again, text) != 0)
                return FAIL(why, ERR_SYNTAX, "%s: the id is not that of the key; copy the whole line again", verifier.name);
        *ret_verifier = verifier;
        return OK;
}
