# 叫应 jiaoying. `make help` lists what there is to do.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo test check e2e fuzz sim vendors up replay clean lock

help: ## 列出命令 / list the commands
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(STAMP) ## 一分钟看完郑州那一夜的第一小时 / the first hour of the Zhengzhou night in a minute
	@$(BIN)/jiaoying demo

up: $(STAMP) ## 运行全部服务，Ctrl-C 结束 / run the whole service until Ctrl-C
	@$(BIN)/jiaoying up

replay: $(STAMP) ## 在虚拟时间里重演郑州的一天 / run the Zhengzhou day again in virtual time
	@$(BIN)/jiaoying replay zhengzhou-2021-07-20

test: check ## 检查并运行全部测试 / lint, types and every test
	@$(BIN)/python -m pytest -q -m "not slow"

e2e: $(STAMP) ## Apache Kafka、PostgreSQL，边叫边杀进程 / the same night while everything is killed
	@$(BIN)/python -m pytest -q -m slow

sim: $(STAMP) ## 五千个带故障的模拟夜晚 / five thousand simulated nights with faults
	@$(BIN)/jiaoying sim --nights 5000

fuzz: $(STAMP) ## 把弄坏的文件递进每个入口，按接口说明乱问网关 / spoiled documents at every door, anything asked of the gateway
	@$(BIN)/python -m tests.fuzz

check: $(STAMP) ## 只做静态检查 / lint and types only
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

$(STAMP): requirements.lock pyproject.toml
	@sh .ci/install.sh $(VENV)
	@touch $@

lock: ## 更新依赖锁定（需要 uv） / renew the lock file (needs uv)
	uv pip compile pyproject.toml --group dev --extra embedded --universal --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header -q -o requirements.lock

vendors: $(STAMP) ## 在本机起两家假的电话厂商 / both fake telephone vendors on this machine
	@$(BIN)/python -m tests.wire.vendors --gateway http://127.0.0.1:8010 --county data/vendors

clean: ## 删除虚拟环境和数据 / remove the environment and the data
	rm -rf $(VENV) data
