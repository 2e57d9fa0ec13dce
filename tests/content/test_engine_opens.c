/* Only our own memory: what libyara takes is its own. */
#include "content/yara/engine/ruleset.h"
#include "content/yara/engine/scan.h"
#include "content/yara/engine/watch.h"

#include "support/sweep.h"
#include "support/test.h"

#include <yara.h>

TEST(engine_parts, survive_a_lack_of_memory)
{
        CHECK(yr_initialize() == ERROR_SUCCESS);
        OWN(ruleset) struct ruleset *set = NULL;
        CHECK(ruleset_open(FACTORY, &set, NULL) == OK);
        SWEEP_MEMORY {
                OWN(ruleset) struct ruleset *again = NULL;
                OWN(scan) struct scan *scan = NULL;
                OWN(watch) struct watch *watch = NULL;
                enum err e = ruleset_open(FACTORY, &again, NULL);
                CHECK(e == OK || !again);
                e = scan_open(set, stdout, &scan, NULL);
                CHECK(e == OK || !scan);
                e = watch_open(FACTORY, &watch, NULL);
                CHECK(e == OK || !watch);
        }
        ruleset_close(GIVE(set));
        yr_finalize();
}
