/* The keys that sign a release are elsewhere: a proposal goes to them. `firebreak proposal combine` takes what comes back. */
#include "cli/facts.h"
#include "cli/publisher.h"
#include "cli/signing.h"

enum err cmd_release_propose(struct cli *cli, struct why *why)
{
        const char *path = cli->args->words[1];
        char next[PUBLISHER_PATH_MAX];
        OWN(publisher) struct publisher *publisher = NULL;
        OWN(ceremony_file) struct ceremony_file *file = NULL;
        struct signing signing = { .random = cli->random, .now = cli_now(cli), .args = cli->args };
        enum err e = release_id_parse(cli->args->words[0], &signing.release, why);
        if (!e)
                e = ceremony_file_check_absent(path, why);
        if (!e)
                e = publisher_open(cli, &publisher, why);
        if (!e)
                e = publisher_hold(publisher, why);
        if (!e)
                e = ceremony_file_make(&file, why);
        if (e)
                return e;
        signing.disk = publisher_disk(publisher);
        signing.folder = publisher_path(publisher);
        e = signing_propose(&signing, file, why);
        if (!e)
                e = ceremony_file_write(path, file, why);
        if (e)
                return e;
        snprintf(next, sizeof(next), "firebreak proposal sign %.300s --release TARGET --follows DIGEST --key KEY, where each key is; tell the holders both by another way than the file", path);
        return ceremony_tell(cli, file, "proposed\n", next, why);
}
