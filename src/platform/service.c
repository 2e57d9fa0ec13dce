#include "platform/service.h"

enum err service_install(const struct service *service, char ret_lacks[static SERVICE_LACKS_BYTES], struct why *why)
{
        (void)service, (void)ret_lacks;
        return FAIL(why, ERR_UNAVAILABLE, "this system has no service manager of that kind");
}

enum err service_remove(const char *name, uint32_t stop_ms, struct why *why)
{
        (void)name, (void)stop_ms;
        return FAIL(why, ERR_UNAVAILABLE, "this system has no service manager of that kind");
}

enum err service_run(const struct service_runs *runs, struct why *why)
{
        (void)runs;
        return FAIL(why, ERR_UNAVAILABLE, "this system has no service manager of that kind");
}
