/* A package database, and what engines ask: whatever is visited is an absolute path, and no question passes that breaks its rules. */
#include "agent/asked.h"
#include "agent/packages.h"
#include "base/mem.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static enum err visit(void *user, const char *path, const uint8_t *md5, struct why *why)
{
        (void)user, (void)md5, (void)why;
        if (path[0] != '/' || strlen(path) >= PATH_MAX)
                abort();
        return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        struct packages_diversions *diversions = NULL;
        struct asked_question question;
        char *copy = mem_new(length + 1, 1);
        if (!copy)
                return 0;
        memcpy(copy, bytes, length);
        if (packages_diversions_new(copy, length, &diversions, NULL) == OK) {
                const struct packages_file file = { (const char *)bytes, length, "one", diversions };
                if (packages_list(&file, visit, NULL, NULL) || packages_sums(&file, visit, NULL, NULL))
                        abort();
        }
        if (asked_read(bytes, length, &question) && (!question.action[0] || question.path[0] != '/' || strlen(question.action) + 1 + strlen(question.path) != length))
                abort();
        packages_diversions_free(diversions);
        mem_free(copy);
        return 0;
}
