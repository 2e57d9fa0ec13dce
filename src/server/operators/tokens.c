/* Enrolment tokens: shown once, kept as a hash. */
#include "base/limits.h"
#include "format/hex.h"
#include "server/operators/operator.h"
#include "server/store/audit.h"
#include "server/store/inside.h"
#include "trust/sha.h"
#include "wire/device.h"

#include <inttypes.h>
#include <string.h>

enum { TOKEN_RANDOM = 20, TOKEN_PREFIX = 4, USES_MOST = 10000000, EXPIRES_MOST_S = 366 * 86400 };

struct token_order { const char *group; int64_t uses, expires_s; };

static const struct json_field order_fields[] = {
        { "group", JSON_TEXT, true, offsetof(struct token_order, group), 1, LIMIT_NAME_BYTES },
        { "uses", JSON_INT, true, offsetof(struct token_order, uses), 1, USES_MOST },
        { "expires_s", JSON_INT, true, offsetof(struct token_order, expires_s), 1, EXPIRES_MOST_S },
};

static void make_token(struct random_source *random, char token[TOKEN_PREFIX + 2 * TOKEN_RANDOM + 1])
{
        uint8_t bytes[TOKEN_RANDOM];
        random->ops->fill(random, bytes, sizeof(bytes));
        memcpy(token, "fbt_", TOKEN_PREFIX);
        hex_encode(bytes, sizeof(bytes), token + TOKEN_PREFIX);
}

static enum err keep_token(struct call *call, const struct token_order *order, const char *token, struct why *why)
{
        uint8_t hash[32];
        sha256(token, strlen(token), hash);
        enum err e = db_run(call->db, "INSERT INTO tokens (hash, device_group, uses, made_at, expires_at) VALUES (?,?,?,?,?)",
                            VALUES(bind_blob(hash, sizeof(hash)), bind_text(order->group), bind_int(order->uses), bind_int(call_now_s(call)),
                                   bind_int(call_now_s(call) + order->expires_s)), why);
        if (e)
                return e;
        char detail[80];
        snprintf(detail, sizeof(detail), "%" PRId64 " uses, for %" PRId64 " s", order->uses, order->expires_s);
        struct audit_line line = { call->now_ms, "admin", "token.new", order->group, detail };
        return audit_add(call->db, &line, why);
}

enum err operator_token_new(struct call *call, struct why *why)
{
        OWN(json) struct json *body = NULL;
        struct token_order order = { 0 };
        char token[TOKEN_PREFIX + 2 * TOKEN_RANDOM + 1];
        enum err e = call_body(call, &body, why);
        if (!e)
                e = JSON_READ(body, order_fields, &order, why);
        if (!e)
                e = wire_name_check(order.group, "group", why);
        if (e)
                return e;
        make_token(call->store->config.random, token);
        e = keep_token(call, &order, token, why);
        if (e)
                return e;
        struct json *answer = json_new_object();
        json_set_text(answer, "token", token);
        return call_answer_json(call, 200, answer, why);
}
