#include "images/ref.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/str.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_letter(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

bool is_hex(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_digit(s[i]) && !(s[i] >= 'a' && s[i] <= 'f'))
			return false;
	return s[n] == '\0';
}

bool digest_valid(const char *s)
{
	const char *hex = after_prefix(s, "sha256:");
	if (hex)
		return is_hex(hex, 64);
	hex = after_prefix(s, "sha512:");
	return hex && is_hex(hex, 128);
}

/* The length of the separator at S: one of '.', '_', '__', or a run of '-'; 0 for none. */
static size_t separator(const char *s)
{
	if (*s == '-')
		return strspn(s, "-");
	if (s[0] == '_' && s[1] == '_')
		return 2;
	return *s == '.' || *s == '_';
}

/* What is wrong with the path component S of N bytes, or NULL. */
static const char *bad_component(const char *s, size_t n)
{
	const char *end = s + n;

	if (n == 0)
		return "a component of the name is empty";
	for (bool word = false; s < end; word = true) {
		const char *from = s;

		while (s < end && (is_lower(*s) || is_digit(*s)))
			s++;
		if (s < end && is_letter(*s))
			return "the name must be lower case";
		if (s == from)
			return word ? "a component of the name ends with a separator, or has two of them in a row"
				    : "a component of the name must begin with a letter or digit";
		if (s == end)
			return NULL;
		size_t sep = separator(s);
		if (sep == 0)
			return "the name may hold lower-case letters, digits, '.', '_', '-' and '/' only";
		s += sep;
		if (s >= end)
			break;
	}
	return "a component of the name ends with a separator, or has two of them in a row";
}

/* What is wrong with the registry host (and port) S of N bytes, or NULL. */
static const char *bad_host(const char *s, size_t n)
{
	const char *end = s + n;

	if (*s == '[') { /* an IPv6 address */
		s++;
		const char *from = s;
		while (s < end && (is_digit(*s) || (*s >= 'a' && *s <= 'f') || (*s >= 'A' && *s <= 'F') || *s == ':'))
			s++;
		if (s == from || s == end || *s++ != ']')
			return "the registry's IPv6 address is malformed";
	} else {
		char before = '.';
		for (; s < end && *s != ':'; before = *s++) {
			bool edge = before == '.' || s + 1 == end || s[1] == '.' || s[1] == ':';
			if (!is_letter(*s) && !is_digit(*s) && (edge || (*s != '-' && *s != '.')))
				return "the registry's host name is malformed";
		}
		if (before == '.')
			return "the registry's host name is malformed";
	}
	if (s == end)
		return NULL;
	if (*s++ != ':' || s == end || end - s > 5)
		return "the registry's port is malformed";
	for (; s < end; s++)
		if (!is_digit(*s))
			return "the registry's port is malformed";
	return NULL;
}

/* True when the first component S of N bytes, which another one follows, names a registry. */
static bool is_host(const char *s, size_t n)
{
	if (n == strlen("localhost") && strncmp(s, "localhost", n) == 0)
		return true;
	for (size_t i = 0; i < n; i++)
		if (s[i] == '.' || s[i] == ':' || s[i] == '[' || (s[i] >= 'A' && s[i] <= 'Z'))
			return true;
	return false;
}

static const char *bad_name(const char *s)
{
	const char *slash = strchr(s, '/');

	if (slash && is_host(s, (size_t)(slash - s))) {
		const char *problem = bad_host(s, (size_t)(slash - s));
		if (problem)
			return problem;
		s = slash + 1;
	}
	for (;;) {
		const char *end = strchrnul(s, '/');
		const char *problem = bad_component(s, (size_t)(end - s));

		if (problem || !*end)
			return problem;
		s = end + 1;
	}
}

static const char *bad_tag(const char *s)
{
	if (strlen(s) > REF_TAG_MAX)
		return "the tag has more than 128 characters";
	if (!is_letter(*s) && !is_digit(*s) && *s != '_')
		return "the tag must begin with a letter, a digit or '_'";
	for (; *s; s++)
		if (!is_letter(*s) && !is_digit(*s) && *s != '_' && *s != '.' && *s != '-')
			return "the tag may hold letters, digits, '_', '.' and '-' only";
	return NULL;
}

/* Cuts TEXT into the three parts; what does not fit is a problem by itself. */
static const char *split(const char *text, struct ref *ref)
{
	const char *at = strchrnul(text, '@');
	const char *colon = NULL;

	for (const char *p = text; p < at; p++)
		colon = *p == ':' ? p : *p == '/' ? NULL : colon;
	const char *name_end = colon ? colon : at;
	if (name_end == text)
		return "the name is missing";
	if (name_end - text > REF_NAME_MAX)
		return "the name has more than 255 characters";
	memcpy(ref->name, text, (size_t)(name_end - text));

	if (colon) {
		if (at - colon - 1 > REF_TAG_MAX)
			return "the tag has more than 128 characters";
		memcpy(ref->tag, colon + 1, (size_t)(at - colon - 1));
		if (!ref->tag[0])
			return "the tag after ':' is missing";
	}
	if (*at) {
		if (!digest_valid(at + 1))
			return "the digest must be sha256: and 64, or sha512: and 128, lower-case hex digits";
		strcpy(ref->digest, at + 1);
	}
	return NULL;
}

int ref_parse(const char *text, struct ref *ref)
{
	*ref = (struct ref){0};
	const char *problem = split(text, ref);

	if (!problem)
		problem = bad_name(ref->name);
	if (!problem && ref->tag[0])
		problem = bad_tag(ref->tag);
	if (!problem && is_hex(ref->name, 64))
		problem = "a name of 64 hex digits would be an image's id";
	if (problem)
		return refuse(-EINVAL, "image reference '%.300s' is not valid: %s", text, problem);
	if (!ref->tag[0] && !ref->digest[0])
		strcpy(ref->tag, "latest");
	return 0;
}

int ref_canonical(const struct ref *ref, char out[REF_MAX + 1])
{
	int n = snprintf(out, REF_MAX + 1, "%s%s%s", ref->name, ref->digest[0] ? "@" : ":",
			 ref->digest[0] ? ref->digest : ref->tag);

	if (n > REF_MAX)
		return refuse(-ENAMETOOLONG, "image reference '%.60s...' has %d characters; the store takes %d",
			      ref->name, n, REF_MAX);
	return 0;
}

int ref_normalise(const char *text, char out[REF_MAX + 1])
{
	struct ref ref;
	int r = ref_parse(text, &ref);

	return r < 0 ? r : ref_canonical(&ref, out);
}

static void translate(const char *in, char *out, char from, char to)
{
	size_t i = 0;

	for (; i < REF_MAX && in[i]; i++) {
		out[i] = in[i];
		if (out[i] == from)
			out[i] = to;
	}
	out[i] = '\0';
}

void ref_to_file(const char *canonical, char out[REF_MAX + 1])
{
	translate(canonical, out, '/', '+');
}

int ref_from_file(const char *file, char out[REF_MAX + 1])
{
	struct ref ref;
	char again[REF_MAX + 1];

	if (strlen(file) > REF_MAX || strchr(file, '/'))
		return -EINVAL;
	translate(file, out, '+', '/');
	if (ref_parse(out, &ref) < 0 || ref_canonical(&ref, again) < 0 || !streq(again, out))
		return -EINVAL;
	return 0;
}
