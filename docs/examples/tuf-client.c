/* tuf-client.c - a whole TUF client on firebreak-tuf.h, with nothing but libc: plain HTTP/1.0, files of one folder. An example, and the
 * program with which the library is held against the conformance suite.
 *
 *      cc -o tuf-client tuf-client.c firebreak-tuf.c -lcrypto
 *      ./tuf-client --metadata-dir MD init ROOT
 *      ./tuf-client --metadata-url URL --metadata-dir MD [--target-name N --target-dir TD --target-base-url URL] refresh|download
 *
 * A real one would use TLS, fsync before rename, and a lock on its folder. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "firebreak-tuf.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BYTES_MAX = 1 << 20, NAMES_MAX = 16, PATH_BYTES = 4096 };

struct arguments { const char *metadata_dir, *metadata_url, *target_dir, *target_base_url, *names[NAMES_MAX], *command, *root; int name_count; };
struct bytes { char *at; size_t length; };

/* At most bytes_max bytes; at NULL: none, or more. */
static struct bytes slurp(FILE *file, uint64_t bytes_max)
{
        struct bytes bytes = { malloc(bytes_max + 1), 0 };
        if (bytes.at && file)
                bytes.length = fread(bytes.at, 1, bytes_max + 1, file);
        if (!file || bytes.length > bytes_max) {
                free(bytes.at);
                bytes.at = NULL;
        }
        return bytes;
}

static struct bytes read_file(const char *folder, const char *name)
{
        char path[PATH_BYTES];
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        FILE *file = fopen(path, "rb");
        struct bytes bytes = slurp(file, BYTES_MAX);
        if (file)
                fclose(file);
        return bytes;
}

static int write_file(const char *folder, const char *name, const void *bytes, size_t length)
{
        char path[PATH_BYTES], part[PATH_BYTES + 8];
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        snprintf(part, sizeof(part), "%s+part", path);
        FILE *file = fopen(part, "wb");
        if (!file)
                return -1;
        size_t wrote = fwrite(bytes, 1, length, file);
        return fclose(file) == 0 && wrote == length ? rename(part, path) : -1;
}

static FILE *ask(const char *host, const char *port, const char *path)
{
        struct addrinfo *found = NULL;
        if (getaddrinfo(host, port, &(struct addrinfo){ .ai_socktype = SOCK_STREAM }, &found))
                return NULL;
        int connection = socket(found->ai_family, SOCK_STREAM, 0);
        FILE *stream = connection >= 0 && connect(connection, found->ai_addr, found->ai_addrlen) == 0 ? fdopen(connection, "r+b") : NULL;
        freeaddrinfo(found);
        if (stream)
                fprintf(stream, "GET /%s HTTP/1.0\r\nHost: %s\r\n\r\n", path, host);
        return stream;
}

/* *ret_status: 0 when there was no answer. */
static struct bytes get(const char *base, const char *name, uint64_t bytes_max, int *ret_status)
{
        char url[PATH_BYTES], host[256] = "", port[16] = "80", path[PATH_BYTES] = "", line[1024];
        snprintf(url, sizeof(url), "%s%s%s", base, base[strlen(base) - 1] == '/' ? "" : "/", name);
        sscanf(url, "http://%255[^:/]:%15[0-9]/%4095s", host, port, path);
        FILE *stream = ask(host, port, path);
        *ret_status = 0;
        if (!stream)
                return (struct bytes){ NULL, 0 };
        if (fgets(line, sizeof(line), stream))
                sscanf(line, "HTTP/%*s %d", ret_status);
        while (fgets(line, sizeof(line), stream) && line[0] != '\r')
                ;
        struct bytes bytes = *ret_status == 200 ? slurp(stream, bytes_max) : (struct bytes){ NULL, 0 };
        fclose(stream);
        return bytes;
}

static enum ftuf_error fetch(struct ftuf *tuf, const struct arguments *given, const struct ftuf_task *task, struct ftuf_why *why)
{
        int status;
        struct bytes bytes = get(given->metadata_url, task->name, task->bytes_max, &status);
        enum ftuf_error e = FTUF_NOT_FOUND;
        if (bytes.at)
                e = ftuf_give(tuf, bytes.at, bytes.length, why);
        else if (status == 404)
                e = ftuf_lacks(tuf, why);
        else
                snprintf(why->text, sizeof(why->text), "%s: status %d, or more than it may have", task->name, status);
        free(bytes.at);
        return e;
}

static enum ftuf_error follow(struct ftuf *tuf, const struct arguments *given, struct ftuf_why *why)
{
        struct ftuf_task task;
        enum ftuf_error e = FTUF_OK;
        while (!e && !(e = ftuf_next(tuf, &task, why)) && task.step != FTUF_DONE) {
                if (task.step == FTUF_FETCH) {
                        e = fetch(tuf, given, &task, why);
                } else if (task.step == FTUF_LOAD) {
                        struct bytes bytes = read_file(given->metadata_dir, task.name);
                        e = bytes.at ? ftuf_give(tuf, bytes.at, bytes.length, why) : ftuf_lacks(tuf, why);
                        free(bytes.at);
                } else if (write_file(given->metadata_dir, task.name, task.bytes, task.length)) {
                        snprintf(why->text, sizeof(why->text), "%s cannot be written", task.name);
                        e = FTUF_NOT_FOUND;
                } else {
                        ftuf_stored(tuf);
                }
        }
        return e;
}

/* "a/b" is a/DIGEST.b in a repository of consistent snapshots. */
static void target_name(const char *path, const struct ftuf *tuf, const struct ftuf_target *target, char name[PATH_BYTES])
{
        const char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;
        const unsigned char *digest = target->has_sha256 ? target->sha256 : target->sha512;
        size_t at = (size_t)snprintf(name, PATH_BYTES, "%.*s", (int)(last - path), path);
        for (int i = 0; ftuf_is_consistent(tuf) && i < (target->has_sha256 ? 32 : 64); i++)
                at += (size_t)snprintf(name + at, PATH_BYTES - at, "%02x", digest[i]);
        snprintf(name + at, PATH_BYTES - at, "%s%s", ftuf_is_consistent(tuf) ? "." : "", last);
}

static enum ftuf_error download(struct ftuf *tuf, const struct arguments *given, const char *path, struct ftuf_why *why)
{
        struct ftuf_target target;
        char name[PATH_BYTES], file[PATH_BYTES];
        int status;
        enum ftuf_error e = ftuf_seek(tuf, path, why);
        if (!e)
                e = follow(tuf, given, why);
        if (e)
                return e;
        snprintf(why->text, sizeof(why->text), "%s: nobody vouches for it, or for these bytes", path);
        if (!ftuf_found(tuf, &target) || target.length > BYTES_MAX || strstr(path, ".."))
                return FTUF_NOT_FOUND;
        snprintf(file, sizeof(file), "%s", path);
        for (char *slash = file; (slash = strchr(slash, '/'));)
                *slash = '+';
        struct bytes here = read_file(given->target_dir, file), bytes = { NULL, 0 };
        if (!here.at || !ftuf_fits(&target, here.at, here.length)) {
                target_name(path, tuf, &target, name);
                bytes = get(given->target_base_url, name, target.length, &status);
                e = !bytes.at || !ftuf_fits(&target, bytes.at, bytes.length) || write_file(given->target_dir, file, bytes.at, bytes.length) ? FTUF_UNTRUSTED : FTUF_OK;
        }
        free(here.at);
        free(bytes.at);
        return e;
}

static int64_t now(void)
{
#ifdef EXAMPLE_TEST_CLOCK
        if (getenv("FIREBREAK_TEST_NOW"))
                return strtoll(getenv("FIREBREAK_TEST_NOW"), NULL, 10);
#endif
        return time(NULL);
}

static enum ftuf_error run(const struct arguments *given, struct ftuf_why *why)
{
        int is_init = strcmp(given->command, "init") == 0;
        struct ftuf *tuf = NULL;
        struct bytes root = is_init ? read_file(".", given->root) : read_file(given->metadata_dir, "root.json");
        if (is_init && given->root[0] == '/')
                root = read_file("", given->root);
        enum ftuf_error e = root.at ? ftuf_open(root.at, root.length, now(), &tuf, why) : FTUF_NOT_FOUND;
        if (!e && is_init && write_file(given->metadata_dir, "root.json", root.at, root.length))
                e = FTUF_NOT_FOUND;
        if (!e && !is_init)
                e = follow(tuf, given, why);
        for (int i = 0; !e && i < given->name_count; i++)
                e = download(tuf, given, given->names[i], why);
        ftuf_close(tuf);
        free(root.at);
        return e;
}

int main(int argc, char **argv)
{
        struct arguments given = { .command = "", .root = "" };
        const struct { const char *name; const char **value; } options[] = {
                { "--metadata-dir", &given.metadata_dir }, { "--metadata-url", &given.metadata_url }, { "--target-dir", &given.target_dir }, { "--target-base-url", &given.target_base_url },
        };
        for (int at = 1; at < argc; at++) {
                for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
                        if (strcmp(argv[at], options[i].name) == 0 && at + 1 < argc)
                                *options[i].value = argv[at + 1];
                if (strcmp(argv[at], "--target-name") == 0 && at + 1 < argc && given.name_count < NAMES_MAX)
                        given.names[given.name_count++] = argv[at + 1];
                if (strncmp(argv[at], "--", 2) == 0)
                        at++;
                else if (!*given.command)
                        given.command = argv[at];
                else
                        given.root = argv[at];
        }
        struct ftuf_why why = { "no command, no folder, or no root.json in it" };
        enum ftuf_error e = *given.command && given.metadata_dir ? run(&given, &why) : FTUF_MISUSED;
        if (e)
                fprintf(stderr, "tuf-client: %s: %s\n", ftuf_error_text(e), why.text);
        return e ? 1 : 0;
}
