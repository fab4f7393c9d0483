# Sourced by ./scripts/test and ./scripts/chaos: RabbitMQ and PostgreSQL for tests.
# find_neighbours exports GATEWAY_TEST_AMQP_URL and GATEWAY_TEST_DATABASE_URL; stop_private_neighbours undoes it.
# GATEWAY_TEST_NODES=private skips what answers on the standard ports.

private_folder=''

find_neighbours() {
    if [ -z "${GATEWAY_TEST_AMQP_URL:-}" ] && usable_amqp amqp://guest:guest@127.0.0.1:5672/%2f; then
        GATEWAY_TEST_AMQP_URL=amqp://guest:guest@127.0.0.1:5672/%2f
    fi
    if [ -z "${GATEWAY_TEST_DATABASE_URL:-}" ] && usable_database postgresql://postgres@127.0.0.1:5432/postgres; then
        GATEWAY_TEST_DATABASE_URL=postgresql://postgres@127.0.0.1:5432/postgres
    fi
    command -v amqp-publish >/dev/null 2>&1 || install_packages amqp-tools
    [ -n "${GATEWAY_TEST_AMQP_URL:-}" ] || start_private_rabbitmq
    [ -n "${GATEWAY_TEST_DATABASE_URL:-}" ] || start_private_postgresql
    export GATEWAY_TEST_AMQP_URL GATEWAY_TEST_DATABASE_URL
}

usable_amqp() {
    [ "${GATEWAY_TEST_NODES:-}" != private ] || return 1
    "$root/.venv/bin/python" - "$1" 2>/dev/null <<'PY'
import sys, pika
parameters = pika.URLParameters(sys.argv[1])
parameters.socket_timeout = parameters.blocked_connection_timeout = 3
pika.BlockingConnection(parameters).close()
PY
}

usable_database() {
    [ "${GATEWAY_TEST_NODES:-}" != private ] || return 1
    "$root/.venv/bin/python" - "$1" 2>/dev/null <<'PY'
import sys, psycopg
with psycopg.connect(sys.argv[1], connect_timeout=3) as connection:
    may_create = connection.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    sys.exit(not may_create[0])
PY
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null 2>&1; then sudo -n "$@"; else return 1; fi
}

install_packages() {
    command -v apt-get >/dev/null 2>&1 || tell_what_is_needed
    as_root apt-get update -qq >&2 || tell_what_is_needed
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 ||
        tell_what_is_needed
}

# The browser of the page's tests: one that is here, else Debian's, else Playwright's own (then nothing is exported).
find_browser() {
    if [ -z "${GATEWAY_TEST_CHROMIUM:-}" ] && ! present_browser; then
        if command -v apt-get >/dev/null 2>&1 && as_root apt-get update -qq >&2 &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >&2; then
            present_browser || true
        else
            "$root/.venv/bin/playwright" install --with-deps chromium >&2 ||
                printf '%s\n' "No Chromium could be installed: the browser tests are skipped." >&2
        fi
    fi
}

present_browser() {
    for candidate in chromium google-chrome; do
        if command -v "$candidate" >/dev/null 2>&1; then
            GATEWAY_TEST_CHROMIUM=$(command -v "$candidate")
            export GATEWAY_TEST_CHROMIUM
            return 0
        fi
    done
    return 1
}

tell_what_is_needed() {
    fail "The tests need RabbitMQ, PostgreSQL and amqp-publish. Either run as root or with sudo:
    apt-get install -y --no-install-recommends rabbitmq-server postgresql amqp-tools
or name running ones:
    GATEWAY_TEST_AMQP_URL=amqp://user:secret@host:5672/%2f GATEWAY_TEST_DATABASE_URL=postgresql://user@host/postgres"
}

free_port() {
    "$root/.venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

private() {
    if [ -z "$private_folder" ]; then
        private_folder=$(mktemp -d)
        chmod 755 "$private_folder"
    fi
}

start_private_rabbitmq() {
    [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || install_packages rabbitmq-server
    private
    rabbit=$private_folder/rabbitmq
    mkdir "$rabbit"
    as_root chown rabbitmq "$rabbit"
    amqp_port=$(free_port)
    rabbit_node=gateway-test-$$@localhost
    rabbit_do /usr/lib/rabbitmq/bin/rabbitmq-server >"$private_folder/rabbitmq.log" 2>&1 &
    GATEWAY_TEST_AMQP_URL=amqp://guest:guest@127.0.0.1:$amqp_port/%2f
    waited=0
    until GATEWAY_TEST_NODES='' usable_amqp "$GATEWAY_TEST_AMQP_URL"; do
        waited=$((waited + 1))
        [ "$waited" -lt 60 ] || fail "The private RabbitMQ did not start; see $private_folder/rabbitmq.log"
        sleep 1
    done
}

# Its own name, data, ports and cookie, all on loopback; the distribution port too.
rabbit_do() {
    as_root runuser -u rabbitmq -- env HOME="$rabbit" RABBITMQ_NODENAME="$rabbit_node" \
        RABBITMQ_NODE_PORT="$amqp_port" RABBITMQ_DIST_PORT=$((amqp_port > 40000 ? amqp_port - 20000 : amqp_port + 20000)) \
        RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 ERL_EPMD_ADDRESS=127.0.0.1 \
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}" \
        RABBITMQ_MNESIA_BASE="$rabbit/data" RABBITMQ_LOG_BASE="$rabbit/log" RABBITMQ_ENABLED_PLUGINS_FILE="$rabbit/plugins" \
        RABBITMQ_PID_FILE="$rabbit/pid" RABBITMQ_CONFIG_FILE="$rabbit/none" "$@"
}

start_private_postgresql() {
    postgres_bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
    if [ -z "$postgres_bin" ]; then
        install_packages postgresql
        postgres_bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    fi
    private
    postgres=$private_folder/postgresql
    mkdir "$postgres"
    as_root chown postgres "$postgres"
    database_port=$(free_port)
    as_postgres "$postgres_bin/initdb" -D "$postgres/data" -A trust -E UTF8 --locale=C.UTF-8 >/dev/null
    as_postgres "$postgres_bin/pg_ctl" -D "$postgres/data" -l "$postgres/log" -w \
        -o "-c listen_addresses=127.0.0.1 -c port=$database_port -c unix_socket_directories=$postgres" start >/dev/null
    GATEWAY_TEST_DATABASE_URL=postgresql://postgres@127.0.0.1:$database_port/postgres
}

as_postgres() {
    as_root runuser -u postgres -- "$@"
}

stop_private_neighbours() {
    if [ -n "${postgres:-}" ]; then
        as_postgres "$postgres_bin/pg_ctl" -D "$postgres/data" -m immediate -w stop >/dev/null 2>&1 || true
    fi
    if [ -n "${rabbit:-}" ]; then
        rabbit_do /usr/lib/rabbitmq/bin/rabbitmqctl -q stop "$rabbit/pid" >/dev/null 2>&1 || true
    fi
    [ -z "$private_folder" ] || as_root rm -rf "$private_folder"
}
