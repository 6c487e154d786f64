# SPDX-License-Identifier: GPL-2.0
# What a person types; `make help` lists it.

KERNEL ?= stock
BUILD  := build
OUT    := $(CURDIR)/$(BUILD)/$(KERNEL)
IN     := qemu/in-root
JOBS   := $(shell nproc)

kmake-stock := make -s -C /usr/src/build-stock CC=x86_64-linux-gnu-gcc-14
kmake-debug := make -s -C /usr/src/build-debug LLVM=1

.DEFAULT_GOAL := all
.PHONY: all help setup module modules_install shimctl programs demo bench test test-debug \
	host-test layers clippy fmt fmt-check install clean

all: module shimctl ## the module and shimctl

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## compilers, kernel and guest, into a cache outside the tree
	@qemu/setup $(filter debug,$(KERNEL))

ifdef KDIR
# A prepared kernel tree and this machine's own tools.
module:
	@mkdir -p $(BUILD)/kdir
	$(MAKE) -C $(KDIR) M=$(CURDIR) MO=$(CURDIR)/$(BUILD)/kdir modules
else
module: setup ## shim6.ko, for KERNEL=stock (default) or debug, or KDIR=...
	@mkdir -p $(OUT)
	@$(IN) $(kmake-$(KERNEL)) M=$(CURDIR) MO=$(OUT) -j$(JOBS) modules
endif

clippy-module: setup
	@mkdir -p $(BUILD)/clippy
	@$(IN) $(kmake-stock) M=$(CURDIR) MO=$(CURDIR)/$(BUILD)/clippy CLIPPY=1 modules

shimctl: setup ## the command
	@$(IN) cargo build -q --release --locked --manifest-path tools/shimctl/Cargo.toml --target-dir $(BUILD)/shimctl.d
	@install -m 755 $(BUILD)/shimctl.d/release/shimctl $(BUILD)/shimctl

layers: ## the import rules of Documentation/design.md
	@scripts/layers

clean: ## what was built here (the cache stays)
	rm -rf $(BUILD)
