// fuzz/legacy_heap.c - see formats/heap.c and legacy_form.h.
#define FORM heap_decode
#include "legacy_form.h"
