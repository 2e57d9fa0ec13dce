#include "agent/verify.h"

#include "agent/expand.h"
#include "platform/channel.h"
#include "platform/child.h"
#include "support/test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
enum { IS_WATCHED = 1 };         /* the sanitizers need what the filter takes away: see platform/confine.c */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { IS_WATCHED = 1 };
#else
enum { IS_WATCHED = 0 };
#endif
#else
enum { IS_WATCHED = 0 };
#endif

static int verify_then_look_around(void *user)
{
        const int *files = user;
        if (dup2(files[0], STDIN_FILENO) < 0 || dup2(files[1], STDOUT_FILENO) < 0 || verify_main(NULL) != OK)
                return 1;
        return IS_WATCHED || (open("/dev/null", O_RDONLY) < 0 && fork() < 0) ? 0 : 2;
}

TEST(verify_main, gives_its_verdict_without_files_or_children)
{
        int input, output[2], status = 0;
        struct child child = { 0 };
        struct verify_answer answer;
        CHECK(channel_memory("no bundle", 9, &input, NULL) == OK && pipe(output) == 0);
        const int files[2] = { input, output[1] };
        CHECK(child_fork(verify_then_look_around, (void *)files, &child, NULL) == OK);
        CHECK(waitpid(child.pid, &status, 0) == child.pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
        CHECK(read(output[0], &answer, sizeof(answer)) == sizeof(answer) && answer.verdict.status == VERDICT_REFUSE);
        CHECK(IS_WATCHED || (answer.confined.has_filter && !answer.confined.has_capabilities && answer.confined.user == geteuid()));
        close(input);
        close(output[0]);
        close(output[1]);
}

/* A segment of which the packed bytes are `packed`, against a base of zeros; what the child says, and after that its segment. */
static size_t expand_in_child(const char *packed, size_t packed_length, size_t length, struct expand_answer *ret_answer, char *segment, size_t segment_max)
{
        static const char base[5000];
        int input, output[2], status = 0;
        struct child child = { 0 };
        OWN(buf) struct buf question;
        buf_init(&question, EXPAND_INPUT_MAX);
        expand_ask_begin(sizeof(base), packed_length, length, &question);
        buf_add(&question, base, sizeof(base));
        buf_add(&question, packed, packed_length);
        CHECK(channel_memory(question.bytes, question.length, &input, NULL) == OK && pipe(output) == 0);
        const int files[2] = { input, output[1] };
        CHECK(child_fork(verify_then_look_around, (void *)files, &child, NULL) == OK);
        CHECK(waitpid(child.pid, &status, 0) == child.pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
        CHECK(read(output[0], ret_answer, sizeof(*ret_answer)) == sizeof(*ret_answer));
        close(output[1]);
        const ssize_t got = read(output[0], segment, segment_max);
        close(input);
        close(output[0]);
        return got < 0 ? 0 : (size_t)got;
}

TEST(verify_main, expands_a_segment_without_files_or_children)
{
        static const char base[5000];
        char wanted[5000] = "something", segment[6000];
        struct expand_answer answer;
        OWN(buf) struct buf packed;
        buf_init(&packed, 1000);
        CHECK(delta_compress((struct delta_bytes){ base, sizeof(base) }, (struct delta_bytes){ wanted, sizeof(wanted) }, &packed, NULL) == OK);
        CHECK(expand_in_child(packed.bytes, packed.length, sizeof(wanted), &answer, segment, sizeof(segment)) == sizeof(wanted));
        CHECK(answer.err == OK && answer.length == sizeof(wanted) && memcmp(segment, wanted, sizeof(wanted)) == 0);
        CHECK(IS_WATCHED || (answer.confined.has_filter && !answer.confined.has_capabilities));
        CHECK(expand_in_child(packed.bytes, packed.length, sizeof(wanted) - 1, &answer, segment, sizeof(segment)) == 0 && answer.err == ERR_CONTENT);
        CHECK(expand_in_child("no frame", 8, sizeof(wanted), &answer, segment, sizeof(segment)) == 0 && answer.err == ERR_CONTENT);
}
