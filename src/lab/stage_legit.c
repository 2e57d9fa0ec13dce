/* S4: the files that this machine boots with, and one that was planted, scanned with the content exactly as it is shipped. */
#include "lab/stage.h"

#include "base/mem.h"
#include "lab/legit.h"
#include "platform/file.h"

#include <inttypes.h>

OWN_DEFINE(paths, const char **, mem_free)

struct looking {
        const struct legit *legit;
        const char *canary;
        struct found *found;
};

static void on_match(void *user, const struct engine_match *match)
{
        struct looking *looking = user;
        struct found *found = looking->found;
        if (strcmp(match->path, looking->canary) == 0) {
                found->saw.canary = true;
                return;
        }
        const struct legit_file *file = legit_find(looking->legit, match->path);
        if (!file)
                return;
        found->is_critical = true;
        found_fault(found, "rule %s matches %s (boot-critical%s)", match->rule, match->path, file->is_changed ? ", and changed since its package shipped it" : "");
}

/* A file that takes too long, or too much, is the content's doing; one that cannot be read is not. */
static bool is_content_at_fault(const char *error)
{
        static const char *const causes[] = { "took too long", "no memory left", "too many matches", "too complex" };
        for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
                if (strstr(error, causes[i]))
                        return true;
        return false;
}

static void judge(const struct trial *trial, const struct engine_answer *answer, struct found *found)
{
        int64_t asked = (int64_t)trial->legit->count + 1;
        if (answer->end == ENGINE_DIED || answer->end == ENGINE_REFUSES)
                found_fault(found, "%s", answer->text);
        else if (answer->end == ENGINE_BROKE)
                found_broken(found, "%s", answer->text);
        else if (answer->errors && is_content_at_fault(answer->first_error))
                found_fault(found, "%s", answer->first_error);
        else if (answer->is_cut)
                found_broken(found, "the engine said more than the lab keeps; some matches may be missing here");
        else if (answer->errors || answer->files < asked)
                found_broken(found, "%" PRId64 " of %" PRId64 " files were scanned%s%s", answer->files, asked, answer->first_error[0] ? ": " : "", answer->first_error);
        else if (!found->saw.canary)
                found_broken(found, "the planted canary was not found: no rule matches the text that the dossier names");
}

static enum err plant(const struct trial *trial, char path[static PATH_MAX], struct why *why)
{
        snprintf(path, PATH_MAX, "%s/canary", trial->scratch);
        return file_write(path, trial->candidate->canary, strlen(trial->candidate->canary), why);
}

static enum err scan(const struct trial *trial, const char *canary, struct found *found, struct why *why)
{
        const struct legit *legit = trial->legit;
        struct looking looking = { legit, canary, found };
        struct engine_answer answer;
        OWN(paths) const char **paths = mem_new(legit->count + 1, sizeof(*paths));
        if (!paths)
                return FAIL(why, ERR_NOMEM, "%zu paths", legit->count);
        for (size_t i = 0; i < legit->count; i++)
                paths[i] = legit->files[i].path;
        paths[legit->count] = canary;
        enum err e = engine_scan(trial->engine, &(struct engine_scan){ trial->candidate->folder, paths, legit->count + 1, on_match, &looking }, &answer, why);
        if (e)
                return e;
        found->cases = (int64_t)legit->count + 1;
        found->saw.files = answer.files > 0 ? answer.files : 0;
        found->saw.bytes = answer.bytes > 0 ? answer.bytes : 0;
        found->saw.rules = (int64_t)trial->candidate->name_count;
        judge(trial, &answer, found);
        return OK;
}

enum err stage_legit(const struct trial *trial, struct found *found, struct why *why)
{
        char canary[PATH_MAX];
        if (!trial->legit->count) {
                found_broken(found, "there is no boot-critical file to look at; nothing was proven");
                return OK;
        }
        memcpy(found->corpus, trial->legit->digest, sizeof(found->corpus));
        if (!trial->candidate->canary) {
                found_broken(found, "the dossier names no `canary`: a text that a rule of this release must match, to see that it is at work");
                return OK;
        }
        enum err e = plant(trial, canary, why);
        return e ? e : scan(trial, canary, found, why);
}
