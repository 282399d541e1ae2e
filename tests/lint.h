/* What clang's analyzer cannot see in one file: fail() and its kin always give a negative number. */
#include "base/error.h"

#define fail(...) ((void)(fail)(__VA_ARGS__), -1)
#define refuse(...) ((void)(refuse)(__VA_ARGS__), -1)
#define fail_in(...) ((void)(fail_in)(__VA_ARGS__), -1)
