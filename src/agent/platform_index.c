#include "agent/platform_index.h"

#include "agent/owners.h"
#include "agent/packages.h"
#include "platform/paths.h"

#include <string.h>

const char platform_database[] = "/var/lib/dpkg";

/* Made by the platform for itself, when it is installed or by its own tools. */
static const char *const made[] = {
        "/", "/etc/passwd", "/etc/passwd-", "/etc/group", "/etc/group-", "/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/subuid",
        "/etc/subgid", "/etc/fstab", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/ld.so.cache", "/etc/machine-id", "/etc/localtime",
        "/etc/nsswitch.conf", "/etc/crypttab", "/etc/default/locale", "/etc/locale.gen", "/boot/grub/grub.cfg", "/boot/grub/grubenv", "/bin", "/sbin", "/lib",
        "/lib32", "/lib64", "/libx32", "/usr/lib/locale/locale-archive", "/var/lib/dpkg/status",
};
static const char kernel[] = "/boot/vmlinuz-", initial[] = "/boot/initrd.img-";

struct making {
        struct owners_list *list;
        char folder[PATH_MAX], real[PATH_MAX];   /* of the path before: most follow their neighbours */
};

/* With the links in its folder followed; what is not there is named as it is. */
static enum err add_real(struct making *making, const char *path, const uint8_t *md5, struct why *why)
{
        char real[PATH_MAX];
        const char *name = strrchr(path, '/');
        size_t length = (size_t)(name - path);
        if (strlen(making->folder) != length || memcmp(making->folder, path, length) != 0) {
                struct why nothing;
                snprintf(making->folder, sizeof(making->folder), "%.*s", (int)length, path);
                if (!length || paths_real(making->folder, making->real, &nothing))
                        snprintf(making->real, sizeof(making->real), "%s", making->folder);
        }
        if (strcmp(making->folder, making->real) == 0)
                return OK;
        int wrote = snprintf(real, sizeof(real), "%s%s", making->real, name);
        return wrote < (int)sizeof(real) ? owners_list_add(making->list, real, md5, why) : OK;
}

static enum err add(void *user, const char *path, const uint8_t *md5, struct why *why)
{
        struct making *making = user;
        enum err e = owners_list_add(making->list, path, md5, why);
        if (!e)
                e = add_real(making, path, md5, why);
        if (e || md5 || strncmp(path, kernel, sizeof(kernel) - 1) != 0)
                return e;
        char file_system[PATH_MAX];
        int wrote = snprintf(file_system, sizeof(file_system), "%s%s", initial, path + sizeof(kernel) - 1);
        return wrote < (int)sizeof(file_system) ? owners_list_add(making->list, file_system, NULL, why) : OK;
}

enum err platform_index_make(const struct platform_index *index, size_t *ret_count, struct why *why)
{
        OWN(owners_list) struct owners_list *list = NULL;
        /* Before it is read: what changes meanwhile makes another mark, and another list. */
        uint64_t mark = packages_mark(index->database);
        enum err e = owners_list_new(&list, why);
        if (e)
                return e;
        struct making making = { .list = list };
        for (size_t i = 0; !e && i < sizeof(made) / sizeof(made[0]); i++)
                e = add(&making, made[i], NULL, why);
        if (!e)
                e = packages_each(index->database, add, &making, why);
        return e ? e : owners_list_write(list, index->disk, index->name, mark, ret_count, why);
}
