/* plan_json.h - a plan for programs: every number of it. */
#pragma once

#include "cli/plan.h"

struct json;

/* `answer`: what the server said of the fleet. All but its profiles and blocks goes into the document. */
struct json *plan_json(const struct plan *plan, const struct json *answer);
