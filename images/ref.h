/*
 * Image references: NAME[:TAG][@DIGEST], by the grammar and lengths of the OCI distribution spec.
 *
 *   NAME    [HOST[:PORT]/]COMPONENT[/COMPONENT...], at most 255 bytes; a component is lower-case letters
 *           and digits, joined by '.', '_', '__' or any number of '-'
 *   TAG     [A-Za-z0-9_][A-Za-z0-9_.-]{0,127}; "latest" when neither tag nor digest is given
 *   DIGEST  sha256: or sha512: and their 64 or 128 lower-case hex digits
 *
 * A short name stays short: "busybox" is "busybox:latest" in the store. Which registry a short name comes
 * from is for the registry client to say.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define REF_NAME_MAX 255
#define REF_TAG_MAX 128
/* A canonical reference is a file name in the store, so that it may not be longer than one. */
#define REF_MAX 255
#define DIGEST_MAX 135 /* "sha512:" and 128 digits */

struct ref {
	char name[REF_NAME_MAX + 1];
	char tag[REF_TAG_MAX + 1];   /* "" when only a digest was given */
	char digest[DIGEST_MAX + 1]; /* "" when none was given */
};

/* Parses TEXT. 0 or -EINVAL, recorded with what is wrong. */
int ref_parse(const char *text, struct ref *ref);

/*
 * The canonical form that the store keeps: "NAME@DIGEST" when there is a digest (a tag beside it says
 * nothing more), else "NAME:TAG". -ENAMETOOLONG, recorded, when that has more than REF_MAX bytes.
 */
int ref_canonical(const struct ref *ref, char out[REF_MAX + 1]);

/* Both of the above. */
int ref_normalise(const char *text, char out[REF_MAX + 1]);

/*
 * The file name of a canonical reference, and back. '/' becomes '+', which no reference holds, so that
 * both directions are exact and the length stays. ref_from_file checks: -EINVAL for a name that is no
 * canonical reference.
 */
void ref_to_file(const char *canonical, char out[REF_MAX + 1]);
int ref_from_file(const char *file, char out[REF_MAX + 1]);

/* True for ^(sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$ */
bool digest_valid(const char *s);

/* True for exactly N lower-case hex digits. */
bool is_hex(const char *s, size_t n);
