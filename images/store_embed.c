#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/proc.h"
#include "images/store_internal.h"

#define EMBEDDED "busybox:latest"

int store_embed(const struct store *s, const char *helper, const char *tar)
{
	char id[ID_LEN + 1];
	int r = ref_read(s, EMBEDDED, id);
	struct stat st;

	if (r != -ENOENT)
		return r;
	if (stat(tar, &st) < 0)
		return fail(-errno, "the built-in image %s", tar);
	/* A fixed time, so that two who do this at once make one image. */
	char created[24];
	snprintf(created, sizeof(created), "%lld", (long long)st.st_mtime);
	const char *const argv[] = {helper,
				    "import",
				    "--quiet",
				    "--root",
				    s->path,
				    "--created",
				    created,
				    "--message",
				    "the image built into ctr",
				    "--change",
				    "CMD [\"sh\"]",
				    "--change",
				    "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
				    tar,
				    EMBEDDED,
				    NULL};
	int status;
	r = proc_run((char *const *)(uintptr_t)argv, &status);
	if (r < 0)
		return r;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && (WEXITSTATUS(status) == 126 || WEXITSTATUS(status) == 127))
		return refuse(-ENOENT, "%s, which imports the built-in image, cannot be run", helper);
	return refuse(-EIO, "the built-in image " EMBEDDED " could not be imported from %s", tar);
}
