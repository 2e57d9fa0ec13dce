#include "server/ipc.h"

#include <string.h>

/* The same machine and the same binary on both sides: numbers as the machine has them. */
struct head {
        uint32_t length;
        uint16_t version, kind;
        uint64_t id;
};
_Static_assert(sizeof(struct head) == IPC_HEAD_BYTES, "the head of a frame");

enum { VERSION = 1 };
#define ABSENT UINT32_MAX

/* The largest of each kind: a confused or captured process cannot make another one gather more. */
static const size_t most[IPC_KINDS] = {
        [IPC_REQUEST] = LIMIT_PUBLISH_BYTES + LIMIT_HEADER_BYTES + 1024, [IPC_ANSWER] = LIMIT_ANSWER_BYTES + 1024,
        [IPC_SEEN] = IPC_SEEN_MAX * sizeof(struct store_seen) + 64,      [IPC_PUBLIC] = LIMIT_PUBLIC_BYTES,
        [IPC_SIGN] = LIMIT_METADATA_BYTES + 64,                          [IPC_SIGNED] = 1024,
};

enum err ipc_cut(const char *bytes, size_t length, struct ipc_frame *ret_frame, size_t *ret_used, struct why *why)
{
        struct head head;
        *ret_used = 0;
        if (length < sizeof(head))
                return OK;
        memcpy(&head, bytes, sizeof(head));
        if (head.version != VERSION || head.kind >= IPC_KINDS)
                return FAIL(why, ERR_SYNTAX, "a frame of version %u, kind %u", head.version, head.kind);
        if (head.length > most[head.kind])
                return FAIL(why, ERR_LIMIT, "a frame of %u bytes", head.length);
        if (length - sizeof(head) < head.length)
                return OK;
        *ret_frame = (struct ipc_frame){ (enum ipc_kind)head.kind, head.id, bytes + sizeof(head), head.length };
        *ret_used = sizeof(head) + head.length;
        return OK;
}

/* ---- writing ---- */

struct writing {
        struct buf *into;
        size_t start;
        struct head head;
};

static struct writing begin(struct buf *into, enum ipc_kind kind, uint64_t id)
{
        struct writing writing = { into, into->length, { .version = VERSION, .kind = (uint16_t)kind, .id = id } };
        buf_add(into, &writing.head, sizeof(writing.head));
        return writing;
}

/* A frame that could not be finished is taken back, so that the stream stays one. */
static void end(struct writing *writing)
{
        struct buf *into = writing->into;
        if (!into->failed && into->length - writing->start - sizeof(struct head) > most[writing->head.kind])
                into->failed = ERR_LIMIT;
        if (into->failed) {
                into->length = writing->start;
                return;
        }
        writing->head.length = (uint32_t)(into->length - writing->start - sizeof(struct head));
        memcpy(into->bytes + writing->start, &writing->head, sizeof(struct head));
}

static void put_number(struct buf *into, uint64_t number)
{
        buf_add(into, &number, sizeof(number));
}

static void put_bytes(struct buf *into, const void *bytes, size_t length)
{
        uint32_t size = (uint32_t)length;
        buf_add(into, &size, sizeof(size));
        buf_add(into, bytes, length);
        buf_add(into, "", 1);
}

static void put_text(struct buf *into, const char *text)
{
        uint32_t size = ABSENT;
        if (text)
                put_bytes(into, text, strlen(text));
        else
                buf_add(into, &size, sizeof(size));
}

void ipc_write_request(struct buf *into, uint64_t id, const struct store_request *request)
{
        struct writing writing = begin(into, IPC_REQUEST, id);
        put_text(into, request->method);
        put_text(into, request->path);
        put_text(into, request->query);
        put_text(into, request->device);
        put_text(into, request->date);
        put_text(into, request->signature);
        put_text(into, request->authorization);
        put_bytes(into, request->body.bytes, request->body.length);
        end(&writing);
}

void ipc_write_answer(struct buf *into, uint64_t id, const struct ipc_answer *answer)
{
        struct writing writing = begin(into, IPC_ANSWER, id);
        put_number(into, (uint64_t)answer->status);
        put_number(into, answer->retry_after_s);
        put_text(into, answer->type);
        put_bytes(into, answer->body.bytes, answer->body.length);
        end(&writing);
}

void ipc_write_seen(struct buf *into, const struct store_seen *seen, size_t count)
{
        struct writing writing = begin(into, IPC_SEEN, 0);
        put_number(into, count);
        for (size_t i = 0; i < count; i++) {
                put_text(into, seen[i].id);
                put_number(into, (uint64_t)seen[i].at_s);
        }
        end(&writing);
}

void ipc_write_public(struct buf *into, const struct store_public *state)
{
        struct writing writing = begin(into, IPC_PUBLIC, 0);
        put_number(into, state->changes);
        put_number(into, (uint64_t)state->epoch);
        put_number(into, (uint64_t)state->pace_ms);
        put_number(into, state->revoked_count);
        for (size_t i = 0; i < state->revoked_count; i++)
                put_text(into, state->revoked[i]);
        put_number(into, state->file_count);
        for (size_t i = 0; i < state->file_count; i++) {
                put_text(into, state->files[i].repository);
                put_text(into, state->files[i].name);
                put_bytes(into, state->files[i].bytes, state->files[i].length);
        }
        end(&writing);
}

void ipc_write_sign(struct buf *into, enum signer_form form, const void *bytes, size_t length)
{
        struct writing writing = begin(into, IPC_SIGN, 0);
        put_number(into, form);
        put_bytes(into, bytes, length);
        end(&writing);
}

void ipc_write_signed(struct buf *into, const struct ipc_signed *answer)
{
        struct writing writing = begin(into, IPC_SIGNED, 0);
        put_number(into, answer->failed);
        put_text(into, answer->failed ? answer->text : NULL);
        put_bytes(into, answer->signature, answer->failed ? 0 : 64);
        end(&writing);
}

/* ---- reading: a failure sticks, and is asked for once at the end ---- */

struct reading {
        const char *bytes;
        size_t left;
        bool is_bad;
};

static const void *get(struct reading *reading, size_t length)
{
        if (reading->is_bad || length > reading->left) {
                reading->is_bad = true;
                return NULL;
        }
        const char *bytes = reading->bytes;
        reading->bytes += length;
        reading->left -= length;
        return bytes;
}

static uint64_t get_number(struct reading *reading)
{
        uint64_t number = 0;
        const void *bytes = get(reading, sizeof(number));
        if (bytes)
                memcpy(&number, bytes, sizeof(number));
        return number;
}

/* How many items follow, each of `item_bytes` at least. */
static size_t get_count(struct reading *reading, size_t item_bytes)
{
        uint64_t count = get_number(reading);
        if (count > reading->left / item_bytes)
                reading->is_bad = true;
        return reading->is_bad ? 0 : (size_t)count;
}

/* bytes NULL: absent. Always followed by a NUL. */
static struct store_text get_bytes(struct reading *reading)
{
        uint32_t length = 0;
        const void *size = get(reading, sizeof(length));
        if (size)
                memcpy(&length, size, sizeof(length));
        if (!size || length == ABSENT)
                return (struct store_text){ NULL, 0 };
        const char *bytes = get(reading, (size_t)length + 1);
        if (!bytes || bytes[length]) {
                reading->is_bad = true;
                return (struct store_text){ NULL, 0 };
        }
        return (struct store_text){ bytes, length };
}

static const char *get_text(struct reading *reading)
{
        struct store_text text = get_bytes(reading);
        if (text.bytes && memchr(text.bytes, 0, text.length))
                reading->is_bad = true;
        return text.bytes;
}

static enum err finish(const struct reading *reading, const char *what, struct why *why)
{
        if (reading->is_bad || reading->left)
                return FAIL(why, ERR_SYNTAX, "a damaged %s from another process", what);
        return OK;
}

static enum err route(struct store_request *request, struct why *why)
{
        const struct route *route = NULL;
        char allowed[32];
        struct route_request asked = { request->method, request->path, strlen(request->path) };
        enum err e = route_find(&asked, &route, &request->captures, allowed, why);
        if (e)
                return FAIL(why, ERR_SYNTAX, "a request for no route");
        request->route = route->id;
        return OK;
}

enum err ipc_read_request(const struct ipc_frame *frame, struct store_request *ret_request, struct why *why)
{
        struct reading reading = { frame->bytes, frame->length, frame->kind != IPC_REQUEST };
        struct store_request request = { 0 };
        request.method = get_text(&reading);
        request.path = get_text(&reading);
        request.query = get_text(&reading);
        request.device = get_text(&reading);
        request.date = get_text(&reading);
        request.signature = get_text(&reading);
        request.authorization = get_text(&reading);
        request.body = get_bytes(&reading);
        reading.is_bad |= !request.method || !request.path;
        enum err e = finish(&reading, "request", why);
        if (!e)
                e = route(&request, why);
        if (!e)
                *ret_request = request;
        return e;
}

enum err ipc_read_answer(const struct ipc_frame *frame, struct ipc_answer *ret_answer, struct why *why)
{
        struct reading reading = { frame->bytes, frame->length, frame->kind != IPC_ANSWER };
        uint64_t status = get_number(&reading), retry = get_number(&reading);
        reading.is_bad |= status < 200 || status > 599 || retry > 86400;
        *ret_answer = (struct ipc_answer){ .status = (int)status, .retry_after_s = (unsigned)retry };
        ret_answer->type = get_text(&reading);
        ret_answer->body = get_bytes(&reading);
        reading.is_bad |= !ret_answer->type && ret_answer->body.length;
        return finish(&reading, "answer", why);
}

enum err ipc_read_seen(const struct ipc_frame *frame, struct arena *arena, const struct store_seen **ret_seen, size_t *ret_count, struct why *why)
{
        struct reading reading = { frame->bytes, frame->length, frame->kind != IPC_SEEN };
        size_t count = get_count(&reading, 32);
        struct store_seen *seen = count <= IPC_SEEN_MAX ? arena_alloc(arena, count + 1, sizeof(*seen)) : NULL;
        if (!seen)
                return FAIL(why, count <= IPC_SEEN_MAX ? ERR_NOMEM : ERR_LIMIT, "%zu check-ins at once", count);
        for (size_t i = 0; i < count && !reading.is_bad; i++) {
                const char *id = get_text(&reading);
                if (id && strlen(id) == sizeof(seen[i].id) - 1)
                        memcpy(seen[i].id, id, sizeof(seen[i].id));
                else
                        reading.is_bad = true;
                seen[i].at_s = (int64_t)get_number(&reading);
        }
        *ret_seen = seen;
        *ret_count = count;
        return finish(&reading, "list of check-ins", why);
}

static bool read_revoked(struct reading *reading, struct arena *arena, struct store_public *state)
{
        state->revoked_count = get_count(reading, 37);
        char (*ids)[33] = arena_alloc(arena, state->revoked_count + 1, sizeof(*ids));
        for (size_t i = 0; ids && i < state->revoked_count && !reading->is_bad; i++) {
                const char *id = get_text(reading);
                if (id && strlen(id) == 32)
                        memcpy(ids[i], id, 33);
                else
                        reading->is_bad = true;
        }
        state->revoked = (const char (*)[33])ids;
        return ids != NULL;
}

static bool read_files(struct reading *reading, struct arena *arena, struct store_public *state)
{
        state->file_count = get_count(reading, 15);
        struct store_file *files = arena_alloc(arena, state->file_count + 1, sizeof(*files));
        for (size_t i = 0; files && i < state->file_count && !reading->is_bad; i++) {
                files[i].repository = get_text(reading);
                files[i].name = get_text(reading);
                struct store_text content = get_bytes(reading);
                files[i].bytes = content.bytes;
                files[i].length = content.length;
                reading->is_bad |= !files[i].repository || !files[i].name || !content.bytes;
        }
        state->files = files;
        return files != NULL;
}

enum err ipc_read_public(const struct ipc_frame *frame, struct arena *arena, struct store_public *ret_state, struct why *why)
{
        struct reading reading = { frame->bytes, frame->length, frame->kind != IPC_PUBLIC };
        *ret_state = (struct store_public){ .changes = get_number(&reading) };
        ret_state->epoch = (int64_t)get_number(&reading);
        ret_state->pace_ms = (int64_t)get_number(&reading);
        if (!read_revoked(&reading, arena, ret_state) || !read_files(&reading, arena, ret_state))
                return FAIL(why, ERR_NOMEM, "out of memory");
        return finish(&reading, "public state", why);
}

enum err ipc_read_sign(const struct ipc_frame *frame, enum signer_form *ret_form, struct store_text *ret_bytes, struct why *why)
{
        struct reading reading = { frame->bytes, frame->length, frame->kind != IPC_SIGN };
        uint64_t form = get_number(&reading);
        reading.is_bad |= form >= SIGNER_FORMS;
        *ret_form = (enum signer_form)form;
        *ret_bytes = get_bytes(&reading);
        reading.is_bad |= !ret_bytes->bytes;
        return finish(&reading, "wish for a signature", why);
}

enum err ipc_read_signed(const struct ipc_frame *frame, struct ipc_signed *ret_answer, struct why *why)
{
        struct reading reading = { frame->bytes, frame->length, frame->kind != IPC_SIGNED };
        uint64_t failed = get_number(&reading);
        reading.is_bad |= failed >= ERR_COUNT;
        *ret_answer = (struct ipc_signed){ .failed = (enum err)failed, .text = get_text(&reading) };
        struct store_text signature = get_bytes(&reading);
        reading.is_bad |= (signature.length == 64) == (failed != OK) || !signature.bytes || (failed && !ret_answer->text);
        ret_answer->signature = (const uint8_t *)signature.bytes;
        return finish(&reading, "signature", why);
}
