/* One exchange, by whoever takes the machine down: units of systemd, or a script. It knows why, is told, or asks systemd. */
#include "agent/command.h"
#include "agent/config.h"
#include "agent/goodbye.h"
#include "agent/systemctl.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "platform/random.h"
#include "platform/system.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_BYTES = 4096, REBOOT_S = 600 };            /* a reboot that takes longer than ten minutes deserves a look */

static enum err ask_systemd(int64_t until_ms, struct goodbye_stop *ret_stop, struct why *why)
{
        const char *argv[16] = { "systemctl", "show", "--no-pager", GOODBYE_PROPERTIES, "--" };
        OWN(buf) struct buf answer;
        buf_init(&answer, ANSWER_BYTES);
        if (!system_has(SYSTEM_UNITS))
                return FAIL(why, ERR_USAGE, "there is no systemd here to ask; say --suspend, --shutdown or --reboot");
        for (size_t i = 0; goodbye_targets[i]; i++)
                argv[5 + i] = goodbye_targets[i];
        enum err e = systemctl_ask(&(struct systemctl){ argv, clock_system(), until_ms }, &answer, why);
        return e ? e : goodbye_stop_read(buf_text(&answer), ret_stop, why);
}

static enum err find_kind(const struct command_line *line, int64_t until_ms, struct goodbye_stop *ret_stop, struct why *why)
{
        if (line->is_suspend + line->is_shutdown + line->is_reboot + line->is_stopping != 1)
                return FAIL(why, ERR_USAGE, "goodbye needs one of --suspend, --shutdown, --reboot and --stopping");
        if (line->is_stopping)
                return ask_systemd(until_ms, ret_stop, why);
        *ret_stop = (struct goodbye_stop){ true, line->is_suspend ? WIRE_GOODBYE_SUSPEND : line->is_shutdown ? WIRE_GOODBYE_SHUTDOWN : WIRE_GOODBYE_REBOOT };
        return OK;
}

static enum err find_back(const struct command_line *line, enum wire_goodbye_kind kind, int64_t *ret_back_s, struct why *why)
{
        const size_t digits = line->back_in ? strspn(line->back_in, "0123456789") : 0;
        *ret_back_s = line->back_in ? strtoll(line->back_in, NULL, 10) : kind == WIRE_GOODBYE_REBOOT ? REBOOT_S : 0;
        if (line->back_in && (!digits || line->back_in[digits] || *ret_back_s < 1 || *ret_back_s > LIMIT_GOODBYE_BACK_S))
                return FAIL(why, ERR_USAGE, "--back-in takes seconds from 1 to %d, not `%.20s`", LIMIT_GOODBYE_BACK_S, line->back_in);
        return OK;
}

/* As the supervisor does, but for its units: systemd starts none while the machine goes down. */
static enum err open_caller(const struct command_line *line, const struct agent_config *config, struct identity *identity, struct caller **ret_caller, struct why *why)
{
        OWN(disk_folder) struct disk *disk = NULL;
        static struct workers workers;           /* borrowed by the caller */
        static char spool[PATH_MAX];
        enum err e = disk_folder_find(config->state_dir, NULL, &disk, why);
        if (e == ERR_NOT_FOUND)
                return FAIL(why, e, "this device is not enrolled; run `firebreak-agent enrol`");
        if (!e)
                e = file_check_own(config->state_dir, why);
        if (!e)
                e = identity_load(disk, identity, why);
        if (!e && !identity->is_enrolled)
                e = FAIL(why, ERR_REFUSED, "enrolment was not finished; run `firebreak-agent enrol` again");
        if (!e)
                e = disk->ops->make_folder(disk, "spool", why);          /* where a fetcher starts; `run` may never have been here */
        if (!e)
                e = workers_find(config, &workers, why);
        snprintf(spool, sizeof(spool), "%s/spool", config->state_dir);
        const struct caller_setup setup = { line->config, identity, clock_system(), random_system(), config->poll_ms_max, &workers, spool, 0, 0 };
        return e ? e : caller_new(&setup, ret_caller, why);
}

static enum err say(const struct command_line *line, const struct wire_goodbye *body, int64_t until_ms, struct why *why)
{
        OWN(agent_config) struct agent_config *config = NULL;
        OWN(caller) struct caller *caller = NULL;
        struct identity identity = { .version = 0 };
        enum err e = agent_config_open(line->config, &config, why);
        if (!e)
                e = open_caller(line, config, &identity, &caller, why);
        if (!e)
                e = goodbye_say(&(struct goodbye){ body, caller, clock_system(), until_ms }, why);
        caller_free(GIVE(caller));
        identity_wipe(&identity);
        return e ? DURING(why, e, "the server was not told") : OK;
}

enum err cmd_goodbye(const struct command_line *line, struct why *why)
{
        struct clock *clock = clock_system();
        const int64_t until_ms = clock->ops->steady_ms(clock) + LIMIT_GOODBYE_MS;
        struct goodbye_stop stop = { .is_stopping = false };
        struct wire_goodbye body = { .kind = "" };
        enum err e = find_kind(line, until_ms, &stop, why);
        if (!e && !stop.is_stopping) {
                puts("the machine does not go down; nothing is said");
                return OK;
        }
        if (!e)
                e = find_back(line, stop.kind, &body.back_s, why);
        if (e)
                return e;
        snprintf(body.kind, sizeof(body.kind), "%s", wire_goodbye_word(stop.kind));
        e = say(line, &body, until_ms, why);
        if (!e && body.back_s)
                printf("the server knows that this machine %s, and is back in %" PRId64 " s\n", wire_goodbye_text(stop.kind), body.back_s);
        else if (!e)
                printf("the server knows that this machine %s\n", wire_goodbye_text(stop.kind));
        return e;
}
