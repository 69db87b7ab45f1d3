# make run    set everything up and show the demo city at http://127.0.0.1:8080
# make test   set up the test environment and run every test
# make check  formatting, lint and types alone
# make bench  the long forms: benchmarks, ten minutes of the demo against its truth
# make lock   resolve the Python lock files again
# make api    write the API's description and the UI's types again

PYTHON ?= python3
BIN := .venv/bin
UI := operator_ui
NODE := $(UI)/with-node
UI_SOURCES := $(shell find $(UI)/src $(UI)/public $(UI)/index.html $(UI)/vite.config.ts -type f 2>/dev/null)

.PHONY: run test check bench lock api clean scanner

run: .venv/.run scanner $(UI)/dist/index.html
	@$(BIN)/haechi demo

test: check scanner $(UI)/dist/index.html
	$(BIN)/python -m pytest -n 4 --dist loadscope -m "not alone"
	$(BIN)/python -m pytest -m alone
	$(NODE) npm --prefix $(UI) test --silent

check: .venv/.test $(UI)/node_modules/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(NODE) npm --prefix $(UI) run --silent check

bench: .venv/.test scanner $(UI)/dist/index.html
	$(BIN)/python -m tests.benchmarks.first_picture --json
	$(BIN)/python -m tests.benchmarks.wall --json
	$(BIN)/python -m tests.benchmarks.loss --json
	$(BIN)/python -m tests.benchmarks.one_touch --json
	$(BIN)/python -m tests.benchmarks.alarm_latency --json
	$(BIN)/haechi score --demo 10 --json
	$(BIN)/python -m tests.benchmarks.relay --json
	$(BIN)/python -m tests.benchmarks.slow_viewers --json
	$(BIN)/python -m tests.benchmarks.bandwidth --json
	$(BIN)/python -m tests.benchmarks.open_close --json
	$(BIN)/python -m tests.benchmarks.ingest --json
	$(BIN)/python -m tests.benchmarks.ingest --json --many 0 --transport udp
	$(BIN)/python -m tests.benchmarks.virtual_cameras --json
	$(BIN)/python -m tests.benchmarks.record --json
	$(BIN)/python -m tests.benchmarks.recording_kills --json
	$(BIN)/python -m tests.benchmarks.playback --json
	$(BIN)/python -m tests.benchmarks.fleet_return --json
	$(BIN)/python -m tests.benchmarks.fleet_return --json --session-limit --away 2
	$(BIN)/python -m tests.benchmarks.dead_cameras --json
	$(BIN)/python -m tests.benchmarks.fuzz --json

scanner: .venv/.run
	@$(BIN)/python -m streams.rtsp.scanner_build

lock: .venv/.uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
		pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
		--extra test -c requirements.lock pyproject.toml -o requirements-test.lock

api: .venv/.test $(UI)/node_modules/.installed
	$(BIN)/python -m control_center.openapi
	$(NODE) npm --prefix $(UI) run --silent client

clean:
	rm -rf .venv $(UI)/node_modules $(UI)/dist streams/rtsp/_scanner-*.so

.venv/.uv:
	@echo "Making the Python environment .venv"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Haechi needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "On Debian: apt install python3-venv"; exit 1; }
	@$(BIN)/pip install -q --disable-pip-version-check "uv>=0.8"
	@touch $@

.venv/.run: .venv/.uv requirements.lock pyproject.toml
	@echo "Installing Haechi's Python packages"
	@$(BIN)/uv pip install -q --python $(BIN)/python -r requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@

.venv/.test: .venv/.run requirements-test.lock
	@echo "Installing the test environment (with PyTorch, about 6 GB on disk)"
	@$(BIN)/uv pip install -q --python $(BIN)/python -r requirements-test.lock
	@touch $@

$(UI)/node_modules/.installed: $(UI)/package-lock.json | .venv/.uv
	@echo "Installing the operator UI's packages"
	@$(NODE) npm --prefix $(UI) ci --silent --no-audit --no-fund
	@touch $@

$(UI)/dist/index.html: $(UI_SOURCES) $(UI)/node_modules/.installed
	@echo "Building the operator UI"
	@$(NODE) npm --prefix $(UI) run --silent build
	@touch $@
