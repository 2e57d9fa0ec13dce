#include "platform/token_uri.h"

#include "base/mem.h"

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>
#include <string.h>

bool token_uri_is(const char *text)
{
        return strncmp(text, P11_KIT_URI_SCHEME ":", P11_KIT_URI_SCHEME_LEN + 1) == 0;
}

/* The value may have any bytes; a zero byte would end it early in every message. */
static enum err read_text(CK_ATTRIBUTE *attribute, char text[static TOKEN_LABEL_MAX + 1], struct why *why)
{
        if (!attribute)
                return OK;
        if (!attribute->ulValueLen || attribute->ulValueLen > TOKEN_LABEL_MAX || memchr(attribute->pValue, 0, attribute->ulValueLen))
                return FAIL(why, ERR_USAGE, "object= is the key's label, of 1 to %d bytes", TOKEN_LABEL_MAX);
        memcpy(text, attribute->pValue, attribute->ulValueLen);
        return OK;
}

static enum err read_key(struct token_uri *uri, struct why *why)
{
        CK_ATTRIBUTE *id = p11_kit_uri_get_attribute(uri->parsed, CKA_ID), *kind = p11_kit_uri_get_attribute(uri->parsed, CKA_CLASS);
        CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
        if (kind && kind->ulValueLen == sizeof(class))
                memcpy(&class, kind->pValue, sizeof(class));
        if (class != CKO_PRIVATE_KEY && class != CKO_PUBLIC_KEY)
                return FAIL(why, ERR_USAGE, "type= of something that signs nothing; leave it out");
        if (id && (!id->ulValueLen || id->ulValueLen > TOKEN_ID_MAX))
                return FAIL(why, ERR_USAGE, "id= has 1 to %d bytes, written as %%01%%02", TOKEN_ID_MAX);
        if (id) {
                memcpy(uri->id, id->pValue, id->ulValueLen);
                uri->id_length = id->ulValueLen;
        }
        return read_text(p11_kit_uri_get_attribute(uri->parsed, CKA_LABEL), uri->label, why);
}

/* As RFC 7512 writes it: a path, or `file:` and a path. A program (`|...`) is not run. */
static enum err read_pin_source(struct token_uri *uri, struct why *why)
{
        const char *source = p11_kit_uri_get_pin_source(uri->parsed);
        if (p11_kit_uri_get_pin_value(uri->parsed))
                return FAIL(why, ERR_USAGE, "pin-value= would show the PIN in the list of processes; give pin-source=FILE, or nothing to be asked");
        if (!source)
                return OK;
        if (strncmp(source, "file:", 5) == 0)
                source += strncmp(source, "file:///", 8) == 0 ? 7 : 5;
        if (!source[0] || source[0] == '|')
                return FAIL(why, ERR_USAGE, "pin-source= is a file that holds the PIN; programs are not run");
        uri->pin_file = source;
        return OK;
}

static enum err read_all(struct token_uri *uri, struct why *why)
{
        const CK_TOKEN_INFO *info = p11_kit_uri_get_token_info(uri->parsed);
        size_t length = p11_kit_space_strlen(info->label, sizeof(info->label));
        memcpy(uri->token, info->label, length);
        uri->module = p11_kit_uri_get_module_path(uri->parsed);
        if (uri->module && uri->module[0] != '/')
                return FAIL(why, ERR_USAGE, "module-path= is an absolute path, as /usr/lib/softhsm/libsofthsm2.so");
        if (p11_kit_uri_any_unrecognized(uri->parsed))
                return FAIL(why, ERR_USAGE, "an attribute of it is not known; token=, serial=, object=, id=, module-path= and pin-source= are");
        enum err e = read_key(uri, why);
        return e ? e : read_pin_source(uri, why);
}

/* The text may hold a PIN, so it is in no message. */
enum err token_uri_open(const char *text, struct token_uri **ret_uri, struct why *why)
{
        OWN(token_uri) struct token_uri *uri = mem_new(1, sizeof(*uri));
        if (uri)
                uri->parsed = p11_kit_uri_new();
        if (!uri || !uri->parsed)
                return FAIL(why, ERR_NOMEM, "no memory for a PKCS#11 URI");
        int result = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri->parsed);
        if (result == P11_KIT_URI_NO_MEMORY)
                return FAIL(why, ERR_NOMEM, "no memory for a PKCS#11 URI");
        enum err e = result == P11_KIT_URI_OK ? read_all(uri, why) : FAIL(why, ERR_USAGE, "write pkcs11:token=NAME;object=LABEL?module-path=FILE, other bytes than letters and digits as %%20");
        if (e)
                return DURING(why, e, "the PKCS#11 URI");
        *ret_uri = GIVE(uri);
        return OK;
}

void token_uri_close(struct token_uri *uri)
{
        if (!uri)
                return;
        p11_kit_uri_free(uri->parsed);
        mem_free(uri);
}
