#include "server/api/tls.h"

#include "base/mem.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

enum {
        IN_MAX = 128 << 10,                    /* what a socket gave, twice */
        OUT_MAX = 1 << 20,                     /* the window of a connection, encrypted, with room to spare */
        RECORD = 16 << 10,
};

struct tls {
        SSL_CTX *context;
        BIO_METHOD *method;
};

struct tls_session {
        SSL *ssl;
        struct buf in, out;
        size_t in_at;
        bool is_broken;
};

/* ---- the buffers, as OpenSSL sees them ---- */

static int bio_read(BIO *bio, char *into, int length)
{
        struct tls_session *session = BIO_get_data(bio);
        size_t left = session->in.length - session->in_at;
        size_t more = left < (size_t)length ? left : (size_t)length;
        BIO_clear_retry_flags(bio);
        if (!more) {
                BIO_set_retry_read(bio);
                return -1;
        }
        memcpy(into, session->in.bytes + session->in_at, more);
        session->in_at += more;
        return (int)more;
}

static int bio_write(BIO *bio, const char *bytes, int length)
{
        struct tls_session *session = BIO_get_data(bio);
        buf_add(&session->out, bytes, (size_t)length);
        return session->out.failed ? -1 : length;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
        (void)bio;
        (void)number;
        (void)pointer;
        return command == BIO_CTRL_FLUSH;
}

static int bio_new(BIO *bio)
{
        BIO_set_init(bio, 1);
        return 1;
}

static BIO_METHOD *make_method(void)
{
        BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "two buffers");
        if (!method)
                return NULL;
        BIO_meth_set_read(method, bio_read);
        BIO_meth_set_write(method, bio_write);
        BIO_meth_set_ctrl(method, bio_control);
        BIO_meth_set_create(method, bio_new);
        return method;
}

/* ---- the context ---- */

static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_length, const unsigned char *offered,
                           unsigned offered_length, void *user)
{
        (void)ssl;
        (void)user;
        static const unsigned char ours[] = "\x08http/1.1";
        unsigned char *found;
        if (SSL_select_next_proto(&found, chosen_length, ours, sizeof(ours) - 1, offered, offered_length) != OPENSSL_NPN_NEGOTIATED)
                return SSL_TLSEXT_ERR_ALERT_FATAL;
        *chosen = found;
        return SSL_TLSEXT_ERR_OK;
}

/* The first error is the reason ("No such file or directory"), the last one only who passed it on ("system lib"). */
static enum err openssl_fail(enum err e, const char *doing, const char *file, struct why *why)
{
        const char *reason = ERR_reason_error_string(ERR_peek_error());
        char text[120];
        if (reason)
                snprintf(text, sizeof(text), "%s", reason);
        else
                ERR_error_string_n(ERR_peek_error(), text, sizeof(text));
        ERR_clear_error();
        return FAIL(why, e, "%s %s: %s", doing, file, text);
}

/* No renegotiation, no compression; sessions live in tickets only. TLS 1.2 stays for its cheap resumption. */
static bool set_up(SSL_CTX *context)
{
        static const unsigned char id[] = "firebreakd";
        SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                             SSL_OP_IGNORE_UNEXPECTED_EOF);
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
        return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) && SSL_CTX_set_num_tickets(context, 1) &&
               SSL_CTX_set_session_id_context(context, id, sizeof(id) - 1) &&
               SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") && SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384");
}

static enum err load(SSL_CTX *context, const char *certificate_file, const char *key_file, struct why *why)
{
        if (SSL_CTX_use_certificate_chain_file(context, certificate_file) != 1)
                return openssl_fail(ERR_SYNTAX, "certificate", certificate_file, why);
        if (SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) != 1)
                return openssl_fail(ERR_SYNTAX, "the certificate's key", key_file, why);
        if (SSL_CTX_check_private_key(context) != 1)
                return openssl_fail(ERR_UNTRUSTED, "the key belongs to another certificate:", key_file, why);
        return OK;
}

enum err tls_open(const char *certificate_file, const char *key_file, struct tls **ret_tls, struct why *why)
{
        OWN(tls) struct tls *tls = mem_new(1, sizeof(*tls));
        if (!tls)
                return FAIL(why, ERR_NOMEM, "out of memory");
        tls->context = SSL_CTX_new(TLS_server_method());
        tls->method = make_method();
        if (!tls->context || !tls->method || !set_up(tls->context))
                return openssl_fail(ERR_NOMEM, "setting up", "TLS", why);
        enum err e = load(tls->context, certificate_file, key_file, why);
        if (e)
                return e;
        *ret_tls = GIVE(tls);
        return OK;
}

void tls_close(struct tls *tls)
{
        if (!tls)
                return;
        SSL_CTX_free(tls->context);
        BIO_meth_free(tls->method);
        mem_free(tls);
}

/* ---- a session ---- */

struct tls_session *tls_session_new(struct tls *tls)
{
        struct tls_session *session = mem_new(1, sizeof(*session));
        if (!session)
                return NULL;
        buf_init(&session->in, IN_MAX);
        buf_init(&session->out, OUT_MAX);
        session->ssl = SSL_new(tls->context);
        BIO *bio = session->ssl ? BIO_new(tls->method) : NULL;
        if (!bio) {
                tls_session_free(session);
                return NULL;
        }
        BIO_set_data(bio, session);
        SSL_set_bio(session->ssl, bio, bio);
        SSL_set_accept_state(session->ssl);
        return session;
}

void tls_session_free(struct tls_session *session)
{
        if (!session)
                return;
        SSL_free(session->ssl);
        buf_done(&session->in);
        buf_done(&session->out);
        mem_free(session);
}

size_t tls_unread(const struct tls_session *session)
{
        return session->in.length - session->in_at;
}

struct buf *tls_out(struct tls_session *session)
{
        return &session->out;
}

bool tls_is_ready(const struct tls_session *session)
{
        return SSL_is_init_finished(session->ssl);
}

bool tls_receive(struct tls_session *session, const char *bytes, size_t length)
{
        size_t left = tls_unread(session);
        if (session->in_at) {
                memmove(session->in.bytes, session->in.bytes + session->in_at, left);
                session->in.length = left;
                session->in_at = 0;
        }
        buf_add(&session->in, bytes, length);
        return buf_check(&session->in, NULL) == OK;
}

/* Nothing waits to be read: an idle connection keeps no buffer. */
static void settle(struct tls_session *session)
{
        if (tls_unread(session))
                return;
        session->in_at = 0;
        buf_done(&session->in);
}

static enum tls_step judge(struct tls_session *session, int result)
{
        int error = SSL_get_error(session->ssl, result);
        settle(session);
        if (error == SSL_ERROR_WANT_READ)
                return TLS_MORE;
        if (error == SSL_ERROR_ZERO_RETURN)
                return TLS_END;
        session->is_broken = true;
        if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST) {
                buf_clear(&session->out);
                buf_add_text(&session->out, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 37\r\n\r\nThis port speaks HTTPS: use https://\n");
        }
        ERR_clear_error();
        return TLS_BROKEN;
}

enum tls_step tls_read(struct tls_session *session, struct buf *plain)
{
        char bytes[RECORD];
        if (session->is_broken)
                return TLS_BROKEN;
        ERR_clear_error();
        int length = SSL_read(session->ssl, bytes, sizeof(bytes));
        if (length <= 0)
                return judge(session, length);
        buf_add(plain, bytes, (size_t)length);
        return buf_check(plain, NULL) == OK ? TLS_READ : TLS_BROKEN;
}

bool tls_write(struct tls_session *session, const char *bytes, size_t length)
{
        if (session->is_broken)
                return false;
        ERR_clear_error();
        bool is_done = SSL_write(session->ssl, bytes, (int)length) == (int)length;
        if (!is_done)
                ERR_clear_error();
        return is_done;
}

void tls_goodbye(struct tls_session *session)
{
        if (session->is_broken || !SSL_is_init_finished(session->ssl))
                return;
        (void)SSL_shutdown(session->ssl);
        ERR_clear_error();
}
