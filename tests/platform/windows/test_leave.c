#include "platform/windows/leave.h"

#include "platform/child.h"
#include "platform/file.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

TEST(leave, tells_a_stop_by_hand_from_a_machine_that_goes)
{
        static const struct { uint32_t order, event; enum leave leave; } cases[] = {
                { SERVICE_CONTROL_STOP, 0, LEAVE_ENDS },
                { SERVICE_CONTROL_INTERROGATE, 0, LEAVE_HEARS },
                { SERVICE_CONTROL_PRESHUTDOWN, 0, LEAVE_SHUTS_DOWN },
                { SERVICE_CONTROL_SHUTDOWN, 0, LEAVE_SHUTS_DOWN },
                { SERVICE_CONTROL_POWEREVENT, PBT_APMSUSPEND, LEAVE_SLEEPS },
                { SERVICE_CONTROL_POWEREVENT, PBT_APMRESUMEAUTOMATIC, LEAVE_HEARS },
                { SERVICE_CONTROL_POWEREVENT, PBT_APMRESUMESUSPEND, LEAVE_HEARS },
                { SERVICE_CONTROL_POWEREVENT, PBT_APMPOWERSTATUSCHANGE, LEAVE_HEARS },
                { SERVICE_CONTROL_PAUSE, 0, LEAVE_STAYS },
                { SERVICE_CONTROL_SESSIONCHANGE, PBT_APMSUSPEND, LEAVE_STAYS },
                { 200, 0, LEAVE_STAYS },
                { UINT32_MAX, UINT32_MAX, LEAVE_STAYS },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                CHECK(leave_of(cases[i].order, cases[i].event) == cases[i].leave);
}

TEST(leave, waits_for_what_is_said_before_the_machine_goes)
{
        static const char *const words[] = { "cmd.exe", "/c", "echo gone>leave.txt", NULL };
        (void)remove("leave.txt");
        OWN(buf) struct buf said;
        buf_init(&said, 64);
        CHECK(leave_say(words, 60000));
        CHECK(file_read("leave.txt", &said, NULL) == OK && strncmp(buf_text(&said), "gone", 4) == 0);
        (void)remove("leave.txt");
}

/* What the next one runs: this program, with a word in its environment. */
TEST(leave_guest, never_ends)
{
        if (GetEnvironmentVariableA("FIREBREAK_GUEST_HANGS", NULL, 0))
                Sleep(INFINITE);
}

TEST(leave, says_nothing_without_words_and_does_not_wait_for_what_hangs)
{
        static const char *const none[] = { "no-such-program-at-all", NULL }, *const hangs[] = { child_self, "leave_guest", NULL };
        CHECK(leave_say(NULL, 0));
        CHECK(!leave_say(none, 60000));
        CHECK(SetEnvironmentVariableA("FIREBREAK_GUEST_HANGS", "1"));
        CHECK(!leave_say(hangs, 100));
        CHECK(SetEnvironmentVariableA("FIREBREAK_GUEST_HANGS", NULL));
}
