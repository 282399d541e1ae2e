/*
 * The engine's containers.
 *
 *   ROOT/containers/ID/config.json  the OCI spec; an OFD lock on it is held by whoever makes, runs or
 *                                   removes the container
 *   ROOT/containers/ID/record.json  what was asked for; written once, last
 *   ROOT/containers/ID/exit.json    how the last run ended; missing before the first end
 *   ROOT/containers/ID/upper, work  the writable layer
 *   ROOT/containers/ID/log, log.1   what it wrote, in the Kubernetes form
 *   ROOT/names/NAME                 a symlink whose text is the id of the container with that name
 *   STATE/containers/ID/            while it runs: state.json, the monitor's socket, hosts, hostname
 *
 * The monitor holds the lock as long as it lives, and the kernel gives it back however it dies. So: lock
 * held, and a state: it runs. Lock free but a state there: the monitor was killed; record_open then ends
 * what is left, writes exit.json and removes the state. A record.json that is missing while the lock is
 * free: the maker was killed; `system check` and a claim of the same name clear it away.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "runtime/state.h"

#define RECORD_FILE "record.json"
#define RECORD_LOCK STATE_CONFIG
#define RECORD_EXIT "exit.json"
#define RECORD_LOG "log"
#define RECORD_LOG_OLD "log.1"
#define RECORD_SOCKET "attach.sock"
#define RECORD_HOSTS "hosts"
#define RECORD_HOSTNAME "hostname"

struct exit_info {
	bool known; /* it ended at least once */
	int code;
	bool oom_killed;
	char started[36], finished[36]; /* RFC 3339 */
	char *error;                    /* why it could not start or how it was lost; NULL. Owned */
};

struct record {
	char *id, *name, *image, *image_id; /* image: NULL with rootfs */
	char *rootfs;                       /* --rootfs directory, NULL with an image */
	char *created, *stop_signal, *network, *cgroup;
	char *hosts, *hostname; /* text of /etc/hosts and /etc/hostname, made anew at each start; NULL: none */
	char *user_range;       /* --userns auto: its slot in ROOT/userns */
	struct strv command, layers, labels; /* labels: "key=value" */
	struct strv ports, mounts;           /* for lists: "SOURCE:DESTINATION" */
	bool remove, tty, interactive, log_none;
	uint64_t stop_timeout_s, log_max;
	struct json_doc doc; /* record.json as it is, for inspect */
};

/* A container found: where it is and how it is. */
struct found {
	int dir;       /* ROOT/containers/ID */
	int state_dir; /* STATE/containers/ID, -EBADF when it does not run */
	struct record record;
	struct state state; /* when state_dir >= 0 */
	struct exit_info exit;
	enum status status; /* STATUS_CREATED: never started; STATUS_STOPPED: has ended */
};

/* The two roots that every call needs. */
struct engine {
	const char *root, *state; /* /var/lib/ctr, /run/ctr */
};

/* --- making --------------------------------------------------------------------------------------- */

/* A new random id of 64 hex digits. */
int record_new_id(char id[65]);

/* Makes ROOT/containers/ID, locked by the returned *LOCK fd. A directory fd. */
int record_create(const struct engine *e, const char *id, int *lock);

/* Claims NAME for ID; -EEXIST, recorded with the holder. A name is [A-Za-z0-9][A-Za-z0-9_.-]*. */
int record_claim_name(const struct engine *e, const char *name, const char *id);
/* A free name like "brisk_turing"; claimed. Caller frees; NULL, recorded, on failure. */
char *record_generate_name(const struct engine *e, const char *id);

/* Writes record.json (durably unless the container goes with its end). */
int record_write(int dir, const struct record *r);
int record_load(int dir, struct record *r);
void record_free(struct record *r);

/* --- finding -------------------------------------------------------------------------------------- */

/*
 * Finds a container by name, id, or unique prefix of an id, and reads all of it. One whose monitor was
 * killed is put in order first (and, with --rm, removed: then -ENOENT). Records the failure.
 */
int record_open(const struct engine *e, const char *name, struct found *f);
void found_close(struct found *f);

/* Every container's id (directories with a record), unsorted. */
int record_list(const struct engine *e, struct strv *ids);

/* Takes the lock of a container that does not run; -EBUSY, recorded, when it does. *LOCK is the fd. */
int record_lock(const struct found *f, int *lock);

/* True when somebody holds the lock of the container in DIR. */
bool record_locked(int dir);

/* --- ending --------------------------------------------------------------------------------------- */

int record_write_exit(int dir, const struct exit_info *x, bool durable);
/* No exit.json is a success with x->known false. */
int record_read_exit(int dir, struct exit_info *x);

/* Removes the container and its name; the caller holds the lock or knows that none is held. */
int record_remove(const struct engine *e, const struct record *r);
/* The same for a directory that never got a record. */
int record_remove_dir(const struct engine *e, const char *id);

/* Gives a range of --userns auto back. */
void record_release_range(const struct engine *e, const char *slot, const char *id);

/* STATE/containers as a path; caller frees. */
char *record_state_root(const struct engine *e);

/* Private to record*.c: ROOT/NAME as an fd, made when CREATE; and the lock. */
int record_open_dir(const char *root, const char *name, bool create);
int record_lock_file(int dir, bool create);
/* The id that holds NAME in the names directory; caller frees. */
int record_name_holder(int names, const char *name, char **id);
int record_check_name(const char *name);
