/* The files of the log over the wire: as they are now, and nothing else of the folder. */
#include "server/rig.h"

#include "support/test.h"

#include <string.h>
#include <unistd.h>

static const struct rig_options with_log = { .is_plain = true, .has_log = true }, without = { .is_plain = true };

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void put(struct rig *rig, const char *path, const char *text)
{
        struct disk *disk = rig->log_files;
        char folder[96];
        for (const char *at = strchr(path, '/'); at; at = strchr(at + 1, '/')) {
                snprintf(folder, sizeof(folder), "%.*s", (int)(at - path), path);
                CHECK(disk->ops->make_folder(disk, folder, NULL) == OK);
        }
        CHECK(disk->ops->replace(disk, path, text, strlen(text), NULL) == OK);
}

/* The status; the body is in answer->body, which the caller keeps for all of them. */
static int ask(const struct rig *rig, const char *path, const char *header, struct rig_answer *answer)
{
        char request[512];
        int client = rig_connect(rig);
        snprintf(request, sizeof(request), "GET /v1/log/%s HTTP/1.1\r\nHost: a\r\n%s\r\n", path, header);
        rig_say(client, request);
        if (strstr(header, "If-None-Match"))
                CHECK(rig_hear_head(client, answer));
        else
                CHECK(rig_hear(client, answer));
        close(client);
        return answer->status;
}

TEST(log_files, are_given_as_they_are_now)
{
        struct rig rig;
        struct rig_answer answer = { 0 };
        char tag[256], other[256], value[256], header[320];
        buf_init(&answer.body, 1 << 20);
        rig_start(&rig, &with_log);
        CHECK(ask(&rig, "checkpoint", "", &answer) == 404 && ask(&rig, "tile/0/000.p/1", "", &answer) == 404 && ask(&rig, "proof/" SHA, "", &answer) == 404);
        put(&rig, "checkpoint", "one");
        CHECK(ask(&rig, "checkpoint", "", &answer) == 200 && strcmp(buf_text(&answer.body), "one") == 0);
        CHECK(strcmp(rig_header(&answer, "Cache-Control", value), "no-cache") == 0 && rig_header(&answer, "ETag", tag));
        snprintf(header, sizeof(header), "If-None-Match: %s\r\n", tag);
        CHECK(ask(&rig, "checkpoint", header, &answer) == 304);
        put(&rig, "checkpoint", "two");
        CHECK(ask(&rig, "checkpoint", "", &answer) == 200 && strcmp(buf_text(&answer.body), "two") == 0 && rig_header(&answer, "ETag", other) && strcmp(tag, other) != 0);
        put(&rig, "tile/0/000.p/1", "0123456789");
        put(&rig, "tile/entries/x001/234", "more");
        put(&rig, "proof/" SHA, "proof");
        CHECK(ask(&rig, "tile/0/000.p/1", "Range: bytes=2-4\r\n", &answer) == 206 && strcmp(buf_text(&answer.body), "234") == 0);
        CHECK(strstr(rig_header(&answer, "Cache-Control", value), "immutable"));
        CHECK(ask(&rig, "tile/entries/x001/234", "", &answer) == 200 && ask(&rig, "proof/" SHA, "", &answer) == 200 && strcmp(buf_text(&answer.body), "proof") == 0);
        buf_done(&answer.body);
        CHECK(rig_stop(&rig) == 0);
}

TEST(log_files, are_found_under_their_own_paths_alone)
{
        static const char *const none[] = { "tile/0/000.p", "tile/0/0", "tile/0", "tile/0/000.p/01", "tile/x/000", "tile/secret", "tile/0/../../secret", "proof/secret", "proof/" SHA "0", "secret", "tile/0/001" };
        struct rig rig;
        struct rig_answer answer = { 0 };
        buf_init(&answer.body, 1 << 20);
        rig_start(&rig, &with_log);
        put(&rig, "secret", "secret");
        put(&rig, "tile/secret", "secret");
        put(&rig, "proof/secret", "secret");
        put(&rig, "tile/x/000", "secret");
        put(&rig, "tile/0/000.p/01", "secret");
        put(&rig, "tile/0/001/deep", "secret");          /* a folder where a file would be */
        for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
                CHECK(ask(&rig, none[i], "", &answer) == 404 && !strstr(buf_text(&answer.body), "\"secret\""));
        buf_done(&answer.body);
        CHECK(rig_stop(&rig) == 0);
}

TEST(log_files, of_a_server_without_a_log_are_none)
{
        struct rig rig;
        struct rig_answer answer = { 0 };
        buf_init(&answer.body, 1 << 20);
        rig_start(&rig, &without);
        put(&rig, "checkpoint", "one");
        CHECK(ask(&rig, "checkpoint", "", &answer) == 404 && strstr(buf_text(&answer.body), "no transparency log"));
        buf_done(&answer.body);
        CHECK(rig_stop(&rig) == 0);
}
