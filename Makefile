# Two commands do all the set-up on a machine that has Python and the package index: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
WHEELHOUSE ?= wheelhouse
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
OLDEST := (3, 11)
LAB := $(BIN)/python -m tests.lab
N ?= 4
LIGHT ?= 0
KIND ?= vxlan
NAME ?= lab
DEMO ?= twins

.DEFAULT_GOAL := help
.PHONY: help demo test lint quick-test lab-test lab lab-shell lab-down lab-status truth bench wheelhouse clean

help:
	@echo "make demo        open the console on a simulated cluster (without a terminal: print its report); DEMO=exhausted, healthy"
	@echo "make test        lint, types, import contracts and all tests"
	@echo "make lint        only lint, types and import contracts"
	@echo "make quick-test  only the tests that need neither root nor a cluster"
	@echo "make lab-test    only the tests on a real cluster in namespaces of this machine (root); LABS=1: one cluster after the other"
	@echo "make lab         a real cluster in namespaces of this machine (root): N=4 nodes beside the control plane's, LIGHT=0 light ones, KIND=vxlan, NAME=lab"
	@echo "make lab-shell   a shell in its bastion, where flannelscope, kubectl and ssh simply work; FROM=outside: from where ssh goes through the bastion"
	@echo "make lab-status  what is up, and what is left to be ended (LOGS=1: old logs too); make lab-down NAME=lab ends all of it"
	@echo "make truth       every fault of the lab against the check: what is found, missed, said falsely; SEEDS=1, PAIRS=0, KIND=vxlan, FAULTS=..., LABS=3"
	@echo "make lab INCIDENT=podcidr-exhaustion   a lab that stands up broken, to walk through with the console"
	@echo "make bench       how fast, how large: a table, no verdict"
	@echo "make wheelhouse  everything a bastion without internet needs, in wheelhouse/"
	@echo "make clean       remove what these made, the environment too"

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < $(OLDEST))' || { \
	  echo "flannelscope needs Python 3.11 or newer; $(PYTHON) is missing or older. Name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "$(PYTHON) cannot make an environment. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.installed: pyproject.toml | $(VENV)/.made
	@echo "installing flannelscope into $(VENV) ..."
	@$(PIP) install -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/.made
	@echo "installing flannelscope and its tools for development into $(VENV) ..."
	@$(PIP) install -e '.[dev]'
	@touch $(VENV)/.installed $@

demo: $(VENV)/.installed
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/flannelscope --demo $(DEMO); else $(BIN)/flannelscope check --demo $(DEMO) --fail-on never; fi

test: lint quick-test lab-test

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check --no-cache .
	$(BIN)/ruff format --no-cache --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

quick-test: $(VENV)/.installed-dev
	$(BIN)/pytest -q -n auto -m 'not lab'

# Most of it is waiting: several processes, each with a cluster of its own. Tests start in the order in which tests/lab puts them.
lab-test: $(VENV)/.installed-dev
	labs=$(or $(LABS),$$($(BIN)/python -m tests.lab.side_by_side)) && \
	  $(BIN)/pytest -q -n $$labs --dist loadgroup --no-loadscope-reorder -m lab tests/lab

lab: $(VENV)/.installed-dev
	@$(LAB) up --name $(NAME) --nodes $(N) --light $(LIGHT) --kind $(KIND)
	@$(if $(INCIDENT),$(BIN)/python -m tests.lab.game_day --lab $(NAME) $(INCIDENT))

lab-shell: $(VENV)/.installed-dev
	@$(LAB) shell --name $(NAME) $(if $(FROM),--from $(FROM))

lab-down: $(VENV)/.installed-dev
	@$(LAB) down --name $(NAME)

lab-status: $(VENV)/.installed-dev
	@$(LAB) status $(if $(LOGS),--logs)

# Labs of its own, all with the same nodes; the table says what was found and what was not, and fails nothing.
truth: $(VENV)/.installed-dev
	@labs=$(or $(LABS),$$($(BIN)/python -m tests.lab.side_by_side)) && \
	  $(BIN)/python -m tests.lab.truth --labs $$labs --kind $(KIND) --seeds $(or $(SEEDS),1) --pairs $(or $(PAIRS),0) $(FAULTS)

bench: $(VENV)/.installed-dev
	@$(BIN)/python -m bench

wheelhouse: $(VENV)/.installed
	@rm -rf $(WHEELHOUSE)
	@$(PIP) wheel --wheel-dir $(WHEELHOUSE)/wheels . pip
	@cp packaging/install.sh packaging/made_for.py $(WHEELHOUSE)/
	@$(BIN)/python packaging/made_for.py > $(WHEELHOUSE)/made-for
	@echo "$(WHEELHOUSE)/ is complete ($$(ls $(WHEELHOUSE)/wheels | wc -l) wheels, for Python $$(cat $(WHEELHOUSE)/made-for))."
	@echo "Copy it to the bastion and run ./install.sh there."

clean:
	rm -rf $(VENV) wheelhouse build dist bench/out .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
