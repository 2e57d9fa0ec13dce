#include "trust/tuf_role.h"

#include "support/test.h"

#include <string.h>

TEST(tuf_file_name, gives_all_their_version_but_the_timestamp)
{
        static const struct { enum tuf_role role; uint64_t version; const char *name; } cases[] = {
                { TUF_ROOT, 1, "1.root.json" }, { TUF_TARGETS, 4, "4.targets.json" }, { TUF_TIMESTAMP, 0, "timestamp.json" }, { TUF_TIMESTAMP, 9, "timestamp.json" },
                { TUF_SNAPSHOT, UINT64_MAX, "18446744073709551615.snapshot.json" },
        };
        char name[TUF_TOP_NAME_BYTES];
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                tuf_file_name(cases[i].role, cases[i].version, name);
                CHECK(strcmp(name, cases[i].name) == 0);
        }
}

TEST(tuf_file_name_of, names_files_so_that_none_leaves_its_folder)
{
        static const struct { const char *role; uint64_t version; const char *name; } cases[] = {
                { "targets", 0, "targets.json" }, { "targets", 12, "12.targets.json" }, { "../x", 1, "1...%2Fx.json" }, { "..", 0, "...json" },
                { "a b", 0, "a%20b.json" }, { "#", 1, "1.%23.json" }, { "?", 1, "1.%3F.json" }, { "\xc3\xa4", 0, "%C3%A4.json" }, { "%2F", 0, "%252F.json" },
        };
        char name[TUF_FILE_NAME_BYTES], longest[LIMIT_ROLE_NAME_BYTES + 1];
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                tuf_file_name_of(cases[i].role, cases[i].version, name);
                CHECK(strcmp(name, cases[i].name) == 0);
        }
        memset(longest, '/', sizeof(longest) - 1);
        longest[sizeof(longest) - 1] = '\0';
        tuf_file_name_of(longest, UINT64_MAX, name);
        CHECK(strlen(name) == 20 + 1 + 3 * LIMIT_ROLE_NAME_BYTES + 5 && strcmp(name + strlen(name) - 8, "%2F.json") == 0);
}
