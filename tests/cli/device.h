/* device.h - a device that judges what was made in a publisher's folder, and the server whose timestamp it believes. */
#pragma once

#include "cli/publisher_folder.h"
#include "trust/anchor.h"
#include "trust/install_rule.h"
#include "trust/release_custom.h"
#include "trust/sha.h"
#include "trust/tuf_build.h"
#include "trust/tuf.h"

static inline void follow_metadata(struct disk *disk, struct tuf **ret_tuf)
{
        OWN(buf) struct buf root, snapshot, targets, pem, to_sign, timestamp;
        OWN(secret_key) struct secret_key key = { 0 };
        struct tuf_stamp stamp;
        read_text(disk, "public/release.root.json", &root);
        read_text(disk, "metadata/snapshot.json", &snapshot);
        read_text(disk, "metadata/targets.json", &targets);
        read_text(disk, "online/timestamp.pem", &pem);
        buf_init(&to_sign, LIMIT_METADATA_BYTES);
        buf_init(&timestamp, LIMIT_METADATA_BYTES);
        must(tuf_open(&root, NOW, ret_tuf, NULL));
        must(tuf_check(*ret_tuf, TUF_SNAPSHOT, &snapshot, &stamp, NULL));
        must(key_pem_read(&pem, NULL, &key, NULL));
        must(tuf_timestamp_write(&(struct tuf_stamp){ 7, NOW + 60 }, &(struct tuf_of){ stamp.version, &snapshot }, &to_sign, NULL));
        must(tuf_file_sign(&to_sign, &key, 1, &timestamp, NULL));
        must(tuf_update(*ret_tuf, TUF_TIMESTAMP, &timestamp, NULL));
        must(tuf_update(*ret_tuf, TUF_SNAPSHOT, &snapshot, NULL));
        must(tuf_update(*ret_tuf, TUF_TARGETS, &targets, NULL));
}

static inline bool device_takes(struct disk *disk, int64_t counter, struct release_note **ret_note)
{
        struct release_id id = { "edr-rules", counter };
        char path[PUBLISHER_PATH_MAX], name[160];
        OWN(tuf) struct tuf *tuf = NULL;
        OWN(buf) struct buf note, anchor_text;
        struct anchor anchor;
        struct tuf_target target;
        publisher_release_path(&id, "/note", path);
        release_id_path(&id, "", "", name);
        follow_metadata(disk, &tuf);
        read_text(disk, path, &note);
        read_text(disk, "public/release.anchor", &anchor_text);
        must(anchor_open(anchor_text.bytes, anchor_text.length, &anchor, NULL));
        if (tuf_find(tuf, name + 1, &target, NULL) != OK || release_note_open(&anchor, &note, ret_note, NULL) != OK)
                return false;
        struct install_facts facts = { .device = "00112233445566778899aabbccddeeff", .stream = "edr-rules", .platform = "linux-amd64", .ring = "all",
                                       .floor = 1, .now = NOW, .note = *ret_note, .target = (*ret_note)->target };
        return memcmp((*ret_note)->target, target.sha256, 32) == 0 && target.length == (*ret_note)->text_length && release_custom_fits(target.custom, *ret_note, NULL) == OK &&
               install_candidate(&facts, NULL) == OK;
}
