# The commands of this project; `make` alone lists them.
# Everything lives in .venv and plain pip is enough. With uv at hand: make setup PIP="uv pip install --python .venv/bin/python"
.DEFAULT_GOAL := help
SHELL := /bin/bash
# Where this is set (as in many images) each of the many processes that a run starts would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE
.SHELLFLAGS := -o pipefail -ec

PYTHON ?= python3
BIN := .venv/bin
PIP ?= $(BIN)/python -m pip install -qq --disable-pip-version-check
T ?=

.PHONY: .pins .openapi help setup run demo test check audit format openapi bench soak image lock clean

help: ## 列出所有命令 | list the commands
	@sed -nE 's/^([a-z]+):.*## (.*)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | while IFS=$$'\t' read -r name text; do printf '  make %-9s%s\n' "$$name" "$$text"; done

setup: .venv/.setup ## 建 .venv 并安装 | make .venv and install

run: setup ## 送示例工单，打印分派结果，然后一直提供服务 | sample work orders through the API, then keep serving
	@$(BIN)/fenpai demo --serve

demo: setup ## 同上，打印后结束 | the same, then end
	@$(BIN)/fenpai demo

test: .venv/.test .venv/.browser ## 跑测试，T=路径或参数 | run the tests, T=path or options
	@$(BIN)/python -m pytest $(if $(T),$(T),-n 3 --dist loadfile --no-loadscope-reorder)

check: .venv/.test .venv/.check ## 格式、类型、导入方向、依赖、Dockerfile、openapi.yaml | every static check
	@failed=; \
	step() { echo "· $$*"; "$$@" || failed="$$failed [$${*##*/}]"; }; \
	step $(BIN)/ruff format --check .; \
	step $(BIN)/ruff check .; \
	step $(BIN)/mypy; \
	step $(BIN)/lint-imports --no-logo; \
	step $(BIN)/deptry .; \
	step $(BIN)/hadolint Dockerfile; \
	step env PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix service/console run --silent check; \
	step $(MAKE) --no-print-directory .pins .openapi; \
	test -z "$$failed" || { echo "未通过：$$failed" >&2; exit 1; }

audit: .venv/.audit ## 依赖有没有已知漏洞；要能上互联网，查不到也算不通过 | known vulnerabilities of what is installed; needs the internet
	@status=0; \
	$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements.lock || status=1; \
	PATH="$(CURDIR)/$(BIN):$$PATH" NODE_USE_SYSTEM_CA=1 $(BIN)/npm audit --prefix service/console --package-lock-only --omit=dev || status=1; \
	[ $$status = 0 ] || { echo '有已知漏洞，或没有查到（要能上互联网，npm 的源要有 audit 接口）：见上面各行。没有查到不等于没有漏洞。' >&2; exit 1; }

.pins: # what the image installs is what was tested
	@! sed -nE '$(PIN)' requirements.lock | grep -vxFf <(sed -nE '$(PIN)' constraints.txt) || { echo 'requirements.lock 与 constraints.txt 不一致，请运行 make lock' >&2; exit 1; }

.openapi: # what is committed is what the program says
	@$(BIN)/fenpai openapi | diff -u openapi.yaml - || { echo 'openapi.yaml 与程序不一致，请运行 make openapi' >&2; exit 1; }

format: .venv/.check ## 整理格式 | format the code, mend what can be mended
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

openapi: setup ## 重新生成 openapi.yaml | write openapi.yaml anew
	@$(BIN)/fenpai openapi > openapi.yaml.new
	@mv openapi.yaml.new openapi.yaml

bench: .venv/.test .venv/.bench ## 测速，T=名称只测一项（如 T=storage） | measure the speed, T=name for one
	@for name in $(or $(T),$(basename $(notdir $(wildcard tests/benchmarks/[a-z]*.py)))); do echo "· $$name"; $(BIN)/python -m tests.benchmarks.$$name; done

soak: .venv/.test ## 长跑并不时杀进程，看有没有丢、重、漏，T="sqlite 20" | soak with kills, T="sqlite|postgres MINUTES"
	@$(BIN)/python -m tests.soak $(T)

image: ## 构建容器镜像 fenpai:local | build the container image
	docker build --tag fenpai:local .

lock: .venv/.lock ## 更新 constraints.txt 与 requirements.lock | pin the newest versions
	@sed -n '1{/^#/p}' constraints.txt > constraints.txt.new
	@sed -n '1{/^#/p}' requirements.lock > requirements.lock.new
	@$(COMPILE) --all-extras pyproject.toml >> constraints.txt.new
	@$(COMPILE) --generate-hashes pyproject.toml >> requirements.lock.new
	@! grep -nE '://|^-|/' constraints.txt.new requirements.lock.new
	@mv constraints.txt.new constraints.txt
	@mv requirements.lock.new requirements.lock

clean: ## 删掉 .venv 与缓存 | remove .venv and the caches
	rm -rf service/console/dist service/console/node_modules .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Universal: one file serves every platform and every Python from 3.11 on. The options keep hosts and paths out; the grep above proves it.
COMPILE = $(BIN)/uv pip compile --quiet --universal --upgrade --python-version 3.11 --no-header --no-annotate --no-emit-index-url --no-emit-find-links

# Name and version of a pin, without marker and hashes.
PIN = s/^([a-z0-9.-]+==[^ ]+).*/\1/p

# Each stamp says "installed from these two files"; touch nothing, take no time.
.venv/.setup: pyproject.toml constraints.txt | .venv/bin/python
	@echo '安装 fenpai（约一分钟，含构建网页控制台；不要控制台则设 FENPAI_SKIP_CONSOLE=1）……'
	@$(PIP) -c constraints.txt -e .
	@touch $@

.venv/.test .venv/.check .venv/.bench .venv/.audit: .venv/.%: .venv/.setup
	@echo '安装 $* 所需的包……'
	@$(PIP) -c constraints.txt -e '.[$*]'
	@touch $@

# The browser of the console's tests: the machine's own, or Debian's where we may install it.
.venv/.browser: | .venv/bin/python
	@command -v "$${FENPAI_TEST_BROWSER:-chromium}" chromium-browser google-chrome google-chrome-stable >/dev/null || { \
	  echo '安装 Chromium（网页测试用）……'; \
	  { apt-get update -q && apt-get install -yq --no-install-recommends chromium fonts-wqy-zenhei; } >.venv/browser.log 2>&1; } \
	  || { echo '装不了 Chromium，网页测试会失败。请用管理员身份安装（Debian：apt-get install chromium），或用 FENPAI_TEST_BROWSER 指明它在哪里。'; tail -n 3 .venv/browser.log; } >&2
	@touch $@

.venv/.lock: | .venv/bin/python
	@$(PIP) uv
	@touch $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo '需要 Python 3.11 或更新版本，现在的 $(PYTHON) 是：'"$$($(PYTHON) --version 2>/dev/null || echo 没有找到)"'。如另装了新版本：make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo '建不了 .venv。在 Debian、Ubuntu 上请先安装 python3-venv。' >&2; exit 1; }
