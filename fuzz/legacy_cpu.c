// fuzz/legacy_cpu.c - see formats/cpu.c and legacy_form.h.
#define FORM cpu_decode
#include "legacy_form.h"
