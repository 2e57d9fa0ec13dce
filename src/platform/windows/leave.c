#include "platform/windows/leave.h"

#include "base/err.h"
#include "platform/windows/spawn.h"

#include <stdio.h>
#include <windows.h>

enum leave leave_of(uint32_t order, uint32_t event)
{
        switch (order) {
        case SERVICE_CONTROL_INTERROGATE: return LEAVE_HEARS;
        case SERVICE_CONTROL_STOP: return LEAVE_ENDS;
        case SERVICE_CONTROL_PRESHUTDOWN:
        case SERVICE_CONTROL_SHUTDOWN: return LEAVE_SHUTS_DOWN;
        case SERVICE_CONTROL_POWEREVENT: return event == PBT_APMSUSPEND ? LEAVE_SLEEPS : LEAVE_HEARS;
        default: return LEAVE_STAYS;
        }
}

/* Not as one of child.h's, which are the supervisor's, and are looked after on its thread. */
bool leave_say(const char *const *words, uint32_t most_ms)
{
        struct spawned spawned;
        struct why why;
        if (!words)
                return true;
        if (spawn_start(&(struct spawn){ .argv = words, .input = -1, .output = -1, .errors = -1 }, &spawned, &why)) {
                fprintf(stderr, "%s\n", why.text);
                return false;
        }
        const bool is_over = WaitForSingleObject(spawned.process, most_ms) == WAIT_OBJECT_0;
        if (!is_over)
                fprintf(stderr, "%s: ended after %u ms, since the machine does not wait\n", words[1] ? words[1] : words[0], (unsigned)most_ms);
        spawn_kill(&spawned);
        spawn_close(&spawned);
        return is_over;
}
