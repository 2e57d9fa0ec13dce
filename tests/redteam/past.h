/* past.h - the metadata that devices keep, and the refresh that changes it: the loop of trust/verdict.h, as agent/refresh.c runs it.
 *
 * Which files the verifier asks for, one after the other, it asks of every device that has the same past and the same facts. So the first goes
 * through the whole loop; the next are given all of these files at once and make the last run of it. Whenever that is not the end, the loop goes on.
 *
 * Where devices may guess, one that differs from an earlier one in its id alone is spared that run, too, if the earlier one was refused, or
 * let in, and the document treats all ids alike: the caller asks again without guessing before anything is installed. One in PAST_SAMPLE does not guess, and must find the same. */
#pragma once

#include "agent/question.h"
#include "redteam/red.h"

struct past {
        struct buf files;                /* records of what was kept */
        unsigned edition;                /* of the release repository's targets; 0: none, or none of the publisher's */
        struct past *next;
};

struct pasts;
struct pasts *pasts_new(const struct red *red);
void pasts_free(struct pasts *pasts);
OWN_DEFINE(pasts, struct pasts *, pasts_free)

/* Of a device that has the pinned roots only. */
struct past *past_first(struct pasts *pasts);

enum { PAST_SAMPLE = 16 };
struct refresh_count { uint64_t requests, runs, bytes; };
/* `question` without files and cohort document. *past becomes what the device keeps then. False: nothing came of it, because a file was not to be had;
 * `is_refused`: that file was the cohort document. */
struct refreshed { struct verdict verdict; bool is_decided, is_refused, is_guessed; };
struct visit { const struct scene *scene; const struct question *question; bool may_guess; };
void past_refresh(struct pasts *pasts, const struct visit *visit, struct past **past, struct refreshed *ret_refreshed, struct refresh_count *count);
