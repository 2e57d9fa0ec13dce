#include "cli/budgets.h"

#include "cli/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *left, const void *right)
{
        int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
        return (a > b) - (a < b);
}

static enum err read_budget(const char *word, int64_t *ret_budget, struct why *why)
{
        const struct option *option = option_info(OPTION_BUDGET);
        size_t digits = strspn(word, "0123456789");
        int64_t budget = digits && digits < 12 && !word[digits] ? strtoll(word, NULL, 10) : -1;
        if (budget < option->min || budget > option->max)
                return FAIL(why, ERR_USAGE, "--budget: `%.40s` is no number from %" PRId64 " to %" PRId64 "; several are written 3,10,30", word, option->min, option->max);
        *ret_budget = budget;
        return OK;
}

/* In ascending order, each once. */
static void sort(struct budgets *budgets)
{
        size_t different = 1;
        qsort(budgets->items, budgets->count, sizeof(budgets->items[0]), compare);
        for (size_t i = 1; i < budgets->count; i++)
                if (budgets->items[i] != budgets->items[different - 1])
                        budgets->items[different++] = budgets->items[i];
        budgets->count = different;
}

enum err budgets_read(const struct args *args, int64_t otherwise, struct budgets *ret_budgets, struct why *why)
{
        struct budgets budgets = { .first = otherwise };
        const char *word = arg_text(args, OPTION_BUDGETS, NULL);
        while (word) {
                char one[48];
                size_t length = strcspn(word, ",");
                snprintf(one, sizeof(one), "%.*s", (int)(length < sizeof(one) ? length : sizeof(one) - 1), word);
                if (budgets.count == BUDGETS_MOST)
                        return FAIL(why, ERR_USAGE, "--budget: more than %d", BUDGETS_MOST);
                enum err e = read_budget(one, &budgets.items[budgets.count++], why);
                if (e)
                        return e;
                word = word[length] ? word + length + 1 : NULL;
        }
        if (!budgets.count)
                budgets.items[budgets.count++] = otherwise;
        budgets.first = budgets.items[0];
        sort(&budgets);
        *ret_budgets = budgets;
        return OK;
}

void budgets_spread(struct budgets *budgets)
{
        static const struct { int64_t times, by; } steps[] = { { 1, 3 }, { 1, 1 }, { 3, 1 }, { 10, 1 } };
        const struct option *option = option_info(OPTION_BUDGET);
        budgets->count = 0;
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
                int64_t budget = budgets->first * steps[i].times / steps[i].by;
                if (budget >= option->min && budget <= option->max)
                        budgets->items[budgets->count++] = budget;
        }
        sort(budgets);
}
