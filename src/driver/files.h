// driver/files.h - files pprof writes: numbered names that are free, whole contents, folders.
// Room: creation and writing; what is written is the caller's. Door: driver/driver.h.
#pragma once

#include "base/base.h"

// Creates dir/PREFIXnnnSUFFIX with the first free number of three digits or more. *path gets the
// name, the descriptor is the caller's. dir empty: the working folder, and no dir in the name.
MUST_USE bool file_create_numbered(struct arena *out, str dir, str prefix, str suffix, str *path,
                                   int *ret_fd, struct err *err);
MUST_USE bool file_write(int fd, str bytes, struct err *err);
// mkdir -p with mode 0755.
MUST_USE bool folder_make(struct arena *scratch, str path, struct err *err);
// $TMPDIR, or /tmp.
str folder_temporary(void);
