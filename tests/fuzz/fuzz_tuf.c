/* Any bytes as any role of a repository that trusts itself: what is taken is current and has a version. */
#include "trust/tuf.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        const uint8_t *cut = memchr(bytes, 0, length);
        struct buf root = { .bytes = (char *)bytes, .length = cut ? (size_t)(cut - bytes) : length };
        struct buf file = { .bytes = cut ? (char *)cut + 1 : NULL, .length = cut ? length - root.length - 1 : 0 };
        OWN(tuf) struct tuf *tuf = NULL;
        struct tuf_target target;
        if (tuf_open(&root, 1784432200, &tuf, NULL) != OK)
                return 0;
        for (enum tuf_role role = TUF_ROOT; role < TUF_ROLES; role++)
                if (tuf_update(tuf, role, &file, NULL) == OK)
                        assert(tuf_version(tuf, role) && (role == TUF_ROOT || tuf_is_current(tuf, role)));
        (void)!tuf_find(tuf, "rules/1", &target, NULL);
        return 0;
}
