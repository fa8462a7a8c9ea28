# make demo   the main job, end to end       make test   the whole suite
# make serve  the service alone              make check  lint, types, import contracts, tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# tests of one file stay together and in order, files run side by side; WORKERS=0 runs everything in one process
WORKERS ?= logical

.PHONY: demo test serve check lint clean
.DEFAULT_GOAL := demo

$(VENV)/installed: pyproject.toml sdk/pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ./sdk -e '.[worker,dev]'
	touch $@

demo: $(VENV)/installed
	$(BIN)/python -m demo $(ARGS)

test: $(VENV)/installed
	$(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

serve: $(VENV)/installed
	$(BIN)/paretrim serve $(ARGS)

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

clean:
	rm -rf $(VENV) build dist
