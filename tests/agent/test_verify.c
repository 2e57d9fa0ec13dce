#include "agent/verify.h"

#include "platform/channel.h"
#include "platform/child.h"
#include "support/test.h"

#include <fcntl.h>
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
