#include "cli/key_name.h"

#include "platform/token_uri.h"

#include <string.h>

enum err key_name(const struct args *args, const char *place, char name[static LIMIT_NAME_BYTES + 1], struct why *why)
{
        OWN(token_uri) struct token_uri *uri = NULL;
        struct public_key none = { { 0 } };
        struct vkey vkey;
        const char *slash = strrchr(place, '/'), *last = slash ? slash + 1 : place;
        size_t length = strlen(last);
        enum err e = token_uri_is(place) ? token_uri_open(place, &uri, why) : OK;
        if (e)
                return e;
        if (uri)
                length = strlen(last = uri->label);
        else if (length > 4 && strcmp(last + length - 4, ".pem") == 0)
                length -= 4;
        const char *given = arg_text(args, OPTION_KEY_NAME, NULL);
        if (given)
                length = strlen(last = given);
        snprintf(name, LIMIT_NAME_BYTES + 1, "%.*s", (int)length, last);
        if (uri && !length)
                return FAIL(why, ERR_USAGE, "which key? add ;object=LABEL to the URI, or --name NAME where an id= says it");
        return length > LIMIT_NAME_BYTES || vkey_make(name, &none, &vkey, NULL)
                       ? FAIL(why, ERR_USAGE, "`%.80s` is no name of a key: give --name NAME of at most %d letters, digits and . _ -, beginning with a letter or digit", last, LIMIT_NAME_BYTES)
                       : OK;
}
