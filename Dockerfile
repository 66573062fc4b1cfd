# Packages come as wheels only, so nothing needs a compiler; they are made ready in a stage of
# their own, so that pip stays behind.
FROM python:3.13-slim AS packages
COPY requirements.txt /tmp/
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv install --no-cache-dir --only-binary=:all: \
    --root-user-action=ignore --disable-pip-version-check -r /tmp/requirements.txt

FROM python:3.13-slim

# An image cannot know the secret, the databases, or how many proxies stand in front of it.
# SECRET_KEY, DATABASE_URL, REDIS_URL, BASE_URL and TRUSTED_PROXIES are set where it runs.
ENV ENVIRONMENT=production \
    HOST=0.0.0.0 \
    PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1

RUN groupadd --gid 10001 inkstand \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /app \
    --shell /usr/sbin/nologin inkstand

WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY . .

# Without DATABASE_URL the blog is one file in /app/data: mount a volume there. No VOLUME, which
# Railway refuses, and no EXPOSE, which Dokku would take for the port that visitors use.
RUN python -m compileall -q . \
 && install -d -o inkstand -g inkstand data

USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; blog = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('PORT') or 8000), timeout=4); blog.request('GET', '/healthz'); sys.exit(blog.getresponse().status != 200)"]
CMD ["python", "-m", "cli", "serve"]
