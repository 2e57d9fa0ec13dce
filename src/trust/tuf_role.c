#include "trust/tuf_role.h"

#include "format/percent.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *tuf_role_name(enum tuf_role role)
{
        static const char *const names[TUF_ROLES] = { "root", "targets", "snapshot", "timestamp" };
        return names[role];
}

static void write_name(const char *role, uint64_t version, char *name, size_t size)
{
        size_t at = version ? (size_t)snprintf(name, size, "%" PRIu64 ".", version) : 0;
        for (const char *from = role; *from && at + PERCENT_BYTES + sizeof(".json") <= size; from++)
                at += percent_byte(*from, name + at);
        memcpy(name + at, ".json", sizeof(".json"));
}

void tuf_file_name(enum tuf_role role, uint64_t version, char name[TUF_TOP_NAME_BYTES])
{
        write_name(tuf_role_name(role), role == TUF_TIMESTAMP ? 0 : version, name, TUF_TOP_NAME_BYTES);
}

void tuf_file_name_of(const char *role, uint64_t version, char name[TUF_FILE_NAME_BYTES])
{
        write_name(role, version, name, TUF_FILE_NAME_BYTES);
}
