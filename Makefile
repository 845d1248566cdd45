# formcheck: `make demo` and `make test` are all that a fresh machine needs. Everything stays inside this folder.

BIN := .venv/bin
CLIP := sample_videos/02-prone-leg-curl-missing-plantarflexion.mp4
EXERCISE := prone-leg-curl
OUT := out
OVERLAY := $(OUT)/$(basename $(notdir $(CLIP))).overlay.mp4

.DEFAULT_GOAL := help
.PHONY: help setup browser demo app test lint types contracts check lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## prepare .venv with the locked versions (all targets below do this first)
	@./scripts/setup.sh

# Exit status 1 means findings, which is what the demo is there to show. Python's own crashes exit with 1 too, so the
# overlay has to be there afterwards.
demo: setup ## analyse a shipped clip, print the findings, write the overlay video into out/
	@rm -f $(OVERLAY)
	@$(BIN)/formcheck check $(CLIP) --exercise $(EXERCISE) --out $(OUT) --video || [ $$? -eq 1 ]
	@test -s $(OVERLAY) || { echo "demo: no overlay video was written" >&2; exit 1; }
	@echo "overlay video: $(OVERLAY)"

app: setup ## open the app at http://localhost:8501
	@$(BIN)/formcheck ui

browser: ## find or install the browser that the app's tests drive
	@./scripts/browser.sh

# The tests that drive a browser go first and alone: they need the machine's cores. CI reads the last closing line.
test: setup browser ## run the whole test suite
	@$(BIN)/python -m pytest -m browser
	@$(BIN)/python -m pytest -m "not browser" --numprocesses auto --maxprocesses 4 --dist loadfile

lint: setup ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup ## mypy, strict
	@$(BIN)/mypy

contracts: setup ## the import contracts of pyproject.toml
	@$(BIN)/lint-imports

check: lint types contracts test ## all of the above, tests last

lock: ## write requirements.lock anew from pyproject.toml (needs uv)
	uv --no-config pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
		--upgrade --all-extras --custom-compile-command "make lock" --output-file requirements.lock pyproject.toml

clean: ## remove results, builds and caches (delete .venv yourself to be rid of everything)
	rm -rf $(OUT) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
