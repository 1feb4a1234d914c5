#!/bin/bash
# Whether every C file is laid out as .clang-format says; `make format` mends it. 77: clang-format is not installed.
cd "$(dirname "$0")/../.." || exit 1
command -v clang-format-14 >/dev/null || exit 77
git ls-files '*.c' '*.h' '*.cc' | xargs clang-format-14 --dry-run -Werror 2>&1 | grep -E 'error:' | sed 's/error: code should be clang-formatted.*/is not laid out: run make format/' | sort -u -t: -k1,1 >&2
[ "${PIPESTATUS[1]}" -eq 0 ]
