/* Keys that sign, in files and in PKCS#11 tokens: made, shown, given another passphrase. */
#include "base/text.h"
#include "cli/facts.h"
#include "cli/key_name.h"
#include "cli/signing_key.h"
#include "format/json.h"
#include "platform/paths.h"
#include "platform/random.h"
#include "platform/token_uri.h"
#include "trust/tuf_build.h"

#include <string.h>

static const char *held(const struct signing_key *key)
{
        static const char *const words[] = { [SIGNING_PLAIN] = "file", [SIGNING_ENCRYPTED] = "encrypted", [SIGNING_TOKEN] = "token" };
        return words[signing_key_place(key)];
}

static enum err tell(struct cli *cli, const char *place, const char *name, const struct signing_key *key, struct why *why)
{
        static const struct fact facts[] = { { "key id", "key_id" }, { "place", "place" }, { "held", "held" } };
        struct vkey vkey;
        char text[VKEY_TEXT_MAX], id[65];
        OWN(buf) struct buf lines, clean;
        buf_init(&lines, 32768);
        buf_init(&clean, 32768);
        text_add_utf8(place, &clean);
        enum err e = vkey_make(name, signing_key_public(key), &vkey, why);
        if (e)
                return e;
        vkey_text(&vkey, text);
        tuf_key_id(&vkey.key, id);
        OWN(json) struct json *json = json_new_object();
        json_set_text(json, "name", name);
        json_set_text(json, "vkey", text);
        json_set_text(json, "key_id", id);
        json_set_text(json, "place", buf_text(&clean));
        json_set_text(json, "held", held(key));
        if (clean.failed || !json_is_whole(json))
                return FAIL(why, ERR_NOMEM, "telling of the key");
        if (arg_has(cli->args, OPTION_JSON))
                return print_json(cli, json, why);
        buf_addf(&lines, "%s\n", text);
        facts_lines(facts, sizeof(facts) / sizeof(facts[0]), json, &lines);
        return print_buf(cli, &lines, why);
}

static enum err check_options(const struct cli *cli, const char *place, struct why *why)
{
        if (token_uri_is(place) && (arg_has(cli->args, OPTION_PASSPHRASE) || arg_has(cli->args, OPTION_NO_PASSPHRASE)))
                return FAIL(why, ERR_USAGE, "a token has no passphrase but a PIN: add pin-source=FILE to the URI, or nothing to be asked");
        return OK;
}

static enum err make_or_open(struct cli *cli, bool is_new, struct why *why)
{
        const char *place = cli->args->words[0];
        char name[LIMIT_NAME_BYTES + 1];
        OWN(signing_secrets) struct signing_secrets secrets = { 0 };
        OWN(signing_key) struct signing_key *key = NULL;
        struct signing_keys_opener opener = { .args = cli->args, .secrets = &secrets };
        enum err e = check_options(cli, place, why);
        if (!e)
                e = key_name(cli->args, place, name, why);
        if (!e)
                e = is_new ? signing_key_make(&opener, place, cli->random, &key, why) : signing_key_open(&opener, place, &key, why);
        return e ? e : tell(cli, place, name, key, why);
}

enum err cmd_keys_new(struct cli *cli, struct why *why)
{
        return make_or_open(cli, true, why);
}

enum err cmd_keys_show(struct cli *cli, struct why *why)
{
        return make_or_open(cli, false, why);
}

static enum err tell_changed(struct cli *cli, const char *path, bool is_encrypted, struct why *why)
{
        OWN(buf) struct buf text, clean;
        OWN(json) struct json *json = json_new_object();
        buf_init(&text, 32768);
        buf_init(&clean, 32768);
        text_add_utf8(path, &clean);
        json_set_text(json, "place", buf_text(&clean));
        json_set_text(json, "held", is_encrypted ? "encrypted" : "file");
        if (clean.failed || !json_is_whole(json))
                return FAIL(why, ERR_NOMEM, "telling of the key");
        if (arg_has(cli->args, OPTION_JSON))
                return print_json(cli, json, why);
        print_clean(&text, path);
        buf_add_text(&text, is_encrypted ? " has the new passphrase; copies of it still have the old one\n" : " is NOT encrypted any more\n");
        return print_buf(cli, &text, why);
}

/* A link leads to the file that is written anew; written over the link, the old one would stay. */
enum err cmd_keys_passphrase(struct cli *cli, struct why *why)
{
        const char *path = cli->args->words[0];
        char real[PATH_MAX];
        bool was_encrypted = false;
        OWN(passphrase) struct passphrase old = { 0 }, new = { 0 };
        OWN(secret_key) struct secret_key key = { 0 };
        struct key_lock lock = { .passphrase = new.text };
        struct key_files files = { .args = cli->args, .passphrase = &old };
        if (token_uri_is(path))
                return FAIL(why, ERR_USAGE, "a token has a PIN, which its own tools change (pkcs11-tool --change-pin); this is for files");
        enum err e = key_file_read(&files, path, &key, &was_encrypted, why);
        if (!e)
                e = passphrase_choose_new(cli->args, &new, why);
        if (!e)
                e = paths_real(path, real, why);
        if (e)
                return e;
        cli->random->ops->fill(cli->random, lock.random, sizeof(lock.random));
        e = key_file_write(real, &(struct key_writing){ &key, &lock, FILE_REPLACE }, why);
        return e ? e : tell_changed(cli, path, new.text[0], why);
}
