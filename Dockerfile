# 一个镜像,两种进程:jiaoying worker 和 jiaoying gateway。 One image, two processes: worker and gateway.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /app

# 依赖单独一层:改代码不重装。 A layer of its own: a change of code does not install them again.
COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock

COPY pyproject.toml README.md ./
COPY config config
COPY rosters rosters
COPY agents agents
COPY streams streams
RUN pip install --no-deps --no-build-isolation .

# 不用 root 运行;台账密钥等在 /data。 Not as root; secrets and the drop folder are in /data.
RUN useradd --system --uid 10001 --home-dir /data --create-home jiaoying
USER jiaoying
WORKDIR /data
VOLUME /data
ENV JIAOYING_DATA_DIR=/data

# 8010 网关 the gateway, 8011 工作进程的 /metrics the worker's.
EXPOSE 8010 8011

ENTRYPOINT ["jiaoying"]
CMD ["--help"]
