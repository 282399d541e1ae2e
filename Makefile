# ctr: `make help` lists the targets.
#
# Two tool chains, for measured reasons (docs/architecture.md, "Why two C libraries"):
#   ctr                      musl, static-pie: starts in 0.2 ms and stays small
#   ctr-images, ctr-seccomp  glibc, dynamic: link Debian's libraries; never on the fast path
# A third build, build/asan, is everything with glibc under ASan and UBSan.
#
# V=1 shows the commands.

VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
B       := build

ifeq ($(V),1)
  Q   :=
  say :=
else
  Q   := @
  say  = @printf '  %-7s %s\n' '$(1)' '$(2)';
  MAKEFLAGS += --no-print-directory
endif

MUSL_CC ?= musl-gcc
CC      := gcc
CLANG   := clang
JOBS    := $(shell nproc)

WARN  := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wpointer-arith \
         -Wwrite-strings -Wundef -Wno-format-nonliteral
HARD  := -fstack-protector-strong -fcf-protection=full -fstack-clash-protection -fno-plt -ftrivial-auto-var-init=zero
BASE  := -std=gnu17 -D_GNU_SOURCE -DCTR_VERSION='"$(VERSION)"' -I. -g -MMD -MP $(WARN) $(HARD)
# musl has no kernel headers of its own; only the kernel's folders are let in, not glibc's.
UAPI  := $(B)/uapi
MUSL_CFLAGS  := $(BASE) -O2 -fPIE -ffunction-sections -fdata-sections -idirafter $(UAPI)
# Debian 12's musl-gcc does not know -static-pie (it would link dynamically), so the start files are named.
# They are looked up when linking: before `make setup` there may be no compiler to ask.
MUSL_LIB     := /usr/lib/x86_64-linux-musl
MUSL_LDFLAGS := -static -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text,-z,relro,-z,now,-z,noexecstack,--gc-sections -s
MUSL_START    = $(MUSL_LIB)/rcrt1.o $(MUSL_LIB)/crti.o $(shell $(CC) -print-file-name=crtbeginS.o)
MUSL_END      = $(shell $(CC) -print-file-name=crtendS.o) $(MUSL_LIB)/crtn.o
musl_link     = $(MUSL_CC) $(MUSL_CFLAGS) $(MUSL_LDFLAGS) -o $@ $(MUSL_START) $(filter %.o,$^) $(MUSL_END)
GLIBC_CFLAGS := $(BASE) -O2 -fPIE -D_FORTIFY_SOURCE=2
GLIBC_LDFLAGS := -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed
ASAN_CFLAGS  := $(BASE) -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
ASAN_LDFLAGS := -fsanitize=address,undefined

IMAGES_LIBS  := -larchive -lzstd -lz -lcrypto
SECCOMP_LIBS := -lseccomp
# A unit test that compares with another library.
UNIT_LIBS_test_json := -lcjson
UNIT_LIBS_test_caps := -lcap

# What each program is made of.
SHARED_SRC  := $(wildcard base/*.c)
STORE_SRC   := $(wildcard images/*.c)
CTR_SRC     := $(SHARED_SRC) $(STORE_SRC) $(wildcard cgroups/*.c netns/*.c runtime/*.c cli/*.c)
IMAGES_SRC  := $(SHARED_SRC) $(STORE_SRC) $(wildcard images/ctr-images/*.c)
SECCOMP_SRC := $(SHARED_SRC) runtime/caps.c $(wildcard runtime/ctr-seccomp/*.c)
UNIT_SRC    := $(wildcard tests/unit/*.c)
FUZZ_SRC    := $(wildcard tests/fuzz/*.c)

obj = $(patsubst %.c,$(B)/$(1)/%.o,$(2))

.PHONY: all
all: $(B)/ctr $(B)/ctr-oci $(B)/ctr-images $(B)/ctr-seccomp $(B)/busybox.tar ## Build the programs (the default)

$(UAPI):
	@mkdir -p $@
	@ln -sfn /usr/include/linux $@/linux
	@ln -sfn /usr/include/asm-generic $@/asm-generic
	@ln -sfn /usr/include/$$($(CC) -print-multiarch)/asm $@/asm

$(B)/musl/%.o: %.c Makefile | $(UAPI)
	@mkdir -p $(@D)
	$(call say,CC,$<)$(MUSL_CC) $(MUSL_CFLAGS) -c $< -o $@
$(B)/glibc/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(GLIBC_CFLAGS) -c $< -o $@
$(B)/asan/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC-SAN,$<)$(CC) $(ASAN_CFLAGS) -c $< -o $@

$(B)/ctr: $(call obj,musl,$(CTR_SRC))
	$(call say,LD,$@)$(musl_link)
$(B)/ctr-oci $(B)/asan/ctr-oci: %/ctr-oci: %/ctr
	$(Q)ln -sf ctr $@
$(B)/ctr-images: $(call obj,glibc,$(IMAGES_SRC))
	$(call say,LD,$@)$(CC) $(GLIBC_CFLAGS) $^ -o $@ $(GLIBC_LDFLAGS) $(IMAGES_LIBS)
$(B)/ctr-seccomp: $(call obj,glibc,$(SECCOMP_SRC))
	$(call say,LD,$@)$(CC) $(GLIBC_CFLAGS) $^ -o $@ $(GLIBC_LDFLAGS) $(SECCOMP_LIBS)

$(B)/busybox.tar: images/busybox.sh
	@mkdir -p $(@D)
	$(call say,IMAGE,$@)images/busybox.sh $@

# --- the documentation that the program itself prints ----------------------------------------------------
MANUAL      := $(B)/share/ctr.1
COMPLETIONS := $(B)/share/ctr.bash $(B)/share/_ctr $(B)/share/ctr.fish
$(MANUAL): $(B)/ctr
	@mkdir -p $(@D)
	$(call say,GEN,$@)$(B)/ctr help --man >$@.new && mv $@.new $@
$(B)/share/ctr.bash: SHELL_NAME := bash
$(B)/share/_ctr: SHELL_NAME := zsh
$(B)/share/ctr.fish: SHELL_NAME := fish
$(COMPLETIONS): $(B)/ctr
	@mkdir -p $(@D)
	$(call say,GEN,$@)$(B)/ctr help --completion $(SHELL_NAME) >$@.new && mv $@.new $@

# --- install ---------------------------------------------------------------------------------------------
DEST := $(DESTDIR)$(PREFIX)
INSTALLED := bin/ctr bin/ctr-oci libexec/ctr/ctr-images libexec/ctr/ctr-seccomp share/ctr/busybox.tar \
	share/man/man1/ctr.1 share/bash-completion/completions/ctr share/zsh/site-functions/_ctr \
	share/fish/vendor_completions.d/ctr.fish

.PHONY: install
install: all $(MANUAL) $(COMPLETIONS) ## Install under PREFIX (/usr/local), below DESTDIR when that is set
	$(call say,INSTALL,$(DEST))install -D -m 755 -t $(DEST)/bin $(B)/ctr
	$(Q)ln -sfn ctr $(DEST)/bin/ctr-oci
	$(Q)install -D -m 755 -t $(DEST)/libexec/ctr $(B)/ctr-images $(B)/ctr-seccomp
	$(Q)install -D -m 644 -t $(DEST)/share/ctr $(B)/busybox.tar
	$(Q)install -D -m 644 -t $(DEST)/share/man/man1 $(MANUAL)
	$(Q)install -D -m 644 $(B)/share/ctr.bash $(DEST)/share/bash-completion/completions/ctr
	$(Q)install -D -m 644 -t $(DEST)/share/zsh/site-functions $(B)/share/_ctr
	$(Q)install -D -m 644 -t $(DEST)/share/fish/vendor_completions.d $(B)/share/ctr.fish

.PHONY: uninstall
uninstall: ## Remove what install put there
	$(call say,RM,$(DEST))rm -f $(addprefix $(DEST)/,$(INSTALLED))
	$(Q)rmdir $(DEST)/libexec/ctr $(DEST)/share/ctr 2>/dev/null || true

# --- packages, demo, tests ---------------------------------------------------------------------------------
# The parts after `setup` are makes of their own: only then are compilers there to be asked.
.PHONY: setup setup-build setup-test setup-bench
setup: ## Install the Debian packages that building and testing need (as root)
	$(Q)tests/packages tests/packages-build tests/packages-test tests/machine/host-packages
setup-build:
	$(Q)tests/packages tests/packages-build
setup-test: setup
setup-bench:
	$(Q)tests/packages tests/packages-build tests/bench/host-packages

.PHONY: demo
demo: setup-build ## Install what is missing, build, and show the main job (as root)
	$(Q)$(MAKE) -j$(JOBS) all
	$(Q)tests/demo

.PHONY: test
test: setup-test ## Install what is missing, build, and run every test (as root)
	$(Q)$(MAKE) -j$(JOBS) test-programs
	$(Q)tests/run

.PHONY: test-native
test-native: setup-test ## The quick part: unit tests and the tests that need no machine of their own
	$(Q)$(MAKE) -j$(JOBS) all unit
	$(Q)tests/run --native

.PHONY: bench
bench: setup-bench ## Compare with other runtimes (BENCH_ARGS for tests/bench/run)
	$(Q)$(MAKE) -j$(JOBS) all bench-programs
	$(Q)tests/bench/run $(BENCH_ARGS)

.PHONY: lint
lint: ## Format, clang-tidy, cppcheck, shellcheck, include direction, lengths
	$(Q)tests/lint.sh

.PHONY: fmt
fmt: ## Format every C file
	$(Q)git ls-files -co --exclude-standard -- '*.[ch]' | xargs clang-format -i

# --- the same programs under the sanitizers -----------------------------------------------------------
.PHONY: sanitize
sanitize: $(addprefix $(B)/asan/,ctr ctr-oci ctr-images ctr-seccomp busybox.tar) ## Build under ASan and UBSan
$(B)/asan/ctr: $(call obj,asan/obj,$(CTR_SRC))
	$(call say,LD,$@)$(CC) $^ -o $@ $(ASAN_LDFLAGS)
$(B)/asan/ctr-images: $(call obj,asan/obj,$(IMAGES_SRC))
	$(call say,LD,$@)$(CC) $^ -o $@ $(ASAN_LDFLAGS) $(IMAGES_LIBS)
$(B)/asan/ctr-seccomp: $(call obj,asan/obj,$(SECCOMP_SRC))
	$(call say,LD,$@)$(CC) $^ -o $@ $(ASAN_LDFLAGS) $(SECCOMP_LIBS)
$(B)/asan/busybox.tar: $(B)/busybox.tar
	@mkdir -p $(@D)
	$(Q)cp $< $@

# --- unit tests and fuzzers: one program a file, with every library source under the sanitizers ---------
LIB_SRC   := $(filter-out cli/main.c,$(CTR_SRC)) $(filter-out images/ctr-images/main.c,$(wildcard images/ctr-images/*.c)) \
             $(addprefix runtime/ctr-seccomp/,parse.c profile.c conditions.c compile.c bpf.c)
UNIT_BINS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(UNIT_SRC))
FUZZ_BINS := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(FUZZ_SRC))
BENCH_BINS := $(B)/tests/bench-driver $(B)/tests/bench-floor $(B)/tests/bench-stage
FUZZ_CFLAGS := $(filter-out -ftrivial-auto-var-init=zero,$(BASE)) -O1 -fsanitize=fuzzer-no-link,address,undefined \
               -fno-sanitize-recover=undefined -Wno-unknown-warning-option -Wno-string-plus-int -Wno-gnu

.PHONY: unit fuzz bench-programs test-programs
unit: $(UNIT_BINS)
fuzz: $(FUZZ_BINS)
bench-programs: $(BENCH_BINS)
test-programs: all unit fuzz sanitize

$(B)/asan/libctr.a: $(call obj,asan/obj,$(LIB_SRC))
	@rm -f $@
	$(call say,AR,$@)ar rcs $@ $^
$(B)/tests/unit/%: $(B)/asan/obj/tests/unit/%.o $(B)/asan/libctr.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $^ -o $@ $(ASAN_LDFLAGS) $(IMAGES_LIBS) $(UNIT_LIBS_$*)
$(B)/fuzz/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC-FUZZ,$<)$(CLANG) $(FUZZ_CFLAGS) -c $< -o $@
$(B)/fuzz/libctr.a: $(call obj,fuzz,$(LIB_SRC))
	@rm -f $@
	$(call say,AR,$@)ar rcs $@ $^
$(B)/tests/fuzz/%: $(B)/fuzz/tests/fuzz/%.o $(B)/fuzz/libctr.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CLANG) $^ -o $@ -fsanitize=fuzzer,address,undefined $(IMAGES_LIBS)

# The benchmark's own programs, linked as ctr is.
$(B)/tests/bench-driver: $(B)/musl/tests/bench/bench.o
$(B)/tests/bench-floor: $(B)/musl/tests/bench/floor.o
$(B)/tests/bench-stage: $(B)/musl/tests/bench/stage.o
$(BENCH_BINS):
	@mkdir -p $(@D)
	$(call say,LD,$@)$(musl_link)

# Objects stay for the next build, and a half-written file does not.
.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell find $(B) -name '*.d' 2>/dev/null)

.PHONY: clean
clean: ## Remove what was built
	$(call say,RM,$(B))rm -rf $(B)

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 16
	@echo '  V=1 shows the commands.'
