/* key_file.h - secret keys in PKCS#8 PEM files: read by whoever has the passphrase, written so that a cut leaves the old file or the new one. */
#pragma once

#include "cli/passphrase.h"
#include "platform/file_new.h"
#include "trust/key.h"

struct disk;

/* Where they are, and what opens those that are encrypted. */
struct key_files {
        struct disk *disk;                       /* paths are below it; NULL: they are paths of this machine */
        const char *folder;                      /* where `disk` is on this machine; NULL: nowhere, so nobody else can read it */
        const struct args *args;                 /* may say where the passphrase is */
        struct passphrase *passphrase;           /* asked for with the first key that needs one, then kept; the caller's, who wipes it */
};

/* Room for one, wiped on release, that does not move while it fills: OWN(key_text) struct buf pem; key_text_init(&pem); */
void key_text_init(struct buf *pem);
void key_text_release(struct buf *pem);

/* ERR_NOT_FOUND says to bring the medium; ERR_UNAUTHORIZED: wrong passphrase; ERR_REFUSED: not encrypted, and others may read it, or no file. */
MUST_CHECK enum err key_file_read(const struct key_files *files, const char *path, struct secret_key *ret_key, bool *ret_is_encrypted, struct why *why);

/* Read back from where it was written, and signed with, before it takes the path. `lock` as key_pem_write() takes it.
 * ERR_BUSY: FILE_ONLY_NEW, and there is something. */
struct key_writing { const struct secret_key *key; const struct key_lock *lock; enum file_place place; };
MUST_CHECK enum err key_file_write(const char *path, const struct key_writing *writing, struct why *why);
