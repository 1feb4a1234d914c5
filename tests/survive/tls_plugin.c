// tests/survive/tls_plugin.c - a library with thread-local memory; the test copies it to many
// names. Room: the memory. Initial-exec takes of the little that glibc keeps free for such
// libraries.
char *tls_plugin_touch(void);

__thread char early[32] __attribute__((tls_model("initial-exec")));

char *tls_plugin_touch(void) {
    early[0] = 1;
    return early;
}
