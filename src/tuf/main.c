/* firebreak-tuf - follow a TUF repository and download what it vouches for. See firebreak-tuf(1). */
#include "base/mem.h"
#include "platform/clock.h"
#include "platform/file_limit.h"
#include "tuf/show.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 1 << 20, EXIT_FAILED = 1 };

/* Tests of time go through a variable of their own build: a clock that anybody's environment can set is none. */
static int64_t now_s(void)
{
#ifdef FIREBREAK_TEST_CLOCK
        const char *text = getenv("FIREBREAK_TEST_NOW");
        if (text)
                return strtoll(text, NULL, 10);
#endif
        struct clock *clock = clock_system();
        return clock->ops->wall_s(clock);
}

static enum err print(const struct shown *shown, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, TEXT_MAX);
        enum err e = show(shown, &text, why);
        if (!e && (fwrite(buf_text(&text), 1, text.length, stdout) != text.length || fflush(stdout)))
                e = FAIL(why, ERR_IO, "writing the result: %s", strerror(errno));
        return e;
}

static enum err run(const struct tuf_options *options, struct why *why)
{
        OWN(session) struct session session = { 0 };
        if (options->command == TUF_INIT)
                return session_init(options, why);
        OWN(memory) void *memory = mem_new(TUF_NAMES_MAX, sizeof(struct downloaded));
        struct downloaded *downloaded = memory;
        if (!downloaded)
                return FAIL(why, ERR_NOMEM, "no memory for the results");
        enum err e = session_open(options, now_s(), &session, why);
        if (!e)
                e = session_follow(&session, why);
        size_t count = 0;
        while (!e && options->command == TUF_DOWNLOAD && count < options->name_count) {
                e = download_target(&session, options->names[count], &downloaded[count], why);
                count += !e;
        }
        const struct shown shown = { options, session.client ? tuf_client_trusted(session.client) : NULL, downloaded, count };
        struct why none;
        if (e && count)
                (void)!print(&shown, &none);     /* what came before the one that failed is there all the same */
        return e ? e : print(&shown, why);
}

int main(int argc, char **argv)
{
        file_limit_standard();
        file_limit_size_fails();
        struct tuf_options options;
        struct why why;
        enum err e = tuf_options_read(argc, argv, &options, &why);
        if (e) {
                fprintf(stderr, "firebreak-tuf: %s\n\n%s", why.text, tuf_usage);
                return err_info(e)->exit;
        }
        if (options.wants_help || options.wants_version)
                return fputs(options.wants_help ? tuf_usage : "firebreak-tuf " FIREBREAK_VERSION "\n", stdout) < 0 || fflush(stdout) ? EXIT_FAILED : 0;
        e = run(&options, &why);
        if (e)
                fprintf(stderr, "firebreak-tuf: %s\n", why.text);
        return e ? EXIT_FAILED : 0;
}
