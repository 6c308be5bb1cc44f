#!/usr/bin/env bash
# Builds stand-ins for the base images of docker-compose.yml from Debian packages and a pyenv Python, so that
# `make compose-test` can run where no image registry can be reached. Needs root on Debian; two minutes, once.
#   tests/compose/stand-ins.sh [CONTAINERS_CONF]     writes settings for podman there when a file is named
# Then, with podman-compose on the path:
#   CONTAINERS_CONF=… BUILDAH_ISOLATION=chroot make compose-test COMPOSE=podman-compose
set -euo pipefail
work=${STANDIN_DIR:-/var/tmp/stand-ins}
mkdir -p "$work"
if [ -n "${1:-}" ]; then
    printf '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]\n[engine]\nruntime = "runc"\n' >"$1"
    export CONTAINERS_CONF=$1
fi
for program in podman runc debootstrap catatonit; do
    command -v $program >/dev/null && continue
    apt-get update -qq
    apt-get install -y -qq podman runc debootstrap catatonit iptables aardvark-dns >/dev/null
    break
done

if ! podman image exists localhost/stand-in-base; then
    mirror=$(awk '/^URIs/{print $2; exit}' /etc/apt/sources.list.d/*.sources 2>/dev/null || true)
    rm -rf "$work/root"
    debootstrap --variant=minbase --include=ca-certificates bookworm "$work/root" "$mirror" >"$work/debootstrap.log"
    # what lets apt and pip inside a container reach the same registries as this machine
    cp -a /etc/apt/sources.list.d "$work/root/etc/apt/" 2>/dev/null || true
    cp -a /etc/apt/apt.conf.d/. "$work/root/etc/apt/apt.conf.d/" 2>/dev/null || true
    cp -aL /etc/ssl/certs/ca-certificates.crt "$work/root/etc/ssl/certs/"
    tar -C "$work/root" -c . | podman import - localhost/stand-in-base >/dev/null
    rm -rf "$work/root"
fi

# image PACKAGES… : a container of the base with Debian packages in it, to be committed
prepared() {
    image=$1
    shift
    podman rm -f "$image" >/dev/null 2>&1 || true
    podman run --network host --name "$image" localhost/stand-in-base \
        sh -c "apt-get update -qq && apt-get install -y -qq --no-install-recommends $* >/dev/null"
}

# CONTAINER IMAGE CHANGES… : the container becomes the image
committed() {
    container=$1 image=$2
    shift 2
    podman commit -q "$@" "$container" "$image" >/dev/null
    podman rm -f "$container" >/dev/null
    echo "built $image"
}

python=docker.io/library/python:3.12-slim-bookworm
if ! podman image exists $python; then
    prefix=$(ls -d "$HOME"/.pyenv/versions/3.12* | tail -n 1)
    prepared stand-in-python libssl3 libsqlite3-0 libffi8 zlib1g libbz2-1.0 liblzma5 libreadline8 libncursesw6
    podman cp "$prefix/." stand-in-python:/usr/local
    # the copied pip names an interpreter outside the container
    printf '#!/bin/sh\nexec python3 -m pip "$@"\n' >"$work/pip"
    chmod +x "$work/pip"
    podman cp "$work/pip" stand-in-python:/usr/local/bin/pip
    committed stand-in-python $python -c 'ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
        -c 'ENV LD_LIBRARY_PATH=/usr/local/lib' -c 'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' \
        -c 'CMD ["python3"]'
fi

postgres=docker.io/library/postgres:17
if ! podman image exists $postgres; then
    prepared stand-in-postgres postgresql
    cat >"$work/postgres-entrypoint" <<'SCRIPT'
#!/bin/sh
# As the official image: a new data folder gets POSTGRES_PASSWORD and asks everybody for theirs.
set -eu
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    chown postgres:postgres "$PGDATA"
    printf '%s' "$POSTGRES_PASSWORD" >/tmp/password
    chown postgres /tmp/password
    as_postgres "$bin/initdb" -D "$PGDATA" -U postgres --pwfile=/tmp/password --auth=scram-sha-256 --encoding=UTF8
    rm /tmp/password
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
fi
shift
exec setpriv --reuid=postgres --regid=postgres --clear-groups "$bin/postgres" -D "$PGDATA" \
    -c listen_addresses='*' -c unix_socket_directories=/tmp "$@"
SCRIPT
    chmod +x "$work/postgres-entrypoint"
    podman cp "$work/postgres-entrypoint" stand-in-postgres:/usr/local/bin/docker-entrypoint.sh
    committed stand-in-postgres $postgres -c 'ENV PGDATA=/var/lib/postgresql/data' \
        -c 'ENTRYPOINT ["docker-entrypoint.sh"]' -c 'CMD ["postgres"]' -c 'VOLUME /var/lib/postgresql/data'
fi

redis=docker.io/library/redis:7
if ! podman image exists $redis; then
    prepared stand-in-redis redis-server
    # as the official image: reachable from other containers, which a password guards
    printf '#!/bin/sh\nexec setpriv --reuid=redis --regid=redis --clear-groups "$@" --bind 0.0.0.0 --dir /tmp\n' \
        >"$work/redis-entrypoint"
    chmod +x "$work/redis-entrypoint"
    podman cp "$work/redis-entrypoint" stand-in-redis:/usr/local/bin/docker-entrypoint.sh
    committed stand-in-redis $redis -c 'ENTRYPOINT ["docker-entrypoint.sh"]' -c 'CMD ["redis-server"]'
fi
