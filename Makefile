# `make demo` and `make test` set up what they lack in .venv, once, and then run; see README.md.

# the first Python on the PATH that is recent enough; `make PYTHON=/path/to/python demo` chooses another
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
  if "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "$$p"; break; fi; done)
RUN := .venv/bin/python
# two workers share two cores: a pool of BLAS threads in each would only be in the other's way
PYTEST := OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2

.PHONY: help demo test test-fast test-reference test-site nightly site serve lab lint bench notebooks exercises nbgrader

help:
	@echo "make demo        the tour: runs demo.ipynb and writes build/demo.html"
	@echo "make test        every test"
	@echo "make test-fast   the tests that need neither notebooks nor a browser, nor much time"
	@echo "make test-reference  the engine's tests on engine.py alone, without fast.py"
	@echo "make test-site   the tests of the site, in a browser; builds it first (Node, npm)"
	@echo "make nightly     20,000 random programs, other ones each time, lifted beside eager"
	@echo "make site        the course, reference and playground as static files, build/site (Node, npm)"
	@echo "make serve       shows the site on this machine"
	@echo "make lab         opens JupyterLab on the lectures"
	@echo "make lint        formatting, lint and types"
	@echo "make bench       speed beside the peers, with a check that results are equal"
	@echo "make notebooks   runs the notebooks and keeps their outputs"
	@echo "make exercises   makes the lectures' exercises of their solutions"
	@echo "make nbgrader    writes the exercises as assignments for nbgrader; docs/teaching.md"

demo: .venv/.demo
	@$(RUN) -m tools.demo

test: .venv/.test
	$(PYTEST)

test-fast: .venv/.test
	$(PYTEST) -m "not notebook and not browser and not slow"

# the same functions as the video writes them: `--reference` takes fast.py away
test-reference: .venv/.test
	$(PYTEST) --reference tests/test_engine.py tests/test_ops.py tests/test_numpy.py tests/test_agreement.py \
	  tests/test_node.py tests/test_copying.py tests/test_modes.py tests/test_reals.py tests/test_without_numpy.py \
	  tests/show/test_explain.py tests/show/test_stepper.py tests/show/test_worksheet.py

test-site: .venv/.test site
	$(PYTEST) --site tests/site

nightly: .venv/.test
	HYPOTHESIS_PROFILE=nightly $(PYTEST) tests/lifting/test_lifted_agreement.py tests/lifting/test_machine.py \
	  tests/lifting/test_jax.py

site: .venv/.site
	$(RUN) -m tools.site

serve: .venv/.site
	$(RUN) -m tools.site serve

# the map of the lectures first, and Markdown as it reads, not as text; your own settings go before these
lab: .venv/.lectures
	JUPYTER_CONFIG_PATH="tools/jupyter:$$JUPYTER_CONFIG_PATH" \
	  $(RUN) -m jupyter lab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/lectures/README.md

lint: .venv/.dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

bench: .venv/.bench
	$(RUN) -m benchmarks

notebooks: .venv/.lectures
	$(RUN) -m tools.notebooks run

exercises: .venv/.demo
	$(RUN) -m tools.exercises

nbgrader: .venv/.demo
	$(RUN) -m tools.assignments

# A stamp for each extra of pyproject.toml: while it is newer, nothing is installed and no network is needed.
# Every extra includes `demo`.
.venv/.demo .venv/.test .venv/.lectures .venv/.bench .venv/.site .venv/.dev: pyproject.toml | .venv/.made
	$(RUN) -m pip install --disable-pip-version-check -e ".[$(@F:.%=%)]"
	@touch .venv/.demo $@

.venv/.made:
	@test -n "$(PYTHON)" || { echo "micrograd needs Python 3.11 or later, and found none on the PATH"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@
