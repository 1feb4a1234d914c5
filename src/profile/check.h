// profile/check.h - the part of profile_check that looks at the tables only.
// Room: private to profile/: the decoder has checked its samples on the way. Door: check_tables().
#pragma once

#include "profile/model.h"

MUST_USE bool check_tables(const struct profile *p, struct err *err);
