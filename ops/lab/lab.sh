# A lab of two virtual hosts with real OpenZFS, the control plane outside them. Sourced by smoke.sh; bash.
# What is started here is stopped by close_lab, by process id.

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/../setup.sh"

repository=$root
run=$root/ops/lab/run.sh
hosts=(a b)
pids=()          # processes of ours outside the hosts, in the order of their start
bringing_up=()   # hosts that boot: process groups
agent_starts=0

# ---- the machine ----------------------------------------------------------------------------------------------------------

die() { echo "lab: $*" >&2; exit 2; }

say() { printf '[%3d s] %s\n' "$SECONDS" "$*"; }

postgres_programs() {
  local directory
  for directory in ${ZFSHA_POSTGRES_BIN:+"$ZFSHA_POSTGRES_BIN"} $(ls -d /usr/lib/postgresql/*/bin 2> /dev/null | sort -Vr); do
    if [ -x "$directory/initdb" ] && [ -x "$directory/psql" ]; then echo "$directory"; return; fi
  done
  return 1
}

have_packages() {
  need_dotnet
  need_packages qemu-system-x86=qemu-system-x86_64 qemu-utils=qemu-nbd zstd=zstd openssh-client=ssh curl=curl
  need_postgresql
}

# Before the builds and tests that may run beside us: a host that is kept waiting for seconds misses its heartbeats, and ZFS
# suspends its pool. Only root may; without it the lab is as patient as it can be.
go_first() { renice -n -10 -p $$ > /dev/null 2>&1 || true; }

# PostgreSQL's and the server's.
find_ports() {
  local try
  for try in {1..50}; do
    database_port=$((20000 + RANDOM % 2000)) server_port=$((database_port + 1))
    is_free_port $database_port && is_free_port $server_port && return 0
  done
  die "no free ports between 20000 and 22000"
}

need_artefact() {   # need_artefact DIRECTORY
  local file
  [ -n "$1" ] || die "set ZFSHA_LAB_DIR to the directory with the lab's vmlinuz and initrd.img, which ops/lab/build.sh makes (docs/lab.md)"
  for file in vmlinuz initrd.img; do [ -r "$1/$file" ] || die "$1 has no $file; make it with: ops/lab/build.sh $1"; done
}

# The work directory holds disks, database and programs, and is removed at the end; the logs stay.
open_lab() {
  need_artefact "${ZFSHA_LAB_DIR:-}"
  logs=$(mktemp -d "${TMPDIR:-/tmp}/zfsha-lab-logs.XXXXXX")
  work=$(mktemp -d "${TMPDIR:-/tmp}/zfsha-lab.XXXXXX")
  chmod 711 "$work"   # PostgreSQL's user must get through to its own directory
  export ZFSHA_LAB_STATE=$work/lab
  trap 'close_lab $?' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  have_packages
  postgres_bin=$(postgres_programs)
  find_ports
}

stop_process() {   # stop_process PID: asks, waits up to 20 s, then insists
  local n
  kill -TERM "$1" 2> /dev/null || return 0
  for n in {1..200}; do kill -0 "$1" 2> /dev/null || return 0; sleep 0.1; done
  kill -KILL "$1" 2> /dev/null || true
}

close_lab() {
  local status=$1 i pid
  trap - EXIT; trap '' INT TERM HUP
  set +e
  for host in "${hosts[@]}"; do save_agent_logs "$host"; done
  for pid in "${bringing_up[@]}"; do { kill -KILL -- "-$pid" && wait "$pid"; } 2> /dev/null; done
  lab down
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do stop_process "${pids[i]}"; done
  [ ! -e "$work/pg/postmaster.pid" ] || stop_process "$(head -1 "$work/pg/postmaster.pid")"
  for host in "${hosts[@]}"; do lab console "$host" > "$logs/console-$host.log" 2> /dev/null; done
  cp "$work/pg/postgres.log" "$logs" 2> /dev/null
  rm -rf "$work"
  echo "Logs: $logs"
  exit "$status"
}

# ---- the control plane, outside -------------------------------------------------------------------------------------------

# Compilers are told not to stay: they would outlive us.
build_programs() {
  local quiet=(-v quiet -nologo -nodeReuse:false -p:UseSharedCompilation=false -c Release) for_hosts=(-p:SelfContained=true -p:PublishReadyToRun=true)
  cd "$repository"
  {
    dotnet publish src/ZfsHaEvents.Server "${quiet[@]}" -o "$work/server" &&
    # Restored without -r, which would reach the libraries and ask for other lock files than theirs.
    dotnet restore src/ZfsHaEvents.Agent -nodeReuse:false "${for_hosts[@]}" &&
    dotnet publish src/ZfsHaEvents.Agent "${quiet[@]}" --no-restore -r linux-x64 "${for_hosts[@]}" -o "$work/agent"
  } > "$logs/build.log" 2>&1 || die "the build failed, see $logs/build.log"
  # .NET takes its hashes and ciphers from OpenSSL, which a storage host has and the lab's image has not.
  local library path
  for library in libssl.so.3 libcrypto.so.3; do
    path=$(/sbin/ldconfig -p | sed -n "s/^\s*$library .*x86-64.* => //p" | head -1)
    [ -n "$path" ] || die "this machine has no $library for x86-64 (Debian: libssl3)"
    cp -L "$path" "$work/agent/"
  done
  tar -C "$work/agent" -cf "$work/agent.tar" .
}

unprivileged() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; else "$@"; fi; }

# Reached by the agents from within the hosts, so over TCP and with a password, which is made now and dies with the cluster.
# It goes over this machine's loopback in clear: an emulated host would compute for a second and more to hide it.
start_postgres() {
  password=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
  mkdir "$work/pg"
  (umask 077; echo "$password" > "$work/password")
  [ "$(id -u)" != 0 ] || chown postgres: "$work/pg" "$work/password"
  (
    cd "$work/pg" || exit
    unprivileged "$postgres_bin/initdb" -D "$work/pg" -U zfsha --pwfile="$work/password" --auth=password --encoding=UTF8 --locale=C --no-instructions &&
    unprivileged "$postgres_bin/pg_ctl" start --wait --timeout=60 --silent -D "$work/pg" -l "$work/pg/postgres.log" \
      -o "-c listen_addresses=127.0.0.1 -c port=$database_port -c unix_socket_directories='' -c max_connections=100 -c shared_buffers=64MB"
  ) > "$logs/postgres-start.log" 2>&1 || { cat "$work/pg/postgres.log" >> "$logs/postgres-start.log" 2> /dev/null; die "PostgreSQL did not start, see $logs/postgres-start.log"; }
  export PGPASSWORD=$password
  sql postgres <<< 'create database zfsha' > "$logs/postgres-start.log" || die "the database could not be made"
}

sql() { "$postgres_bin/psql" -XAtq -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$database_port" -U zfsha "$@"; }

start_server() {
  url=http://127.0.0.1:$server_port
  ZFSHA_DATABASE="Host=127.0.0.1;Port=$database_port;Username=zfsha;Password=$password;Database=zfsha" \
    "$work/server/zfsha-server" --urls "$url" "$@" > "$logs/server.log" 2>&1 < /dev/null &
  pids+=($!)
  await "the server answers" 60 curl -sf -m 5 -o "$work/health.json" "$url/health"
}

# get PATH: asks the server; the answer is in the file that $answer names.
get() { answer=$work/answer.json; curl -sS -m 20 -o "$answer" "$url$1"; }

# send METHOD PATH JSON: prints the status.
send() { answer=$work/answer.json; curl -sS -m 20 -o "$answer" -w '%{http_code}' -X "$1" -H 'content-type: application/json' -d "$3" "$url$2"; }

# read_json PATH [COLUMN]: what the SQL/JSON path selects from the last answer, a line each; nothing when there is none. A column of
# SQL may say what to print of each, v. psql is here for the bus anyway, and PostgreSQL reads JSON well.
read_json() {
  local column=${2:-"v #>> '{}'"}
  sql zfsha <<SQL
\set answer \`cat '$answer'\`
select $column from jsonb_path_query(:'answer'::jsonb, \$path\$$1\$path\$) v
SQL
}

words() { tr '\n' ' ' | sed 's/ $//'; }

# put_message JSON: onto the bus, as any program would that can reach the database.
put_message() { sql zfsha <<< "insert into zfsha.messages (body) values (\$json\$$1\$json\$)"; }

# ---- the hosts ------------------------------------------------------------------------------------------------------------

lab() { "$run" "$@"; }

# on HOST COMMAND: in the host's shell; its exit code, its output.
on() { local host=$1; shift; timeout 60 "$run" sh "$host" "$*" < /dev/null; }

# Whether a host's clock runs as fast as ours: ZFS and the agent go by it.
has_sound_clock() {
  local before after t0=$EPOCHREALTIME t1 t2 t3
  before=$(on "$1" cut -d "' '" -f 1 /proc/uptime); t1=$EPOCHREALTIME
  sleep 2; t2=$EPOCHREALTIME
  after=$(on "$1" cut -d "' '" -f 1 /proc/uptime); t3=$EPOCHREALTIME
  awk -v before="$before" -v after="$after" -v t0="$t0" -v t1="$t1" -v t2="$t2" -v t3="$t3" \
    'BEGIN { passed = after - before; exit !(passed > 0.8 * (t2 - t1) && passed < 1.2 * (t3 - t0)) }'
}

# boot HOST ARGUMENT...: again if need be. On a busy machine a booting kernel may panic, or come to a clock that runs many times too fast.
boot() {
  local host=$1 try; shift
  for try in 1 2 3; do
    lab up "$host" "$@" && has_sound_clock "$host" && return 0
    echo "try $try: $host did not boot, or its clock does not run as fast as this machine's"
    lab console "$host" > "$logs/console-$host-try-$try.log"
    lab kill "$host" 2> /dev/null
  done
  return 1
}

# start_hosts KERNEL-PARAMETER...: boots all of them, sharing two disks. The agent's files come as a third disk, which costs no
# emulated network or cipher. Their own names, hosta and hostb, which ZFS writes on the disks, are not those that the agents go by.
start_hosts() {
  local host status=0 agent=$work/agent.tar
  lab disks 2 256M
  set -m   # each in a process group of its own, to be stopped as one
  for host in "${hosts[@]}"; do
    boot "$host" --file "agent=$agent" "lab.name=host$host" "$@" > "$logs/boot-$host.log" 2>&1 < /dev/null &
    bringing_up+=($!)
  done
  set +m
  for host in "${bringing_up[@]}"; do wait "$host" || status=1; done
  bringing_up=()
  [ $status = 0 ] || die "a host did not boot, see $logs/boot-*.log"
  for host in "${hosts[@]}"; do
    on "$host" 'mkdir -p /opt/zfsha /var/lib /var/log && tar -xf /dev/disk/by-id/virtio-agent -C /opt/zfsha' || die "the agent could not be unpacked on $host"
    printf 'export %s="%s"\n' ZFSHA_HOST "$host" ZFSHA_DATABASE "Host=10.0.2.2;Port=$database_port;Username=zfsha;Password=$password;Database=zfsha" > "$work/agent-$host.sh"
    timeout 60 "$run" put "$host" "$work/agent-$host.sh" /etc/zfsha-agent.sh || die "the agent's settings could not be put on $host"
  done
}

start_agent() {
  on "$1" ". /etc/zfsha-agent.sh; LD_LIBRARY_PATH=/opt/zfsha setsid /opt/zfsha/zfsha-agent > /var/log/zfsha-agent-$((++agent_starts)).log 2>&1 < /dev/null & echo \$! > /run/zfsha-agent.pid" || die "the agent could not be started on $1"
}

# The agent alone: host, kernel and pools live on.
kill_agent() { on "$1" 'p=$(cat /run/zfsha-agent.pid); [ "$(cat /proc/$p/comm)" = zfsha-agent ] && kill -KILL $p'; }

save_agent_logs() {
  timeout 10 "$run" sh "$1" 'cat /var/log/zfsha-agent-*.log; echo; dmesg | grep -i -E "zfs|pool|mmp|multihost" | tail -40' > "$logs/agent-$1.log" 2> /dev/null < /dev/null
}

# ---- checking -------------------------------------------------------------------------------------------------------------

passed=0 failed=0 planned=0

# check WHAT EXPECTED SEEN
check() {
  if [ "$2" = "$3" ]; then passed=$((passed + 1)); echo "ok      $1: $3"
  else failed=$((failed + 1)); echo "NOT ok  $1: expected '$2', saw '$3'"; fi
}

# check_matches WHAT PATTERN SEEN: an extended regular expression over the whole of it
check_matches() {
  if [[ $3 =~ ^($2)$ ]]; then passed=$((passed + 1)); echo "ok      $1: $3"
  else failed=$((failed + 1)); echo "NOT ok  $1: expected /$2/, saw '$3'"; fi
}

# await WHAT SECONDS COMMAND...: until the command succeeds. What comes later makes no sense without it, so that is skipped.
await() {
  local what=$1 until=$((SECONDS + $2)); shift 2
  while ! "$@" 2>> "$logs/await.log"; do
    [ $SECONDS -lt $until ] || { failed=$((failed + 1)); echo "NOT ok  $what: not so in time"; finish; }
    sleep 0.3
  done
}

finish() {
  local skipped=$((planned - passed - failed))
  if [ $skipped -lt 0 ]; then echo "NOT ok  the script makes more checks than the $planned it plans"; failed=$((failed + 1)) skipped=0; fi
  [ $failed -gt 0 ] || [ $skipped = 0 ] || { echo "NOT ok  the script made fewer checks than the $planned it plans"; failed=$((failed + 1)); }
  echo "$passed passed, $failed failed, $skipped skipped"
  [ $failed = 0 ]; exit
}
