/* NAME: a bilevel model as a library, written by blo VERSION. ABI version 1.
 *
 * ABOUT
 *
 * The upper variables x (n = N numbers) and the lower variables y (m = M numbers) are flat vectors, row-major:
 *
LAYOUT
 * Both objectives are minimised: one that the model maximises comes with the other sign, except in NAME_solution.
 * All state is in handles. A handle works for one caller at a time and makes others wait; several handles work at the same time.
 * Functions return NAME_OK or another code, for which NAME_message has words. Vectors that are written must not overlap others.
 */
#ifndef NAME_H
#define NAME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NAME_UPPER_LEN N
#define NAME_LOWER_LEN M
#define NAME_REPORTS_LEN REPORTS

/* What functions return. */
enum {
  NAME_OK = 0,       /* it is done */
  NAME_ARGUMENT = 1, /* an argument is wrong */
  NAME_ABSENT = 2,   /* the model does not have it, or it was not compiled */
  NAME_UNUSABLE = 3, /* the library cannot be used on this machine */
  NAME_FAULT = 4     /* a fault of blo */
};

/* What a point is worth. */
enum {
  NAME_UNKNOWN = -1,
  NAME_NOT_SOLVED = 0, /* the lower level is not solved, or a constraint violated */
  NAME_FEASIBLE = 1,   /* the lower level is solved */
  NAME_STATIONARY = 2, /* and the upper one stationary */
  NAME_OPTIMAL = 3     /* and proved best */
};

typedef struct NAME NAME;

/* The version of these functions: 1. */
uint32_t NAME_abi(void);
/* Makes a handle; where that fails, `why` (of `room` bytes, or null) says why. Close it with NAME_close. */
int32_t NAME_open(NAME **handle, char *why, size_t room);
/* Frees a handle; nothing happens for null. */
void NAME_close(NAME *handle);
/* The words for the last failure of a handle, cut to `room` bytes. */
void NAME_message(const NAME *handle, char *text, size_t room);
/* What the model is, in JSON; lives as long as the handle. */
const char *NAME_manifest(const NAME *handle);

/* Lengths of x, y, the reports, and the rows of constraints. */
size_t NAME_upper_len(const NAME *handle);
size_t NAME_lower_len(const NAME *handle);
size_t NAME_reports_len(const NAME *handle);
size_t NAME_upper_rows(const NAME *handle);
size_t NAME_lower_rows(const NAME *handle);

/* Gives data other values: `len` numbers, as many as they have, row by row. They stay until they are given others. NAME.json says
 * which data there are, with their shapes; which have any number of rows (`samples`; arrays of one dimension must have equally many
 * before the next call of another function); and which are `fixed`, and why. */
int32_t NAME_set_data(const NAME *handle, const char *name, const double *values, size_t len);

/* The model's start: x (n), y (m). */
int32_t NAME_start(const NAME *handle, double *x, double *y);
/* Moves x (n) or y (m) to the nearest point of its domains. */
int32_t NAME_project_upper(const NAME *handle, double *x);
int32_t NAME_project_lower(const NAME *handle, double *y);

/* The upper objective F: its value (1); with gradients gx (n), gy (m); hv (m) = d2F/dydy v and xv (n) = d2F/dxdy v. */
int32_t NAME_upper_value(const NAME *handle, const double *x, const double *y, double *value);
int32_t NAME_upper_gradients(const NAME *handle, const double *x, const double *y, double *value, double *gx, double *gy);
int32_t NAME_upper_second_order(const NAME *handle, const double *x, const double *y, const double *v, double *hv, double *xv);

/* The lower objective f, as above; NAME_lower_gradient is that by y alone, and yu (m) = d2f/dydx u for u (n). */
int32_t NAME_lower_value(const NAME *handle, const double *x, const double *y, double *value);
int32_t NAME_lower_gradient(const NAME *handle, const double *x, const double *y, double *value, double *gy);
int32_t NAME_lower_gradients(const NAME *handle, const double *x, const double *y, double *value, double *gx, double *gy);
int32_t NAME_lower_hessian(const NAME *handle, const double *x, const double *y, const double *v, double *hv);
int32_t NAME_lower_second_order(const NAME *handle, const double *x, const double *y, const double *v, double *hv, double *xv);
int32_t NAME_lower_cross(const NAME *handle, const double *x, const double *y, const double *u, double *yu);

/* The reported numbers. */
int32_t NAME_reports(const NAME *handle, const double *x, const double *y, double *values);

/* Rows of constraints, at most 0 (0 for equalities); and J' w with J the Jacobian of the lower ones by y. Compiled where the method
 * works on constraints (kkt, tree, ...). */
int32_t NAME_upper_constraints(const NAME *handle, const double *x, const double *y, double *rows);
int32_t NAME_lower_constraints(const NAME *handle, const double *x, const double *y, double *rows);
int32_t NAME_lower_constraints_transposed(const NAME *handle, const double *x, const double *y, const double *w, double *out);

/* How to solve. Zeroes, but for the size, mean: as compiled. */
typedef struct {
  size_t size;               /* sizeof(NAME_options) */
  const double *x;           /* where to begin (n), or null: the model's start */
  const double *y;           /* where to begin (m), or null */
  double time_limit;         /* seconds, or 0 for none */
  size_t count;              /* how many options of the method are given */
  const char *const *names;  /* their names */
  const double *values;      /* their values */
} NAME_options;

/* What was found. Set the size and the pointers; any pointer may be null. */
typedef struct {
  size_t size;               /* sizeof(NAME_solution) */
  double *x;                 /* the upper variables (n) */
  double *y;                 /* the lower variables (m) */
  double *reports;           /* the reported numbers */
  char *verdict;             /* a sentence about the point */
  size_t verdict_room;       /* bytes for it */
  char termination[32];      /* why the run ended, in a word */
  int32_t status;            /* NAME_FEASIBLE, ... */
  int32_t feasible;          /* whether the independent check lets the point pass */
  uint64_t iterations;       /* outer iterations */
  uint64_t evaluations;      /* evaluations by the method */
  double upper_objective;    /* in the model's sign */
  double lower_objective;    /* in the model's sign; NaN without a lower level */
  double lower_gap;          /* how far the lower objective is from the best the check found */
  double lower_stationarity; /* length of the projected gradient of the lower level */
  double hypergradient_norm; /* length of the projected hypergradient; NaN where there is none */
  double violation;          /* largest violation of a constraint; NaN without any */
} NAME_solution;

/* Solves the model with METHOD. `options` may be null. */
int32_t NAME_solve(const NAME *handle, const NAME_options *options, NAME_solution *out);

#ifdef __cplusplus
}
#endif

#endif
