#include "nft/record.h"

#include "platform/file.h"
#include "support/test.h"

#include <string.h>

static void open_record(struct record *record, char folder[static 64])
{
        CHECK(file_temporary(folder, NULL) == OK && record_open(folder, record, NULL) == OK);
}

static void write_into(const struct record *record, const char *name, const char *text)
{
        char path[PATH_MAX + 16];
        record_path(record, name, path);
        CHECK(file_write(path, text, strlen(text), NULL) == OK);
}

TEST(record_is_armed, tells_until_when_and_whether_the_machine_started_anew_since)
{
        OWN(record) struct record record = { .disk = NULL };
        OWN(buf) struct buf boot;
        char folder[64], line[160];
        struct record_armed armed;
        open_record(&record, folder);
        CHECK(record_is_armed(&record, &armed, NULL) == ERR_NOT_FOUND);
        write_into(&record, "armed", "# firebreak-nft: brings back what stood. until_ms=77 boot=another\n");
        CHECK(record_is_armed(&record, &armed, NULL) == OK && armed.until_ms == 77 && !armed.is_this_boot);
        buf_init(&boot, 64);
        CHECK(file_read("/proc/sys/kernel/random/boot_id", &boot, NULL) == OK);
        snprintf(line, sizeof(line), "# firebreak-nft: brings back what stood. until_ms=78 boot=%s", buf_text(&boot));
        write_into(&record, "armed", line);
        CHECK(record_is_armed(&record, &armed, NULL) == OK && armed.until_ms == 78 && armed.is_this_boot);
        /* What cannot be read is over at once, and taken back rather than forgotten. */
        write_into(&record, "armed", "");
        CHECK(record_is_armed(&record, &armed, NULL) == OK && armed.until_ms == 0 && armed.is_this_boot);
        CHECK(record_disarm(&record, NULL) == OK && record_is_armed(&record, &armed, NULL) == ERR_NOT_FOUND);
        file_remove_tree(folder);
}

TEST(record_good, remembers_the_last_two)
{
        OWN(record) struct record record = { .disk = NULL };
        struct buf scripts[3];
        char folder[64];
        open_record(&record, folder);
        for (size_t i = 0; i < 3; i++) {
                buf_init(&scripts[i], 64);
                buf_addf(&scripts[i], "table inet t%zu\n", i);
                CHECK(!record_knows(&record, &scripts[i]) && record_good(&record, &scripts[i], NULL) == OK);
                CHECK(record_good(&record, &scripts[i], NULL) == OK && record_knows(&record, &scripts[i]));
        }
        CHECK(!record_knows(&record, &scripts[0]) && strcmp(record_knows(&record, &scripts[1]), "good.before") == 0 && strcmp(record_knows(&record, &scripts[2]), "good") == 0);
        for (size_t i = 0; i < 3; i++)
                buf_done(&scripts[i]);
        file_remove_tree(folder);
}
