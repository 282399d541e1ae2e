/* SHA-256 (FIPS 180-4), for cache keys on paths that must not load a crypto library. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct sha256 {
	uint32_t state[8];
	uint64_t len;
	unsigned char block[64];
};

void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *data, size_t len);
/* Writes 64 lower-case hex digits and a NUL. */
void sha256_hex(struct sha256 *h, char hex[65]);
