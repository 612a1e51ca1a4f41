# Driver for Cyrus IMAP 3.6 with rolling replication. `role_conf` is the master's file (cyrus.conf): either
# `active_conf` (lmtp, imap; no sync_server) or `passive_conf` (sync_server; no lmtp). So a node that is being promoted
# takes in no replication any more, and a passive one accepts no mail. The master has given up root when it is told to
# read its file again: services that are switched on later need ports above 1023, or the server is started anew.

. "$LIBRARY/processes.sh"

bin=/usr/lib/cyrus/bin
pid_file=${OCF_RESKEY_pid_file:-/run/cyrus-master.pid}

as_cyrus() {
  setpriv --reuid=cyrus --regid=mail --init-groups "$@"
}

server_programs() { echo "$bin/master" "$bin/sync_client" setpriv pgrep; }

server_validate() {
  local file
  for file in "$config" "$active_conf" "$passive_conf"; do
    [ -r "$file" ] || { ocf_exit_reason "cannot read $file"; return 1; }
  done
}

option() {
  sed -n "s/^$1:[[:space:]]*//p" "$config" | tail -n 1
}

master_pid() {
  cat "$pid_file" 2>/dev/null
}

server_running() {
  local pid
  pid=$(master_pid) && is_alive "$pid" && grep -qsa "$config" "/proc/$pid/cmdline"
}

# Ids of this server's processes of one program: the master's children, and sync_client, which is on its own.
processes_of() {
  local pid master
  if [ "$1" = sync_client ]; then
    for pid in $(pgrep -f "^([^ ]*/)?sync_client .*-C $config( |\$)"); do
      is_alive "$pid" && echo "$pid"
    done
  elif master=$(master_pid) && is_alive "$master"; then
    for pid in $(pgrep -x -P "$master" "$1"); do
      is_alive "$pid" && echo "$pid"
    done
  fi
}

# What was under way ends by itself; after $2 looks it is told to, and after another ten it is ended.
end_processes() {
  local pid patience signal
  for ((patience = 0; patience < $2 + 40; patience++)); do
    [ -n "$(processes_of "$1")" ] || return 0
    signal=
    ((patience < $2)) || signal=TERM
    ((patience < $2 + 10)) || signal=KILL
    for pid in $(processes_of "$1"); do
      [ -z "$signal" ] || kill "-$signal" "$pid" 2>/dev/null
    done
    sleep 0.05
  done
  [ -z "$(processes_of "$1")" ]
}

start_master() {
  rm -f "$pid_file"
  start_daemon "$bin/master" -C "$config" -M "$role_conf" -p "$pid_file" -d || return 1
  local turn
  for ((turn = 0; turn < 200; turn++)); do
    server_running && return 0
    sleep 0.05
  done
  return 1
}

server_start() {
  install_role "$passive_conf" && start_master
}

server_stop() {
  local pid
  end_processes sync_client 0
  server_running || return 0
  pid=$(master_pid)
  kill -QUIT "$pid"
  wait_gone 15 "$pid" || { kill -TERM "$pid"; wait_gone 5 "$pid"; } || { kill -KILL "$pid"; wait_gone 5 "$pid"; }
}

server_intake_over() {
  end_processes sync_server 10
}

server_keep_replicating() {
  [ -z "$(processes_of sync_client)" ] || return 0
  as_cyrus setsid "$bin/sync_client" -C "$config" -r </dev/null >/dev/null 2>&1 &
}

server_promote() {
  install_role "$active_conf" || return 1
  kill -HUP "$(master_pid)" || return 1
  server_intake_over || return 1
  if ! wait_lmtp 2; then
    ocf_log info "LMTP does not answer after a reload (ports below 1024 need a start): starting Cyrus anew"
    server_stop && start_master || return 1
  fi
  server_keep_replicating
  return 0
}

log_waits() {
  [ -n "$(find "$(option configdirectory)/sync" -name 'log*' -type f -size +0 2>/dev/null)" ]
}

# No more mail and no more changes by readers, then everything in the replication log. The rolling client takes the log
# away when all of it is on the other node; `sync_client -1` is documented for that, and 3.6 does not know it.
server_flush() {
  local deadline=$((SECONDS + $1)) status=0
  server_demote || return 1
  while log_waits; do
    [ "$SECONDS" -lt "$deadline" ] || { status=1; break; }
    [ -n "$(processes_of sync_client)" ] || { server_keep_replicating; sleep 0.5; }
    sleep 0.1
  done
  end_processes sync_client 0
  return "$status"
}

# Everything to the passive node, whatever it has. The rolling sync_client waits longer and longer for a node that was away.
server_seed() {
  as_cyrus "$bin/sync_client" -C "$config" -o -A || return 1
  end_processes sync_client 0
  server_keep_replicating
}

# By a new start: a master that is told to serve again what it had given up for a while serves it with long pauses.
server_demote() {
  cmp -s "$role_conf" "$passive_conf" && [ -z "$(processes_of lmtpd)" ] && return 0
  install_role "$passive_conf" && server_stop && start_master
}
