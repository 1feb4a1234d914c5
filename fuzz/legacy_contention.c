// fuzz/legacy_contention.c - see formats/contention.c and legacy_form.h.
#define FORM contention_decode
#include "legacy_form.h"
