#include "platform/net.h"

#include "support/sweep.h"
#include "support/test.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server on loopback that gives one stored answer after another on one connection and keeps what it was asked. */
struct server {
        const char *answers[4];   /* NULL ended */
        SSL_CTX *tls;             /* NULL: plain */
        int listener;
        unsigned connections;
        char asked[8192];
        char url[64];
        pthread_t thread;
};

static ssize_t get(SSL *ssl, int fd, char *into, size_t most)
{
        return ssl ? SSL_read(ssl, into, (int)most) : read(fd, into, most);
}

/* Reads a head and, when it has a Content-Length, the body; appends to `asked`. False at the end of the connection. */
static bool take_request(struct server *server, SSL *ssl, int fd)
{
        size_t start = strlen(server->asked), used = start;
        for (;;) {
                ssize_t n = get(ssl, fd, server->asked + used, sizeof(server->asked) - used - 1);
                if (n <= 0)
                        return false;
                used += (size_t)n;
                server->asked[used] = '\0';
                char *end = strstr(server->asked + start, "\r\n\r\n");
                char *length = strstr(server->asked + start, "Content-Length: ");
                if (end && strlen(end + 4) >= (length ? strtoul(length + 16, NULL, 10) : 0))
                        return true;
        }
}

static unsigned answer(struct server *server, int fd, unsigned at)
{
        SSL *ssl = server->tls ? SSL_new(server->tls) : NULL;
        if (ssl) {
                SSL_set_fd(ssl, fd);
                if (SSL_accept(ssl) != 1) {
                        SSL_free(ssl);
                        return at + 1;
                }
        }
        while (server->answers[at] && take_request(server, ssl, fd)) {
                const char *text = server->answers[at++];
                ssize_t n = ssl ? SSL_write(ssl, text, (int)strlen(text)) : write(fd, text, strlen(text));
                if (n < 0 || strstr(text, "Connection: close"))
                        break;
        }
        SSL_free(ssl);
        return at;
}

static void *serve(void *user)
{
        struct server *server = user;
        for (unsigned at = 0; server->answers[at];) {
                int fd = accept(server->listener, NULL, NULL);
                if (fd < 0)
                        break;
                server->connections++;
                at = answer(server, fd, at);
                close(fd);
        }
        return NULL;
}

static void server_start(struct server *server)
{
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof(address);
        server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(bind(server->listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(server->listener, 4) == 0);
        CHECK(getsockname(server->listener, (struct sockaddr *)&address, &length) == 0);
        snprintf(server->url, sizeof(server->url), "http%s://127.0.0.1:%u/x", server->tls ? "s" : "", ntohs(address.sin_port));
        CHECK(pthread_create(&server->thread, NULL, serve, server) == 0);
}

static void server_stop(struct server *server)
{
        shutdown(server->listener, SHUT_RDWR);
        pthread_join(server->thread, NULL);
        close(server->listener);
        SSL_CTX_free(server->tls);
}

static struct net *plain(void)
{
        struct net *net = NULL;
        CHECK(net_open(&(struct net_config){ .is_plain_allowed = true }, &net, NULL) == OK);
        return net;
}

static enum err ask(struct net *net, struct net_request request, struct net_response *response, struct why *why)
{
        return net->ops->exchange(net, &request, response, why);
}

TEST(net, gives_the_answer_whatever_its_status_and_keeps_the_connection)
{
        struct server server = { .answers = { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
                                              "HTTP/1.1 409 Conflict\r\nRetry-After:  7 \r\nContent-Length: 4\r\n\r\nbusy" } };
        server_start(&server);
        OWN(net) struct net *net = plain();
        OWN(buf) struct buf body;
        buf_init(&body, 100);
        struct net_wanted wanted[] = { { .name = "retry-after" }, { .name = "ETag" } };
        struct net_response response = { .body = &body, .wanted = wanted, .wanted_count = 2 };
        CHECK(ask(net, (struct net_request){ .method = "GET", .url = server.url }, &response, NULL) == OK);
        CHECK(response.status == 200 && strcmp(buf_text(&body), "hi") == 0 && wanted[0].value[0] == '\0');
        buf_clear(&body);
        struct net_header header = { "Authorization", "Bearer k" };
        struct net_request post = { .method = "POST", .url = server.url, .headers = &header, .header_count = 1, .body = "{}", .body_length = 2 };
        CHECK(ask(net, post, &response, NULL) == OK);
        CHECK(response.status == 409 && strcmp(buf_text(&body), "busy") == 0);
        CHECK(strcmp(wanted[0].value, "7") == 0 && wanted[1].value[0] == '\0');
        server_stop(&server);
        CHECK(server.connections == 1);
        CHECK(strstr(server.asked, "POST /x HTTP/1.1\r\n") && strstr(server.asked, "Authorization: Bearer k\r\n"));
}

TEST(net, follows_no_redirect)
{
        struct server server = { .answers = { "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n" } };
        server_start(&server);
        OWN(net) struct net *net = plain();
        OWN(buf) struct buf body;
        buf_init(&body, 100);
        struct net_response response = { .body = &body };
        CHECK(ask(net, (struct net_request){ .method = "GET", .url = server.url }, &response, NULL) == OK && response.status == 302);
        server_stop(&server);
}

TEST(net, stops_an_answer_at_its_ceiling)
{
        struct server server = { .answers = { "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef" } };
        server_start(&server);
        OWN(net) struct net *net = plain();
        OWN(buf) struct buf body;
        buf_init(&body, 5);
        struct why why;
        struct net_response response = { .body = &body };
        CHECK(ask(net, (struct net_request){ .method = "GET", .url = server.url }, &response, &why) == ERR_LIMIT);
        server_stop(&server);
}

/* Whoever asked for a small file has no room for a page that says in many words that it is not there. */
TEST(net, gives_the_status_of_an_error_whose_body_is_too_long)
{
        struct server server = { .answers = { "HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\nabcdef", "HTTP/1.1 500 Oh\r\nContent-Length: 5\r\n\r\nabcde" } };
        server_start(&server);
        OWN(net) struct net *net = plain();
        OWN(buf) struct buf body;
        buf_init(&body, 5);
        struct net_response response = { .body = &body };
        CHECK(ask(net, (struct net_request){ .method = "GET", .url = server.url }, &response, NULL) == OK && response.status == 404 && body.length <= 5);
        buf_clear(&body);
        CHECK(ask(net, (struct net_request){ .method = "GET", .url = server.url }, &response, NULL) == OK && response.status == 500 && strcmp(buf_text(&body), "abcde") == 0);
        server_stop(&server);
}

struct download_case {
        const char *answer, *before, *after;
        uint64_t from, bytes_max;
        enum err err;
};

static void try_download(const struct download_case *c)
{
        struct server server = { .answers = { c->answer } };
        server_start(&server);
        FILE *file = tmpfile();
        CHECK(file && fputs(c->before, file) >= 0 && fflush(file) == 0);
        OWN(net) struct net *net = plain();
        OWN(buf) struct buf body;
        buf_init(&body, 100);
        struct net_download to = { .file = fileno(file), .from = c->from, .bytes_max = c->bytes_max };
        struct net_response response = { .body = &body };
        CHECK(ask(net, (struct net_request){ .method = "GET", .url = server.url, .download = &to }, &response, NULL) == c->err);
        char found[64] = "";
        CHECK(pread(fileno(file), found, sizeof(found) - 1, 0) >= 0 && strcmp(found, c->after) == 0);
        CHECK(c->err || !c->after[0] || response.file_length == strlen(c->after) || body.length);
        fclose(file);
        server_stop(&server);
}

TEST(net, downloads_resumes_and_starts_again)
{
        static const struct download_case cases[] = {
                { "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef", "", "abcdef", 0, 6, OK },
                { "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef", "", "", 0, 5, ERR_LIMIT },
                { "HTTP/1.1 206 Partial\r\nContent-Range: bytes 3-5/6\r\nContent-Length: 3\r\n\r\ndef", "abc", "abcdef", 3, 6, OK },
                { "HTTP/1.1 206 Partial\r\nContent-Range: bytes 2-5/6\r\nContent-Length: 4\r\n\r\ncdef", "abc", "abc", 3, 6, ERR_IO },
                { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nxy", "abc", "xy", 3, 6, OK },
                { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "abc", "", 3, 6, OK },
                { "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", "abc", "abc", 3, 6, OK },
                { "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nabc", "", "abc", 0, 6, ERR_IO },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                try_download(&cases[i]);
}

TEST(net, asks_for_a_part_of_a_file_and_counts_what_came)
{
        static const struct { uint64_t from, part_max; const char *asked; } cases[] = {
                { 0, 4, "Range: bytes=0-3\r\n" }, { 3, 1, "Range: bytes=3-3\r\n" }, { 3, 0, "Range: bytes=3-\r\n" }, { 3, UINT64_MAX, "Range: bytes=3-\r\n" }, { 0, 0, NULL },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct server server = { .answers = { "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef" } };
                server_start(&server);
                FILE *file = tmpfile();
                CHECK(file != NULL);
                OWN(net) struct net *net = plain();
                OWN(buf) struct buf body;
                buf_init(&body, 100);
                const struct net_download to = { .file = fileno(file), .from = cases[i].from, .bytes_max = 5, .part_max = cases[i].part_max };
                struct net_response response = { .body = &body };
                CHECK(ask(net, (struct net_request){ .method = "GET", .url = server.url, .download = &to }, &response, NULL) == ERR_LIMIT);
                CHECK(response.received == 6 && response.file_length == 0);          /* also of what was of no use */
                CHECK(cases[i].asked ? strstr(server.asked, cases[i].asked) != NULL : !strstr(server.asked, "Range:"));
                fclose(file);
                server_stop(&server);
        }
}

static enum err read_three(void *user, void *bytes, size_t bytes_max, size_t *ret_length, struct why *why)
{
        unsigned *calls = user;
        (void)why;
        CHECK(bytes_max >= 3);
        *ret_length = (*calls)++ < 2 ? 3 : 0;
        memcpy(bytes, "abc", *ret_length);
        return OK;
}

static enum err read_none(void *user, void *bytes, size_t bytes_max, size_t *ret_length, struct why *why)
{
        (void)user;
        (void)bytes;
        (void)bytes_max;
        *ret_length = 0;
        return FAIL(why, ERR_FULL, "the disk says no");
}

TEST(net, uploads_from_a_source_and_passes_its_failure_on)
{
        struct server server = { .answers = { "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n" } };
        server_start(&server);
        unsigned calls = 0;
        struct net_upload from = { .length = 6, .read = read_three, .user = &calls };
        OWN(net) struct net *net = plain();
        OWN(buf) struct buf body;
        buf_init(&body, 100);
        struct net_response response = { .body = &body };
        CHECK(ask(net, (struct net_request){ .method = "PUT", .url = server.url, .upload = &from }, &response, NULL) == OK);
        CHECK(response.status == 201 && strstr(server.asked, "\r\n\r\nabcabc"));
        server_stop(&server);

        struct server second = { .answers = { "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n" } };
        server_start(&second);
        struct net_upload none = { .length = 6, .read = read_none };
        struct why why;
        CHECK(ask(net, (struct net_request){ .method = "PUT", .url = second.url, .upload = &none }, &response, &why) == ERR_FULL);
        server_stop(&second);
}

TEST(net, says_when_nobody_listens)
{
        OWN(net) struct net *net = plain();
        OWN(buf) struct buf body;
        buf_init(&body, 100);
        struct why why;
        struct net_response response = { .body = &body };
        CHECK(ask(net, (struct net_request){ .method = "GET", .url = "http://127.0.0.1:1/" }, &response, &why) == ERR_UNAVAILABLE);
        CHECK(strstr(why.text, "127.0.0.1:1"));
}

TEST(net, refuses_headers_with_line_ends_and_other_schemes)
{
        OWN(net) struct net *net = NULL;
        CHECK(net_open(&(struct net_config){ 0 }, &net, NULL) == OK);
        OWN(buf) struct buf body;
        buf_init(&body, 100);
        struct net_response response = { .body = &body };
        struct net_header bad = { "X", "a\r\nY: b" };
        CHECK(ask(net, (struct net_request){ .method = "GET", .url = "https://127.0.0.1:1/", .headers = &bad, .header_count = 1 }, &response, NULL) == ERR_USAGE);
        CHECK(ask(net, (struct net_request){ .method = "GET", .url = "http://127.0.0.1:1/" }, &response, NULL) == ERR_USAGE);
        CHECK(ask(net, (struct net_request){ .method = "GET", .url = "file:///etc/passwd" }, &response, NULL) == ERR_USAGE);
        CHECK(body.length == 0);
}

/* A certificate for 127.0.0.1, made here, so that no key is stored. */
static SSL_CTX *make_tls(const char *cert_path)
{
        EVP_PKEY *key = EVP_EC_gen("P-256");
        X509 *cert = X509_new();
        X509_set_version(cert, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
        X509_gmtime_adj(X509_getm_notBefore(cert), -60);
        X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
        X509_set_pubkey(cert, key);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
        X509_set_issuer_name(cert, X509_get_subject_name(cert));
        X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
        X509_add_ext(cert, names, -1);
        X509_EXTENSION_free(names);
        CHECK(X509_sign(cert, key, EVP_sha256()) > 0);
        FILE *file = fopen(cert_path, "w");
        CHECK(file && PEM_write_X509(file, cert) == 1 && fclose(file) == 0);
        SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
        CHECK(SSL_CTX_use_certificate(tls, cert) == 1 && SSL_CTX_use_PrivateKey(tls, key) == 1);
        X509_free(cert);
        EVP_PKEY_free(key);
        return tls;
}

static enum err ask_tls(const char *trusted, SSL_CTX *tls)
{
        struct server server = { .answers = { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" }, .tls = tls };
        server_start(&server);
        OWN(net) struct net *net = NULL;
        CHECK(net_open(&(struct net_config){ .ca_file = trusted }, &net, NULL) == OK);
        OWN(buf) struct buf body;
        buf_init(&body, 100);
        struct net_response response = { .body = &body };
        enum err e = ask(net, (struct net_request){ .method = "GET", .url = server.url }, &response, NULL);
        server_stop(&server);
        return e;
}

TEST(net, talks_only_to_a_server_whose_certificate_the_ca_file_vouches_for)
{
        char mine[] = "/tmp/net-mine-XXXXXX", other[] = "/tmp/net-other-XXXXXX";
        CHECK(close(mkstemp(mine)) == 0 && close(mkstemp(other)) == 0);
        SSL_CTX_free(make_tls(other));
        CHECK(ask_tls(mine, make_tls(mine)) == OK);
        CHECK(ask_tls(other, make_tls(mine)) == ERR_UNTRUSTED);
        unlink(mine);
        unlink(other);
}

TEST(net_open, says_that_the_ca_file_is_missing)
{
        struct net *net = NULL;
        struct why why;
        CHECK(net_open(&(struct net_config){ .ca_file = "/nonexistent/ca.pem" }, &net, &why) == ERR_NOT_FOUND && !net);
        CHECK(strstr(why.text, "/nonexistent/ca.pem"));
}

TEST(net_open, survives_every_allocation_failure)
{
        SWEEP_MEMORY {
                OWN(net) struct net *net = NULL;
                enum err e = net_open(&(struct net_config){ 0 }, &net, NULL);
                CHECK(e == OK ? net != NULL : e == ERR_NOMEM && !net);
        }
}
