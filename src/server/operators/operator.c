#include "server/operators/operator.h"

#include "server/store/inside.h"
#include "trust/sha.h"

#include <string.h>

/* Digests of equal length are compared, without stopping early: the time taken says nothing about the key. */
static bool is_same_secret(const char *one, const char *other)
{
        uint8_t a[32], b[32], difference = 0;
        sha256(one, strlen(one), a);
        sha256(other, strlen(other), b);
        for (size_t i = 0; i < sizeof(a); i++)
                difference |= a[i] ^ b[i];
        return difference == 0;
}

enum err operator_authenticate(const struct call *call, struct why *why)
{
        static const char scheme[] = "Bearer ";
        const char *given = call->request->authorization;
        if (!given || strncmp(given, scheme, sizeof(scheme) - 1) != 0)
                return FAIL(why, ERR_UNAUTHORIZED, "the request needs `Authorization: Bearer KEY`; the key is in admin.key of the server's data folder");
        if (!is_same_secret(given + sizeof(scheme) - 1, call->store->config.admin_key))
                return FAIL(why, ERR_UNAUTHORIZED, "this key is not known; the key is in admin.key of the server's data folder");
        return OK;
}
