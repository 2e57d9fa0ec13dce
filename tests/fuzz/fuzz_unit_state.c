/* Whatever systemctl says of a unit: a state and a verdict on it, or a complaint. */
#include "agent/probe_kinds.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        struct unit_state state;
        struct why why;
        OWN(buf) struct buf text;
        buf_init(&text, 4096);
        buf_add(&text, bytes, length);
        if (unit_state_read(buf_text(&text), &state, &why) != OK)
                return 0;
        assert(state.load[0] && state.active[0] && memchr(state.result, 0, sizeof(state.result)) && memchr(state.sub, 0, sizeof(state.sub)));
        enum err e = unit_state_judge("x.service", &state, "1", &why);
        assert(e == OK || e == ERR_CONTENT);
        return 0;
}
