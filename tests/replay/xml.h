/* xml.h - is it well-formed, as far as our own pages go: tags that close in order, quoted attributes, no stray `<`, `&` or control byte. */
#pragma once

#include "support/test.h"

#include <stdbool.h>
#include <string.h>

enum { XML_DEPTH = 64, XML_NAME = 32 };

static bool xml_entity(const char *at)
{
        static const char *const known[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (strncmp(at, known[i], strlen(known[i])) == 0)
                        return true;
        return false;
}

/* The `>` that ends the tag; NULL: it is none, or an attribute has no quotes. */
static const char *xml_tag_end(const char *at)
{
        bool is_quoted = false;
        for (; *at; at++) {
                if (*at == '"')
                        is_quoted = !is_quoted;
                else if (*at == '<' || (*at == '&' && !xml_entity(at)) || (*at == '=' && !is_quoted && at[1] != '"'))
                        return NULL;
                else if (*at == '>' && !is_quoted)
                        return at;
        }
        return NULL;
}

/* Opens or closes; false: what closes is not what was opened last. */
static bool xml_step(const char *tag, const char *end, char (*open)[XML_NAME], unsigned *depth)
{
        char name[XML_NAME];
        bool is_closing = tag[1] == '/';
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(tag + 1 + is_closing, " />\n"), tag + 1 + is_closing);
        if (end[-1] == '/' || tag[1] == '!')
                return true;
        if (is_closing)
                return *depth && strcmp(open[--*depth], name) == 0;
        if (*depth == XML_DEPTH)
                return false;
        memcpy(open[(*depth)++], name, sizeof(name));
        return true;
}

static inline bool xml_is_whole(const char *text)
{
        char open[XML_DEPTH][XML_NAME];
        unsigned depth = 0;
        for (const char *at = text; *at; at++) {
                const char *end = *at == '<' ? xml_tag_end(at + 1) : at;
                bool is_fine = end && ((unsigned char)*at >= 0x20 || *at == '\n') && (*at != '&' || xml_entity(at));
                if (!is_fine || (*at == '<' && !xml_step(at, end, open, &depth))) {
                        printf("# not well-formed: %.80s\n", at);
                        return false;
                }
                at = end;
        }
        return !depth;
}
