FROM python:3.11-slim-bookworm AS packages
COPY requirements.runtime.lock /
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --only-binary :all: --require-hashes \
        --requirement /requirements.runtime.lock

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 paidonce \
    && useradd --uid 10001 --gid paidonce --no-create-home --shell /usr/sbin/nologin paidonce \
    && install --directory --owner 10001 --group 10001 /var/lib/paidonce/transactions
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY logs.py setting_types.py settings.py worker.py ./
COPY domain domain
COPY gateways gateways
COPY db db
COPY letters letters
COPY activities activities
COPY workflows workflows
COPY api api
COPY deploy/migrate.sh deploy/
RUN python -m compileall -q .
USER 10001:10001
CMD ["python", "-m", "api"]
