# The front door. Meson does the work; this names the few things that people ask for.
#
#   make demo      five releases to sixty real devices on this machine; KEEP=1 leaves it up to look around
#   make build     the programs and their tests, in build/
#   make check     everything that CI checks; ends with `N passed, N failed`
#   make test      the tests of the ordinary build only
#   make check-vm  a real kernel, in QEMU, that panics on what it was given: LOOPS boot loops, then the power cut at each step; SEED=N for the same cuts; then our units under a real systemd
#   make check-windows   the agent for Windows: cross-built by mingw-w64, with the libraries that it links, and tested under wine64
#   make bench     measurements, as JSON        make fuzz   each fuzzer for FUZZ_S seconds
#   make bench-others    the same release by this agent and by casync, swupdate, rauc and mender-client (root: rauc mounts); then what an idle agent costs
#   make bench-table     the tables of docs/guide/rollout.md anew: hours; broken off, it goes on where it was
#   make bench-long   SEEDS simulated rollouts with crashes, losses and clocks that jump: the promises of docs/guide/rollout.md
#   make sweep     the agent killed, or refused the disk, at each of its writes, renames, fsyncs, unlinks in turn, then hard times of other kinds: an hour; SWEEP="--step 7 --acts install" is less
#   make libfirebreak-tuf   the TUF client for other programs: one C file, one header, in build/libfirebreak-tuf/
#   make libfirebreak-ask   what engines ask with, for other programs: the same, in build/libfirebreak-ask/
#   make install   (DESTDIR, PREFIX)            make clean
#
# What is missing is installed by name first (tools/install-deps); DEPS=no leaves that out.
PREFIX ?= /usr/local
FUZZ_S ?= 60
SEEDS ?= 10000
LOOPS ?= 20
DEPS ?= yes
KEEP ?=
SWEEP ?=

.PHONY: build demo check check-vm check-windows sweep test bench bench-others bench-table bench-long fuzz libfirebreak-tuf libfirebreak-ask install clean deps deps-build deps-check deps-vm deps-windows deps-peers
build: deps-build
	@test -f build/build.ninja || meson setup build --prefix=$(PREFIX) >build-setup.log 2>&1 || { cat build-setup.log; exit 1; }
	@rm -f build-setup.log
	@ninja -C build

demo: build
	@python3 tests/e2e/demo.py --build build $(if $(KEEP),--keep)

check: deps-check
	@tools/run-checks

check-vm: deps-vm build
	@tools/vm-kernel build/vm
	@python3 tests/e2e/boot_loop.py --build build --vm build/vm --loops $(LOOPS) $(if $(SEED),--seed $(SEED))
	@python3 tests/e2e/systemd_vm.py --build build --vm build/vm

check-windows: deps-windows build
	@tools/run-checks windows

sweep: build
	@python3 tests/e2e/fault_sweep.py --build build $(SWEEP)
	@python3 tests/e2e/self_sweep.py --build build --all
	@python3 tests/e2e/hard_times.py --build build
	@python3 tests/e2e/self_update.py --build build --all

test: build
	@meson test -C build --print-errorlogs

bench: build
	@meson test -C build --benchmark --verbose

bench-others: deps-peers build
	@for shape in whole spread; do tests/bench/bench_others.py --build build --shape $$shape || exit 1; done
	@tests/bench/bench_idle.py --build build

bench-table: build
	@for table in catalogue liars small curve full; do tests/bench/bench_replay.py $$table --journal build/bench-table.journal --guide docs/guide/rollout.md || exit 1; done
	@for bench in limit cohort outcomes "false_halts --journal build/bench-false-halts.journal"; do tests/bench/bench_tables.py --guide docs/guide/rollout.md build/tests/bench/bench_$$bench || exit 1; done

# A hundred seeds to each process; a promise that is not kept is told with its seed, and fails this in the end.
bench-long: build
	@seq 0 100 $$(($(SEEDS) - 1)) | xargs -P "$$(nproc)" -I{} build/tests/sim/bench_storm {} 100
	@echo "$(SEEDS) seeds, every promise kept"

fuzz: deps
	@tools/run-fuzz $(FUZZ_S)

LIBRARY = build/libfirebreak-tuf
libfirebreak-tuf: build
	@mkdir -p $(LIBRARY)
	@cp build/src/tuf/library/firebreak-tuf.c src/tuf/library/firebreak-tuf.h docs/man/firebreak-tuf.3 docs/examples/tuf-client.c LICENSE $(LIBRARY)/
	@cd $(LIBRARY) && $(CC) -O2 -Wall -Wextra -c firebreak-tuf.c && $(CC) -O2 -Wall -Wextra -o tuf-client tuf-client.c firebreak-tuf.o -lcrypto
	@echo "$(LIBRARY): firebreak-tuf.c ($$(wc -l <$(LIBRARY)/firebreak-tuf.c) lines), firebreak-tuf.h, firebreak-tuf.3, and an example, tuf-client.c, built with them; link with -lcrypto"

ASK = build/libfirebreak-ask
libfirebreak-ask: build
	@mkdir -p $(ASK)
	@cp build/src/ask/firebreak-ask.c build/src/ask/firebreak-ask-windows.c src/ask/firebreak-ask.h docs/man/firebreak-ask.3 docs/examples/ask-client.c LICENSE $(ASK)/
	@cd $(ASK) && $(CC) -O2 -Wall -Wextra -c firebreak-ask.c && $(CC) -O2 -Wall -Wextra -o ask-client ask-client.c firebreak-ask.o
	@echo "$(ASK): firebreak-ask.c ($$(wc -l <$(ASK)/firebreak-ask.c) lines), firebreak-ask-windows.c, firebreak-ask.h, firebreak-ask.3, and an example, ask-client.c, built with them"

install: build
	@meson install -C build --quiet

clean:
	rm -rf build build-clang build-asan build-fuzz build-windows

deps:
	@if [ "$(DEPS)" = yes ]; then tools/install-deps; fi

deps-vm:
	@if [ "$(DEPS)" = yes ]; then tools/install-deps --vm; fi

deps-peers:
	@if [ "$(DEPS)" = yes ]; then tools/install-deps --peers; fi

deps-windows:
	@if [ "$(DEPS)" = yes ]; then tools/install-deps --windows; fi

deps-check:
	@if [ "$(DEPS)" = yes ]; then tools/install-deps --vm --streams; fi

deps-build:
	@if [ "$(DEPS)" = yes ]; then tools/install-deps --build; fi
