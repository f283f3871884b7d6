# The only commands that a newcomer needs. `tools/python` finds a Python 3.11 (PYTHON=… chooses one).
.DEFAULT_GOAL := help
.PHONY: help run test test-sqlite test-postgres test-browser test-frontend lint lint-deep format bench fuzz images clean

PYTHON ?=
export PYTHON
# Given on the command line or in the environment: make run HOST=0.0.0.0 PORT=8001
export HOST
export PORT

help:  ## say what there is
	@echo 'Gradus: a learning platform whose labs grade themselves'
	@echo
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 22
	@echo
	@echo '  make run PORT=8001 chooses another port, GRADUS_HOME another place than var/ for the data.'

run:  ## set up whatever is missing and start everything: http://127.0.0.1:8000/
	@exec sh tools/python -m tools.serve

test:  ## all tests: front end, Python on SQLite and on PostgreSQL, browser
	@exec sh tools/python -m tools.check test

test-sqlite:  ## Python's tests on SQLite; ARGS='tests/web -k receipt' chooses some
	@exec sh tools/python -m tools.check test-sqlite -- $(ARGS)

test-postgres:  ## the tests that use the database, on a PostgreSQL of their own
	@exec sh tools/python -m tools.check test-postgres -- $(ARGS)

test-browser:  ## the tests that drive Chromium against a running site
	@exec sh tools/python -m tools.check test-browser -- $(ARGS)

test-frontend:  ## the front end's tests
	@exec sh tools/python -m tools.check test-frontend

lint:  ## formatting, types, import rules, templates, front end, migrations
	@exec sh tools/python -m tools.check lint

lint-deep:  ## every lab on 200 seeds; takes hours. ARGS='labs/autodiff' chooses some
	@exec sh tools/python -m tools.check lint-deep -- $(ARGS)

format:  ## format Python and the front end
	@exec sh tools/python -m tools.check format

bench:  ## measurements beside nbgrader and otter; ARGS=--full takes longer
	@exec sh tools/python -m tools.check bench -- $(ARGS)

fuzz:  ## feed changed bytes to everything that reads hostile ones, two minutes; ARGS='--seconds 600 hear'
	@exec sh tools/python -m tools.check fuzz -- $(ARGS)

images:  ## the Docker wall's images; ARGS=gpu for GPU hosts, BASE=… chooses what to build upon
	@exec sh tools/python -m tools.images $(ARGS)

clean:  ## delete what was installed and built; var/ with its database stays
	rm -rf .venv .zygotes .node .fuzz frontend/node_modules frontend/dist
	rm -rf .mypy_cache .ruff_cache .import_linter_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
