/* toy_device.h - a device of the agent's own program, with a shell script for an engine, and the toy of a server that it talks to.
 *
 * A test opens one with OWN(device), starts the agent and asks what was reported: real processes, real files, real time. */
#pragma once

#include "agent/toy.h"
#include "platform/child.h"

struct device {
        struct toy toy;
        char folder[64], config[96], engine[96], status[96];
        int errors;                      /* of the agents to come; -1: ours */
        struct child agent;
};

/* What the engine does with the files of a release stands in toy_device.c. */
extern const char toy_engine_text[];
extern const struct toy_file toy_good[], toy_good_too[], toy_crashes[];

/* Enrolled, not started. `more`: further lines of stream `rules` in its configuration. */
void device_open(struct device *device, const char *more);
void device_release(struct device *device);
/* Running release 4, proven and reported. */
void device_with_4(struct device *device, const char *more);

void device_start(struct device *device, const char *command, const char *token);
/* As a service manager does; it ends by itself, with exit code 0. */
void device_stop(struct device *device);
void device_configure(struct device *device, const char *more);
void device_config_replace(const struct device *device, const char *from, const char *to);
/* From here on, what agents say goes to a file. */
void device_keep_log(struct device *device);

/* Serves until one more report is there, or so many calls. */
const struct wire_report *device_report(struct device *device);
void device_calls(struct device *device, unsigned times);

bool device_current_is(const struct device *device, const char *name);
bool device_has_said(const struct device *device, const char *text);
bool device_status_is(const struct device *device, const char *text);
int device_engine_pid(const struct device *device);      /* 0: it names none */

void toy_write_text(const char *path, const char *text);
