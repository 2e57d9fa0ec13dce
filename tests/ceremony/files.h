/* files.h - a publisher's files of version 1, as `firebreak init` makes them: root 1, content 2, lab 3, timestamp 4, director 5. */
#pragma once

#include "ceremony/rotation.h"
#include "trust/keys.h"
#include "trust/tuf_build.h"

enum { FILES_NOW = 1784432200, FILES_DAY = 86400 };

static inline struct anchor_role files_role(const char *name, uint8_t n)
{
        return (struct anchor_role){ 1, 1, { test_vkey(name, n) } };
}

static inline struct holders files_holders(void)
{
        const struct tuf_stamp stamp = { 1, FILES_NOW + 90 * FILES_DAY };
        return (struct holders){ .anchor = { .version = 1, .root = files_role("root.acme", 1), .content = files_role("content.acme", 2), .lab = files_role("lab.acme", 3) },
                                 .director = { 1, files_role("root.acme", 1), test_vkey("director.acme", 5) }, .timestamp = test_vkey("timestamp", 4),
                                 .release_root = stamp, .director_root = stamp, .targets = stamp, .snapshot = stamp };
}

/* The signed files as what is in force. */
static inline void files_make_of(struct proposal *proposal, const struct holders *holders)
{
        static const uint8_t signers[PAPERS] = { [PAPER_TARGETS] = 2, [PAPER_SNAPSHOT] = 2 };
        proposal_init(proposal);
        for (enum paper paper = 0; paper < PAPERS_IN_FORCE; paper++) {
                OWN(buf) struct buf text;
                struct buf *into = &proposal->papers[paper].before;
                buf_init(&text, LIMIT_METADATA_BYTES);
                struct secret_key key = test_key(signers[paper] ? signers[paper] : 1);
                CHECK(holders_write(holders, paper, proposal, &text, NULL) == OK);
                if (!paper_is_note(paper)) {
                        CHECK(tuf_file_sign(&text, &key, 1, into, NULL) == OK);
                        continue;
                }
                buf_add(into, text.bytes, text.length);
                CHECK(note_sign(into, "root.acme", &key, NULL) == OK);
        }
}

static inline void files_make(struct proposal *proposal)
{
        const struct holders holders = files_holders();
        files_make_of(proposal, &holders);
}

static inline enum err files_sign(struct proposal *proposal, enum paper paper, uint8_t n)
{
        const struct secret_key key = test_key(n);
        const struct buf *text = &proposal->papers[paper].text;
        struct paper_signature signature = { .key = key.public };
        key_sign(&key, buf_text(text), text->length, signature.signature);
        return proposal_add(proposal, paper, &signature, NULL);
}

/* Everything that changes, by this key, whether it has a say or not. */
static inline void files_sign_all(struct proposal *proposal, uint8_t n)
{
        for (enum paper paper = 0; paper < PAPERS; paper++)
                if (proposal->papers[paper].text.length)
                        CHECK(files_sign(proposal, paper, n) == OK);
}
