// agent/listen.c - opening the socket the endpoint listens on.
// Room: addresses and their sockets. Door: listen_open, at the end.
#include "agent/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 64 }; // more clients than that at once are not profiling

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un file;
};

struct place {
    union any_address at;
    socklen_t len;
};

static bool parse_port(str text, bool is_elsewhere, u16 *ret, struct err *err) {
    u64 port;
    if (!num_parse_u64(text, 10, &port) || port > 65535)
        return err_set(err, ERR_USAGE, 0, "no port number in \"" S_FMT "\"", S_ARG(text));
    *ret = htons(is_elsewhere ? 0 : (u16)port);
    return true;
}

static bool parse_tcp(str address, bool is_elsewhere, struct place *ret, struct err *err) {
    char host[INET6_ADDRSTRLEN + 1];
    ptrdiff_t colon = str_rfind_byte(address, ':');
    str name = colon < 0 ? S("") : str_take(address, (size_t)colon);
    u16 port = 0;
    if (!parse_port(str_skip(address, (size_t)(colon + 1)), is_elsewhere, &port, err)) return false;
    name = str_drop_suffix(str_drop_prefix(name, S("[")), S("]"));
    if (name.len == 0 || str_eq(name, S("localhost"))) name = S("127.0.0.1");
    snprintf(host, sizeof host, S_FMT, S_ARG(name));
    *ret = (struct place){0};
    if (inet_pton(AF_INET, host, &ret->at.v4.sin_addr) == 1) {
        ret->at.v4.sin_family = AF_INET;
        ret->at.v4.sin_port = port;
        ret->len = sizeof ret->at.v4;
    } else if (inet_pton(AF_INET6, host, &ret->at.v6.sin6_addr) == 1) {
        ret->at.v6.sin6_family = AF_INET6;
        ret->at.v6.sin6_port = port;
        ret->len = sizeof ret->at.v6;
    } else {
        return err_set(err, ERR_USAGE, 0,
                       "\"" S_FMT "\" is neither localhost nor a numeric address", S_ARG(name));
    }
    return true;
}

static bool parse_unix(str path, bool is_elsewhere, struct place *ret, struct err *err) {
    struct sockaddr_un *file = &ret->at.file;
    int len;
    *ret = (struct place){.len = sizeof *file};
    file->sun_family = AF_UNIX;
    if (is_elsewhere) {
        ptrdiff_t slash = str_rfind_byte(path, '/');
        str folder = slash < 0 ? S(".") : str_take(path, (size_t)slash);
        len = snprintf(file->sun_path, sizeof file->sun_path, S_FMT "/%d.sock", S_ARG(folder),
                       (int)getpid());
    } else {
        len = snprintf(file->sun_path, sizeof file->sun_path, S_FMT, S_ARG(path));
    }
    if (path.len == 0 || len <= 0 || (size_t)len >= sizeof file->sun_path)
        return err_set(err, ERR_USAGE, 0, "\"" S_FMT "\" cannot be the path of a socket",
                       S_ARG(path));
    return true;
}

// Removes a socket file nobody listens on any more: a process that was killed left it.
static bool remove_stale(const struct place *place) {
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct stat st;
    if (fd < 0 || lstat(place->at.file.sun_path, &st) || !S_ISSOCK(st.st_mode)) return false;
    if (connect(fd, &place->at.any, place->len) == 0 || errno != ECONNREFUSED) return false;
    return unlink(place->at.file.sun_path) == 0;
}

static bool bind_place(int fd, const struct place *place) {
    if (place->at.any.sa_family != AF_UNIX) {
        int yes = 1;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        return bind(fd, &place->at.any, place->len) == 0;
    }
    // The file gets the socket's own mode: only this user may connect.
    fchmod(fd, 0600);
    if (bind(fd, &place->at.any, place->len) == 0) return true;
    if (errno != EADDRINUSE) return false;
    if (remove_stale(place)) return bind(fd, &place->at.any, place->len) == 0;
    errno = EADDRINUSE;
    return false;
}

static void describe(struct listener *ret, int fd) {
    union any_address at;
    socklen_t len = sizeof at;
    char host[INET6_ADDRSTRLEN] = "";
    if (getsockname(fd, &at.any, &len)) return;
    if (at.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &at.v4.sin_addr, host, sizeof host);
        snprintf(ret->address, sizeof ret->address, "%s:%d", host, ntohs(at.v4.sin_port));
    } else if (at.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &at.v6.sin6_addr, host, sizeof host);
        snprintf(ret->address, sizeof ret->address, "[%s]:%d", host, ntohs(at.v6.sin6_port));
    }
}

// "unix:" and the whole path, so that a client in another folder finds it.
static void describe_unix(struct listener *ret, const char *path) {
    char full[ADDRESS_CAP * 4];
    const char *found = realpath(path, full) ? full : path;
    if (strlen(found) + sizeof "unix:" > sizeof ret->address) found = path;
    snprintf(ret->path, sizeof ret->path, "%s", path);
    snprintf(ret->address, sizeof ret->address, "unix:%s", found);
}

static bool open_place(const struct place *place, str address, struct listener *ret,
                       struct err *err) {
    int fd = socket(place->at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return err_sys(err, "no socket for " S_FMT, S_ARG(address));
    if (!bind_place(fd, place) || listen(fd, BACKLOG)) {
        bool is_busy = errno == EADDRINUSE;
        err_sys(err, "listen " S_FMT, S_ARG(address));
        if (is_busy && err) err->code = ERR_BUSY;
        close(fd);
        return false;
    }
    *ret = (struct listener){.fd = fd};
    if (place->at.any.sa_family == AF_UNIX)
        describe_unix(ret, place->at.file.sun_path);
    else
        describe(ret, fd);
    return true;
}

bool listen_open(str address, const struct listen_opts *opts, struct listener *ret,
                 struct err *err) {
    struct place place;
    if (str_starts(address, S("unix:"))) {
        if (!parse_unix(str_drop_prefix(address, S("unix:")), opts->is_elsewhere, &place, err))
            return false;
    } else if (!parse_tcp(address, opts->is_elsewhere, &place, err)) {
        return false;
    }
    return open_place(&place, address, ret, err);
}

void listen_close(struct listener *l) {
    if (l->fd >= 0) close(l->fd);
    if (l->path[0]) unlink(l->path);
    *l = (struct listener){.fd = -1};
}
