# A short front for meson. `make help` says what there is.
BUILD ?= build
WERROR ?= false
PREFIX ?= /usr/local

.PHONY: help deps build demo test check bench fuzz install format clean

help:
	@echo 'make demo     install what is missing, build, profile a C server under load, show where its time goes'
	@echo 'make test     install what is missing, build, run every test; the last line counts them'
	@echo 'make check    the quick loop: format, tidy, warnings, unit tests, golden files (about a minute)'
	@echo 'make bench    measure against peers in one run and print ratios'
	@echo 'make fuzz     run every fuzz target for FUZZ_SECONDS (default 60) each'
	@echo 'make install  install pprof, libpprof and their docs under PREFIX (default /usr/local; DESTDIR is honoured)'
	@echo 'make deps     install the packages that are missing (sudo when not root); needs no network when none is'
	@echo 'make build    build into $(BUILD)/'
	@echo 'make format   lay every C file out with clang-format'

deps:
	@packaging/deps.sh

$(BUILD)/build.ninja:
	meson setup $(BUILD) --prefix=$(PREFIX) -Dwerror=$(WERROR)

build: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

demo: deps build
	@examples/demo.sh $(BUILD)

test: deps
	@tests/run all

check: build
	@tests/run quick

bench: deps build
	@bench/run $(BUILD)

fuzz: deps
	@fuzz/run $(or $(FUZZ_SECONDS),60)

install: build
	meson install -C $(BUILD)

format:
	@git ls-files '*.c' '*.h' '*.cc' | xargs clang-format-14 -i

clean:
	rm -rf $(BUILD) $(BUILD)-*
