/* Each event must point into the text, and no text has more rules than bytes of `rule x`. */
#include "lab/rulescan.h"

#include <stdint.h>
#include <stdlib.h>

struct seen { const char *text; size_t length, rules; };

static void look(void *user, const struct rulescan_event *event)
{
        struct seen *seen = user;
        seen->rules += event->kind == RULESCAN_RULE;
        if (event->name < seen->text || event->name_length > (size_t)(seen->text + seen->length - event->name) || event->line == 0 || event->line > seen->length + 1)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct seen seen = { (const char *)data, size, 0 };
        rulescan(seen.text, size, look, &seen);
        if (seen.rules > size / 6)
                abort();
        return 0;
}
