/* tuf_search.h - which role speaks for a target path, and what does it say? TUF 1.0, 5.6.7: delegations in pre-order, each role asked once.
 *
 *      tuf_search_open(tuf, "rules/4", &search, why);               the top-level targets are current
 *      while (tuf_search_state(search) == TUF_SEARCH_WANTS)
 *              tuf_search_give(search, &file, why)                  of the role tuf_search_role(); first the copy that was kept, if any
 *      if (tuf_search_state(search) == TUF_SEARCH_FOUND) tuf_search_found(search)
 *
 * A role's file is the one that the trusted snapshot names, signed by the keys of whoever delegated to it in this search: another
 * delegator's word, or an earlier search's, does not count. */
#pragma once

#include "trust/tuf.h"

struct tuf_search;

enum tuf_search_state { TUF_SEARCH_WANTS, TUF_SEARCH_FOUND, TUF_SEARCH_OVER };       /* over: no such target */

/* Borrows `tuf`, which must not be updated otherwise meanwhile. ERR_REFUSED: its targets are not current. */
MUST_CHECK enum err tuf_search_open(const struct tuf *tuf, const char *path, struct tuf_search **ret_search, struct why *why);
void tuf_search_close(struct tuf_search *search);
OWN_DEFINE(tuf_search, struct tuf_search *, tuf_search_close)

enum tuf_search_state tuf_search_state(const struct tuf_search *search);
/* WANTS: the role's name, and what its file must be. ERR_SYNTAX: the snapshot does not name it; ERR_LIMIT: as too large. */
const char *tuf_search_role(const struct tuf_search *search);
MUST_CHECK enum err tuf_search_wanted(const struct tuf_search *search, struct tuf_want *ret_want, struct why *why);
/* As tuf_update(); a file that fails changes nothing, and another may be given while the state is WANTS. ERR_LIMIT: too many roles. */
MUST_CHECK enum err tuf_search_give(struct tuf_search *search, const struct buf *file, struct why *why);

/* FOUND: borrowed from the search. */
const struct tuf_found *tuf_search_found(const struct tuf_search *search);
