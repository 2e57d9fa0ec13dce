#include "content/yara/engine/ruleset.h"

#include "base/mem.h"
#include "content/yara/engine/source.h"

#include <yara.h>

struct compiling {
        YR_COMPILER *compiler;
        const char *file;
        unsigned warnings;
        char first_error[160];
};

static void heard(int level, const char *file, int line, const YR_RULE *rule, const char *message, void *user)
{
        struct compiling *compiling = user;
        (void)file;
        (void)rule;
        bool is_warning = level == YARA_ERROR_LEVEL_WARNING;
        if (is_warning)
                compiling->warnings++;
        else if (!compiling->first_error[0])
                snprintf(compiling->first_error, sizeof(compiling->first_error), "line %d: %s", line, message);
        fprintf(stderr, "%s %s:%d: %s\n", is_warning ? "warning" : "error", compiling->file, line, message);
}

static enum err add_file(void *user, const char *name, const struct buf *text, struct why *why)
{
        struct compiling *compiling = user;
        compiling->file = name;
        if (yr_compiler_add_string(compiling->compiler, buf_text(text), NULL) == 0)
                return OK;
        return FAIL(why, ERR_SYNTAX, "%s: %s", name, compiling->first_error);
}

static void compiler_release(struct compiling *compiling)
{
        if (compiling->compiler)
                yr_compiler_destroy(compiling->compiler);
}

static enum err compile(const char *folder, struct ruleset *set, struct why *why)
{
        OWN(compiler) struct compiling compiling = { 0 };
        if (yr_compiler_create(&compiling.compiler) != ERROR_SUCCESS)
                return FAIL(why, ERR_NOMEM, "a compiler for rules");
        yr_compiler_set_callback(compiling.compiler, heard, &compiling);
        yr_compiler_set_include_callback(compiling.compiler, NULL, NULL, NULL);
        enum err e = source_each(folder, add_file, &compiling, why);
        if (e)
                return e;
        if (yr_compiler_get_rules(compiling.compiler, &set->compiled) != ERROR_SUCCESS)
                return FAIL(why, ERR_NOMEM, "the compiled rules");
        set->warnings = compiling.warnings;
        return OK;
}

enum err ruleset_open(const char *folder, struct ruleset **ret_set, struct why *why)
{
        OWN(ruleset) struct ruleset *set = mem_new(1, sizeof(*set));
        if (!set)
                return FAIL(why, ERR_NOMEM, "a set of rules");
        enum err e = compile(folder, set, why);
        if (e)
                return DURING(why, e, "loading rules of %.100s", folder);
        YR_RULE *rule;
        yr_rules_foreach(set->compiled, rule)
                set->rules++;
        if (!set->rules)
                return FAIL(why, ERR_NOT_FOUND, "no rules in %.100s; put them into rules/NAME.yar", folder);
        source_version(folder, set->version, sizeof(set->version));
        *ret_set = GIVE(set);
        return OK;
}

void ruleset_close(struct ruleset *set)
{
        if (!set)
                return;
        if (set->compiled)
                yr_rules_destroy(set->compiled);
        mem_free(set);
}
