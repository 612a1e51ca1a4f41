# Driver for Dovecot 2.3 with replicator and dsync. `config` includes `role_conf`, which is either `active_conf` (lmtp,
# imap, the replicator; no doveadm listener) or `passive_conf` (a doveadm listener, nothing else). So a node that is
# being promoted takes in no replication any more, and a passive one accepts no mail.

. "$LIBRARY/processes.sh"

server_programs() { echo dovecot doveadm; }

server_validate() {
  local file
  for file in "$config" "$active_conf" "$passive_conf"; do
    [ -r "$file" ] || { ocf_exit_reason "cannot read $file"; return 1; }
  done
}

master_pid() {
  cat "$(doveconf -c "$config" -h base_dir 2>/dev/null)/master.pid" 2>/dev/null
}

server_running() {
  local pid
  pid=$(master_pid) && is_alive "$pid" && [ "$(cat "/proc/$pid/comm")" = dovecot ]
}

server_start() {
  install_role "$passive_conf" && start_daemon dovecot -c "$config" && wait_running
}

wait_running() {
  local turn
  for ((turn = 0; turn < 200; turn++)); do
    server_running && return 0
    sleep 0.05
  done
  return 1
}

server_stop() {
  local pid
  server_running || return 0
  pid=$(master_pid)
  doveadm -c "$config" stop
  wait_gone 10 "$pid" || { kill -KILL "$pid"; wait_gone 5 "$pid"; }
}

# Ids of the children that do what service $1 does.
children() {
  local pid child
  pid=$(master_pid) || return 0
  for child in $(pgrep -P "$pid"); do
    [ "$(tr '\0' ' ' <"/proc/$child/cmdline" 2>/dev/null | cut -d ' ' -f 1)" = "dovecot/$1" ] && echo "$child"
  done
}

# Nothing of a service is left: what was under way ends by itself, or within some seconds is ended. One that talks to a
# dead node would wait for it for minutes.
end_service() {
  local child patience signal
  for ((patience = 0; patience < 40; patience++)); do
    [ -n "$(children "$1")" ] || return 0
    signal=
    ((patience < 10)) || signal=TERM
    ((patience < 20)) || signal=KILL
    for child in $(children "$1"); do
      [ -z "$signal" ] || kill "-$signal" "$child" 2>/dev/null
    done
    sleep 0.05
  done
  [ -z "$(children "$1")" ]
}

server_intake_over() {
  end_service doveadm-server
}

server_promote() {
  install_role "$active_conf" && doveadm -c "$config" reload && server_intake_over
}

# No more mail and no more changes by readers, then everything that the replicator still has to send.
server_flush() {
  local service quiet=0 turn
  doveadm -c "$config" service stop lmtp imap-login pop3-login submission-login managesieve-login 2>/dev/null
  for service in lmtp imap pop3; do end_service "$service"; done
  for ((turn = 0; turn < $1 * 2; turn++)); do
    if nothing_queued; then
      quiet=$((quiet + 1))
      # Twice: a notification may be on its way between two processes.
      [ "$quiet" -lt 3 ] || return 0
    else
      quiet=0
    fi
    sleep 0.5
  done
  return 1
}

nothing_queued() {
  doveadm -c "$config" replicator status 2>/dev/null |
    awk '/requests/ { seen++; if ($NF != 0) waiting = 1 } END { exit !(seen && !waiting) }' &&
    [ -z "$(doveadm -c "$config" replicator dsync-status 2>/dev/null | tail -n +2 | grep -v -w -e '-')" ]
}

# Everything to the passive node, whatever it has.
server_seed() {
  local user
  for user in $(doveadm -c "$config" user '*'); do
    doveadm -c "$config" replicator replicate -f "$user" || return 1
  done
  until nothing_queued; do sleep 0.5; done
  [ -z "$(doveadm -c "$config" replicator status '*' 2>/dev/null | awk -F '\t' 'NR > 1 && $5 == "y"')" ]
}

server_demote() {
  install_role "$passive_conf" && doveadm -c "$config" reload && end_service lmtp
}

server_keep_replicating() { :; }
