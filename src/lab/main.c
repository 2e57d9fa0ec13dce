/* firebreak-lab - what does this release do on machines like mine? See firebreak-lab(1). */
#include "lab/session.h"
#include "platform/file_limit.h"

#include <errno.h>

enum { RESULT_MAX = 1 << 20, EXIT_BROKE = 2 };

static enum err run(const struct lab_options *options, int *ret_code, struct why *why)
{
        OWN(session) struct session session = { 0 };
        OWN(buf) struct buf text;
        buf_init(&text, RESULT_MAX);
        enum err e = session_run(options, &session, why);
        if (!e)
                e = (options->is_json ? session_print_json : session_print)(&session, &text, why);
        if (!e && (fwrite(buf_text(&text), 1, text.length, stdout) != text.length || fflush(stdout)))
                e = FAIL(why, ERR_IO, "writing the result: %s", strerror(errno));
        if (!e)
                *ret_code = session_exit(&session);
        return e;
}

int main(int argc, char **argv)
{
        file_limit_standard();
        file_limit_size_fails();
        (void)argc;
        struct lab_options options;
        struct why why;
        int code = EXIT_BROKE;
        enum err e = lab_options_read(argv, &options, &why);
        if (e) {
                fprintf(stderr, "firebreak-lab: %s\n%s", why.text, lab_usage);
                return err_info(e)->exit;
        }
        if (options.wants_help || options.wants_version)
                return fputs(options.wants_help ? lab_usage : "firebreak-lab " FIREBREAK_VERSION "\n", stdout) < 0 || fflush(stdout) ? EXIT_BROKE : 0;
        e = run(&options, &code, &why);
        if (e)
                fprintf(stderr, "firebreak-lab: %s\n", why.text);
        return e == ERR_USAGE ? err_info(e)->exit : e ? EXIT_BROKE : code;
}
