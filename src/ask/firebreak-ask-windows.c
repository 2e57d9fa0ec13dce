#include "ask/firebreak-ask.h"

#include <stdint.h>
#include <string.h>
#include <windows.h>

/* Read and write; not more, since who may only ask has no more. */
#define ASK_ACCESS 0x12019bUL
enum { NAME_MAX_CHARS = 256, BUSY_MS = 20, LINE_BYTES = FIREBREAK_REASON_BYTES + 8 };

struct question {
        const char *socket, *action, *path;
        uint64_t until_ms;
        char *reason;                            /* NULL or of reason_bytes, which is not 0 then */
        size_t reason_bytes;
};

static DWORD left_ms(const struct question *question)
{
        uint64_t now = GetTickCount64();
        return now >= question->until_ms ? 0 : (DWORD)(question->until_ms - now);
}

static enum firebreak_answer say(const struct question *question, enum firebreak_answer answer, const char *text, size_t length)
{
        if (question->reason) {
                size_t most = question->reason_bytes - 1;
                length = length < most ? length : most;
                memcpy(question->reason, text, length);
                question->reason[length] = 0;
        }
        return answer;
}

static enum firebreak_answer no_answer(const struct question *question, const char *text)
{
        return say(question, FIREBREAK_NO_ANSWER, text, strlen(text));
}

static int is_action(const char *action)
{
        size_t length = strspn(action, "abcdefghijklmnopqrstuvwxyz_-");
        return length && length <= FIREBREAK_ACTION_MAX && !action[length];
}

/* C:/x, C:\x, or of a share: \\server\x. */
static int is_absolute(const char *path)
{
        const char drive = path[0];
        if ((drive >= 'a' && drive <= 'z') || (drive >= 'A' && drive <= 'Z'))
                return path[1] == ':' && (path[2] == '/' || path[2] == '\\');
        return drive == '\\' && path[1] == '\\';
}

/* As Windows has it: \\.\pipe\NAME. */
static int is_pipe(const char *text, wchar_t name[NAME_MAX_CHARS])
{
        static const wchar_t prefix[] = L"\\\\.\\pipe\\";
        const size_t length = sizeof(prefix) / sizeof(prefix[0]) - 1;
        if (!MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, name, NAME_MAX_CHARS))
                return 0;
        for (wchar_t *at = name; *at; at++)
                *at = *at == L'/' ? L'\\' : *at;
        return _wcsnicmp(name, prefix, length) == 0 && name[length];
}

/* Whose is what this process makes? Its user's, or its administrators'. */
static int is_ours(PSID owner)
{
        union { TOKEN_OWNER owner; char bytes[sizeof(TOKEN_OWNER) + SECURITY_MAX_SID_SIZE]; } own;
        HANDLE token;
        DWORD length;
        if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
                return 0;
        int is = GetTokenInformation(token, TokenOwner, &own, sizeof(own), &length) && EqualSid(own.owner.Owner, owner);
        CloseHandle(token);
        return is;
}

/* Anybody can listen at a name while the agent does not, and would allow everything. Only administrators can give what they make to somebody else. */
static int is_agents(HANDLE pipe)
{
        union { SECURITY_DESCRIPTOR head; char bytes[1024]; } security;
        DWORD length;
        BOOL is_default;
        PSID owner = NULL;
        if (!GetKernelObjectSecurity(pipe, OWNER_SECURITY_INFORMATION, &security.head, sizeof(security), &length))
                return 0;
        return GetSecurityDescriptorOwner(&security.head, &owner, &is_default) && owner && (IsWellKnownSid(owner, WinLocalSystemSid) || IsWellKnownSid(owner, WinBuiltinAdministratorsSid) || is_ours(owner));
}

static const char *reach(const struct question *question, HANDLE *ret_pipe)
{
        wchar_t name[NAME_MAX_CHARS];
        DWORD mode = PIPE_READMODE_MESSAGE;
        if (!is_pipe(question->socket, name))
                return "the agent is asked at a pipe, //./pipe/NAME";
        for (;;) {
                HANDLE pipe = CreateFileW(name, ASK_ACCESS, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
                if (pipe != INVALID_HANDLE_VALUE) {
                        *ret_pipe = pipe;
                        return !is_agents(pipe) ? "who listens there is not the agent" : SetNamedPipeHandleState(pipe, &mode, NULL, NULL) ? NULL : "the agent closed the connection";
                }
                DWORD failed = GetLastError(), left = left_ms(question);
                if (failed != ERROR_PIPE_BUSY)
                        return failed == ERROR_ACCESS_DENIED ? "we may not ask this agent" : "the agent is not there";
                if (!left)
                        return "too many ask before us";
                if (!WaitNamedPipeW(name, left < BUSY_MS ? left : BUSY_MS))
                        Sleep(1);
        }
}

/* What was begun is over, one way or the other, when this returns: Windows writes into our memory until then. */
static int is_done(HANDLE pipe, OVERLAPPED *call, const struct question *question, DWORD *ret_length)
{
        int is_in_time = WaitForSingleObject(call->hEvent, left_ms(question)) == WAIT_OBJECT_0;
        if (!is_in_time)
                (void)CancelIoEx(pipe, call);
        return GetOverlappedResult(pipe, call, ret_length, TRUE) && is_in_time;
}

/* A line: `allow`, or `deny` and why. */
static enum firebreak_answer read_line(const struct question *question, const char *line, size_t length)
{
        if (!length || line[length - 1] != '\n')
                return no_answer(question, "the agent closed the connection");
        length--;
        if (length == 5 && memcmp(line, "allow", 5) == 0)
                return say(question, FIREBREAK_ALLOW, "", 0);
        if (length > 5 && memcmp(line, "deny ", 5) == 0)
                return say(question, FIREBREAK_DENY, line + 5, length - 5);
        return no_answer(question, "the agent's answer is none");
}

static enum firebreak_answer converse(HANDLE pipe, HANDLE event, const struct question *question)
{
        char asked[FIREBREAK_ACTION_MAX + 1 + FIREBREAK_PATH_MAX], line[LINE_BYTES];
        size_t action = strlen(question->action) + 1, path = strlen(question->path);
        OVERLAPPED call = { .hEvent = event };
        DWORD length = 0;
        memcpy(asked, question->action, action);
        memcpy(asked + action, question->path, path);
        if ((!WriteFile(pipe, asked, (DWORD)(action + path), NULL, &call) && GetLastError() != ERROR_IO_PENDING) || !is_done(pipe, &call, question, &length))
                return no_answer(question, left_ms(question) ? "the agent closed the connection" : "the agent did not answer in time");
        call = (OVERLAPPED){ .hEvent = event };
        ResetEvent(event);
        if ((!ReadFile(pipe, line, sizeof(line), NULL, &call) && GetLastError() != ERROR_IO_PENDING) || !is_done(pipe, &call, question, &length))
                return no_answer(question, left_ms(question) ? "the agent closed the connection" : "the agent did not answer in time");
        return read_line(question, line, length);
}

enum firebreak_answer firebreak_ask(const char *socket_path, const char *action, const char *path, int timeout_ms, char *reason, size_t reason_bytes)
{
        const struct question question = { socket_path, action, path, GetTickCount64() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0), reason_bytes ? reason : NULL, reason_bytes };
        if (!is_action(action))
                return no_answer(&question, "an action is a word of a-z, _ and -, 32 at most");
        if (!is_absolute(path) || strlen(path) > FIREBREAK_PATH_MAX)
                return no_answer(&question, "the path is not absolute, or longer than 4096 bytes");
        HANDLE pipe = INVALID_HANDLE_VALUE, event = CreateEventW(NULL, TRUE, FALSE, NULL);
        if (!event)
                return no_answer(&question, "no event to wait with");
        const char *failed = reach(&question, &pipe);
        enum firebreak_answer answer = failed ? no_answer(&question, failed) : converse(pipe, event, &question);
        if (pipe != INVALID_HANDLE_VALUE)
                CloseHandle(pipe);
        CloseHandle(event);
        return answer;
}
