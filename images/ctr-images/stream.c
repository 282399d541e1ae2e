#include "images/ctr-images/stream.h"

#include <openssl/evp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/error.h"
#include "base/fd.h"
#include "images/ctr-images/stream_private.h"

/* 2 MiB ahead: enough to keep both threads busy, small enough for the second cache. */
#define BLOCK_SIZE (128u << 10)
#define BLOCKS 16
/* A tar archive ends in at least one block of zeros. */
#define TAIL 512

struct stream {
	struct stream_limits limits;
	int fd, stop_fd;
	bool started;
	pthread_t thread;

	/* The thread's: compressed input. */
	char *in;
	size_t in_pos, in_len;
	EVP_MD_CTX *packed_hash;
	uint64_t packed_bytes; /* atomic: the progress bar reads it */
	uint64_t put_bytes;

	/* Shared, under LOCK: blocks [tail, head) are full. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char *blocks;
	size_t lengths[BLOCKS];
	unsigned int head, tail;
	bool done, stop;
	int err;
	char error[256];

	/* The reader's. */
	const struct decoder *decoder;
	bool holding; /* block tail is what stream_next gave last */
	EVP_MD_CTX *hash;
	uint64_t bytes;
	size_t zeros; /* at the end, of what was read so far; counted up to TAIL */
};

int stream_fail(struct stream *s, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->error, sizeof(s->error), fmt, ap);
	va_end(ap);
	return err;
}

/* read(2) that gives up when the reader has gone, and hashes when the input is compressed. */
ssize_t stream_read(struct stream *s, char *buf, size_t size)
{
	struct pollfd p[] = {{.fd = s->fd, .events = POLLIN}, {.fd = s->stop_fd, .events = POLLIN}};
	ssize_t n;

	do {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return stream_fail(s, -errno, "wait for the archive: %s", strerror(errno));
		if (p[1].revents)
			return -ECANCELED;
		n = read(s->fd, buf, size);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0)
		return stream_fail(s, -errno, "read the archive: %s", strerror(errno));
	if (s->packed_hash)
		EVP_DigestUpdate(s->packed_hash, buf, (size_t)n);
	__atomic_fetch_add(&s->packed_bytes, (uint64_t)n, __ATOMIC_RELAXED);
	return n;
}

ssize_t stream_peek(struct stream *s, const char **data)
{
	if (s->in_pos == s->in_len) {
		ssize_t n = stream_read(s, s->in, BLOCK_SIZE);

		if (n <= 0)
			return n;
		s->in_pos = 0;
		s->in_len = (size_t)n;
	}
	*data = s->in + s->in_pos;
	return (ssize_t)(s->in_len - s->in_pos);
}

void stream_skip(struct stream *s, size_t n)
{
	s->in_pos += n;
}

int stream_room(struct stream *s, char **block, size_t *size)
{
	pthread_mutex_lock(&s->lock);
	while (s->head - s->tail == BLOCKS && !s->stop)
		pthread_cond_wait(&s->changed, &s->lock);
	bool stop = s->stop;
	pthread_mutex_unlock(&s->lock);
	*block = s->blocks + (size_t)(s->head % BLOCKS) * BLOCK_SIZE;
	*size = BLOCK_SIZE;
	return stop ? -ECANCELED : 0;
}

static int check_limits(struct stream *s)
{
	uint64_t packed = __atomic_load_n(&s->packed_bytes, __ATOMIC_RELAXED);

	if (s->limits.max_bytes && s->put_bytes > s->limits.max_bytes)
		return stream_fail(s, -EFBIG, "the archive has more than %llu bytes uncompressed, the limit",
				   (unsigned long long)s->limits.max_bytes);
	if (s->limits.max_ratio && s->put_bytes > STREAM_RATIO_FROM && s->put_bytes / s->limits.max_ratio > packed)
		return stream_fail(s, -EFBIG, "the archive grows more than %u times when it is uncompressed, the limit",
				   s->limits.max_ratio);
	return 0;
}

int stream_put(struct stream *s, size_t n)
{
	if (n == 0)
		return 0;
	s->put_bytes += n;
	int r = check_limits(s);
	if (r < 0)
		return r;
	pthread_mutex_lock(&s->lock);
	s->lengths[s->head % BLOCKS] = n;
	s->head++;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return 0;
}

static void *run(void *arg)
{
	struct stream *s = arg;
	int r = s->decoder->run(s);

	pthread_mutex_lock(&s->lock);
	s->err = r;
	s->done = true;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* Reads enough to tell the compression, in the caller's thread. */
static int read_magic(struct stream *s)
{
	while (s->in_len < 6) {
		ssize_t n = stream_read(s, s->in + s->in_len, BLOCK_SIZE - s->in_len);

		if (n < 0)
			return refuse((int)n, "%s", s->error);
		if (n == 0)
			break;
		s->in_len += (size_t)n;
	}
	if (s->in_len == 0)
		return refuse(-EINVAL, "the archive is empty");
	s->decoder = decoder_find(s->in, s->in_len);
	return 0;
}

static EVP_MD_CTX *new_hash(void)
{
	EVP_MD_CTX *h = EVP_MD_CTX_new();

	if (h && EVP_DigestInit_ex(h, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(h);
		h = NULL;
	}
	return h;
}

static int start(struct stream *s)
{
	sigset_t all, old;

	s->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (s->stop_fd < 0)
		return fail(-errno, "make an eventfd");
	s->hash = new_hash();
	s->packed_hash = new_hash();
	if (!s->hash || !s->packed_hash)
		return refuse(-ENOSYS, "the crypto library has no sha256");
	int r = read_magic(s);
	if (r < 0)
		return r;

	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&s->thread, NULL, run, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r != 0)
		return fail(-r, "start a thread");
	s->started = true;
	return 0;
}

int stream_open(int fd, const struct stream_limits *limits, struct stream **out)
{
	struct stream *s = xcalloc(1, sizeof(*s));

	s->limits = *limits;
	s->fd = fd;
	s->stop_fd = -EBADF;
	s->in = xmalloc(BLOCK_SIZE);
	s->blocks = xmalloc((size_t)BLOCKS * BLOCK_SIZE);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	int r = start(s);
	if (r < 0) {
		stream_close(s);
		return r;
	}
	*out = s;
	return 0;
}

/* The zeros at the end of what was read, LEN bytes at P being the last of it. */
static void count_zeros(struct stream *s, const char *p, size_t len)
{
	size_t n = 0, most = len < TAIL ? len : TAIL;

	while (n < most && p[len - 1 - n] == 0)
		n++;
	s->zeros = n == len ? s->zeros + n : n;
	if (s->zeros > TAIL)
		s->zeros = TAIL;
}

ssize_t stream_next(struct stream *s, const void **data)
{
	pthread_mutex_lock(&s->lock);
	if (s->holding) {
		s->tail++;
		s->holding = false;
		pthread_cond_signal(&s->changed);
	}
	while (s->head == s->tail && !s->done)
		pthread_cond_wait(&s->changed, &s->lock);
	bool ended = s->head == s->tail;
	pthread_mutex_unlock(&s->lock);

	if (ended)
		return s->err < 0 ? refuse(s->err, "%s", s->error) : 0;
	s->holding = true;
	const char *p = s->blocks + (size_t)(s->tail % BLOCKS) * BLOCK_SIZE;
	size_t n = s->lengths[s->tail % BLOCKS];
	EVP_DigestUpdate(s->hash, p, n);
	s->bytes += n;
	count_zeros(s, p, n);
	*data = p;
	return (ssize_t)n;
}

static void put_hex(EVP_MD_CTX *hash, char hex[65])
{
	unsigned char md[EVP_MAX_MD_SIZE];

	EVP_DigestFinal_ex(hash, md, NULL);
	for (size_t i = 0; i < 32; i++)
		snprintf(hex + i * 2, 3, "%02x", md[i]);
}

int stream_finish(struct stream *s, struct stream_sums *sums)
{
	const void *data;
	ssize_t n;

	while ((n = stream_next(s, &data)) > 0)
		;
	if (n < 0)
		return (int)n;
	put_hex(s->hash, sums->digest);
	put_hex(s->packed_hash, sums->packed_digest);
	sums->bytes = s->bytes;
	sums->packed_bytes = s->packed_bytes;
	return 0;
}

uint64_t stream_position(const struct stream *s)
{
	return __atomic_load_n(&s->packed_bytes, __ATOMIC_RELAXED);
}

bool stream_ends_in_zeros(const struct stream *s)
{
	return s->zeros == TAIL;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	if (s->started) {
		uint64_t one = 1;

		pthread_mutex_lock(&s->lock);
		s->stop = true;
		pthread_cond_signal(&s->changed);
		pthread_mutex_unlock(&s->lock);
		if (write(s->stop_fd, &one, sizeof(one)) == sizeof(one))
			pthread_join(s->thread, NULL);
	}
	closep(&s->stop_fd);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->changed);
	EVP_MD_CTX_free(s->hash);
	EVP_MD_CTX_free(s->packed_hash);
	free(s->in);
	free(s->blocks);
	free(s);
}
