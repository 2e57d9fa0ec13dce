#include "trust/tuf_role.h"

const char *tuf_role_name(enum tuf_role role)
{
        static const char *const names[TUF_ROLES] = { "root", "targets", "snapshot", "timestamp" };
        return names[role];
}
