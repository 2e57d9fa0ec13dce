/* Runs a fuzzer over its seed corpus: fuzz_main FOLDER. A folder that is empty or absent is a failure:
 * a test that looked at nothing has not passed. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static int run_file(const char *path)
{
        static uint8_t bytes[1 << 20];
        FILE *file = fopen(path, "rb");
        if (!file)
                return 0;
        size_t length = fread(bytes, 1, sizeof(bytes), file);
        fclose(file);
        uint8_t *exact = malloc(length ? length : 1);     /* so that ASan sees one byte too far */
        if (!exact)
                abort();
        for (size_t i = 0; i < length; i++)
                exact[i] = bytes[i];
        LLVMFuzzerTestOneInput(exact, length);
        free(exact);
        return 1;
}

int main(int argc, char **argv)
{
        DIR *folder = argc > 1 ? opendir(argv[1]) : NULL;
        int ran = 0;
        if (folder) {
                for (struct dirent *entry; (entry = readdir(folder));) {
                        char path[4096];
                        snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
                        if (entry->d_name[0] != '.')
                                ran += run_file(path);
                }
                closedir(folder);
        }
        printf("%d inputs\n", ran);
        return ran ? 0 : 1;
}
