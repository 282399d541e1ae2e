/* Sockets in a state directory. Only paths, never abstract names; reached by the directory's fd. */
#pragma once

/* A listening SOCK_SEQPACKET socket at NAME in DIRFD (0600), or negative errno, recorded. */
int socket_listen_at(int dirfd, const char *name);
/* A connection to it; negative errno, nothing recorded. */
int socket_connect_at(int dirfd, const char *name);
