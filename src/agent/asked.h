/* asked.h - what engines ask, as bytes; and what the process that listens to them and the supervisor say to each other. */
#pragma once

#include "agent/breaker.h"

#include <stddef.h>

enum {
        ASKED_ACTION_MAX = 32, ASKED_PATH_MAX = 4096,
        ASKED_BYTES_MAX = ASKED_ACTION_MAX + 1 + ASKED_PATH_MAX,
        ASKED_VERSION = 1,
};

/* A question: a word of a-z, _ and -; a NUL; an absolute path without NUL. False: it is none. */
struct asked_question { char action[ASKED_ACTION_MAX + 1], path[ASKED_PATH_MAX + 1]; };
bool asked_read(const void *bytes, size_t length, struct asked_question *ret_question);
/* The question that no engine asks: how often it was asked, by whoever may. The word alone, with its NUL. */
extern const char asked_counts[7];
bool asked_is_counts(const void *bytes, size_t length);

/* To the supervisor: a question, or a line for its log. */
enum asked_kind { ASKED_QUESTION, ASKED_NOTE, ASKED_KINDS };
struct asked_message {
        uint8_t version, kind, file, unused;     /* enum asked_kind, enum breaker_file */
        struct asked_question question;          /* of a note: its text is the path */
};
/* What was received is one of ours, its texts ended. */
bool asked_is_sound(struct asked_message *message, size_t length);

/* Back: one for each question. */
struct asked_answer { uint8_t version, is_allowed; char reason[BREAKER_REASON_BYTES]; };
