#include "platform/places.h"

#include "platform/mounts.h"

#include <string.h>

/* Without `//`, `/./` and a `/` at the end. */
static bool tidy(const char *path, char *text)
{
        size_t length = 0;
        for (const char *at = path; *at;) {
                at += strspn(at, "/");
                size_t part = strcspn(at, "/");
                if (part && !(part == 1 && at[0] == '.')) {
                        if (length + part + 2 > PATH_MAX)
                                return false;
                        text[length++] = '/';
                        memcpy(text + length, at, part);
                        length += part;
                }
                at += part;
        }
        if (!length)
                text[length++] = '/';
        text[length] = 0;
        return true;
}

static void add_place(struct places *places, const char *path)
{
        for (size_t i = 0; i < places->count; i++)
                if (strcmp(places->path[i], path) == 0)
                        return;
        if (places->count == PLACES_MAX) {
                places->is_hidden = true;
                return;
        }
        snprintf(places->path[places->count++], PATH_MAX, "%s", path);
}

/* What is not there has no links to follow; what we may not look at may have some. */
static bool real(const char *path, char *into, struct places *places)
{
        struct why why;
        enum err e = paths_real(path, into, &why);
        places->is_hidden |= e && e != ERR_NOT_FOUND;
        return !e;
}

static enum err add_mounted(void *user, const char *path, struct why *why)
{
        (void)why;
        add_place(user, path);
        return OK;
}

/* Where a folder is mounted at a second place, each of its files has a second name. */
static void find_mounted(struct places *places)
{
        struct why why;
        for (size_t i = 0, count = places->count; i < count; i++)
                places->is_hidden |= mounts_names(places->path[i], add_mounted, places, &why) == ERR_LIMIT;
}

void places_find(const char *path, struct places *places)
{
        char folder[PATH_MAX], place[PATH_MAX];
        *places = (struct places){ .count = 0 };
        if (!tidy(path, folder)) {
                places->is_hidden = true;
                return;
        }
        add_place(places, folder);
        char *name = strrchr(folder, '/');
        if (name != folder && strcmp(name, "/..") != 0) {
                char base[PATH_MAX];
                snprintf(base, sizeof(base), "%s", name);
                *name = 0;
                if (real(folder, place, places) && strlen(place) + strlen(base) < PATH_MAX) {
                        strncat(place, base, PATH_MAX - strlen(place) - 1);
                        add_place(places, place);
                }
        }
        if (real(path, place, places))
                add_place(places, place);
        find_mounted(places);
}

const char **places_of_platform(size_t *ret_count)
{
        static const char *folders[] = { "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/boot" };
        *ret_count = sizeof(folders) / sizeof(folders[0]);
        return folders;
}

bool places_is_below(const char *path, const char *folder)
{
        size_t length = strlen(folder);
        while (length > 1 && folder[length - 1] == '/')
                length--;
        return strncmp(path, folder, length) == 0 && (length == 1 || path[length] == '/' || !path[length]);
}
