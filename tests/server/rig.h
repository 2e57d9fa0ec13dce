/* rig.h - the api process for real, on a loopback port; the test is its store and its clients.
 *
 * Clients wait at most RIG_WAIT_S for what must come; nothing is measured. */
#pragma once

#include "base/buf.h"
#include "platform/disk.h"
#include "server/api/front.h"
#include "server/ipc.h"

#define RIG_DEVICE "000102030405060708090a0b0c0d0e0f"
#define RIG_REVOKED "ff0102030405060708090a0b0c0d0e0f"
#define RIG_KEY "fba_test"
#define RIG_ROOT_JSON "{\"signed\":\"root\"}"

struct rig_options {
        bool is_plain;
        const struct patience *patience;
        unsigned connections_max;
        bool is_quiet;                         /* the store does not say anything */
        bool has_log;                          /* whose files are in `log_files` */
        unsigned files_max;                    /* 0: as the system has it */
};

struct rig {
        struct rig_options options;
        int pid, store, port, ready;
        char folder[64];
        uint8_t secret[32];
        struct disk *artifacts, *log_files;
        struct buf in;                         /* from the api to the store */
        size_t in_used;
};

void rig_start(struct rig *rig, const struct rig_options *options);
/* SIGTERM; what it ended with. Frees all. */
int rig_stop(struct rig *rig);
int rig_kill(struct rig *rig);                 /* SIGKILL instead */
int rig_end(struct rig *rig);                  /* it ends by itself */

/* The store's part. */
void rig_publish(struct rig *rig, uint64_t changes, int64_t epoch);
struct store_request rig_take(struct rig *rig, uint64_t *ret_id);      /* valid until the next take */
void rig_reply(struct rig *rig, uint64_t id, int status, const char *body);
size_t rig_take_seen(struct rig *rig, struct store_seen *seen, size_t most);

/* A client's part, plain. */
int rig_connect(const struct rig *rig);
void rig_send(int client, const char *bytes, size_t length);
void rig_say(int client, const char *text);
/* One answer: head and body. False: the connection ended first. */
struct rig_answer {
        int status;
        char head[4096];
        struct buf body;
};
bool rig_hear(int client, struct rig_answer *answer);
bool rig_hear_head(int client, struct rig_answer *answer);             /* an answer to HEAD, a 304 or a 100 */
bool rig_is_ended(int client);                                          /* waits for the end; false if more comes */
const char *rig_header(const struct rig_answer *answer, const char *name, char value[256]);   /* NULL: absent */
/* Say and hear on a connection of its own; the status. */
int rig_ask(const struct rig *rig, const char *request);
void rig_checkin(const struct rig *rig, const char *device, const char *body, char request[1024]);
