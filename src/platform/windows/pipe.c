#include "platform/windows/pipe.h"

#include "base/crc32.h"
#include "base/limits.h"
#include "base/mem.h"
#include "platform/channel.h"
#include "platform/windows/pair.h"
#include "platform/windows/pass.h"
#include "platform/windows/wide.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

#include <sddl.h>                      /* after windows.h, which it needs */

enum {
        FULL_MS = 50,                    /* then, between two looks */
        WAIT_MS = 60000,
        SID_TEXT = 192, SDDL_TEXT = 512,
        CLIENT_ACCESS = 0x12019b,        /* to read and write, not to make more instances of the pipe, which is what whoever stands in for us would do */
};

/* One listening: its thread has it. */
struct door {
        wchar_t name[WIDE_PATH_MAX];
        PSECURITY_DESCRIPTOR security;
        HANDLE pipe, connected;
        OVERLAPPED connecting;
        int end;                         /* of the pair whose other end the listener has */
        long *used;                      /* connections; the last who goes frees it */
};

bool pipe_is_name(const char *path)
{
        static const char prefix[] = "//./pipe/";
        for (size_t i = 0; i < sizeof(prefix) - 1; i++)
                if (path[i] != prefix[i] && !(prefix[i] == '/' && path[i] == '\\') && path[i] != prefix[i] - 'a' + 'A')
                        return false;
        const char *name = path + sizeof(prefix) - 1;
        return name[0] && strlen(name) < 200 && !strpbrk(name, "/\\");
}

static bool wide_name(const char *path, wchar_t wide[WIDE_PATH_MAX])
{
        if (!pipe_is_name(path) || !wide_text(path, wide, WIDE_PATH_MAX))
                return false;
        for (wchar_t *at = wide; *at; at++)
                *at = *at == L'/' ? L'\\' : *at;
        return true;
}

/* Who may connect. */

static bool sid_text(PSID sid, char text[SID_TEXT])
{
        char *made = NULL;
        bool is_made = ConvertSidToStringSidA(sid, &made) && snprintf(text, SID_TEXT, "%s", made) < SID_TEXT;
        LocalFree(made);
        return is_made;
}

static bool own_sid(char text[SID_TEXT])
{
        _Alignas(TOKEN_USER) char bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
        HANDLE token;
        DWORD length;
        if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
                return false;
        bool is_read = GetTokenInformation(token, TokenUser, bytes, sizeof(bytes), &length) && sid_text(((const TOKEN_USER *)bytes)->User.Sid, text);
        CloseHandle(token);
        return is_read;
}

static enum err group_sid(const char *group, char text[SID_TEXT], struct why *why)
{
        char sid[SECURITY_MAX_SID_SIZE];
        wchar_t name[256], domain[256];
        DWORD sid_length = sizeof(sid), domain_length = 256;
        SID_NAME_USE use;
        bool is_found = wide_text(group, name, 256) && LookupAccountNameW(NULL, name, sid, &sid_length, domain, &domain_length, &use)
                        && (use == SidTypeGroup || use == SidTypeAlias || use == SidTypeWellKnownGroup);
        return is_found && sid_text(sid, text) ? OK : FAIL(why, ERR_USAGE, "there is no group %.64s", group);
}

static enum err allow(struct door *door, const char *group, struct why *why)
{
        char own[SID_TEXT], others[SID_TEXT], text[SDDL_TEXT];
        int used = own_sid(own) ? snprintf(text, sizeof(text), "D:P(A;;0x12019b;;;SY)(A;;0x12019b;;;BA)(A;;GA;;;%s)", own) : 0;
        if (!used)
                return WIN_FAIL(why, GetLastError(), "who we are");
        enum err e = group ? group_sid(group, others, why) : OK;
        if (!e && group)
                snprintf(text + used, sizeof(text) - (size_t)used, "(A;;0x12019b;;;%s)", others);
        if (!e && !ConvertStringSecurityDescriptorToSecurityDescriptorA(text, SDDL_REVISION_1, &door->security, NULL))
                e = WIN_FAIL(why, GetLastError(), "who may connect");
        return e;
}

/* Who connected, as far as we may look: a number is enough. */
static unsigned user_of(HANDLE pipe)
{
        _Alignas(TOKEN_USER) char bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
        ULONG process = 0;
        HANDLE token = NULL, opened = GetNamedPipeClientProcessId(pipe, &process) ? OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, process) : NULL;
        DWORD length;
        unsigned user = process;
        if (opened && OpenProcessToken(opened, TOKEN_QUERY, &token) && GetTokenInformation(token, TokenUser, bytes, sizeof(bytes), &length)) {
                PSID sid = ((const TOKEN_USER *)bytes)->User.Sid;
                user = crc32_of(sid, GetLengthSid(sid)) | 1U << 31;
        }
        if (token)
                CloseHandle(token);
        if (opened)
                CloseHandle(opened);
        return user;
}

/* Listening. */

static enum err new_instance(struct door *door, bool is_first, struct why *why)
{
        SECURITY_ATTRIBUTES security = { .nLength = sizeof(security), .lpSecurityDescriptor = door->security };
        door->pipe = CreateNamedPipeW(door->name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | (is_first ? FILE_FLAG_FIRST_PIPE_INSTANCE : 0),
                                      PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, PIPE_UNLIMITED_INSTANCES, PASS_BYTES_MAX, PASS_BYTES_MAX, 0, &security);
        if (door->pipe != INVALID_HANDLE_VALUE)
                return OK;
        DWORD failed = GetLastError();
        return is_first && (failed == ERROR_ACCESS_DENIED || failed == ERROR_PIPE_BUSY) ? FAIL(why, ERR_REFUSED, "another process listens there already")
                                                                                        : WIN_FAIL(why, failed, "listening");
}

static bool start_connecting(struct door *door)
{
        door->connecting = (OVERLAPPED){ .hEvent = door->connected };
        ResetEvent(door->connected);
        if (ConnectNamedPipe(door->pipe, &door->connecting) || GetLastError() == ERROR_IO_PENDING)
                return true;
        return GetLastError() == ERROR_PIPE_CONNECTED && SetEvent(door->connected);
}

static void door_free(struct door *door)
{
        DWORD length;
        if (door->pipe != INVALID_HANDLE_VALUE) {
                (void)CancelIoEx(door->pipe, NULL);
                (void)GetOverlappedResult(door->pipe, &door->connecting, &length, TRUE);
                CloseHandle(door->pipe);
        }
        if (door->connected)
                CloseHandle(door->connected);
        LocalFree(door->security);
        channel_close(door->end);
        pass_put_down(door->used);
        mem_free(door);
}

/* When there is no memory for it now, it is tried again. */
static void open_next(struct door *door)
{
        struct why why;
        if (new_instance(door, false, &why) == OK && !start_connecting(door)) {
                CloseHandle(door->pipe);
                door->pipe = INVALID_HANDLE_VALUE;
        }
}

/* Somebody is there: the next instance is made first, so that there is always one to connect to. */
static bool let_in(struct door *door)
{
        struct why why;
        HANDLE pipe = door->pipe;
        struct pipe_connection connection = { .end = -1, .user = user_of(pipe) };
        open_next(door);
        if (pass_on(pipe, door->used, &connection.end, &why))
                return true;
        bool is_told = pair_send(door->end, &connection, sizeof(connection), &why) == OK;
        if (!is_told)
                channel_close(connection.end);
        return is_told;
}

/* The listener that is closed ends it. */
static DWORD WINAPI listen_on(void *user)
{
        struct door *door = user;
        bool goes_on = true, ready[2];
        while (goes_on) {
                struct why why;
                if (door->pipe == INVALID_HANDLE_VALUE)
                        open_next(door);
                bool is_full = door->pipe == INVALID_HANDLE_VALUE || InterlockedCompareExchange(door->used, 0, 0) > LIMIT_PIPE_CONNECTIONS;
                const int files[2] = { is_full ? -1 : wide_file(door->connected), door->end };
                goes_on = channel_wait(files, 2, is_full ? FULL_MS : WAIT_MS, ready, &why) == OK && !ready[1];
                if (goes_on && ready[0])
                        goes_on = let_in(door);
        }
        door_free(door);
        return 0;
}

static enum err open_door(struct door *door, const char *path, const char *group, struct why *why)
{
        if (!wide_name(path, door->name))
                return FAIL(why, ERR_USAGE, "%.120s: engines ask at a pipe, //./pipe/NAME", path);
        enum err e = allow(door, group, why);
        if (!e)
                e = new_instance(door, true, why);
        if (!e && (!door->connected || !start_connecting(door)))
                e = WIN_FAIL(why, GetLastError(), "listening");
        return e ? DURING(why, e, "%.120s", path) : OK;
}

enum err pipe_listen(const char *path, const char *group, int *ret_end, struct why *why)
{
        int ends[2] = { -1, -1 };
        struct door *door = mem_new(1, sizeof(*door));
        long *used = mem_new(1, sizeof(*used));
        if (!door || !used) {
                mem_free(door);
                mem_free(used);
                return FAIL(why, ERR_NOMEM, "listening at %.120s", path);
        }
        *used = 1;
        *door = (struct door){ .pipe = INVALID_HANDLE_VALUE, .end = -1, .used = used, .connected = CreateEventW(NULL, TRUE, FALSE, NULL) };
        enum err e = open_door(door, path, group, why);
        if (!e)
                e = pair_open(ends, why);
        door->end = ends[1];
        HANDLE thread = e ? NULL : CreateThread(NULL, 0, listen_on, door, 0, NULL);
        if (!e && !thread)
                e = FAIL(why, ERR_NOMEM, "a thread that listens at %.120s", path);
        if (e) {
                channel_close(ends[0]);
                door_free(door);
                return e;
        }
        CloseHandle(thread);
        *ret_end = ends[0];
        return OK;
}

bool pipe_next(int listener, struct pipe_connection *ret_connection)
{
        struct why why;
        bool is_gone;
        return pair_waiting(listener, &is_gone) >= sizeof(*ret_connection) && pair_receive(listener, ret_connection, sizeof(*ret_connection), &why) == OK;
}

/* Whose is what this process makes? Its user's, or its administrators'. */
static bool is_own_owner(PSID owner)
{
        _Alignas(TOKEN_OWNER) char bytes[sizeof(TOKEN_OWNER) + SECURITY_MAX_SID_SIZE];
        HANDLE token;
        DWORD length;
        if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
                return false;
        bool is = GetTokenInformation(token, TokenOwner, bytes, sizeof(bytes), &length) && EqualSid(((const TOKEN_OWNER *)bytes)->Owner, owner);
        CloseHandle(token);
        return is;
}

/* Anybody can listen at a name while we do not. Only administrators can give what they make to somebody else. */
static bool is_trusted(HANDLE pipe)
{
        union { SECURITY_DESCRIPTOR head; char bytes[1024]; } security;
        DWORD length;
        BOOL is_default;
        PSID owner = NULL;
        if (!GetKernelObjectSecurity(pipe, OWNER_SECURITY_INFORMATION, &security.head, sizeof(security), &length))
                return false;
        if (!GetSecurityDescriptorOwner(&security.head, &owner, &is_default) || !owner)
                return false;
        return IsWellKnownSid(owner, WinLocalSystemSid) || IsWellKnownSid(owner, WinBuiltinAdministratorsSid) || is_own_owner(owner);
}

enum err pipe_connect(const char *path, int *ret_end, struct why *why)
{
        wchar_t name[WIDE_PATH_MAX];
        DWORD mode = PIPE_READMODE_MESSAGE;
        if (!wide_name(path, name))
                return FAIL(why, ERR_USAGE, "%.120s is no pipe: //./pipe/NAME", path);
        HANDLE pipe = CreateFileW(name, CLIENT_ACCESS, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
        DWORD failed = GetLastError();
        if (pipe == INVALID_HANDLE_VALUE && failed == ERROR_PIPE_BUSY)
                return FAIL(why, ERR_BUSY, "%.120s: many ask, try again", path);
        if (pipe == INVALID_HANDLE_VALUE)
                return failed == ERROR_FILE_NOT_FOUND ? FAIL(why, ERR_NOT_FOUND, "nobody listens at %.120s", path) : WIN_FAIL(why, failed, "%.120s", path);
        if (!is_trusted(pipe) || !SetNamedPipeHandleState(pipe, &mode, NULL, NULL)) {
                CloseHandle(pipe);
                return FAIL(why, ERR_NOT_FOUND, "who listens at %.120s is neither an administrator nor we", path);
        }
        return pass_on(pipe, NULL, ret_end, why);
}
