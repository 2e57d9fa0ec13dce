/* S2: does the real engine load it, all of it, and again while the first is loaded? */
#include "lab/stage.h"

#include <inttypes.h>

enum err stage_load(const struct trial *trial, struct found *found, struct why *why)
{
        struct engine_answer answer;
        int64_t declared = (int64_t)trial->candidate->name_count;
        enum err e = engine_check(trial->engine, trial->candidate->folder, &answer, why);
        if (e)
                return e;
        found->cases = 2;
        found->saw.rules = answer.rules > 0 ? answer.rules : 0;
        found->saw.files = (int64_t)trial->candidate->file_count;
        if (answer.end == ENGINE_BROKE)
                found_broken(found, "%s", answer.text);
        else if (answer.end != ENGINE_DONE)
                found_fault(found, "%s", answer.text);
        else if (answer.rules != declared)
                found_fault(found, "the engine loaded %" PRId64 " rules of %" PRId64 " that the content declares", answer.rules, declared);
        else if (answer.warnings)
                found_fault(found, "the engine has %" PRId64 " warnings; they are in the log", answer.warnings);
        return OK;
}
