#include "support/test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct test *tests;

void test_register(struct test *test)
{
        test->next = tests;
        tests = test;
}

void test_fail(const char *file, int line, const char *claim)
{
        print_error("not so: %s\n", claim);
        _fail(file, line);
        abort();
}

static void run(void **state)
{
        ((struct test *)*state)->run();
}

/* usage: test_x [part of a subject] */
int main(int argc, char **argv)
{
        static struct CMUnitTest selected[1024];
        static char names[1024][256];
        size_t count = 0;
        for (struct test *test = tests; test && count < 1024; test = test->next) {
                snprintf(names[count], sizeof(names[count]), "%s: %s", test->subject, test->claim);
                if (argc > 1 && !strstr(names[count], argv[1]))
                        continue;
                selected[count] = (struct CMUnitTest){ .name = names[count], .test_func = run, .initial_state = test };
                count++;
        }
        if (!count) {
                print_error("no test is called %s\n", argc > 1 ? argv[1] : "anything");
                return 1;
        }
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return _cmocka_run_group_tests(argv[0], selected, count, NULL, NULL) ? 1 : 0;
}
