#include "cli/log_trust.h"

#include "cli/publisher.h"
#include "platform/disk.h"

#include <string.h>

static enum err parse_key(const char *text, struct verifier *ret_log, struct why *why)
{
        enum err e = verifier_parse(text, ret_log, why);
        return !e && ret_log->kind != VERIFIER_LOG ? FAIL(why, ERR_SYNTAX, "it is the key of a witness") : e;
}

static enum err read_vkey(struct disk *disk, struct verifier *ret_log, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, VERIFIER_TEXT_MAX);
        enum err e = disk->ops->read(disk, "online/log.vkey", &text, why);
        if (e == ERR_NOT_FOUND)
                return FAIL(why, e, "its anchor names no log, and there is no online/log.vkey: this publisher has no log");
        if (!e && text.length && text.bytes[text.length - 1] == '\n')
                text.bytes[--text.length] = '\0';
        if (!e)
                e = parse_key(buf_text(&text), ret_log, why);
        return e ? DURING(why, e, "online/log.vkey") : OK;
}

static enum err read_folder(struct cli *cli, struct log_trust *trust, struct why *why)
{
        OWN(publisher) struct publisher *publisher = NULL;
        OWN(buf) struct buf text;
        struct anchor anchor;
        buf_init(&text, LIMIT_NOTE_BYTES);
        enum err e = publisher_open(cli, &publisher, why);
        if (e)
                return e;
        struct disk *disk = publisher_disk(publisher);
        e = disk->ops->read(disk, "public/release.anchor", &text, why);
        if (!e)
                e = anchor_open(buf_text(&text), text.length, &anchor, why);
        if (e)
                return DURING(why, e, "public/release.anchor");
        trust->log = anchor.log;
        trust->witnesses = anchor.witnesses;
        return anchor.has_log ? OK : read_vkey(disk, &trust->log, why);
}

enum err log_trust_read(struct cli *cli, struct log_trust *ret_trust, struct why *why)
{
        const char *key = arg_text(cli->args, OPTION_LOG, NULL);
        const bool has_folder = arg_has(cli->args, OPTION_PUBLISHER);
        *ret_trust = (struct log_trust){ 0 };
        if (has_folder == (key != NULL))
                return FAIL(why, ERR_USAGE, "which log? give --publisher DIR, or --log VKEY, one of them");
        enum err e = has_folder ? read_folder(cli, ret_trust, why) : parse_key(key, &ret_trust->log, why);
        return e && key ? DURING(why, ERR_USAGE, "--log") : e;
}
