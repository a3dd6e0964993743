#!/usr/bin/env bash
# Real servers for the live tests, from Debian's packages, on loopback ports of their own with data in a temporary
# folder. Needs root, for apt-get and because the servers run as users of their own.
#
#   eval "$(tests/services.sh up)"             starts postgres and mariadb, prints where they are
#   eval "$(tests/services.sh up postgres)"    one of them
#   tests/services.sh down                     stops all and removes their data
set -euo pipefail

folder=${FENHE_SERVICES:-/tmp/fenhe-services}
postgres_port=${FENHE_POSTGRES_PORT:-54329}
mariadb_port=${FENHE_MARIADB_PORT:-33069}

say() { printf '%s\n' "$*" >&2; }

need() { # COMMAND PACKAGE
    command -v "$1" >/dev/null && return
    say "installing $2"
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$2"; } >&2
}

wait_for() { # WHAT COMMAND...
    local what=$1
    shift
    for _ in $(seq 150); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.2
    done
    say "$what does not answer; its log:"
    tail -n 20 "$folder/$what.log" >&2 || true
    exit 1
}

# A certificate for 127.0.0.1 alone, and the authority that signed it, which only the tests trust.
certificates() { # OWNER FOLDER
    need openssl openssl
    local ca=$folder/tls
    mkdir -p "$ca"
    if [ ! -e "$ca/ca.pem" ]; then
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=tests' -keyout "$ca/ca.key" -out "$ca/ca.part" \
            -addext basicConstraints=critical,CA:TRUE 2>/dev/null
        mv "$ca/ca.part" "$ca/ca.pem"
    fi
    openssl req -newkey rsa:2048 -nodes -subj '/CN=server' -keyout "$ca/server.key" -out "$ca/server.csr" 2>/dev/null
    openssl x509 -req -in "$ca/server.csr" -CA "$ca/ca.pem" -CAkey "$ca/ca.key" -CAcreateserial -days 2 -out "$ca/server.pem" \
        -extfile <(echo 'subjectAltName=IP:127.0.0.1') 2>/dev/null
    install -o "$1" -g "$1" -m 600 "$ca/server.key" "$2/server.key"
    install -o "$1" -g "$1" -m 644 "$ca/server.pem" "$2/server.pem"
}

postgres_bin() { find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1; }

as_postgres() { (cd / && setpriv --reuid=postgres --regid=postgres --init-groups "$@"); }

postgres_ready() { psql -qAtc 'SELECT 1' "postgres://postgres@127.0.0.1:$postgres_port/fenhe"; }

postgres_up() {
    # The package would start a server of its own in the usual place.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
        echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    [ -n "$(postgres_bin)" ] || need no-such-command postgresql
    local bin data=$folder/postgres
    bin=$(postgres_bin)
    if ! postgres_ready >/dev/null 2>&1; then
        rm -rf "$data"
        install -d -o postgres -g postgres -m 700 "$data"
        as_postgres "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >"$folder/postgres.log" 2>&1
        certificates postgres "$data"
        cat >"$data/pg_hba.conf" <<HBA
host all fenhe_scram 127.0.0.1/32 scram-sha-256
hostssl all fenhe_tls 127.0.0.1/32 trust
host all fenhe_tls 127.0.0.1/32 reject
host all all 127.0.0.1/32 trust
HBA
        # Logs go to a file that the server's user may write.
        install -o postgres -m 600 /dev/null "$data/server.log"
        as_postgres "$bin/pg_ctl" -D "$data" -l "$data/server.log" -w -t 60 start \
            -o "-p $postgres_port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' \
                -c ssl=on -c ssl_cert_file=server.pem -c ssl_key_file=server.key ${FENHE_POSTGRES_FLAGS:-}" >>"$folder/postgres.log" 2>&1 </dev/null
        psql -q "postgres://postgres@127.0.0.1:$postgres_port/postgres" -c 'CREATE DATABASE fenhe' >&2
        psql -q "postgres://postgres@127.0.0.1:$postgres_port/postgres" \
            -c "CREATE ROLE fenhe_scram LOGIN SUPERUSER PASSWORD 'fenhe-live-test'" -c 'CREATE ROLE fenhe_tls LOGIN SUPERUSER' >&2
    fi
    wait_for postgres postgres_ready
    echo "export FENHE_POSTGRES=postgres://postgres@127.0.0.1:$postgres_port/fenhe"
}

postgres_down() {
    [ -e "$folder/postgres/postmaster.pid" ] || return 0
    as_postgres "$(postgres_bin)/pg_ctl" -D "$folder/postgres" -m immediate stop >&2 || true
}

mariadb_ready() { mariadb -h 127.0.0.1 -P "$mariadb_port" -u fenhe -pfenhe-live-test -e 'SELECT 1' fenhe; }

mariadb_up() {
    need mariadbd mariadb-server
    local data=$folder/mariadb
    if ! mariadb_ready >/dev/null 2>&1; then
        rm -rf "$data"
        install -d -o mysql -g mysql -m 700 "$data" "$data/tmp"
        (cd / && mariadb-install-db --no-defaults --user=mysql --datadir="$data/db" --auth-root-authentication-method=normal) \
            >"$folder/mariadb.log" 2>&1
        certificates mysql "$data"
        cat >"$data/init.sql" <<SQL
CREATE DATABASE IF NOT EXISTS fenhe CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS fenhe@'%' IDENTIFIED BY 'fenhe-live-test';
GRANT ALL ON *.* TO fenhe@'%';
CREATE USER IF NOT EXISTS fenhe_tls@'%' IDENTIFIED BY 'fenhe-live-test' REQUIRE SSL;
GRANT ALL ON *.* TO fenhe_tls@'%';
SQL
        chown mysql "$data/init.sql"
        # Nothing of it keeps our output open: the caller waits for its end.
        (cd / && exec setsid mariadbd --no-defaults --user=mysql --datadir="$data/db" --port="$mariadb_port" --skip-name-resolve \
            --bind-address=127.0.0.1 --socket="$data/mariadb.sock" --pid-file="$data/mariadb.pid" --tmpdir="$data/tmp" \
            --ssl-cert="$data/server.pem" --ssl-key="$data/server.key" --init-file="$data/init.sql") >>"$folder/mariadb.log" 2>&1 </dev/null &
    fi
    wait_for mariadb mariadb_ready
    echo "export FENHE_MARIADB=mysql://fenhe:fenhe-live-test@127.0.0.1:$mariadb_port/fenhe"
}

mariadb_down() {
    [ -e "$folder/mariadb/mariadb.pid" ] || return 0
    local pid
    pid=$(cat "$folder/mariadb/mariadb.pid")
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 100); do [ -e "/proc/$pid" ] || return 0; sleep 0.1; done
    kill -9 "$pid" 2>/dev/null || true
}

verb=${1:-}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- postgres mariadb
for name in "$@"; do
    case $name in postgres | mariadb) ;; *) say "no service $name; there are postgres and mariadb"; exit 2 ;; esac
done
case $verb in
up)
    mkdir -p "$folder"
    for name in "$@"; do "${name}_up"; done
    echo "export FENHE_TLS_ROOTS=$folder/tls/ca.pem"
    ;;
down)
    for name in "$@"; do "${name}_down"; rm -rf "${folder:?}/$name"; done
    [ -e "$folder/postgres" ] || [ -e "$folder/mariadb" ] || rm -rf "${folder:?}/tls"
    rmdir "$folder" 2>/dev/null || true
    ;;
*)
    say "usage: tests/services.sh up|down [postgres] [mariadb]"
    exit 2
    ;;
esac
