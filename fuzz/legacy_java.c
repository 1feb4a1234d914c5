// fuzz/legacy_java.c - see formats/java.c and legacy_form.h.
#define FORM java_decode
#include "legacy_form.h"
