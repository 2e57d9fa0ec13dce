/* flat_read() takes what json_parse() and json_read() take, and gets the same values. */
#include "base/limits.h"
#include "format/flat.h"
#include "format/json.h"

#include <assert.h>
#include <string.h>

struct flat { char name[9], note[33]; int64_t count, at; };
struct tree { const char *name, *note; int64_t count, at; };

static const struct flat_field flat_fields[] = {
        { "name", FLAT_TEXT, true, offsetof(struct flat, name), 9, 1, 0 }, { "note", FLAT_TEXT, false, offsetof(struct flat, note), 33, 0, 0 },
        { "count", FLAT_INT, true, offsetof(struct flat, count), 8, 0, 100 }, { "at", FLAT_INT, false, offsetof(struct flat, at), 8, -5, INT64_MAX },
};
static const struct json_field tree_fields[] = {
        { "name", JSON_TEXT, true, offsetof(struct tree, name), 1, 8 }, { "note", JSON_TEXT, false, offsetof(struct tree, note), 0, 32 },
        { "count", JSON_INT, true, offsetof(struct tree, count), 0, 100 }, { "at", JSON_INT, false, offsetof(struct tree, at), -5, INT64_MAX },
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        struct flat flat = { .note = "none" };
        struct tree tree = { .note = "none" };
        OWN(json) struct json *json = NULL;
        enum err flat_e = flat_read((const char *)bytes, length, flat_fields, 4, &flat, NULL);
        enum err tree_e = json_parse(bytes, length, LIMIT_REQUEST_BYTES, &json, NULL);
        if (!tree_e)
                tree_e = JSON_READ(json, tree_fields, &tree, NULL);
        assert((flat_e == OK) == (tree_e == OK));
        assert(flat_e || (!strcmp(flat.name, tree.name) && !strcmp(flat.note, tree.note) && flat.count == tree.count && flat.at == tree.at));
        return 0;
}
