/* token_world.h - a PKCS#11 token of SoftHSM's in a temporary folder, called acme, its PIN 1234, and the module with faults before it.
 *
 *      OWN(token_world) struct token_world w = { 0 };
 *      if (!token_world_open(&w)) return;                 no SoftHSM on this machine
 *      token_fault("flip"); ... w.uri("root-1") */
#pragma once

#include "platform/file.h"
#include "support/test.h"

#include <string.h>
#include <sys/stat.h>

struct token_world {
        char folder[64], text[512];
        const char *module;
};

static inline void token_fault(const char *fault)
{
        CHECK(setenv("FIREBREAK_FAULT", fault, 1) == 0);
}

static inline bool token_world_open(struct token_world *world)
{
        static const char *const modules[] = { "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so" };
        char path[128], text[256];
        for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]) && !world->module; i++)
                world->module = file_kind(modules[i]) == FILE_REGULAR ? modules[i] : NULL;
        if (!world->module) {
                printf("# left out: no SoftHSM here (tools/install-deps)\n");
                return false;
        }
        CHECK(file_temporary(world->folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/tokens", world->folder);
        CHECK(mkdir(path, 0700) == 0);
        snprintf(text, sizeof(text), "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", path);
        snprintf(path, sizeof(path), "%s/conf", world->folder);
        CHECK(file_write(path, text, strlen(text), NULL) == OK);
        CHECK(!setenv("SOFTHSM2_CONF", path, 1) && !setenv("FIREBREAK_MODULE", world->module, 1));
        token_fault("");
        CHECK(system("softhsm2-util --init-token --free --label acme --pin 1234 --so-pin 12345678 >/dev/null") == 0);
        return true;
}

static inline void token_world_release(struct token_world *world)
{
        if (world->folder[0])
                file_remove_tree(world->folder);
}

/* The PIN's file, too. Valid until the next. */
static inline const char *token_world_uri(struct token_world *world, const char *label, const char *pin)
{
        char path[128];
        snprintf(path, sizeof(path), "%s/pin", world->folder);
        CHECK(file_write(path, pin, strlen(pin), NULL) == OK);
        snprintf(world->text, sizeof(world->text), "pkcs11:token=acme;object=%s?module-path=" FAULTY_TOKEN "&pin-source=%s", label, path);
        return world->text;
}
