/* maker - a log on disk by our library, for others to read: FOLDER/log is the log, checkpoints one for each size from 1 on, and a fork
 * that three witnesses are asked about.
 *
 * usage: log_maker FOLDER COUNT
 *
 * Files: log.vkey, witness.vkeys; checkpoints (each with its length in four bytes before it); sizes (those whose partial tiles are there);
 * proofs (`record SIZE INDEX HASH...`, `tree SIZE OLD HASH...`); whole.tlog-proof of entry 12345; one, other: the two sides of the fork;
 * wN.pem: the witnesses' keys; requests/N: what they are asked in turn, and requests/list: `N WITNESS STATUS SIDE` of each; fleet, fleet-forked:
 * logs as a server writes them, with fleet.SIZE and fleet-forked.SIZE, their checkpoints; publisher: a folder whose anchor names the log and 2 of 3 witnesses. */
#include "format/hex.h"
#include "log/appender.h"
#include "log/entry_proof.h"
#include "log/logged.h"
#include "log/prover.h"
#include "log/witness.h"
#include "trust/anchor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ORIGIN "log.example.com/fleet"
enum { WITNESSES = 3, TIME = 1800000000, PATH_BYTES = 1024, PROVED = 12345, FORK_AT = 700, FLEET_FORK_AT = 250 };

static struct why why;
static const char *folder;
static struct secret_key log_key, witness_keys[WITNESSES];
static struct verifier log_verifier, witnesses[WITNESSES];

static void must(enum err e, const char *what)
{
        if (!e)
                return;
        fprintf(stderr, "log_maker: %s: %s\n", what, why.text);
        exit(1);
}

static FILE *open_file(const char *below, const char *name, const char *mode)
{
        char path[PATH_BYTES];
        snprintf(path, sizeof(path), "%s/%s/%s", folder, below, name);
        for (char *slash = path + 1; *mode == 'w' && (slash = strchr(slash, '/')); slash++) {
                *slash = 0;
                if (mkdir(path, 0755) && errno != EEXIST)
                        must(FAIL(&why, ERR_IO, "%s", path), "mkdir");
                *slash = '/';
        }
        return fopen(path, mode);
}

static enum err read_tile(void *context, const struct tile *tile, struct buf *into, struct why *because)
{
        char name[TILE_PATH_MAX], bytes[4096];
        tile_path(tile, name);
        FILE *file = open_file(context, name, "rb");
        if (!file)
                return FAIL(because, ERR_NOT_FOUND, "no file %s", name);
        for (size_t got; (got = fread(bytes, 1, sizeof(bytes), file)) > 0;)
                buf_add(into, bytes, got);
        fclose(file);
        return buf_check(into, because);
}

static enum err write_tile(void *context, const struct tile *tile, const void *bytes, size_t length, struct why *because)
{
        char name[TILE_PATH_MAX];
        tile_path(tile, name);
        FILE *file = open_file(context, name, "wb");
        if (!file || fwrite(bytes, 1, length, file) != length || fclose(file))
                return FAIL(because, ERR_IO, "%s", name);
        return OK;
}

static struct tile_store store_in(const char *below)
{
        return (struct tile_store){ (void *)below, read_tile, write_tile };
}

static void make_keys(void)
{
        uint8_t random[32];
        char name[64], text[VERIFIER_TEXT_MAX];
        memset(random, 1, sizeof(random));
        secret_key_make(random, &log_key);
        must(verifier_log(ORIGIN, &log_key.public, &log_verifier, &why), "the log's key");
        FILE *file = open_file(".", "log.vkey", "wb");
        verifier_text(&log_verifier, text);
        fprintf(file, "%s\n", text);
        fclose(file);
        file = open_file(".", "witness.vkeys", "wb");
        for (int i = 0; i < WITNESSES; i++) {
                memset(random, 11 + i, sizeof(random));
                secret_key_make(random, &witness_keys[i]);
                snprintf(name, sizeof(name), "witness.example.com/w%d", i + 1);
                must(verifier_witness(name, &witness_keys[i].public, &witnesses[i], &why), name);
                verifier_text(&witnesses[i], text);
                fprintf(file, "%s\n", text);
        }
        fclose(file);
}

/* For a program that is to be one of them. */
static void write_witness_keys(void)
{
        for (int i = 0; i < WITNESSES; i++) {
                OWN(buf) struct buf pem;
                char name[16];
                buf_init(&pem, KEY_PEM_MAX);
                must(key_pem_write(&witness_keys[i], &(struct key_lock){ 0 }, &pem, &why), "a key's file");
                snprintf(name, sizeof(name), "w%d.pem", i + 1);
                FILE *file = open_file(".", name, "wb");
                fwrite(pem.bytes, 1, pem.length, file);
                fclose(file);
        }
}

static void sign(const struct tree_head *head, struct buf *note)
{
        buf_init(note, LIMIT_CHECKPOINT_BYTES);
        checkpoint_write(ORIGIN, head, note);
        must(checkpoint_sign(note, &log_key, &why), "a checkpoint");
}

static void add(struct appender *appender, const char *kind, uint64_t number)
{
        char text[64];
        int length = snprintf(text, sizeof(text), "%s %" PRIu64, kind, number);
        must(appender_add(appender, &(struct entry){ (const uint8_t *)text, (size_t)length }, &why), text);
}

static void write_proof(FILE *file, const char *kind, uint64_t size, uint64_t other, const struct tree_proof *proof)
{
        fprintf(file, "%s %" PRIu64 " %" PRIu64, kind, size, other);
        for (size_t i = 0; i < proof->count; i++) {
                OWN(buf) struct buf text;
                buf_init(&text, 64);
                base64_encode(proof->hashes[i].bytes, 32, &text);
                fprintf(file, " %s", buf_text(&text));
        }
        fputc('\n', file);
}

/* Some entries and some earlier sizes of each tree whose tiles are there. */
static void prove(FILE *file, const struct tree_head *head)
{
        struct tile_store store = store_in("log");
        struct prover_growth growth;
        struct tree_proof proof;
        uint64_t some[] = { 0, head->size - 1, head->size / 2, head->size * 7919 % head->size, head->size * head->size % 65521 % head->size };
        for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
                must(prover_inclusion(&store, head, some[i], &proof, &why), "an inclusion proof");
                write_proof(file, "record", head->size, some[i], &proof);
                must(prover_consistency(&store, head, some[i] + 1, &growth, &why), "a consistency proof");
                write_proof(file, "tree", head->size, some[i] + 1, &growth.proof);
        }
}

/* Densely where tiles begin and end, and here and there between. */
static bool is_published(uint64_t size, uint64_t count)
{
        uint64_t near = 1;
        while (near < size)
                near *= 2;
        uint64_t in_tile = size % 256;
        return size <= 520 || size == count || near - size <= 2 || size - near / 2 <= 2 || size % 977 == 0 || (size / 256 % 16 == 0 && (in_tile <= 1 || in_tile == 255));
}

static void write_whole_proof(const struct tree_head *head, struct buf *note)
{
        OWN(buf) struct buf text;
        struct tile_store store = store_in("log");
        struct entry_proof proof = { .index = PROVED % head->size };
        for (int i = 0; i < WITNESSES; i++)
                must(cosignature_add(note, &(struct cosigner){ &witnesses[i], &witness_keys[i] }, TIME + i, &why), "a cosignature");
        must(prover_inclusion(&store, head, proof.index, &proof.path, &why), "the whole proof");
        proof.checkpoint = (struct line){ buf_text(note), note->length };
        buf_init(&text, LIMIT_PROOF_BYTES);
        entry_proof_write(&proof, &text);
        must(buf_check(&text, &why), "the whole proof");
        FILE *file = open_file(".", "whole.tlog-proof", "wb");
        fwrite(text.bytes, 1, text.length, file);
        fclose(file);
}

static void make_log(uint64_t count)
{
        OWN(appender) struct appender *appender = NULL;
        struct tile_store store = store_in("log");
        struct tree_head head = { 0 };
        FILE *checkpoints = open_file(".", "checkpoints", "wb"), *sizes = open_file(".", "sizes", "wb"), *proofs = open_file(".", "proofs", "wb");
        must(appender_open(&store, &head, &appender, &why), "a new log");
        for (uint64_t size = 1; size <= count; size++) {
                OWN(buf) struct buf note;
                add(appender, "entry", size - 1);
                appender_head(appender, &head);
                if (is_published(size, count)) {
                        must(appender_publish(appender, &head, &why), "tiles");
                        fprintf(sizes, "%" PRIu64 "\n", size);
                        prove(proofs, &head);
                        appender_close(GIVE(appender));      /* and goes on from the files, as after a restart */
                        must(appender_open(&store, &head, &appender, &why), "the log again");
                }
                sign(&head, &note);
                fwrite((uint8_t[]){ (uint8_t)(note.length >> 24), (uint8_t)(note.length >> 16), (uint8_t)(note.length >> 8), (uint8_t)note.length }, 1, 4, checkpoints);
                fwrite(note.bytes, 1, note.length, checkpoints);
                if (size == count)
                        write_whole_proof(&head, &note);
        }
        fclose(checkpoints);
        fclose(sizes);
        fclose(proofs);
}

static enum err last_head(void *context, size_t log, struct tree_head *ret_head, struct why *because)
{
        (void)because;
        *ret_head = ((struct tree_head *)context)[log];
        return OK;
}

static void keep_request(const struct buf *request, const char *side, int witness, enum witness_answer answer)
{
        static int number;
        char name[16];
        snprintf(name, sizeof(name), "%d", ++number);
        FILE *file = open_file("requests", name, "wb"), *list = open_file("requests", "list", number == 1 ? "wb" : "ab");
        fwrite(request->bytes, 1, request->length, file);
        fprintf(list, "%d %d %d %s\n", number, witness + 1, witness_http_status(answer), side + strlen("sides/"));
        fclose(file);
        fclose(list);
}

/* The side's log of `size` entries is shown to a witness, with the best proof that can be made for what it saw last; it may cosign. */
static enum witness_answer show(const char *side, const struct tree_head *head, struct tree_head *last, int witness, struct buf *note)
{
        OWN(buf) struct buf text;
        static struct witness_request request, parsed;
        struct witness_ruling ruling;
        struct tile_store store = store_in(side);
        struct prover_growth growth = { 0 };
        if (last->size <= head->size)
                must(prover_consistency(&store, head, last->size, &growth, &why), "growth");
        request.old_size = last->size;
        request.proof = growth.proof;
        request.note = (struct line){ buf_text(note), note->length };
        buf_init(&text, WITNESS_REQUEST_MAX);
        witness_request_write(&request, &text);
        must(witness_request_parse(buf_text(&text), text.length, &parsed, &why), "a request");
        must(witness_decide(&parsed, &(struct witness_case){ &log_verifier, 1, last_head, last }, &ruling, &why), "a ruling");
        keep_request(&text, side, witness, ruling.answer);
        if (ruling.answer == WITNESS_COSIGNS) {
                *last = *head;
                must(cosignature_add(note, &(struct cosigner){ &witnesses[witness], &witness_keys[witness] }, TIME + witness, &why), "a cosignature");
        }
        return ruling.answer;
}

static void grow_side(const char *side, const char *kind, uint64_t size, struct tree_head *head)
{
        OWN(appender) struct appender *appender = NULL;
        struct tile_store store = store_in(side);
        must(appender_open(&store, head, &appender, &why), side);
        for (uint64_t i = head->size; i < size; i++)
                add(appender, i < FORK_AT ? "entry" : kind, i);
        must(appender_publish(appender, head, &why), side);
}

static void keep_side(const char *side, const struct buf *note)
{
        FILE *file = open_file(".", side, "wb");
        fwrite(buf_text(note), 1, note->length, file);
        fclose(file);
}

static void claim(bool holds, const char *text)
{
        printf("%s %s\n", holds ? "holds" : "fails", text);
}

/* Two logs with the same key and the same first 700 entries: one is shown to the first two witnesses, the other to the third; then
 * each to the rest. */
static void fork_log(void)
{
        struct tree_head one = { 0 }, other = { 0 }, last[WITNESSES] = { { 0 } };
        OWN(buf) struct buf early, one_note, other_note;
        enum witness_answer answers[WITNESSES];
        grow_side("sides/one", "entry", 600, &one);
        sign(&one, &early);
        for (int i = 0; i < WITNESSES; i++)
                answers[i] = show("sides/one", &one, &last[i], i, &early);
        claim(!answers[0] && !answers[1] && !answers[2], "three witnesses cosign a log of 600");
        grow_side("sides/one", "entry", 1000, &one);
        grow_side("sides/other", "forged", 1200, &other);
        sign(&one, &one_note);
        sign(&other, &other_note);
        answers[0] = show("sides/one", &one, &last[0], 0, &one_note);
        answers[1] = show("sides/one", &one, &last[1], 1, &one_note);
        answers[2] = show("sides/other", &other, &last[2], 2, &other_note);
        claim(!answers[0] && !answers[1] && !answers[2], "two witnesses cosign one side, the third the other");
        answers[0] = show("sides/other", &other, &last[0], 0, &other_note);
        answers[1] = show("sides/other", &other, &last[1], 1, &other_note);
        answers[2] = show("sides/one", &one, &last[2], 2, &one_note);
        claim(answers[0] == WITNESS_INCONSISTENT && answers[1] == WITNESS_INCONSISTENT, "the first two refuse the fork");
        claim(answers[2] == WITNESS_MALFORMED, "the third cannot be led back");
        keep_side("one", &one_note);
        keep_side("other", &other_note);
}

/* Releases as a server logs them; among them a text of a later version, and bytes that would command a terminal. */
static void write_fleet_entry(uint64_t number, bool is_forked, struct buf *into)
{
        struct logged logged = { .kind = LOGGED_RELEASE, .name = "edr-rules", .number = number + 1 };
        buf_init(into, LIMIT_ENTRY_BYTES);
        if (number == 3)
                buf_add_text(into, "firebreak log entry v2\nkind party\n");
        else if (number == 4)
                buf_add(into, "\x1b[2J\0\xff\xe2\x80\xaehidden", 15);
        else {
                memset(logged.digest, is_forked ? 0xee : (int)(number & 0x7f), sizeof(logged.digest));
                logged_write(&logged, into);
        }
        must(buf_check(into, &why), "an entry of the fleet");
}

static void grow_fleet(const char *name, uint64_t size, struct tree_head *head)
{
        OWN(appender) struct appender *appender = NULL;
        OWN(buf) struct buf note;
        struct tile_store store = store_in(name);
        char path[64];
        must(appender_open(&store, head, &appender, &why), name);
        for (uint64_t i = head->size; i < size; i++) {
                OWN(buf) struct buf text;
                write_fleet_entry(i, strcmp(name, "fleet") != 0 && i >= FLEET_FORK_AT, &text);
                must(appender_add(appender, &(struct entry){ (const uint8_t *)buf_text(&text), text.length }, &why), name);
        }
        must(appender_publish(appender, head, &why), name);
        sign(head, &note);
        snprintf(path, sizeof(path), "%s.%" PRIu64, name, size);
        keep_side(path, &note);
}

static void make_fleet(void)
{
        static const uint64_t sizes[] = { 0, 5, 300, 512, 700 };
        struct tree_head fleet = { 0 }, forked = { 0 };
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                grow_fleet("fleet", sizes[i], &fleet);
                grow_fleet("fleet-forked", sizes[i], &forked);
        }
}

/* Only what the commands about the log read of it. */
static void make_publisher(void)
{
        OWN(buf) struct buf text;
        struct anchor anchor = { .version = 1, .root = { .threshold = 1, .count = 1 }, .content = { .threshold = 1, .count = 1 }, .lab = { .threshold = 1, .count = 1 },
                                 .has_log = true, .log = log_verifier, .witnesses = { .threshold = 2, .count = WITNESSES } };
        struct { struct anchor_role *role; const char *name; } roles[] = { { &anchor.lab, "lab.acme" }, { &anchor.content, "content.acme" }, { &anchor.root, "root.acme" } };
        struct secret_key key;
        uint8_t random[32];
        buf_init(&text, LIMIT_NOTE_BYTES);
        for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
                memset(random, (int)(101 + i), sizeof(random));
                secret_key_make(random, &key);
                must(vkey_make(roles[i].name, &key.public, &roles[i].role->keys[0], &why), roles[i].name);
        }
        memcpy(anchor.witnesses.keys, witnesses, sizeof(witnesses));
        must(anchor_write(&anchor, &text, &why), "an anchor");
        must(note_sign(&text, "root.acme", &key, &why), "an anchor's signature");
        keep_side("publisher/public/release.anchor", &text);
        FILE *file = open_file("publisher", "publisher.json", "wb");
        fputs("{\"name\":\"acme\"}\n", file);
        fclose(file);
}

int main(int argc, char **argv)
{
        uint64_t count = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
        if (!count) {
                fputs("usage: log_maker FOLDER COUNT\n", stderr);
                return 64;
        }
        folder = argv[1];
        make_keys();
        write_witness_keys();
        make_log(count);
        fork_log();
        make_fleet();
        make_publisher();
        return 0;
}
