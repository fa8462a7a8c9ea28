# Two images from one file: `api` (no torch) and `worker` (torch and ray; dispatcher and Ray nodes).
FROM python:3.11-slim AS base
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
RUN useradd --uid 10001 --create-home paretrim && mkdir -p /data && chown paretrim /data
COPY constraints.txt pyproject.toml README.md ./
COPY sdk sdk
COPY service service
COPY search search
COPY agents agents
COPY compressors compressors
COPY hw_models hw_models
COPY migrations migrations

FROM base AS worker
RUN pip install -c constraints.txt torch==2.13.0 && pip install -c constraints.txt -e ./sdk -e '.[worker]'
USER 10001
CMD ["paretrim", "dispatcher"]

# Uploads are inspected by the API in a jailed process that reads networks, so it needs the worker's packages too; the web
# process itself loads none of them.
FROM worker AS api
CMD ["paretrim", "serve", "--api-only", "--host", "0.0.0.0", "--port", "8000"]
