--- contentionz 1 ---
format = java
resolution = microseconds
sampling period = 100
ms since reset = 6019923
  1 2 @ 0x10 0x20
 3 4 @ 0x20 0x30

 0x10 a.b (c.java:12)
0x20 x (y)
0x20 zz (q.java:5)
