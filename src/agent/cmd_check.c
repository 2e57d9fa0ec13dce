/* Can this agent, in this version, run on this device? Reads what it would begin with, and writes nothing: also the preflight of an agent that
 * comes as a release, by itself (self.h), behind the walls of preflight, where it may not see all of it. */
#include "agent/anchors.h"
#include "agent/command.h"
#include "agent/config.h"
#include "agent/slot.h"
#include "platform/disk_folder.h"
#include "platform/file.h"

#include <stdio.h>
#include <string.h>

enum { CA_BYTES_MAX = 1 << 20 };

/* What is not there yet, or not for us to see, is no fault. */
static enum err say(const char *what, enum err e, const struct why *why)
{
        const bool is_absent = e == ERR_NOT_FOUND, is_barred = e == ERR_REFUSED;
        printf("%-14s %s\n", what, !e ? "well" : is_absent ? "not there yet" : is_barred ? "not for this user to read" : why->text);
        return is_absent || is_barred ? OK : e;
}

static enum err check_record(struct disk *disk, struct why *why)
{
        OWN(slots) struct slots *slots = NULL;
        return slots_open_all(disk, &slots, why);
}

static enum err check_anchors(const struct agent_config *config, struct disk *disk, struct why *why)
{
        OWN(anchors) struct anchors *anchors = NULL;
        return anchors_open(config->trust, disk, &anchors, why);
}

/* Without it nothing is fetched from whom it is for; the engine runs all the same, so it is said, and no more. */
static void say_ca(const char *what, const char *path)
{
        OWN(buf) struct buf bytes;
        struct why why;
        buf_init(&bytes, CA_BYTES_MAX);
        enum err e = path ? file_read_regular(path, &bytes, &why) : OK;
        if (!e && path && !strstr(buf_text(&bytes), "-----BEGIN "))
                e = FAIL(&why, ERR_SYNTAX, "%s holds no certificate", path);
        if (path)
                printf("%-14s %s\n", what, e ? why.text : "well");
}

enum err cmd_check(const struct command_line *line, struct why *why)
{
        OWN(agent_config) struct agent_config *config = NULL;
        OWN(disk_folder) struct disk *disk = NULL;
        enum err e = agent_config_open(line->config, &config, why);
        if (e)
                return e;
        printf("%-14s well, %zu streams\n", "configuration", config->streams.count);
        say_ca("ca", config->ca);
        say_ca("mirrors_ca", config->mirrors_ca);
        e = disk_folder_find(config->state_dir, NULL, &disk, why);
        if (e)
                return say("state", e, why);
        enum err record = say("slot record", check_record(disk, why), why);
        e = say("trust", check_anchors(config, disk, why), why);
        return record ? record : e;
}
