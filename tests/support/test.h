/* test.h - TEST(subject, what_it_does) { ... }; CHECK() ends the test on the first lie.
 *
 * A thin layer on cmocka: the registry is ours, running and reporting are cmocka's. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

struct test {
        const char *subject, *claim;
        void (*run)(void);
        struct test *next;
};

void test_register(struct test *test);
_Noreturn void test_fail(const char *file, int line, const char *claim);

#define TEST(subject_, claim_) \
        static void subject_##__##claim_(void); \
        __attribute__((constructor)) static void register_##subject_##__##claim_(void) \
        { \
                static struct test test = { #subject_, #claim_, subject_##__##claim_, NULL }; \
                test_register(&test); \
        } \
        static void subject_##__##claim_(void)

#define CHECK(claim) \
        do { \
                if (!(claim)) \
                        test_fail(__FILE__, __LINE__, #claim); \
        } while (0)
