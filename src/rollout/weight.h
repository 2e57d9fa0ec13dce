/* weight.h - how many exposures one of control stands for, and sums of that (decision 014). Inside rollout/ only. */
#pragma once

#include <math.h>
#include <stdint.h>

/* So many of control, and for how many exposures they stand: their sum, and that of their squares. */
struct weighed { double count, sum, squares; };

static inline struct weighed weighed(double count, double each) { return (struct weighed){ count, count * each, count * each * each }; }
static inline struct weighed weighed_sum(struct weighed a, struct weighed b) { return (struct weighed){ a.count + b.count, a.sum + b.sum, a.squares + b.squares }; }
static inline void weighed_add(struct weighed *sum, double count, double each) { *sum = weighed_sum(*sum, weighed(count, each)); }

/* A lease has a byte for it: eighths of an octave, from 2^-16 to 2^15.9 exposures; what is beyond that is the last of them. */
enum { WEIGHT_STEPS_PER_OCTAVE = 8 };
static inline int8_t weight_to_byte(double exposures) { return (int8_t)fmax(INT8_MIN, fmin(INT8_MAX, round(WEIGHT_STEPS_PER_OCTAVE * log2(exposures)))); }
static inline double weight_of_byte(int8_t byte) { return exp2((double)byte / WEIGHT_STEPS_PER_OCTAVE); }
