goroutine profile: total 3
2 @ 0x400011 0x400022
#	0x1 foo

010 @ 0x1

MAPPED_LIBRARIES:
build=/path/to
  name = foo
00400000-00452000 r-xp 00000000 08:02 173521      $build/$name (deleted)
00651000-00652000 r--p 00051000 08:02 173521      /usr/bin/dbus
400000-500000: /bin/a (@ff00) abc123
0x500000 0x600000 r-xp /bin/a
I0101 file.cc:12] 700000-800000 r-xp 00000000 08:02 1 /lib/x.so.1
face
ad-ff prog
800000-900000 rwxp 00000000 00:00 0 [heap]
40000-80000 /path/to/binary      (@FF00)            abc123456
  a0000 - b0000 foo
