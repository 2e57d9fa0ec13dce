/* operator.h - the operators' API: who may call it, and its handlers.
 *
 * One key for now, made at first start (admin.key). What people do is written down with the names that they give. */
#pragma once

#include "server/store/call.h"

/* ERR_UNAUTHORIZED: no key, or another. In constant time. */
MUST_CHECK enum err operator_authenticate(const struct call *call, struct why *why);

/* Every handler is one function in a file of its subject; store/store.c has the table. */
call_handler operator_token_new;                                              /* tokens.c */
call_handler operator_publish;                                                /* publish.c */
call_handler operator_metadata;                                               /* metadata.c */
call_handler operator_releases, operator_release;                             /* releases.c */
call_handler operator_approval_add;                                           /* approvals.c */
call_handler operator_fleet;                                                  /* fleet.c */
call_handler operator_evidence_add;                                           /* evidence.c */
call_handler operator_rollout_start, operator_rollouts, operator_rollout, operator_rollout_act;   /* rollouts.c */
call_handler operator_devices, operator_device, operator_device_revoke;       /* devices.c */
call_handler operator_groups, operator_group, operator_group_set;             /* groups.c */
call_handler operator_log_cosign;                                             /* log.c */
call_handler operator_status, operator_ready, operator_metrics;               /* status.c, metrics.c */
