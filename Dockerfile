# The image of fenpai: exact versions by hash in the first stage, only what runs in the second, no root, no compiler, no curl.
FROM python:3.11-slim AS build
WORKDIR /src
RUN python3 -m venv /opt/fenpai
ENV PATH=/opt/fenpai/bin:$PATH
# Dependencies first: they change seldom, so this layer is kept when only our code changes.
COPY requirements.lock ./
RUN python3 -m pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . ./
RUN python3 -m pip install --no-cache-dir --no-deps . && python3 -m pip check && python3 -m pip uninstall -qy pip setuptools

FROM python:3.11-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin fenpai && install -d -o fenpai -g fenpai -m 0750 /data
COPY --from=build /opt/fenpai /opt/fenpai
# It does not serve until there is an API key: docker run -v data:/data fenpai keys create --name 管理员 --scope admin
ENV PATH=/opt/fenpai/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FENPAI_HOST=0.0.0.0 \
    FENPAI_PORT=8360 \
    FENPAI_DATABASE_URL=sqlite:////data/fenpai.db
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8360
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["python3", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"FENPAI_PORT\"]}/healthz', timeout=2)"]
ENTRYPOINT ["fenpai"]
CMD ["serve"]
