/* ipc.h - what the processes of the server say to each other: frames in a byte stream, and what stands in them.
 *
 *      api -> store   REQUEST (answered by ANSWER with its id), SEEN          store -> api   ANSWER, PUBLIC
 *      store -> signer   SIGN (answered by SIGNED with its id)
 *
 * Reading trusts nothing: the api process is the one that strangers talk to. So a request is routed again by who reads it.
 * What is read points into the frame. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "server/signer/signer.h"
#include "server/store/store.h"

enum ipc_kind { IPC_REQUEST, IPC_ANSWER, IPC_SEEN, IPC_PUBLIC, IPC_SIGN, IPC_SIGNED, IPC_KINDS };

enum { IPC_HEAD_BYTES = 16, IPC_FRAME_MAX = LIMIT_PUBLIC_BYTES, IPC_SEEN_MAX = 4096 };

struct ipc_frame {
        enum ipc_kind kind;
        uint64_t id;
        const char *bytes;
        size_t length;
};

/* The next frame of a stream. ret_used 0: it is not complete yet. ERR_SYNTAX, ERR_LIMIT: this is no stream of ours. */
MUST_CHECK enum err ipc_cut(const char *bytes, size_t length, struct ipc_frame *ret_frame, size_t *ret_used, struct why *why);

struct ipc_answer {
        int status;
        unsigned retry_after_s;
        const char *type;
        struct store_text body;
};

struct ipc_signed {
        enum err failed;                      /* OK: `signature` */
        const char *text;                     /* why not */
        const uint8_t *signature;             /* 64 bytes */
};

/* Writing appends a whole frame, or nothing (ask buf_check() afterwards). */
void ipc_write_request(struct buf *into, uint64_t id, const struct store_request *request);
void ipc_write_answer(struct buf *into, uint64_t id, const struct ipc_answer *answer);
void ipc_write_seen(struct buf *into, const struct store_seen *seen, size_t count);
void ipc_write_public(struct buf *into, const struct store_public *state);
void ipc_write_sign(struct buf *into, enum signer_form form, const void *bytes, size_t length);
void ipc_write_signed(struct buf *into, const struct ipc_signed *answer);

/* ERR_SYNTAX: the frame is not of that form. */
MUST_CHECK enum err ipc_read_request(const struct ipc_frame *frame, struct store_request *ret_request, struct why *why);
MUST_CHECK enum err ipc_read_answer(const struct ipc_frame *frame, struct ipc_answer *ret_answer, struct why *why);
MUST_CHECK enum err ipc_read_seen(const struct ipc_frame *frame, struct arena *arena, const struct store_seen **ret_seen, size_t *ret_count, struct why *why);
MUST_CHECK enum err ipc_read_public(const struct ipc_frame *frame, struct arena *arena, struct store_public *ret_state, struct why *why);
MUST_CHECK enum err ipc_read_sign(const struct ipc_frame *frame, enum signer_form *ret_form, struct store_text *ret_bytes, struct why *why);
MUST_CHECK enum err ipc_read_signed(const struct ipc_frame *frame, struct ipc_signed *ret_answer, struct why *why);
