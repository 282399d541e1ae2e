#include "runtime/listen.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/error.h"
#include "base/fd.h"

/* sun_path is short; the directory's fd keeps the name within it whatever the directory's depth. */
static void address(int dirfd, const char *name, struct sockaddr_un *addr)
{
	*addr = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(addr->sun_path, sizeof(addr->sun_path), "/proc/self/fd/%d/%s", dirfd, name);
}

int socket_listen_at(int dirfd, const char *name)
{
	struct sockaddr_un addr;
	_cleanup_(closep) int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	address(dirfd, name, &addr);
	if (sock < 0 || bind(sock, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(sock, 16) < 0)
		return fail(-errno, "listen on %s", name);
	return take_fd(&sock);
}

int socket_connect_at(int dirfd, const char *name)
{
	struct sockaddr_un addr;
	_cleanup_(closep) int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	address(dirfd, name, &addr);
	if (sock < 0 || connect(sock, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	return take_fd(&sock);
}
