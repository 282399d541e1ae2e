/*
 * The smallest unit test frame that prints what the suite's runner counts: one TAP line a test.
 *
 *   TEST("a size with a unit is in powers of 1024") { CHECK(parse_bytes("1k", &v) == 0 && v == 1024); }
 *
 * A file has one UNIT_MAIN at its end.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit_test {
	const char *name;
	void (*run)(void);
	struct unit_test *next;
};

static struct unit_test *unit_first, **unit_end = &unit_first;
static bool unit_failed;

#define UNIT_CAT_(a, b) a##b
#define UNIT_CAT(a, b) UNIT_CAT_(a, b)
#define TEST(text) UNIT_TEST(text, __COUNTER__)
#define UNIT_TEST(text, id)                                                                                            \
	static void UNIT_CAT(unit_run_, id)(void);                                                                     \
	static struct unit_test UNIT_CAT(unit_, id) = {.name = (text), .run = UNIT_CAT(unit_run_, id)};                \
	__attribute__((constructor)) static void UNIT_CAT(unit_add_, id)(void)                                         \
	{                                                                                                              \
		*unit_end = &UNIT_CAT(unit_, id);                                                                      \
		unit_end = &UNIT_CAT(unit_, id).next;                                                                  \
	}                                                                                                              \
	static void UNIT_CAT(unit_run_, id)(void)

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			printf("# %s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                             \
			unit_failed = true;                                                                            \
		}                                                                                                      \
	} while (0)

#define UNIT_MAIN                                                                                                      \
	int main(void)                                                                                                 \
	{                                                                                                              \
		int n = 0, bad = 0;                                                                                    \
		for (struct unit_test *t = unit_first; t; t = t->next) {                                               \
			unit_failed = false;                                                                           \
			t->run();                                                                                      \
			printf("%sok %d %s\n", unit_failed ? "not " : "", ++n, t->name);                               \
			bad += unit_failed;                                                                            \
		}                                                                                                      \
		printf("1..%d\n", n);                                                                                  \
		return bad != 0;                                                                                       \
	}
