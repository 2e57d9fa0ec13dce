#include "cli/lab.h"

#include "platform/child.h"
#include "platform/clock.h"
#include "platform/file.h"

#include <string.h>

enum { LOOK_MS = 20, CODE_CONTENT = 1, CODE_BROKE = 2 };

void lab_find(const struct cli *cli, char path[static 4096])
{
        static const char name[] = "firebreak-lab";
        const char *slash = cli->program ? strrchr(cli->program, '/') : NULL;
        if (slash) {
                snprintf(path, 4096, "%.*s/%s", (int)(slash - cli->program), cli->program, name);
                if (file_kind(path) == FILE_REGULAR)
                        return;
        }
        snprintf(path, 4096, "%s", name);
}

static enum err wait_for(struct cli *cli, struct child *child, int *ret_code, struct why *why)
{
        struct child_end end;
        while (!child_ended(child, &end))
                cli->clock->ops->sleep_ms(cli->clock, LOOK_MS);
        if (end.is_signal || end.code > CODE_BROKE) {
                char text[64];
                child_end_text(&end, text, sizeof(text));
                return FAIL(why, !end.is_signal && end.code == err_info(ERR_USAGE)->exit ? ERR_USAGE : ERR_IO, "firebreak-lab ended with %s; its own words are above", text);
        }
        *ret_code = end.code;
        return OK;
}

static enum err read_back(FILE *file, struct buf *into, struct why *why)
{
        char part[4096];
        rewind(file);
        for (size_t n; (n = fread(part, 1, sizeof(part), file)) > 0;)
                buf_add(into, part, n);
        if (ferror(file))
                return FAIL(why, ERR_IO, "what firebreak-lab printed cannot be read back");
        return buf_check(into, why);
}

static void file_release(FILE **file)
{
        if (*file)
                fclose(*file);
}

enum err lab_run(struct cli *cli, const struct lab_run *run, int *ret_code, struct why *why)
{
        char path[4096];
        const char *argv[LAB_ARGS_MAX + 2] = { path };
        lab_find(cli, path);
        for (size_t i = 0; run->args[i]; i++)
                argv[i + 1] = run->args[i];
        OWN(file) FILE *said = run->said ? tmpfile() : NULL;
        if (run->said && !said)
                return FAIL(why, ERR_IO, "no temporary file for what firebreak-lab prints; is the disk full?");
        fflush(cli->out);
        struct child child = { 0 };
        enum err e = child_start(&(struct child_setup){ .argv = argv, .input = run->input, .output = fileno(said ? said : cli->out), .errors = -1 }, &child, why);
        if (e == ERR_NOT_FOUND)
                return FAIL(why, e, "there is no firebreak-lab, neither beside this program nor in PATH; install it");
        if (!e)
                e = wait_for(cli, &child, ret_code, why);
        return e || !said ? e : read_back(said, run->said, why);
}
