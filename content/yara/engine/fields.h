/* fields.h - the fields of one match: the meta entries of its rule, as `key=value` on a line.
 *
 * The two versions of the engine differ only here; see ../README.md, "The planted defect". */
#pragma once

#include <stdio.h>

struct YR_RULE;

enum { FIELDS_MAX = 20 };        /* a match is reported with this many; what a rule has beyond them is left out */

struct field {
        const char *key, *text;  /* text NULL: the number counts */
        long long number;
};

struct fields_form {
        void (*print)(FILE *to, const struct field *field);
};

struct fields {
        unsigned count;
        struct field list[FIELDS_MAX];
        const struct fields_form *form;
};

/* Which engine this is: "2.1" bounds the list, "1.9" does not. */
extern const char engine_version[];

void fields_collect(struct YR_RULE *rule, struct fields *fields);
void fields_print(const struct fields *fields, FILE *to);
extern const struct fields_form fields_plain;
