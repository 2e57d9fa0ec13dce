#include "agent/config.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        OWN(agent_config) struct agent_config *config = NULL;
        enum err e = agent_config_parse("fuzz.yaml", (const char *)bytes, length, &config, NULL);
        if ((e == OK) != (config != NULL))
                abort();
        return 0;
}
