/* Whatever the bytes: a scenario whose words are known and whose shares add up, or a complaint that names the file. */
#include "base/limits.h"
#include "replay/scenario.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
        struct scenario scenario;
        struct why why = { .err = OK };
        if (!arena || scenario_read(arena, "fuzz.yaml", (const char *)bytes, length, &scenario, &why)) {
                assert(!arena || strncmp(why.text, "fuzz.yaml:", 10) == 0);
                return 0;
        }
        const struct scenario_fault *faults = scenario.faults.items;
        for (size_t i = 0; i < scenario.faults.count; i++)
                assert(fault_onset(&faults[i]) <= FAULT_AT_REVERT && fault_cure(&faults[i]) <= CURE_NEVER && faults[i].susceptible_ppm > 0);
        assert(scenario_start_min(&scenario) < 7 * 1440 && scenario.fleet.devices > 0);
        return 0;
}
