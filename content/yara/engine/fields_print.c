/* Apart from fields.c, so that the compiler knows nothing here of what was written there. */
#include "content/yara/engine/fields.h"

static void print_plain(FILE *to, const struct field *field)
{
        fprintf(to, " %s=", field->key);
        if (!field->text) {
                fprintf(to, "%lld", field->number);
                return;
        }
        for (const char *at = field->text; *at; at++)
                fputc(*at > ' ' && *at < 0x7f ? *at : '_', to);
}

const struct fields_form fields_plain = { print_plain };

void fields_print(const struct fields *fields, FILE *to)
{
        for (unsigned i = 0; i < fields->count && i < FIELDS_MAX; i++)
                fields->form->print(to, &fields->list[i]);
}
