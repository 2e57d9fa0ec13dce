#include "cli/passphrase.h"

#include "base/buf.h"
#include "platform/file.h"
#include "platform/terminal.h"

#include <string.h>

void passphrase_release(struct passphrase *passphrase)
{
        explicit_bzero(passphrase, sizeof(*passphrase));
}

/* The file may end its one line as it likes; anything after it would be forgotten in silence, so it is refused. */
enum err passphrase_read(const char *path, struct passphrase *ret_passphrase, struct why *why)
{
        struct buf text;
        buf_init(&text, PASSPHRASE_BYTES_MAX + 2);
        enum err e = file_read(path, &text, why);
        size_t length = strcspn(buf_text(&text), "\r\n");
        if (!e && strspn(buf_text(&text) + length, "\r\n") + length != text.length)
                e = FAIL(why, ERR_USAGE, "%.150s has more than one line, or a zero byte; a passphrase or PIN is one line", path);
        else if (!e && (length == 0 || length > PASSPHRASE_BYTES_MAX))
                e = FAIL(why, ERR_USAGE, "%.150s: a passphrase or PIN has 1 to %d bytes", path, PASSPHRASE_BYTES_MAX);
        else if (!e)
                snprintf(ret_passphrase->text, sizeof(ret_passphrase->text), "%.*s", (int)length, buf_text(&text));
        if (text.bytes)
                explicit_bzero(text.bytes, text.length);
        buf_done(&text);
        return e;
}

static enum err ask(const char *prompt, struct passphrase *ret_passphrase, struct why *why)
{
        enum err e = terminal_ask_secret(prompt, ret_passphrase->text, sizeof(ret_passphrase->text), why);
        return e == ERR_UNAVAILABLE ? DURING(why, ERR_USAGE, "the offline keys have a passphrase; give --passphrase-file FILE") : e;
}

static enum err ask_twice(const char *option, struct passphrase *ret_passphrase, struct why *why)
{
        OWN(passphrase) struct passphrase again = { 0 };
        enum err e = terminal_ask_secret("New passphrase for the offline keys: ", ret_passphrase->text, sizeof(ret_passphrase->text), why);
        if (e == ERR_UNAVAILABLE)
                return DURING(why, ERR_USAGE, "give --%s FILE, or --no-passphrase to leave the offline keys unencrypted", option);
        if (!e)
                e = terminal_ask_secret("The same again: ", again.text, sizeof(again.text), why);
        if (!e && strcmp(again.text, ret_passphrase->text) != 0)
                e = FAIL(why, ERR_USAGE, "the two are not the same; nothing was made");
        return e;
}

static enum err choose(const struct args *args, enum option_id file, struct passphrase *ret_passphrase, struct why *why)
{
        const char *option = option_info(file)->name;
        bool has_file = arg_has(args, file), has_none = arg_has(args, OPTION_NO_PASSPHRASE);
        if (has_file && has_none)
                return FAIL(why, ERR_USAGE, "--%s and --no-passphrase exclude each other", option);
        if (has_none)
                return OK;
        enum err e = has_file ? passphrase_read(arg_text(args, file, ""), ret_passphrase, why) : ask_twice(option, ret_passphrase, why);
        if (!e && strlen(ret_passphrase->text) < PASSPHRASE_BYTES_MIN)
                e = FAIL(why, ERR_USAGE, "a passphrase of under %d bytes protects nothing; take a longer one", PASSPHRASE_BYTES_MIN);
        return e;
}

enum err passphrase_choose(const struct args *args, struct passphrase *ret_passphrase, struct why *why)
{
        return choose(args, OPTION_PASSPHRASE, ret_passphrase, why);
}

enum err passphrase_choose_new(const struct args *args, struct passphrase *ret_passphrase, struct why *why)
{
        return choose(args, OPTION_NEW_PASSPHRASE, ret_passphrase, why);
}

enum err passphrase_ask(const struct args *args, struct passphrase *ret_passphrase, struct why *why)
{
        if (arg_has(args, OPTION_PASSPHRASE))
                return passphrase_read(arg_text(args, OPTION_PASSPHRASE, ""), ret_passphrase, why);
        return ask("Passphrase of the offline keys: ", ret_passphrase, why);
}
