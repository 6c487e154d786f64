# SPDX-License-Identifier: GPL-2.0
# What a person types; `make help` lists it. Everything runs in the trixie root of
# qemu/setup, so that the machine itself needs no compiler.

KERNEL ?= stock
BUILD  := $(CURDIR)/build
OUT    := $(BUILD)/$(KERNEL)
IN     := qemu/in-root
RUN    := qemu/run --kernel $(KERNEL)
JOBS   := $(shell nproc)
CFLAGS := -O2 -g -Wall -Wextra -Werror -D_GNU_SOURCE -Iinclude/uapi -Iinclude

kmake-stock := make -s -C /usr/src/build-stock CC=x86_64-linux-gnu-gcc-14
kmake-debug := make -s -C /usr/src/build-debug LLVM=1
kmake       := $(kmake-$(KERNEL))
ifeq ($(kmake),)
$(error KERNEL is stock or debug, not '$(KERNEL)')
endif

cargo        := $(if $(KDIR),,$(IN)) cargo
host-cargo   := --locked --manifest-path host/Cargo.toml --target-dir $(BUILD)/host
shimctl-cargo := --locked --manifest-path tools/shimctl/Cargo.toml --target-dir $(BUILD)/shimctl.d
programs     := $(patsubst bench/%.c,$(BUILD)/bench/%,$(wildcard bench/*.c)) \
		$(patsubst examples/%.c,$(BUILD)/examples/%,$(wildcard examples/*.c))

.DEFAULT_GOAL := all
.PHONY: all help setup module shimctl programs selftests demo bench test test-debug test-kernel soak host-test fuzz \
	mutants check layers rfc-map uapi install-test no-panic clippy clippy-module fmt fmt-check install clean

ifdef KDIR
# A prepared kernel tree and this machine's own tools.
all: module
module:
	@mkdir -p $(BUILD)/kdir
	$(MAKE) -C $(KDIR) M=$(CURDIR) MO=$(BUILD)/kdir modules
else
all: module $(if $(wildcard tools/shimctl/Cargo.toml),shimctl) ## the module and shimctl
module: setup ## build/stock/shim6.ko; KERNEL=debug: for the debug kernel; KDIR=DIR: for that tree, with your own tools
	@mkdir -p $(OUT)
	@$(IN) $(kmake) M=$(CURDIR) MO=$(OUT) -j$(JOBS) modules
endif

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## compilers, kernel and guest, into a cache outside the tree
	@qemu/setup $(filter debug,$(KERNEL))

shimctl: $(if $(KDIR),,setup) ## build/shimctl; KDIR=DIR: with your own tools
	@$(cargo) build -q --release $(shimctl-cargo)
	@install -m 755 $(BUILD)/shimctl.d/release/shimctl $(BUILD)/shimctl

programs: $(programs) selftests ## the C programs of selftests/, bench/ and examples/

selftests: setup
	@qemu/setup compat
	@$(IN) make -s -C selftests OUTPUT=$(BUILD)/selftests KSRC=/usr/src/linux all 32
	@mkdir -p $(OUT)/taker
	@$(IN) $(kmake) M=$(CURDIR)/selftests/taker MO=$(OUT)/taker modules

headers := $(wildcard bench/*.h examples/*.h include/*.h include/uapi/linux/*.h)
$(programs): $(BUILD)/%: %.c $(headers) | setup
	@mkdir -p $(@D)
	@$(IN) gcc-14 $(CFLAGS) -o $@ $<

demo: all $(programs) ## two hosts, two providers, one of which dies: build/demo.svg, build/demo.pcap
	@$(RUN) --share $(BUILD) --timeout 300 -- demo/run $(DEMO)

bench: all $(programs) ## instructions per packet: build/bench.json
	@$(RUN) --icount --share $(BUILD) --timeout 3600 -- bench/run $(BENCH)

test: setup ## host tests, then the selftests in the guest, on the stock kernel
	@scripts/test stock

test-debug: ## the selftests on the debug kernel: clean log, no leak
	@scripts/test debug

soak: setup ## the debug kernel for hours: FUZZ=1000000 changed messages, STORM=100 rounds; HAMMER=600 s; HOUR=60 s; FAULTS=100; ROUNDS=1000 loads; SIM_RUNS=20000 bad hours
	@FUZZ=$(FUZZ) STORM=$(STORM) HAMMER=$(HAMMER) HOUR=$(HOUR) FAULTS=$(FAULTS) ROUNDS=$(ROUNDS) SIM_RUNS=$(SIM_RUNS) scripts/test soak

test-kernel: setup ## the kernel's own selftests without the module, with it, beside a live context; TESTS="tls udpgso"
	@$(MAKE) -s all
	@LIMIT=$(LIMIT) scripts/test-kernel $(TESTS)

sim = $(foreach v,SIM_SEED SIM_RUNS,$(if $($v),$v=$($v)))
host-test: setup ## the core's tests, without a kernel; SIM_SEED, SIM_RUNS: which bad hours, how many
	@$(if $(KDIR),,$(IN)) env $(sim) cargo test $(host-cargo)
	@$(cargo) test $(shimctl-cargo)

T ?= 60
fuzz: ## every fuzz target of host/fuzz for T=60 seconds, or TARGETS="wire hba"
	@qemu/setup fuzz
	@$(IN) scripts/fuzz $(T) $(TARGETS)

mutants: ## the core changed in thousands of ways, its tests over each (hours); FILES="proto/time.rs proto/cga.rs"
	@qemu/setup mutants
	@$(IN) env JOBS=$(JOBS) scripts/mutants $(FILES)

check: layers rfc-map uapi fmt-check clippy no-panic ## what a change must pass before it is committed

no-panic: module ## no code of proto/ can panic, as far as the compiler knows
	@$(IN) scripts/no-panic $(OUT)/shim.o

rfc-map: ## what Documentation/rfc-map.md and security.md name is there
	@scripts/rfc-map
	@scripts/rfc-map Documentation/security.md

uapi: setup ## the headers are C89, C++98 and documented, shim(7) has what they have
	@$(IN) scripts/uapi

install-test: setup ## what make install puts below DESTDIR is enough to compile the examples
	@$(IN) scripts/install-test

layers: setup ## the import rules of Documentation/design.md
	@$(IN) scripts/layers

clippy: setup clippy-module ## no warnings from clippy: core, shimctl, module
	@$(cargo) clippy -q $(host-cargo) --all-targets -- -D warnings
	@$(if $(wildcard tools/shimctl/Cargo.toml),$(cargo) clippy -q $(shimctl-cargo) --all-targets -- -D warnings)

clippy-module: setup
	@mkdir -p $(BUILD)/clippy
	@$(IN) $(kmake-stock) M=$(CURDIR) MO=$(BUILD)/clippy CLIPPY=1 KRUSTFLAGS=-Dwarnings modules

rust-files = $(shell git ls-files -co --exclude-standard '*.rs' 2>/dev/null || find . -name '*.rs' -not -path './build/*')

fmt: setup ## rustfmt everything
	@$(IN) rustfmt --edition 2021 $(rust-files)

fmt-check: setup
	@$(IN) rustfmt --edition 2021 --check $(rust-files)

DESTDIR ?=
PREFIX  ?= /usr/local
release  = $(shell uname -r)
version  = $(shell sed -n 's/^version = "\(.*\)"/\1/p' tools/shimctl/Cargo.toml)
ko       = $(firstword $(shell grep -als 'vermagic=$(release) ' $(BUILD)/kdir/shim6.ko $(OUT)/shim6.ko))
put      = install -D -m
to       = $(DESTDIR)$(PREFIX)
install: ## module (for this machine's kernel), shimctl, headers, manual pages, systemd unit; DESTDIR, PREFIX
	$(if $(ko),,$(error no module for kernel $(release) here: make KDIR=..., or give release=))
	$(if $(wildcard $(BUILD)/shimctl),,$(error no build/shimctl: make shimctl))
	$(put) 644 $(ko) $(DESTDIR)/lib/modules/$(release)/updates/shim6.ko
	$(put) 755 $(BUILD)/shimctl $(to)/sbin/shimctl
	$(put) 644 include/uapi/linux/shim.h $(to)/include/linux/shim.h
	$(put) 644 include/uapi/linux/shim_netlink.h $(to)/include/linux/shim_netlink.h
	$(put) 644 include/shim_strerror.h $(to)/include/shim_strerror.h
	install -D -m 644 -t $(to)/share/doc/shim6/examples examples/*
	$(put) 644 Documentation/man/shim.7 $(to)/share/man/man7/shim.7
	$(put) 644 Documentation/man/shim_counters.7 $(to)/share/man/man7/shim_counters.7
	$(put) 644 Documentation/man/shimctl.8 $(to)/share/man/man8/shimctl.8
	sed 's,@PREFIX@,$(PREFIX),' systemd/shim6.service.in >$(BUILD)/shim6.service
	$(put) 644 $(BUILD)/shim6.service $(to)/lib/systemd/system/shim6.service
	sed 's,@PREFIX@,$(PREFIX),; s,@VERSION@,$(version),' shim6.pc.in >$(BUILD)/shim6.pc
	$(put) 644 $(BUILD)/shim6.pc $(to)/share/pkgconfig/shim6.pc
	$(if $(DESTDIR),,depmod $(release))

clean: ## what was built here (the cache stays)
	rm -rf $(BUILD)
