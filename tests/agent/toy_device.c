#include "agent/toy_device.h"

#include "platform/file.h"
#include "support/test.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Loads at start and on SIGHUP: dies if the content has `crash`, says state=error if it has `broken`, is silent on `silent`.
 * Writes its status again and again if there is `beats`; takes a while to load with `dozes`; with `sours`, says state=error
 * later. With `eats` it removes the file `precious` beside its script. With `stumbles` it dies once, a while after loading, and takes 6 seconds to load the next time. */
const char toy_engine_text[] =
        "load() {\n"
        "  [ -e \"$1/crash\" ] && kill -SEGV $$\n"
        "  [ -e \"$1/eats\" ] && rm -f \"${2%/*}/precious\"\n"
        "  [ -e \"$1/stumbles\" ] && [ -e \"$2.fell\" ] && sleep 6\n"
        "  [ -e \"$1/dozes\" ] && sleep 0.5\n"
        "  [ -e \"$1/silent\" ] && return\n"
        "  s=ok; [ -e \"$1/broken\" ] && s=error\n"
        "  printf 'state=%s version=%s\\n' $s \"$(head -n1 \"$1/VERSION\" 2>/dev/null)\" > \"$2.new\"; mv \"$2.new\" \"$2\"\n"
        "}\n"
        "trap 'load \"$1\" \"$2\"' HUP\ntrap 'exit 0' TERM\necho $$ > \"$2.pid\"\nload \"$1\" \"$2\"\n"
        "while :; do sleep 0.02 & wait $!; [ -e \"$1/beats\" ] && load \"$1\" \"$2\"\n"
        "  [ -e \"$1/stumbles\" ] && [ ! -e \"$2.fell\" ] && sleep 0.6 && : > \"$2.fell\" && kill -SEGV $$\n"
        "  [ -e \"$1/sours\" ] && sleep 0.6 && echo state=error > \"$2\"; done\n";

void toy_write_text(const char *path, const char *text)
{
        CHECK(file_write(path, text, strlen(text), NULL) == OK);
}

void device_configure(struct device *device, const char *more)
{
        char text[2048];
        snprintf(text, sizeof(text),
                 "server: http://127.0.0.1:%d\nstate_dir: %s/state\ntrust: %s\n"
                 "attributes: os=test\nbusy_poll_ms: 50\nstreams:\n  - name: rules\n    engine:\n"
                 "      command: [sh, %s, \"{current}\", %s]\n      status_file: %s\n    bake_s: 1\n    crashes_max: 1\n%s",
                 device->toy.port, device->folder, device->folder, device->engine, device->status, device->status, more);
        toy_write_text(device->config, text);
}

void device_start(struct device *device, const char *command, const char *token)
{
        const char *const argv[] = { getenv("FIREBREAK_AGENT"), command, "--config", device->config, token ? "--token" : NULL, token, NULL };
        CHECK(argv[0] && child_start(&(struct child_setup){ argv, -1, -1, device->errors, NULL, NULL, NULL }, &device->agent, NULL) == OK);
}

static bool agent_ended(struct toy *toy, void *user)
{
        (void)toy;
        struct device *device = user;
        struct child_end end;
        if (!child_ended(&device->agent, &end))
                return false;
        CHECK(!end.is_signal && end.code == 0);
        return true;
}

void device_open(struct device *device, const char *more)
{
        *device = (struct device){ .errors = -1 };
        toy_open(&device->toy);
        CHECK(file_temporary(device->folder, NULL) == OK);
        snprintf(device->config, sizeof(device->config), "%s/agent.yaml", device->folder);
        snprintf(device->engine, sizeof(device->engine), "%s/engine.sh", device->folder);
        snprintf(device->status, sizeof(device->status), "%s/status", device->folder);
        toy_write_text(device->engine, toy_engine_text);
        device_configure(device, more);
        toy_write_public(&device->toy, device->folder);
        device_start(device, "enrol", "fbt_test");
        toy_serve(&device->toy, agent_ended, device);
        CHECK(device->toy.device[0]);
}

void device_release(struct device *device)
{
        child_kill(&device->agent);
        if (device->errors >= 0)
                close(device->errors);
        toy_close(&device->toy);
        file_remove_tree(device->folder);
}

void device_stop(struct device *device)
{
        CHECK(child_signal(&device->agent, "TERM"));
        toy_serve(&device->toy, agent_ended, device);
}

static bool has_report(struct toy *toy, void *count)
{
        return toy->report_count >= *(size_t *)count;
}

const struct wire_report *device_report(struct device *device)
{
        size_t count = device->toy.report_count + 1;
        toy_serve(&device->toy, has_report, &count);
        return &device->toy.reports[count - 1];
}

static bool has_called(struct toy *toy, void *count)
{
        return toy->checkins >= *(unsigned *)count;
}

void device_calls(struct device *device, unsigned times)
{
        unsigned count = device->toy.checkins + times;
        toy_serve(&device->toy, has_called, &count);
}

bool device_current_is(const struct device *device, const char *name)
{
        char path[160], target[16] = "";
        snprintf(path, sizeof(path), "%s/state/streams/rules/current", device->folder);
        return readlink(path, target, sizeof(target) - 1) > 0 && strcmp(target, name) == 0;
}

void device_keep_log(struct device *device)
{
        char path[128];
        snprintf(path, sizeof(path), "%s/log", device->folder);
        device->errors = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        CHECK(device->errors >= 0);
}

bool device_has_said(const struct device *device, const char *text)
{
        char path[128];
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 1 << 20);
        snprintf(path, sizeof(path), "%s/log", device->folder);
        return file_read(path, &bytes, NULL) == OK && strstr(buf_text(&bytes), text);
}

bool device_status_is(const struct device *device, const char *text)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 256);
        return file_read(device->status, &bytes, NULL) == OK && strstr(buf_text(&bytes), text);
}

const struct toy_file toy_good[] = { { "VERSION", "4\n" }, { "rules/a.yar", "rule a" }, { NULL, NULL } };
const struct toy_file toy_good_too[] = { { "VERSION", "6\n" }, { NULL, NULL } };
const struct toy_file toy_crashes[] = { { "VERSION", "5\n" }, { "crash", "" }, { NULL, NULL } };

void device_with_4(struct device *device, const char *more)
{
        device_open(device, more);
        device->toy.lease = TOY_EXPOSE;
        toy_publish(&device->toy, 4, toy_good);
        device_start(device, "run", NULL);
        const struct wire_report *report = device_report(device);
        CHECK(strcmp(report->outcome, "proven") == 0 && report->counter == 4 && report->running == 4 && report->seq > 1000000000);
        CHECK(device_current_is(device, "a") && device_status_is(device, "version=4"));
}

void device_config_replace(const struct device *device, const char *from, const char *to)
{
        OWN(buf) struct buf text, with;
        buf_init(&text, 8192);
        buf_init(&with, 8192);
        CHECK(file_read(device->config, &text, NULL) == OK);
        const char *at = strstr(buf_text(&text), from);
        CHECK(at);
        buf_addf(&with, "%.*s%s%s", (int)(at - buf_text(&text)), buf_text(&text), to, at + strlen(from));
        toy_write_text(device->config, buf_text(&with));
}

int device_engine_pid(const struct device *device)
{
        char path[128];
        OWN(buf) struct buf text;
        buf_init(&text, 64);
        snprintf(path, sizeof(path), "%s.pid", device->status);
        return file_read(path, &text, NULL) == OK ? (int)strtol(buf_text(&text), NULL, 10) : 0;
}
