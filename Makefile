# `make` prints what there is.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
WORKERS ?= 2

.PHONY: help demo test quick lint format test-faults test-gpu test-witness golden dist clean

help:  ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(VENV)/installed: pyproject.toml constraints.txt scripts/install_torch.py
	@echo "creating the environment in $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import torch' 2>/dev/null || $(BIN)/python scripts/install_torch.py
	@$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	@$(PIP) install -c constraints.txt -e '.[dev,test]'
	@touch $@

$(VENV)/installed-witness: $(VENV)/installed-test
	@$(PIP) install -c constraints.txt -e '.[witness]'
	@touch $@

demo: $(VENV)/installed  ## Train, test and picture a segmentor on the embedded data set (about 5 minutes)
	$(BIN)/ssseg demo --out runs/demo

test: $(VENV)/installed-test  ## Run the tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m 'not gpu and not faults and not witness'

quick: $(VENV)/installed-test  ## Run the quick tests, in less than two minutes
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m 'not gpu and not faults and not witness and not slow'

test-faults: $(VENV)/installed-test  ## Run the fault injection that takes minutes
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --durations 12 -m faults

test-gpu: $(VENV)/installed-test  ## Run the tests that need a GPU
	$(BIN)/python -m pytest -m gpu

test-witness: $(VENV)/installed-witness  ## Compare networks with those of transformers and timm, kernels with PyTorch
	$(BIN)/python -m pytest -n $(WORKERS) -m 'not gpu' tests/witness tests/kernels

lint: $(VENV)/installed-test  ## Check format, style, types and structure
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy ssseg
	$(BIN)/python -m pytest -q tests/structure

format: $(VENV)/installed-test  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

golden: $(VENV)/installed-test  ## Compare with the reference's recorded numbers, where ../shared is present
	$(BIN)/python ../shared/tools/check_golden.py losses transforms metrics schedulers configs models

dist: $(VENV)/installed-test  ## Build the wheel
	$(BIN)/python -m pip --quiet wheel --no-deps -w dist .

clean:  ## Remove the environment and what was built
	rm -rf $(VENV) build dist runs *.egg-info
