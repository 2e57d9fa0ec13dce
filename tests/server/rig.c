#include "server/rig.h"

#include "platform/child.h"
#include "platform/clock.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "platform/link.h"
#include "platform/listen.h"
#include "server/api/api.h"
#include "server/certificate.h"
#include "support/sim_random.h"
#include "support/test.h"
#include "trust/request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RIG_WAIT_S = 60 };

struct started { struct api_config config; int other_end; unsigned files_max; };

static int run(void *user)
{
        struct started *started = user;
        struct why why = { 0 };
        link_close(started->other_end);
        if (started->files_max)
                CHECK(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ started->files_max, started->files_max }) == 0);
        enum err e = api_run(&started->config, &why);
        if (e)
                printf("# api: %s\n", why.text);
        return err_info(e)->exit;
}

static char *path_of(const struct rig *rig, const char *name, char path[128])
{
        snprintf(path, 128, "%s/%s", rig->folder, name);
        return path;
}

static void make_certificate(const struct rig *rig)
{
        char path[128];
        OWN(buf) struct buf certificate, key;
        buf_init(&certificate, 8192);
        buf_init(&key, 8192);
        CHECK(certificate_make("127.0.0.1", clock_system()->ops->wall_s(clock_system()), &certificate, &key, NULL) == OK);
        CHECK(file_write(path_of(rig, "cert.pem", path), certificate.bytes, certificate.length, NULL) == OK);
        CHECK(file_write(path_of(rig, "key.pem", path), key.bytes, key.length, NULL) == OK);
}

static void wait_ready(struct rig *rig)
{
        char line[128] = "";
        size_t length = 0;
        while (!strchr(line, '\n')) {
                ssize_t got = read(rig->ready, line + length, sizeof(line) - 1 - length);
                CHECK(got > 0);
                length += (size_t)got;
        }
        CHECK(strncmp(line, "ready ", 6) == 0);
}

void rig_start(struct rig *rig, const struct rig_options *options)
{
        static const struct log log = { 0 };
        struct sim_random random;
        char address[LISTEN_TEXT_MAX], folder[128], log_folder[128], certificate[128], key[128], url[96];
        int ends[2], ready[2], listener = -1;
        *rig = (struct rig){ .options = *options };
        signal(SIGPIPE, SIG_IGN);
        buf_init(&rig->in, 64 << 20);
        memset(rig->secret, 7, sizeof(rig->secret));
        sim_random_init(&random, 1);
        CHECK(file_temporary(rig->folder, NULL) == OK);
        CHECK(disk_folder_open(path_of(rig, "artifacts", folder), &rig->artifacts, NULL) == OK);
        CHECK(disk_folder_open(path_of(rig, "log", log_folder), &rig->log_files, NULL) == OK);
        CHECK(listen_open("127.0.0.1:0", &listener, address, NULL) == OK);
        CHECK(link_open(ends, NULL) == OK && pipe(ready) == 0);
        rig->port = (int)strtol(strrchr(address, ':') + 1, NULL, 10);
        snprintf(url, sizeof(url), "http://%s", address);
        struct log quiet = log;
        log_init(&quiet, NULL, NULL);
        quiet.least = LOG_LEVEL_ERROR + 1;
        struct started started = {
                .config = { .listener = listener, .store = ends[1], .artifacts = folder, .log_files = log_folder, .has_log = options->has_log, .secret = rig->secret, .admin_key = RIG_KEY, .random = &random.source,
                            .patience = options->patience, .connections_max = options->connections_max, .ready_file = ready[1], .address = url, .log = &quiet },
                .other_end = ends[0], .files_max = options->files_max,
        };
        if (!options->is_plain) {
                make_certificate(rig);
                started.config.certificate = path_of(rig, "cert.pem", certificate);
                started.config.key = path_of(rig, "key.pem", key);
        }
        struct child child;
        CHECK(child_fork(run, &started, &child, NULL) == OK);
        rig->pid = child.pid;
        rig->store = ends[0];
        rig->ready = ready[0];
        link_close(ends[1]);
        link_close(listener);
        close(ready[1]);
        if (options->is_quiet)
                return;
        rig_publish(rig, 1, 7);
        wait_ready(rig);
}

static int finish(struct rig *rig, int number)
{
        int status = 0;
        kill(rig->pid, number);
        CHECK(waitpid(rig->pid, &status, 0) == rig->pid);
        link_close(rig->store);
        close(rig->ready);
        buf_done(&rig->in);
        disk_folder_close(rig->artifacts);
        disk_folder_close(rig->log_files);
        file_remove_tree(rig->folder);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

int rig_stop(struct rig *rig) { return finish(rig, SIGTERM); }
int rig_kill(struct rig *rig) { return finish(rig, SIGKILL); }
int rig_end(struct rig *rig) { return finish(rig, 0); }

/* ---- the store ---- */

static void send_out(struct rig *rig, struct buf *out)
{
        CHECK(buf_check(out, NULL) == OK);
        while (out->length) {
                CHECK(link_write(rig->store, out, NULL) == OK);
                if (out->length)
                        CHECK(link_wait(rig->store, true, 1000, NULL) == OK);
        }
}

void rig_publish(struct rig *rig, uint64_t changes, int64_t epoch)
{
        static const char revoked[1][33] = { RIG_REVOKED };
        static char large[300000];
        memset(large, 'x', sizeof(large));
        const struct store_file files[] = {
                { "director", "timestamp.json", "{}", 2 },
                { "release", "1.root.json", RIG_ROOT_JSON, strlen(RIG_ROOT_JSON) },
                { "release", "5.targets.json", large, sizeof(large) },
        };
        const struct store_public state = { changes, epoch, 300000, revoked, 1, files, 3 };
        OWN(buf) struct buf out;
        buf_init(&out, 4 << 20);
        ipc_write_public(&out, &state);
        send_out(rig, &out);
}

static struct ipc_frame take_frame(struct rig *rig)
{
        struct ipc_frame frame = { 0 };
        size_t used = 0;
        if (rig->in_used)
                memmove(rig->in.bytes, rig->in.bytes + rig->in_used, rig->in.length - rig->in_used);
        rig->in.length -= rig->in_used;
        rig->in_used = 0;
        for (int i = 0; i < RIG_WAIT_S && !used; i++) {
                CHECK(ipc_cut(buf_text(&rig->in), rig->in.length, &frame, &used, NULL) == OK);
                if (used)
                        break;
                CHECK(link_wait(rig->store, false, 1000, NULL) == OK);
                CHECK(link_read(rig->store, &rig->in, 8 << 20, NULL) == OK);
        }
        CHECK(used);
        rig->in_used = used;
        return frame;
}

struct store_request rig_take(struct rig *rig, uint64_t *ret_id)
{
        struct store_request request;
        struct ipc_frame frame = take_frame(rig);
        CHECK(ipc_read_request(&frame, &request, NULL) == OK);
        *ret_id = frame.id;
        return request;
}

void rig_reply(struct rig *rig, uint64_t id, int status, const char *body)
{
        OWN(buf) struct buf out;
        buf_init(&out, 64 << 20);
        ipc_write_answer(&out, id, &(struct ipc_answer){ status, 0, "application/json", { body, strlen(body) } });
        send_out(rig, &out);
}

size_t rig_take_seen(struct rig *rig, struct store_seen *seen, size_t most)
{
        OWN(arena) struct arena *arena = arena_new(1 << 20);
        const struct store_seen *list = NULL;
        size_t count = 0;
        struct ipc_frame frame = take_frame(rig);
        CHECK(ipc_read_seen(&frame, arena, &list, &count, NULL) == OK);
        for (size_t i = 0; i < count && i < most; i++)
                seen[i] = list[i];
        return count;
}

/* ---- clients ---- */

int rig_connect(const struct rig *rig)
{
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)rig->port) };
        struct timeval wait = { .tv_sec = RIG_WAIT_S };
        int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        CHECK(client >= 0 && connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
        CHECK(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0);
        return client;
}

void rig_send(int client, const char *bytes, size_t length)
{
        while (length) {
                ssize_t sent = send(client, bytes, length, MSG_NOSIGNAL);
                if (sent <= 0)
                        return;                /* it was hung up on; what was answered tells why */
                bytes += sent;
                length -= (size_t)sent;
        }
}

void rig_say(int client, const char *text)
{
        rig_send(client, text, strlen(text));
}

bool rig_hear_head(int client, struct rig_answer *answer)
{
        size_t length = 0;
        answer->status = 0;
        answer->head[0] = 0;
        while (!strstr(answer->head, "\r\n\r\n")) {
                if (length == sizeof(answer->head) - 1 || recv(client, answer->head + length, 1, 0) != 1)
                        return false;
                answer->head[++length] = 0;
        }
        CHECK(strncmp(answer->head, "HTTP/1.1 ", 9) == 0);
        answer->status = (int)strtol(answer->head + 9, NULL, 10);
        return true;
}

const char *rig_header(const struct rig_answer *answer, const char *name, char value[256])
{
        char wanted[80];
        snprintf(wanted, sizeof(wanted), "\r\n%s: ", name);
        const char *at = strstr(answer->head, wanted);
        if (!at)
                return NULL;
        at += strlen(wanted);
        snprintf(value, 256, "%.*s", (int)strcspn(at, "\r"), at);
        return value;
}

bool rig_hear(int client, struct rig_answer *answer)
{
        char value[256];
        buf_clear(&answer->body);
        if (!rig_hear_head(client, answer))
                return false;
        size_t length = rig_header(answer, "Content-Length", value) ? (size_t)strtoull(value, NULL, 10) : 0;
        while (answer->body.length < length) {
                char bytes[65536];
                size_t left = length - answer->body.length;
                ssize_t got = recv(client, bytes, left < sizeof(bytes) ? left : sizeof(bytes), 0);
                if (got <= 0)
                        return false;
                buf_add(&answer->body, bytes, (size_t)got);
                CHECK(buf_check(&answer->body, NULL) == OK);
        }
        return true;
}

bool rig_is_ended(int client)
{
        char byte;
        ssize_t got = recv(client, &byte, 1, 0);
        return got == 0 || (got < 0 && errno == ECONNRESET);
}

int rig_ask(const struct rig *rig, const char *request)
{
        struct rig_answer answer = { 0 };
        buf_init(&answer.body, 64 << 20);
        int client = rig_connect(rig);
        rig_say(client, request);
        bool is_heard = strncmp(request, "HEAD ", 5) == 0 ? rig_hear_head(client, &answer) : rig_hear(client, &answer);
        close(client);
        buf_done(&answer.body);
        return is_heard ? answer.status : 0;
}

void rig_checkin(const struct rig *rig, const char *device, const char *body, char request[1024])
{
        char date[24], mac[REQUEST_MAC_BYTES];
        uint8_t key[32];
        snprintf(date, sizeof(date), "%lld", (long long)clock_system()->ops->wall_s(clock_system()));
        const struct request_facts facts = { "POST", "/v1/checkin", date, body, strlen(body) };
        request_mac_key(rig->secret, device, key);
        CHECK(request_mac(&facts, key, mac, NULL) == OK);
        snprintf(request, 1024, "POST /v1/checkin HTTP/1.1\r\nHost: a\r\nFirebreak-Device: %s\r\nFirebreak-Date: %s\r\nFirebreak-Mac: %s\r\nContent-Length: %zu\r\n\r\n%s",
                 device, date, mac, strlen(body), body);
}
