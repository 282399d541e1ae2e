# ctr: `make help` lists the targets.
#
# Two tool chains, for measured reasons (docs/architecture.md, "Why two C libraries"):
#   ctr, ctr-init            musl, static-pie: starts in 0.2 ms and stays small
#   ctr-images, ctr-seccomp  glibc, dynamic: link Debian's libraries; never on the fast path
# A third build, build/asan, is everything with glibc under ASan and UBSan.

VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
B       := build

MUSL_CC ?= musl-gcc
CC      := gcc
CLANG   := clang

WARN  := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wpointer-arith \
         -Wwrite-strings -Wundef -Wno-format-nonliteral
HARD  := -fstack-protector-strong -fcf-protection=full -fstack-clash-protection -fno-plt -ftrivial-auto-var-init=zero
BASE  := -std=gnu17 -D_GNU_SOURCE -DCTR_VERSION='"$(VERSION)"' -I. -g -MMD -MP $(WARN) $(HARD)
# musl has no kernel headers of its own; only the kernel's folders are let in, not glibc's.
UAPI  := $(B)/uapi
MUSL_CFLAGS  := $(BASE) -O2 -fPIE -ffunction-sections -fdata-sections -idirafter $(UAPI)
# Debian 12's musl-gcc does not know -static-pie (it would link dynamically), so the start files are named.
MUSL_LIB     := /usr/lib/x86_64-linux-musl
MUSL_LDFLAGS := -static -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text,-z,relro,-z,now,-z,noexecstack,--gc-sections -s
MUSL_START   := $(MUSL_LIB)/rcrt1.o $(MUSL_LIB)/crti.o $(shell $(CC) -print-file-name=crtbeginS.o)
MUSL_END     := $(shell $(CC) -print-file-name=crtendS.o) $(MUSL_LIB)/crtn.o
musl_link     = $(MUSL_CC) $(MUSL_CFLAGS) $(MUSL_LDFLAGS) -o $@ $(MUSL_START) $(filter %.o,$^) $(MUSL_END)
GLIBC_CFLAGS := $(BASE) -O2 -fPIE -D_FORTIFY_SOURCE=2
GLIBC_LDFLAGS := -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed
ASAN_CFLAGS  := $(BASE) -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
ASAN_LDFLAGS := -fsanitize=address,undefined

IMAGES_LIBS  := -larchive -lzstd -lz -lcrypto
SECCOMP_LIBS := -lseccomp

# What each program is made of.
SHARED_SRC  := $(wildcard base/*.c)
STORE_SRC   := $(wildcard images/*.c)
CTR_SRC     := $(SHARED_SRC) $(STORE_SRC) $(wildcard cgroups/*.c netns/*.c runtime/*.c cli/*.c)
IMAGES_SRC  := $(SHARED_SRC) $(STORE_SRC) $(wildcard images/ctr-images/*.c)
SECCOMP_SRC := $(SHARED_SRC) runtime/caps.c $(wildcard runtime/ctr-seccomp/*.c)
UNIT_SRC    := $(wildcard tests/unit/*.c)
FUZZ_SRC    := $(wildcard tests/fuzz/*.c)

PROGRAMS := $(B)/ctr $(B)/ctr-images $(B)/ctr-seccomp
obj = $(patsubst %.c,$(B)/$(1)/%.o,$(2))

.PHONY: all
all: $(PROGRAMS) $(B)/ctr-oci $(B)/busybox.tar

$(UAPI):
	@mkdir -p $@
	@ln -sfn /usr/include/linux $@/linux
	@ln -sfn /usr/include/asm-generic $@/asm-generic
	@ln -sfn /usr/include/$$($(CC) -print-multiarch)/asm $@/asm

$(B)/musl/%.o: %.c Makefile | $(UAPI)
	@mkdir -p $(@D)
	$(MUSL_CC) $(MUSL_CFLAGS) -c $< -o $@
$(B)/glibc/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(GLIBC_CFLAGS) -c $< -o $@
$(B)/asan/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ASAN_CFLAGS) -c $< -o $@

$(B)/ctr: $(call obj,musl,$(CTR_SRC))
	$(musl_link)
$(B)/ctr-oci: $(B)/ctr
	ln -sf ctr $@
$(B)/ctr-images: $(call obj,glibc,$(IMAGES_SRC))
	$(CC) $(GLIBC_CFLAGS) $^ -o $@ $(GLIBC_LDFLAGS) $(IMAGES_LIBS)
$(B)/ctr-seccomp: $(call obj,glibc,$(SECCOMP_SRC))
	$(CC) $(GLIBC_CFLAGS) $^ -o $@ $(GLIBC_LDFLAGS) $(SECCOMP_LIBS)

$(B)/busybox.tar: images/busybox.sh
	images/busybox.sh $@

# --- the same programs under the sanitizers -----------------------------------------------------------
.PHONY: sanitize
sanitize: $(B)/asan/ctr $(B)/asan/ctr-oci $(B)/asan/ctr-images $(B)/asan/ctr-seccomp $(B)/asan/busybox.tar
$(B)/asan/ctr: $(call obj,asan/obj,$(CTR_SRC))
	$(CC) $^ -o $@ $(ASAN_LDFLAGS)
$(B)/asan/ctr-oci: $(B)/asan/ctr
	ln -sf ctr $@
$(B)/asan/ctr-images: $(call obj,asan/obj,$(IMAGES_SRC))
	$(CC) $^ -o $@ $(ASAN_LDFLAGS) $(IMAGES_LIBS)
$(B)/asan/ctr-seccomp: $(call obj,asan/obj,$(SECCOMP_SRC))
	$(CC) $^ -o $@ $(ASAN_LDFLAGS) $(SECCOMP_LIBS)
$(B)/asan/busybox.tar: $(B)/busybox.tar
	cp $< $@

# --- unit tests and fuzzers: one program a file, with every library source under the sanitizers ---------
LIB_SRC   := $(filter-out cli/main.c,$(CTR_SRC)) $(filter-out images/ctr-images/main.c,$(wildcard images/ctr-images/*.c)) \
             $(addprefix runtime/ctr-seccomp/,parse.c profile.c conditions.c compile.c bpf.c)
UNIT_BINS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(UNIT_SRC))
FUZZ_BINS := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(FUZZ_SRC))
FUZZ_CFLAGS := $(filter-out -ftrivial-auto-var-init=zero,$(BASE)) -O1 -fsanitize=fuzzer-no-link,address,undefined -Wno-unknown-warning-option

$(B)/asan/libctr.a: $(call obj,asan/obj,$(LIB_SRC))
	@rm -f $@
	ar rcs $@ $^
$(B)/tests/unit/%: $(B)/asan/obj/tests/unit/%.o $(B)/asan/libctr.a
	@mkdir -p $(@D)
	$(CC) $^ -o $@ $(ASAN_LDFLAGS) -larchive -lzstd -lz -lcrypto
$(B)/fuzz/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -c $< -o $@
$(B)/fuzz/libctr.a: $(call obj,fuzz,$(LIB_SRC))
	@rm -f $@
	ar rcs $@ $^
$(B)/tests/fuzz/%: $(B)/fuzz/tests/fuzz/%.o $(B)/fuzz/libctr.a
	@mkdir -p $(@D)
	$(CLANG) $^ -o $@ -fsanitize=fuzzer,address,undefined -larchive -lzstd -lz -lcrypto

-include $(shell find $(B) -name '*.d' 2>/dev/null)

.PHONY: clean
clean:
	rm -rf $(B)
