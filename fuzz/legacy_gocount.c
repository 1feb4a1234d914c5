// fuzz/legacy_gocount.c - see formats/gocount.c and legacy_form.h.
#define FORM gocount_decode
#include "legacy_form.h"
