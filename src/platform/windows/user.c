#include "platform/user.h"

/* A process becomes less here by giving up rights of its own, never another user: see confine.h. */
enum err user_find(const char *name, struct user *ret_user, struct why *why)
{
        (void)ret_user;
        return FAIL(why, ERR_NOT_FOUND, "user %.60s: on Windows the parts of the agent have no users of their own; leave `users` out", name);
}

bool user_may_change(void)
{
        return false;
}

enum err user_give_folder(const char *path, const struct user *user, struct why *why)
{
        (void)user;
        return FAIL(why, ERR_REFUSED, "%.150s cannot be given to a user on Windows", path);
}
