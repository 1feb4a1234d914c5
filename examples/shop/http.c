// examples/shop/http.c - as much HTTP/1.1 as a shop needs: requests without bodies, kept
// connections.
// Room: bytes on a connection. What an answer says is shop.c's. Door: shop.h.
#include "shop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>

// Receives until the held bytes contain a whole head; gives its length, 0 when none comes.
static size_t receive_head(struct connection *c) {
    for (;;) {
        char *end = memmem(c->held, c->n_held, "\r\n\r\n", 4);
        if (end) return (size_t)(end - c->held) + 4;
        if (c->n_held == sizeof c->held) return 0;
        ssize_t n = recv(c->fd, c->held + c->n_held, sizeof c->held - c->n_held, 0);
        if (n <= 0) return 0;
        c->n_held += (size_t)n;
    }
}

static bool parse_head(char *head, struct request *ret) {
    char version[16];
    if (sscanf(head, "%7s %2047s %15s", ret->method, ret->target, version) != 3) return false;
    if (strncmp(version, "HTTP/1.", 7) != 0 || ret->target[0] != '/') return false;
    ret->is_keep_alive = strcmp(version, "HTTP/1.1") == 0;
    for (char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, "connection:", 11) != 0) continue;
        ret->is_keep_alive = strncasecmp(line + 13 + strspn(line + 13, " "), "close", 5) != 0;
    }
    return true;
}

bool http_read(struct connection *c, struct request *ret) {
    size_t head_len = receive_head(c);
    if (!head_len) return false;
    char head[MAX_REQUEST];
    memcpy(head, c->held, head_len - 2);
    head[head_len - 2] = '\0';
    memmove(c->held, c->held + head_len, c->n_held - head_len);
    c->n_held -= head_len;
    return parse_head(head, ret);
}

static bool send_all(int fd, const char *bytes, size_t len) {
    while (len) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

bool http_answer(struct connection *c, int status, const struct body *b, bool is_keep_alive) {
    char etag[65];
    sha256_hex(b->text, b->len, etag);
    struct body whole = {0};
    body_printf(&whole,
                "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                "ETag: \"%s\"\r\nConnection: %s\r\n\r\n",
                status, status == 200 ? "OK" : "Not Found", b->len, etag,
                is_keep_alive ? "keep-alive" : "close");
    body_put(&whole, b->text, b->len);
    bool is_sent = send_all(c->fd, whole.text, whole.len);
    free(whole.text);
    return is_sent;
}

bool http_parameter(const char *target, const char *name, char *value, size_t size) {
    size_t name_len = strlen(name);
    const char *at = strchr(target, '?');
    while (at) {
        at++;
        size_t len = strcspn(at, "&");
        if (len > name_len && strncmp(at, name, name_len) == 0 && at[name_len] == '=') {
            url_decode(at + name_len + 1, len - name_len - 1, value, size);
            return true;
        }
        at = strchr(at, '&');
    }
    return false;
}
