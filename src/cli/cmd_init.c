#include "cli/cli.h"
#include "cli/facts.h"
#include "cli/founding.h"
#include "platform/disk_folder.h"
#include "platform/file.h"

#include <string.h>

enum { FOLDER_NAME_MAX = 60 };

/* "keys/acme" is acme in keys; "acme" is acme here. */
static enum err split(const char *path, char parent[static 1024], const char **ret_name, struct why *why)
{
        const char *slash = strrchr(path, '/');
        *ret_name = slash ? slash + 1 : path;
        if (!name_is_good(*ret_name) || strlen(*ret_name) > FOLDER_NAME_MAX)
                return FAIL(why, ERR_USAGE, "`%.80s` does not end in a folder's name of letters, digits and . _ + - (at most %d)", path, FOLDER_NAME_MAX);
        if (slash && (size_t)(slash - path) >= 1024)
                return FAIL(why, ERR_LIMIT, "a path of more than 1023 bytes");
        snprintf(parent, 1024, "%.*s", slash ? (slash > path ? (int)(slash - path) : 1) : 1, slash ? path : ".");
        return OK;
}

static enum err tell(struct cli *cli, const char *path, bool is_locked, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, 8192);
        buf_add_text(&text, "made ");
        print_clean(&text, path);
        buf_addf(&text, "\n  offline/  keep it off every network; %s\n", is_locked ? "encrypted with your passphrase" : "NOT encrypted");
        buf_add_text(&text, "  online/   hand it to the server: firebreakd --keys\n"
                            "  public/   hand it to every device: what it trusts\n"
                            "next: firebreak release pack CONTENT_DIR --publisher ");
        print_clean(&text, path);
        buf_add_text(&text, "\n");
        return print_buf(cli, &text, why);
}

enum err cmd_init(struct cli *cli, struct why *why)
{
        const char *path = cli->args->words[0], *name;
        char parent[1024];
        OWN(passphrase) struct passphrase passphrase = { 0 };
        OWN(disk_folder) struct disk *disk = NULL;
        enum err e = split(path, parent, &name, why);
        if (!e && file_kind(parent) != FILE_FOLDER)
                e = FAIL(why, ERR_NOT_FOUND, "there is no folder %.120s; make it first", parent);
        if (!e)
                e = passphrase_choose(cli->args, &passphrase, why);
        if (!e)
                e = disk_folder_open(parent, &disk, why);
        if (e)
                return e;
        e = founding_make(&(struct founding){ .disk = disk, .random = cli->random, .folder = name, .passphrase = &passphrase,
                                  .publisher = arg_text(cli->args, OPTION_NAME, name), .now = cli_now(cli) }, why);
        return e ? DURING(why, e, "making %.80s", path) : tell(cli, path, passphrase.text[0], why);
}
