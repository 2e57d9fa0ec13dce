/* The keys of a folder or of a token, as far as they show themselves without a secret. */
#include "base/mem.h"
#include "base/text.h"
#include "cli/facts.h"
#include "cli/key_file.h"
#include "format/hex.h"
#include "format/json.h"
#include "platform/disk.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "platform/token.h"
#include "trust/tuf_build.h"

#include <stdlib.h>
#include <string.h>

struct listing {
        struct disk *disk;
        struct json *rows;
        struct buf names;                        /* of files that may be keys, each ended by a zero byte */
        size_t count;
};

/* key NULL: it does not show its public half. */
static void add_row(struct json *rows, const char *name, const char *held, const struct public_key *key)
{
        struct json *row = json_new_object();
        char id[65];
        OWN(buf) struct buf clean;
        buf_init(&clean, 4096);
        text_add_utf8(name, &clean);
        json_set(row, "name", clean.failed ? NULL : json_new_text(buf_text(&clean)));
        json_set_text(row, "held", held);
        if (key) {
                tuf_key_id(key, id);
                json_set_text(row, "key_id", id);
        } else
                json_set(row, "key_id", json_new_null());
        json_add(rows, row);
}

static enum err note_file(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        struct listing *listing = user;
        if (kind != DISK_FILE || !length || length > KEY_PEM_MAX || name[0] == '.')
                return OK;
        buf_add(&listing->names, name, strlen(name) + 1);
        listing->count++;
        return buf_check(&listing->names, why);
}

static bool is_called_key(const char *name)
{
        size_t length = strlen(name);
        return length > 4 && strcmp(name + length - 4, ".pem") == 0;
}

/* What is no private key is passed over. */
static enum err see_file(struct listing *listing, const char *name, struct why *why)
{
        OWN(key_text) struct buf pem;
        OWN(secret_key) struct secret_key key = { 0 };
        key_text_init(&pem);
        enum err e = buf_check(&pem, why);
        if (e)
                return e;
        e = listing->disk->ops->read(listing->disk, name, &pem, NULL);
        if (e && is_called_key(name))
                add_row(listing->rows, name, "cannot be read", NULL);
        if (e || !strstr(buf_text(&pem), "PRIVATE KEY-----"))
                return OK;
        e = key_pem_read(&pem, NULL, &key, NULL);
        if (e == ERR_NOMEM)
                return FAIL(why, e, "reading %.200s", name);
        add_row(listing->rows, name, e == ERR_UNAUTHORIZED ? "encrypted" : e ? "no Ed25519 key" : "file", e ? NULL : &key.public);
        return OK;
}

static int by_name(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum err see_sorted(struct listing *listing, struct why *why)
{
        OWN(memory) void *block = mem_new(listing->count + 1, sizeof(char *));
        const char **names = block;
        const char *at = buf_text(&listing->names);
        if (!block)
                return FAIL(why, ERR_NOMEM, "listing keys");
        for (size_t i = 0; i < listing->count; i++, at += strlen(at) + 1)
                names[i] = at;
        qsort(names, listing->count, sizeof(names[0]), by_name);
        enum err e = OK;
        for (size_t i = 0; !e && i < listing->count; i++)
                e = see_file(listing, names[i], why);
        return e;
}

static void listing_release(struct listing *listing)
{
        disk_folder_close(listing->disk);
        buf_done(&listing->names);
}

static enum err list_folder(const char *folder, struct json *rows, struct why *why)
{
        OWN(listing) struct listing listing = { .rows = rows };
        buf_init(&listing.names, 1 << 20);
        if (file_kind(folder) != FILE_FOLDER)
                return FAIL(why, ERR_NOT_FOUND, "there is no folder %.300s; bring and mount the medium that holds the keys", folder);
        enum err e = disk_folder_find(folder, NULL, &listing.disk, why);
        if (!e)
                e = listing.disk->ops->list(listing.disk, "", note_file, &listing, why);
        return e ? e : see_sorted(&listing, why);
}

static enum err see_token_key(void *user, const struct token_key *key, struct why *why)
{
        const struct listing *listing = user;
        struct public_key public;
        char id[2 * TOKEN_ID_MAX + 1];
        OWN(buf) struct buf name;
        buf_init(&name, 4 * TOKEN_LABEL_MAX);
        hex_encode(key->id, key->id_length, id);
        if (key->label[0])
                buf_add_text(&name, key->label);
        else
                buf_addf(&name, "id %s", id);
        memcpy(public.bytes, key->public, sizeof(public.bytes));
        add_row(listing->rows, buf_text(&name), "token", &public);
        return buf_check(&name, why);
}

static enum err list_token(const char *reference, struct json *rows, struct why *why)
{
        OWN(token_uri) struct token_uri *uri = NULL;
        OWN(token) struct token *token = NULL;
        enum err e = token_uri_open(reference, &uri, why);
        if (!e)
                e = token_open(uri, TOKEN_LOOK, &token, why);
        return e ? e : token_list(token, see_token_key, &(struct listing){ .rows = rows }, why);
}

enum err cmd_keys_list(struct cli *cli, struct why *why)
{
        static const struct column columns[] = { { "NAME", "name", NULL }, { "HELD", "held", NULL }, { "KEY ID", "key_id", NULL } };
        const char *place = cli->args->words[0];
        OWN(json) struct json *rows = json_new_array();
        OWN(buf) struct buf text;
        buf_init(&text, 1 << 20);
        enum err e = token_uri_is(place) ? list_token(place, rows, why) : list_folder(place, rows, why);
        if (!e && !json_is_whole(rows))
                e = FAIL(why, ERR_NOMEM, "listing keys");
        if (e)
                return e;
        if (arg_has(cli->args, OPTION_JSON))
                return print_json(cli, rows, why);
        struct table table = { .columns = columns, .column_count = sizeof(columns) / sizeof(columns[0]), .now = cli_now(cli) };
        e = print_table(&table, rows, &text, why);
        return e ? e : print_buf(cli, &text, why);
}
