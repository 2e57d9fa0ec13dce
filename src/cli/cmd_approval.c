/* Somebody's word on a release beside its note: signed in a file, by one or several, and given to the server. */
#include "cli/facts.h"
#include "cli/key_name.h"
#include "cli/publisher.h"
#include "cli/signing_key.h"
#include "format/hex.h"
#include "format/json.h"
#include "platform/disk.h"
#include "platform/file.h"
#include "platform/file_new.h"
#include "trust/anchor.h"
#include "trust/approval.h"

#include <string.h>

enum { NOTE_BYTES = LIMIT_APPROVAL_BYTES, TEXT_BYTES = 16384 };

/* ---- the file ---- */

static enum err read_file(const char *path, struct buf *note, struct why *why)
{
        enum err e = file_check_regular(path, why);
        if (!e)
                e = file_read(path, note, why);
        return e;
}

static enum err parse(const char *path, const struct buf *bytes, struct note *note, struct approval *approval, struct why *why)
{
        enum err e = note_parse(buf_text(bytes), bytes->length, note, why);
        if (!e)
                e = approval_parse(note->text, note->text_length, approval, why);
        return e ? DURING(why, e, "%.160s", path) : OK;
}

/* ERR_NOT_FOUND: this key has not signed; ERR_UNTRUSTED: somebody wrote a signature under its name that is none, and makes the whole file void. */
static enum err has_signed(const struct buf *bytes, const struct vkey *vkey, struct why *why)
{
        struct note note;
        uint8_t id[4];
        vkey_id(vkey, id);
        if (note_parse(buf_text(bytes), bytes->length, &note, NULL))
                return ERR_NOT_FOUND;
        for (size_t i = 0; i < note.signature_count; i++)
                if (memcmp(note.signatures[i].id, id, sizeof(id)) == 0 && strcmp(note.signatures[i].name, vkey->name) == 0)
                        return key_verify(&vkey->key, note.text, note.text_length, note.signatures[i].signature)
                               ? OK : FAIL(why, ERR_UNTRUSTED, "the file has a signature of %s that this key never made: throw it away and begin a new one", vkey->name);
        return ERR_NOT_FOUND;
}

/* ---- sign ---- */

static enum err wanted(const struct args *args, struct approval *ret_approval, struct why *why)
{
        const char *kind = arg_text(args, OPTION_KIND, NULL), *release = arg_text(args, OPTION_RELEASE, NULL);
        if (!kind || !approval_kind_find(kind, &ret_approval->kind))
                return FAIL(why, ERR_USAGE, "--kind is emergency (faster than the pace) or customer (for the devices that want it)");
        if (!release || hex_decode(release, ret_approval->release, sizeof(ret_approval->release), NULL))
                return FAIL(why, ERR_USAGE, "which release? give --release, the 64 digits of its target, as you know them from elsewhere than this file");
        return OK;
}

/* A new one, or what others have signed of the same. */
static enum err begin(const char *path, const struct approval *approval, struct buf *note, struct why *why)
{
        struct note parsed;
        struct approval said;
        if (file_kind(path) == FILE_ABSENT) {
                approval_write(approval, note);
                return buf_check(note, why);
        }
        enum err e = read_file(path, note, why);
        if (!e)
                e = parse(path, note, &parsed, &said, why);
        if (!e && said.kind == APPROVAL_CUSTOMER && approval->kind == said.kind && !key_equal(&said.by.key, &approval->by.key))
                return FAIL(why, ERR_REFUSED, "%.160s is the approval of %s; each customer has a file of its own", path, said.by.name);
        if (!e && (said.kind != approval->kind || memcmp(said.release, approval->release, sizeof(said.release)) != 0))
                e = FAIL(why, ERR_REFUSED, "%.160s approves something else than you say: see `firebreak approval show`", path);
        return e;
}

/* Under the name that --name or the file says: it must be the one that the anchor has, or `approved_by`. A customer's is by this one key, and says so. */
static enum err add_signature(struct cli *cli, const char *reference, struct approval *approval, struct buf *note, struct why *why)
{
        OWN(signing_secrets) struct signing_secrets secrets = { 0 };
        OWN(signing_key) struct signing_key *key = NULL;
        struct signing_keys_opener opener = { .args = cli->args, .secrets = &secrets };
        char name[LIMIT_NAME_BYTES + 1];
        struct vkey vkey;
        uint8_t signature[64];
        enum err e = signing_key_open(&opener, reference, &key, why);
        if (!e)
                e = key_name(cli->args, reference, name, why);
        if (!e)
                e = vkey_make(name, signing_key_public(key), &vkey, why);
        if (!e && approval->kind == APPROVAL_CUSTOMER)
                approval->by = vkey;
        if (!e && !note->length)
                e = begin(cli->args->words[0], approval, note, why);
        if (e)
                return e;
        e = has_signed(note, &vkey, why);
        if (e != ERR_NOT_FOUND)
                return e;
        e = signing_key_sign(key, note->bytes, note_signed_length(buf_text(note), note->length), signature, why);
        return e ? e : note_add_signature(note, &vkey, signature, why);
}

static enum err sign_all(struct cli *cli, struct approval *approval, struct buf *note, struct why *why)
{
        const struct arg *given = &cli->args->of[OPTION_SIGNING_KEY];
        enum err e = given->count ? OK : FAIL(why, ERR_USAGE, "with which key? give --key, a file or a pkcs11: URI");
        if (!e && given->count > 1 && arg_has(cli->args, OPTION_KEY_NAME))
                e = FAIL(why, ERR_USAGE, "--name names one key: sign with one after the other");
        if (!e && given->count > 1 && approval->kind == APPROVAL_CUSTOMER)
                e = FAIL(why, ERR_USAGE, "a customer's approval is by one key; another one has a file of its own");
        for (size_t i = 0; !e && i < given->count; i++)
                e = add_signature(cli, given->texts[i], approval, note, why);
        return e;
}

static enum err write_file(const char *path, const struct buf *note, struct why *why)
{
        OWN(file_new) struct file_new *new = NULL;
        enum err e = file_new_write(path, note->bytes, note->length, &new, why);
        return e ? e : file_new_settle(new, FILE_REPLACE, why);
}

/* ---- in words ---- */

static struct json *describe(const struct note *note, const struct approval *approval)
{
        char release[65];
        struct json *json = json_new_object(), *names = json_new_array();
        hex_encode(approval->release, sizeof(approval->release), release);
        json_set_text(json, "kind", approval_kind_name(approval->kind));
        json_set_text(json, "release", release);
        if (approval->kind == APPROVAL_CUSTOMER) {
                char by[VKEY_TEXT_MAX];
                vkey_text(&approval->by, by);
                json_set_text(json, "by", by);
        }
        for (size_t i = 0; i < note->signature_count; i++)
                json_add(names, json_new_text(note->signatures[i].name));
        json_set(json, "signed_as", names);
        return json;
}

/* Whose signatures would count: the customer's own, or the anchor's emergency keys where a publisher's folder says which those are. */
static enum err find_keys(struct cli *cli, const struct approval *approval, struct anchor *anchor, struct note_keys *ret_keys, struct why *why)
{
        OWN(publisher) struct publisher *publisher = NULL;
        OWN(buf) struct buf file;
        buf_init(&file, LIMIT_METADATA_BYTES);
        *ret_keys = (struct note_keys){ &approval->by, 1, 1 };
        if (approval->kind == APPROVAL_CUSTOMER)
                return OK;
        ret_keys->count = 0;
        if (!arg_has(cli->args, OPTION_PUBLISHER))
                return OK;
        enum err e = publisher_open(cli, &publisher, why);
        struct disk *disk = publisher ? publisher_disk(publisher) : NULL;
        if (!e)
                e = disk->ops->read(disk, "public/release.anchor", &file, why);
        if (!e)
                e = anchor_open(buf_text(&file), file.length, anchor, why);
        if (!e)
                *ret_keys = anchor_keys(&anchor->emergency);
        return !e && !ret_keys->count ? FAIL(why, ERR_REFUSED, "the anchor in --publisher names no emergency keys") : e;
}

static enum err judge(struct cli *cli, const struct buf *bytes, const struct approval *approval, struct json *json, struct why *why)
{
        struct anchor anchor;
        struct note_keys keys;
        struct why missing;
        enum err e = find_keys(cli, approval, &anchor, &keys, why);
        if (e || !keys.count)
                return e;
        e = approval_verify(bytes, approval, &keys, &missing);
        json_set_bool(json, "is_complete", e == OK);
        json_set_text(json, "missing", e ? missing.text : "");
        return OK;
}

static enum err tell(struct cli *cli, const struct json *json, const char *next, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, TEXT_BYTES);
        if (!json_is_whole(json))
                return FAIL(why, ERR_NOMEM, "telling of the approval");
        if (arg_has(cli->args, OPTION_JSON))
                return print_json(cli, json, why);
        const struct json *names = json_get(json, "signed_as"), *missing = json_get(json, "missing");
        buf_addf(&text, "approves   %s\nkind       %s\nsigned as ", json_text(json_get(json, "release")), json_text(json_get(json, "kind")));
        for (size_t i = 0; i < json_count(names); i++)
                buf_addf(&text, " %s", json_text(json_at(names, i)));
        buf_add_text(&text, "\n");
        if (json_get(json, "by"))
                buf_addf(&text, "by         %s\n", json_text(json_get(json, "by")));
        if (missing && json_text(missing)[0])
                buf_addf(&text, "missing    %s\n", json_text(missing));
        if (next)
                buf_addf(&text, "next: %s\n", next);
        return print_buf(cli, &text, why);
}

static enum err tell_file(struct cli *cli, const char *path, const struct buf *bytes, const char *next, struct why *why)
{
        struct note note;
        struct approval approval;
        enum err e = parse(path, bytes, &note, &approval, why);
        if (e)
                return e;
        OWN(json) struct json *json = describe(&note, &approval);
        e = judge(cli, bytes, &approval, json, why);
        return e ? e : tell(cli, json, next, why);
}

enum err cmd_approval_sign(struct cli *cli, struct why *why)
{
        const char *path = cli->args->words[0];
        char next[PUBLISHER_PATH_MAX];
        struct approval approval = { 0 };
        OWN(buf) struct buf note;
        buf_init(&note, NOTE_BYTES);
        enum err e = wanted(cli->args, &approval, why);
        if (!e)
                e = sign_all(cli, &approval, &note, why);
        if (!e)
                e = write_file(path, &note, why);
        snprintf(next, sizeof(next), "firebreak approval upload %.300s, when all have signed who must", path);
        return e ? e : tell_file(cli, path, &note, next, why);
}

enum err cmd_approval_show(struct cli *cli, struct why *why)
{
        OWN(buf) struct buf note;
        buf_init(&note, NOTE_BYTES);
        enum err e = read_file(cli->args->words[0], &note, why);
        return e ? e : tell_file(cli, cli->args->words[0], &note, NULL, why);
}

/* ---- upload ---- */

enum err cmd_approval_upload(struct cli *cli, struct why *why)
{
        const char *path = cli->args->words[0];
        struct note parsed;
        struct approval approval;
        OWN(buf) struct buf note, text;
        OWN(api) struct api *api = NULL;
        OWN(json) struct json *body = json_new_object(), *answer = NULL;
        buf_init(&note, NOTE_BYTES);
        buf_init(&text, TEXT_BYTES);
        enum err e = read_file(path, &note, why);
        if (!e)
                e = parse(path, &note, &parsed, &approval, why);
        json_set_text(body, "approval", buf_text(&note));
        if (!e)
                e = api_open(cli, &api, why);
        if (!e)
                e = api_ask(api, "/approvals", &(struct api_call){ .method = "POST", .body = body }, &answer, why);
        if (e)
                return e;
        if (arg_has(cli->args, OPTION_JSON))
                return print_json(cli, answer, why);
        buf_add_text(&text, "the server has the approval of ");
        print_clean(&text, json_text(json_get(answer, "stream")));
        buf_addf(&text, "/%lld, kind %s\n", (long long)json_int(json_get(answer, "counter"), 0), approval_kind_name(approval.kind));
        return print_buf(cli, &text, why);
}
