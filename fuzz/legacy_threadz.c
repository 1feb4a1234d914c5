// fuzz/legacy_threadz.c - see formats/threadz.c and legacy_form.h.
#define FORM threadz_decode
#include "legacy_form.h"
