/* probing.h - the probes of a stream: in turn while a release is on trial, and once before it, so that they know what was.
 *
 * Invariant: a release is proven only when each probe has passed on it and none has failed since. */
#pragma once

#include "agent/before.h"
#include "agent/probe.h"

struct stream;

struct probing {
        struct probe probe;              /* the one that runs */
        size_t next, passed;
        unsigned failures;               /* of the next one, in a row */
        int64_t at_ms;
        struct before before, taking;    /* taking: until each has said its word */
        size_t next_before;
        int64_t before_ms;               /* when they were asked last; 0: not for this candidate */
};

/* Before the lease: `probing_is_ready` once each probe that compares has said what it sees now, and not long ago. */
bool probing_is_ready(const struct stream *stream, int64_t now_ms);
void probing_prepare(struct stream *stream, int64_t now_ms);
/* A trial goes on after a restart. */
void probing_open(struct stream *stream);

void probing_begin(struct stream *stream);
void probing_loaded(struct stream *stream, int64_t now_ms);
/* Harms the release if it has to. */
void probing_tick(struct stream *stream, int64_t now_ms);
bool probing_is_done(const struct stream *stream);
int64_t probing_wake_ms(const struct stream *stream);
/* To what runs; for when probe_file() can be read. */
void probing_listen(struct stream *stream);
