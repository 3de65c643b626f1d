#!/bin/sh
# Builds the virtual environment from the lock file. Speaks plainly where the machine cannot do it.
set -eu
venv=$1

say() { printf '%s\n' "$*" >&2; }

case "$(uname -s)" in
  Linux | Darwin) ;;
  *) say "内嵌消息中间件只支持 Linux 和 macOS；其他系统请用 docker compose。 / Only Linux and macOS; elsewhere use docker compose."; exit 1 ;;
esac

python=""
for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3 python; do
  [ -n "$candidate" ] || continue
  if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11) or sys.version_info >= (3, 14))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  say "需要 Python 3.11 至 3.13（含 venv 模块）。请安装后重试，或用 PYTHON=路径 make … 指定。"
  say "Python 3.11 to 3.13 with the venv module is needed: install it, or name it with PYTHON=path make …"
  exit 1
fi

say "· $($python --version) → $venv"
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
say "· 安装锁定的依赖（首次约一分钟） / installing the locked dependencies"
"$venv/bin/python" -m pip install --disable-pip-version-check --quiet --progress-bar off --require-hashes -r requirements.lock || {
  say "依赖没有装上：请检查网络和软件源设置后重试。 / The dependencies were not installed: check network and index settings."
  exit 1
}
"$venv/bin/python" -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
