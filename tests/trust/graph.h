/* graph.h - a TUF repository with delegations, made in memory from a table, for tests of tuf_search.h and tuf_client.h.
 *
 * Keys are numbers of keys.h: 1 root, 2 targets and snapshot, 3 timestamp; a role's own are in the table. All files have the
 * repository's version, but roots. */
#pragma once

#include "format/canon.h"
#include "format/hex.h"
#include "format/json.h"
#include "trust/repository.h"
#include "trust/tuf_build.h"
#include "trust/tuf_client.h"

#include <inttypes.h>

enum { GRAPH_FILES = 80, GRAPH_EDGES = 4 };

/* Who delegates what to whom: `key` is whose signature the delegator wants. */
struct graph_edge { const char *to, *pattern; bool is_terminating; uint8_t key; };
struct graph_role { const char *name; uint8_t key; const char *target; struct graph_edge edges[GRAPH_EDGES]; };

struct graph_file { char name[TUF_FILE_NAME_BYTES]; struct buf bytes; };
struct graph {
        struct graph_file files[GRAPH_FILES];
        size_t count;
};

static inline void graph_release(struct graph *graph)
{
        for (size_t i = 0; i < graph->count; i++)
                buf_done(&graph->files[i].bytes);
}

static inline const struct buf *graph_find(const struct graph *graph, const char *name)
{
        for (size_t i = 0; i < graph->count; i++)
                if (strcmp(graph->files[i].name, name) == 0)
                        return &graph->files[i].bytes;
        return NULL;
}

static inline void graph_put(struct graph *graph, const char *name, const struct buf *bytes)
{
        size_t at = 0;
        while (at < graph->count && strcmp(graph->files[at].name, name) != 0)
                at++;
        CHECK(at < GRAPH_FILES);
        struct graph_file *file = &graph->files[at];
        if (at == graph->count) {
                graph->count++;
                snprintf(file->name, sizeof(file->name), "%.*s", (int)sizeof(file->name) - 1, name);
                buf_init(&file->bytes, LIMIT_METADATA_BYTES);
        }
        buf_clear(&file->bytes);
        buf_add(&file->bytes, bytes->bytes, bytes->length);
}

/* `text` is the signed part in any order of its keys. */
static inline void graph_sign(const struct buf *text, uint8_t key, struct buf *into)
{
        OWN(json) struct json *json = NULL;
        OWN(buf) struct buf canonical;
        buf_init(&canonical, LIMIT_METADATA_BYTES);
        CHECK(json_parse(text->bytes, text->length, LIMIT_METADATA_BYTES, &json, NULL) == OK && canon_write(json, &canonical, NULL) == OK);
        sign_file(&canonical, key, into);
}

static inline void graph_add_key(struct buf *text, uint8_t key)
{
        const struct public_key public = test_key(key).public;
        char hex[65], id[65];
        tuf_key_id(&public, id);
        hex_encode(public.bytes, 32, hex);
        buf_addf(text, "\"%s\":{\"keytype\":\"ed25519\",\"scheme\":\"ed25519\",\"keyval\":{\"public\":\"%s\"}}", id, hex);
}

static inline void graph_add_edges(const struct graph_role *role, struct buf *text)
{
        bool is_known[256] = { false };
        buf_add_text(text, "\"delegations\":{\"keys\":{");
        for (size_t i = 0; i < GRAPH_EDGES && role->edges[i].to; i++) {
                if (!is_known[role->edges[i].key]) {
                        buf_add_text(text, i ? "," : "");
                        graph_add_key(text, role->edges[i].key);
                }
                is_known[role->edges[i].key] = true;
        }
        buf_add_text(text, "},\"roles\":[");
        for (size_t i = 0; i < GRAPH_EDGES && role->edges[i].to; i++) {
                const struct public_key public = test_key(role->edges[i].key).public;
                char id[65];
                tuf_key_id(&public, id);
                buf_addf(text, "%s{\"name\":\"%s\",\"keyids\":[\"%s\"],\"threshold\":1,\"terminating\":%s,\"paths\":[\"%s\"]}", i ? "," : "", role->edges[i].to, id,
                         role->edges[i].is_terminating ? "true" : "false", role->edges[i].pattern);
        }
        buf_add_text(text, "]},");
}

static inline void graph_role_file(const struct graph_role *role, uint64_t version, struct buf *into)
{
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_METADATA_BYTES);
        buf_addf(&text, "{\"_type\":\"targets\",\"spec_version\":\"1.0.33\",\"expires\":\"2026-07-19T06:00:00Z\",\"version\":%" PRIu64 ",", version);
        if (role->edges[0].to)
                graph_add_edges(role, &text);
        buf_add_text(&text, "\"targets\":{");
        if (role->target)
                buf_addf(&text, "\"%s\":{\"length\":3,\"hashes\":{\"sha256\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}}", role->target);
        buf_add_text(&text, "}}");
        graph_sign(&text, role->key, into);
}

/* Role 0 is the top-level targets. Roles of key 0 are named by the snapshot, and their file is not there. */
static inline void graph_publish(struct graph *graph, const struct graph_role *roles, size_t count, uint64_t version, uint8_t timestamp_key)
{
        OWN(buf) struct buf text, file;
        char name[TUF_FILE_NAME_BYTES];
        buf_init(&text, LIMIT_METADATA_BYTES);
        buf_init(&file, LIMIT_METADATA_BYTES);
        buf_addf(&text, "{\"_type\":\"snapshot\",\"spec_version\":\"1.0.33\",\"expires\":\"2026-07-19T06:00:00Z\",\"version\":%" PRIu64 ",\"meta\":{", version);
        for (size_t i = 0; i < count; i++) {
                buf_addf(&text, "%s\"%s.json\":{\"version\":%" PRIu64 "}", i ? "," : "", roles[i].name, version);
                if (!roles[i].key)
                        continue;
                graph_role_file(&roles[i], version, &file);
                tuf_file_name_of(roles[i].name, version, name);
                graph_put(graph, name, &file);
        }
        buf_add_text(&text, "}}");
        graph_sign(&text, 2, &file);
        tuf_file_name_of("snapshot", version, name);
        graph_put(graph, name, &file);
        buf_clear(&text);
        CHECK(tuf_timestamp_write(&(struct tuf_stamp){ version, EXPIRES }, &(struct tuf_of){ version, &file }, &text, NULL) == OK);
        sign_file(&text, timestamp_key, &file);
        graph_put(graph, "timestamp.json", &file);
}

/* Root `version`, signed by key 1, of keys 1, 2 and `timestamp_key`. */
static inline void graph_root(struct graph *graph, uint64_t version, uint8_t timestamp_key)
{
        const struct repository keys = { .root_key = 1, .targets_key = 2, .timestamp_key = timestamp_key };
        OWN(buf) struct buf root;
        char name[TUF_FILE_NAME_BYTES];
        buf_init(&root, LIMIT_METADATA_BYTES);
        make_root(&keys, version, (struct root_signers){ 1, 0 }, &root);
        tuf_file_name_of("root", version, name);
        graph_put(graph, name, &root);
}
