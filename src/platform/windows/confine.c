#include "platform/confine.h"

#include <stdio.h>
#include <windows.h>

enum { RID_STEP = 0x1000, IS_SET = 1 };          /* of integrity levels: 0 untrusted, 1 low, 2 medium, 3 high, 4 system */

/* Each privilege is removed, not only switched off: it does not come back. */
static bool drop_privileges(HANDLE token)
{
        _Alignas(TOKEN_PRIVILEGES) char bytes[sizeof(TOKEN_PRIVILEGES) + 64 * sizeof(LUID_AND_ATTRIBUTES)];
        TOKEN_PRIVILEGES *privileges = (TOKEN_PRIVILEGES *)bytes;
        DWORD length;
        if (!GetTokenInformation(token, TokenPrivileges, privileges, sizeof(bytes), &length))
                return false;
        for (DWORD i = 0; i < privileges->PrivilegeCount; i++)
                privileges->Privileges[i].Attributes = SE_PRIVILEGE_REMOVED;
        (void)AdjustTokenPrivileges(token, FALSE, privileges, 0, NULL, NULL);
        return GetTokenInformation(token, TokenPrivileges, privileges, sizeof(bytes), &length) && !privileges->PrivilegeCount;
}

static bool read_level(HANDLE token, DWORD *ret_level)
{
        _Alignas(TOKEN_MANDATORY_LABEL) char bytes[sizeof(TOKEN_MANDATORY_LABEL) + SECURITY_MAX_SID_SIZE];
        const TOKEN_MANDATORY_LABEL *label = (const TOKEN_MANDATORY_LABEL *)bytes;
        DWORD length;
        if (!GetTokenInformation(token, TokenIntegrityLevel, bytes, sizeof(bytes), &length) || !*GetSidSubAuthorityCount(label->Label.Sid))
                return false;
        *ret_level = *GetSidSubAuthority(label->Label.Sid, (DWORD)*GetSidSubAuthorityCount(label->Label.Sid) - 1) / RID_STEP;
        return true;
}

/* A process may lower itself, and never rise again; what stands higher it cannot write to. */
static bool lower(HANDLE token, DWORD level)
{
        SID_IDENTIFIER_AUTHORITY authority = SECURITY_MANDATORY_LABEL_AUTHORITY;
        PSID sid = NULL;
        if (!AllocateAndInitializeSid(&authority, 1, level * RID_STEP, 0, 0, 0, 0, 0, 0, 0, &sid))
                return false;
        TOKEN_MANDATORY_LABEL label = { .Label = { sid, SE_GROUP_INTEGRITY } };
        DWORD now = 0;
        bool is_set = SetTokenInformation(token, TokenIntegrityLevel, &label, (DWORD)(sizeof(label) + GetLengthSid(sid))) && read_level(token, &now) && now <= level;
        FreeSid(sid);
        return is_set;
}

/* What is in force is asked of the system afterwards: one that takes the request and does nothing is not believed. */
static enum err give_up(DWORD level, struct confined *ret_confined, struct why *why)
{
        HANDLE token;
        struct confined confined = { .has_capabilities = true };
        if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_ADJUST_PRIVILEGES | TOKEN_ADJUST_DEFAULT, &token))
                return FAIL(why, ERR_UNAVAILABLE, "our own token cannot be opened");
        confined.has_capabilities = !drop_privileges(token);
        bool is_lower = lower(token, level);
        if (read_level(token, &level)) {
                confined.user = level;
                confined.unused = IS_SET;
        }
        CloseHandle(token);
        if (ret_confined)
                *ret_confined = confined;
        return is_lower && !confined.has_capabilities ? OK : FAIL(why, ERR_UNAVAILABLE, "Windows does not let us give up what we do not need");
}

void confined_text(const struct confined *confined, char text[CONFINED_TEXT_MAX])
{
        static const char *const levels[] = { "untrusted", "low", "medium", "high", "system" };
        const char *level = !confined->unused ? "unknown" : confined->user < sizeof(levels) / sizeof(levels[0]) ? levels[confined->user] : "system";
        snprintf(text, CONFINED_TEXT_MAX, "integrity %s, %s, any system call", level, confined->has_capabilities ? "with privileges" : "no privileges");
}

enum { UNTRUSTED, LOW };

enum err confine_to_open_files(struct confined *ret_confined, struct why *why)
{
        return give_up(UNTRUSTED, ret_confined, why);
}

/* The spool's files are medium, as all that the agent makes: who is to write to them keeps that. */
enum err confine_to_network(const char *spool, const char *readable, struct confined *ret_confined, struct why *why)
{
        enum { MEDIUM = 2 };
        (void)readable;
        return give_up(spool ? MEDIUM : LOW, ret_confined, why);
}

enum err confine_to_folder(const char *folder, struct confined *ret_confined, struct why *why)
{
        enum { MEDIUM = 2 };
        (void)folder;
        return give_up(MEDIUM, ret_confined, why);
}

enum err confine_to_reading(struct confined *ret_confined, struct why *why)
{
        return give_up(LOW, ret_confined, why);
}

enum err confine_to_programs(struct confined *ret_confined, struct why *why)
{
        return give_up(LOW, ret_confined, why);
}

enum err confine_to_answering(const char *folder, struct confined *ret_confined, struct why *why)
{
        enum { MEDIUM = 2 };
        (void)folder;
        return give_up(MEDIUM, ret_confined, why);
}
