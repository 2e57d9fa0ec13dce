/* A proposal, whoever wrote it: what it says, a signature where the key is, and the end that brings it into force. */
#include "ceremony/addition.h"
#include "cli/ceremony_sign.h"
#include "cli/cli.h"
#include "cli/facts.h"
#include "cli/root_folder.h"
#include "cli/signing.h"
#include "format/hex.h"

#include <string.h>

/* ---- show ---- */

/* Is it what he knows to be in force? A proposal that follows other files can hand over everything, and look like a renewal. */
static enum err check_folder(struct cli *cli, const struct ceremony_file *file, struct why *why)
{
        OWN(publisher) struct publisher *publisher = NULL;
        enum err e = publisher_open(cli, &publisher, why);
        return e ? e : root_folder_check(publisher_disk(publisher), &file->proposal, why);
}

static enum err check_digest(const struct cli *cli, const struct ceremony_file *file, struct why *why)
{
        uint8_t digest[32];
        char hex[65];
        holders_digest(&file->proposal, digest);
        hex_encode(digest, sizeof(digest), hex);
        const char *given = arg_text(cli->args, OPTION_FOLLOWS, "");
        if (strncmp(given, hex, strlen(given)) == 0)     /* 128 bits at least: nobody finds other files that begin like it */
                return OK;
        return FAIL(why, ERR_REFUSED, "it follows %s, which is not what you say is in force", hex);
}

static enum err check_own(struct cli *cli, const struct ceremony_file *file, struct why *why)
{
        const bool has_folder = arg_has(cli->args, OPTION_PUBLISHER), has_digest = arg_has(cli->args, OPTION_FOLLOWS);
        enum err e = has_folder ? check_folder(cli, file, why) : OK;
        if (!e && has_digest)
                e = check_digest(cli, file, why);
        if (has_folder || has_digest)
                return e;
        return FAIL(why, ERR_USAGE, "what is in force? give --publisher, a copy of the folder that you trust, or --follows, the digest that `firebreak root show` told you where you trust it");
}

enum err cmd_proposal_show(struct cli *cli, struct why *why)
{
        OWN(ceremony_file) struct ceremony_file *file = NULL;
        enum err e = ceremony_file_open(cli->args->words[0], &file, why);
        if (!e && arg_has(cli->args, OPTION_PUBLISHER))
                e = check_own(cli, file, why);
        return e ? e : ceremony_tell(cli, file, "what is proposed\n", NULL, why);
}

/* ---- sign ---- */

/* Nobody signs a release without saying which he means. */
static enum err check_release(const struct cli *cli, const struct ceremony_file *file, struct why *why)
{
        OWN(release_note) struct release_note *note = NULL;
        const char *given = arg_text(cli->args, OPTION_RELEASE, NULL);
        uint8_t target[32];
        if (!file->after.adds_release)
                return given ? FAIL(why, ERR_USAGE, "the proposal is of no release, and --release is not for it") : OK;
        if (!given || hex_decode(given, target, sizeof(target), NULL))
                return FAIL(why, ERR_USAGE, "which release? give --release, the 64 digits of its target, as you know them from elsewhere than this file");
        enum err e = addition_note(&file->proposal, &note, why);
        if (!e && memcmp(target, note->target, sizeof(target)) != 0)
                e = FAIL(why, ERR_REFUSED, "the proposal is of another release than you say; see `firebreak proposal show`");
        return e;
}

static enum err sign_with(struct cli *cli, struct ceremony_file *file, struct why *why)
{
        const struct arg *given = &cli->args->of[OPTION_SIGNING_KEY];
        OWN(signing_secrets) struct signing_secrets secrets = { 0 };
        const struct signing_keys_opener opener = { .args = cli->args, .secrets = &secrets };
        enum err e = given->count ? OK : FAIL(why, ERR_USAGE, "with which key? give --key, a file or a pkcs11: URI");
        for (size_t i = 0; !e && i < given->count; i++) {
                OWN(signing_key) struct signing_key *key = NULL;
                e = signing_key_open(&opener, given->texts[i], &key, why);
                if (!e)
                        e = ceremony_sign(file, given->texts[i], key, why);
        }
        return e;
}

static enum err tell_signed(struct cli *cli, const struct ceremony_file *file, struct why *why)
{
        static const char *const others[] = { "firebreak proposal sign %.300s --follows DIGEST --key KEY, where the next key is", "firebreak proposal sign %.300s --release TARGET --follows DIGEST --key KEY, where the next key is" };
        char next[PUBLISHER_PATH_MAX];
        const bool is_complete = rotation_is_complete(&file->proposal, &file->before, &file->after);
        snprintf(next, sizeof(next), is_complete ? "firebreak proposal combine %.300s --publisher DIR" : others[file->after.adds_release], cli->args->words[0]);
        return ceremony_tell(cli, file, "signed\n", next, why);
}

enum err cmd_proposal_sign(struct cli *cli, struct why *why)
{
        OWN(ceremony_file) struct ceremony_file *file = NULL;
        enum err e = ceremony_file_open(cli->args->words[0], &file, why);
        if (!e)
                e = check_own(cli, file, why);
        if (!e)
                e = check_release(cli, file, why);
        if (!e)
                e = rotation_check_dates(&file->before, &file->after, cli_now(cli), why);
        if (!e)
                e = sign_with(cli, file, why);
        if (!e)
                e = ceremony_file_write(cli->args->words[0], file, why);
        return e ? e : tell_signed(cli, file, why);
}

/* ---- combine ---- */

static enum err read_copies(struct cli *cli, struct ceremony_file **ret_file, struct why *why)
{
        enum err e = ceremony_file_open(cli->args->words[0], ret_file, why);
        for (size_t i = 1; !e && i < cli->args->word_count; i++) {
                OWN(ceremony_file) struct ceremony_file *copy = NULL;
                e = ceremony_file_open(cli->args->words[i], &copy, why);
                if (!e)
                        e = proposal_merge(&(*ret_file)->proposal, &copy->proposal, why);
        }
        return e;
}

static enum err check_complete(const struct ceremony_file *file, struct why *why)
{
        if (rotation_is_complete(&file->proposal, &file->before, &file->after))
                return OK;
        return FAIL(why, ERR_UNTRUSTED, "signatures are missing; `firebreak proposal show FILE` says whose");
}

static enum err take(struct cli *cli, struct publisher *publisher, const struct ceremony_file *file, struct why *why)
{
        OWN(rotation_files) struct rotation_files files;
        rotation_files_init(&files);
        const struct root_taking taking = { &file->before, &file->after, files.of, arg_has(cli->args, OPTION_ELSEWHERE) };
        enum err e = root_folder_check(publisher_disk(publisher), &file->proposal, why);
        if (!e)
                e = check_complete(file, why);
        if (!e)
                e = rotation_finish(&file->proposal, cli_now(cli), files.of, why);
        return e ? e : root_folder_take(publisher_disk(publisher), &taking, why);
}

/* Once more after a cut: what was done is done. */
static enum err take_once(struct cli *cli, struct publisher *publisher, const struct ceremony_file *file, struct why *why)
{
        bool is_taken = false;
        enum err e = root_folder_is_taken(publisher_disk(publisher), &file->proposal, &is_taken, why);
        if (e)
                return e;
        return is_taken ? root_folder_clear(publisher_disk(publisher), &(struct root_taking){ .before = &file->before, .after = &file->after }, why)
                        : take(cli, publisher, file, why);
}

static enum err take_release(struct cli *cli, struct publisher *publisher, const struct ceremony_file *file, char next[static PUBLISHER_PATH_MAX], struct why *why)
{
        OWN(release_note) struct release_note *note = NULL;
        struct signing signing = { .disk = publisher_disk(publisher), .folder = publisher_path(publisher), .random = cli->random, .now = cli_now(cli), .args = cli->args };
        enum err e = check_complete(file, why);
        if (!e)
                e = addition_note(&file->proposal, &note, why);
        if (e)
                return e;
        signing.release.counter = (int64_t)note->counter;
        snprintf(signing.release.stream, sizeof(signing.release.stream), "%s", note->stream);
        snprintf(next, PUBLISHER_PATH_MAX, "firebreak release publish %s/%lld --publisher %.300s", signing.release.stream, (long long)signing.release.counter, publisher_path(publisher));
        return signing_take(&signing, file, why);
}

static bool is_listing_only(const struct ceremony_file *file)
{
        for (enum paper paper = 0; paper < PAPERS_IN_FORCE; paper++)
                if (!paper_is_listing(paper) && file->proposal.papers[paper].text.length)
                        return false;
        return true;
}

enum err cmd_proposal_combine(struct cli *cli, struct why *why)
{
        OWN(publisher) struct publisher *publisher = NULL;
        OWN(ceremony_file) struct ceremony_file *file = NULL;
        char next[PUBLISHER_PATH_MAX];
        enum err e = read_copies(cli, &file, why);
        if (!e)
                e = publisher_open(cli, &publisher, why);
        if (!e)
                e = publisher_hold(publisher, why);
        if (e)
                return e;
        if (is_listing_only(file))
                snprintf(next, sizeof(next), "firebreak release publish --publisher %.300s", publisher_path(publisher));
        else
                snprintf(next, sizeof(next), "hand online/, whole, to the server and restart it; devices follow by themselves");
        e = file->after.adds_release ? take_release(cli, publisher, file, next, why) : take_once(cli, publisher, file, why);
        return e ? e : ceremony_tell(cli, file, file->after.adds_release ? "signed, and listed\n" : "in force\n", next, why);
}
