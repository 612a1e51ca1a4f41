# What the resource agent's actions do. A driver brings server_*; hubs.sh asks the hubs through the agent;
# cluster-memory.sh remembers in the cluster who was active last.

is_promoted() {
  [ "$(cat "$role_file" 2>/dev/null)" = promoted ]
}

set_role() {
  mkdir -p "$volatile_dir"
  echo "$1" >"$role_file"
}

# Durable: after a crash this node must not offer its mail store to replication again, see may_come_back.
remember_active() {
  mkdir -p "$state_dir" && date -u +%FT%TZ >"$was_active_file.new" && sync "$was_active_file.new" &&
    mv "$was_active_file.new" "$was_active_file" && sync "$state_dir"
}

forget_active() {
  rm -f "$was_active_file" && { [ ! -d "$state_dir" ] || sync "$state_dir"; }
}

# host:port greets as LMTP does. Without an address: taken for granted.
lmtp_greets() {
  [ -n "$lmtp_address" ] || return 0
  local greeting
  greeting=$(timeout 10 bash -c 'exec 3<>"/dev/tcp/$1/$2" && read -r -t 8 line <&3 && printf %s "$line"' - \
    "${lmtp_address%:*}" "${lmtp_address##*:}" 2>/dev/null)
  [ "${greeting:0:3}" = 220 ]
}

wait_lmtp() {
  local turn
  for ((turn = 0; turn < $1 * 10; turn++)); do
    lmtp_greets && return 0
    sleep 0.1
  done
  return 1
}

update_score() {
  local score=10
  # The node that was active last has everything; another one may lack what replication had not brought.
  if is_promoted; then
    score=100
  elif [ -e "$refusal_file" ]; then
    score=-INFINITY
  elif [ -e "$was_active_file" ]; then
    score=20
  fi
  # -v would take -INFINITY for options.
  ocf_promotion_score "--update=$score" >/dev/null 2>&1 || ocf_log debug "no promotion score outside a cluster"
}

node_monitor() {
  if ! server_running; then
    return "$OCF_NOT_RUNNING"
  fi
  if ! is_promoted; then
    ocf_is_probe && return "$OCF_SUCCESS"
    may_come_back || { server_stop; return "$OCF_NOT_RUNNING"; }
    reconsider_refusal
    update_score
    return "$OCF_SUCCESS"
  fi
  if ! lmtp_greets; then
    ocf_exit_reason "no LMTP greeting from $lmtp_address"
    return "$OCF_FAILED_MASTER"
  fi
  server_keep_replicating
  assert_active
  return "$OCF_RUNNING_MASTER"
}

# A node that was active and could not finish its replication has mail that the others got again from the hubs under the
# same ids: its store must not be merged with theirs. It may be used as it is only while nobody else has taken over, by
# the word of the cluster and of the hubs.
may_come_back() {
  [ -e "$was_active_file" ] || return 0
  local by_cluster by_hubs
  by_cluster=$(last_active)
  by_hubs=$(active_by_hubs)
  [ "${by_cluster:-$(node_name)}" = "$(node_name)" ] && [ "${by_hubs:-$(node_name)}" = "$(node_name)" ] &&
    [ -n "$by_cluster$by_hubs" ] && return 0
  ocf_exit_reason "dumpster-rejoin has to bring this node back: it was active and has mail of its own, and ${by_hubs:-${by_cluster:-nobody knows who}} took over"
  return 1
}

node_start() {
  if server_running; then
    return "$OCF_SUCCESS"
  fi
  may_come_back || return "$OCF_ERR_INSTALLED"
  server_start || { ocf_exit_reason "$driver did not start"; return "$OCF_ERR_GENERIC"; }
  set_role unpromoted
  update_score
  return "$OCF_SUCCESS"
}

node_stop() {
  if server_running && is_promoted; then
    node_demote
  fi
  stop_filling
  server_stop || { ocf_exit_reason "$driver did not stop"; return "$OCF_ERR_GENERIC"; }
  rm -f "$role_file"
  ocf_promotion_score -D >/dev/null 2>&1
  return "$OCF_SUCCESS"
}

# Pacemaker shows the first 128 characters of a reason.
refuse() {
  echo "$1 $mount_dial" >"$refusal_file"
  ocf_exit_reason "$2"
  update_score
}

node_promote() {
  server_running || { ocf_exit_reason "$driver is not running"; return "$OCF_ERR_GENERIC"; }
  is_promoted && return "$OCF_SUCCESS"

  local status previous
  obey_overruling
  look_at_hubs
  status=$?
  if ! dial_allows "$status"; then
    report "refused: $(meaning_of "$status")"
    refuse "$status" "mount_dial=$mount_dial refuses: $(meaning_of "$status"); see dumpster-promote-anyway"
    return "$OCF_ERR_GENERIC"
  fi
  [ "$status" = 0 ] || report "promoted all the same (mount_dial=$mount_dial): $(meaning_of "$status")"

  previous=$(cluster_memory)
  remember_active || { ocf_exit_reason "cannot write $was_active_file"; return "$OCF_ERR_GENERIC"; }
  # The mailbox server first: hubs deliver as soon as they are told, and would wait after a refused connection.
  if ! server_promote || ! wait_lmtp 10; then
    forget_active
    ocf_exit_reason "$driver did not take the active role"
    return "$OCF_ERR_GENERIC"
  fi
  set_cluster_memory "$(node_name) active"
  activate_on_hubs "$previous"
  status=$?
  if [ "$status" = 5 ]; then
    # No hub has delivered anything here: another node is active.
    server_demote
    forget_active
    set_cluster_memory "$previous"
    refuse "$status" "$(meaning_of "$status"): this one must not be active"
    return "$OCF_ERR_GENERIC"
  elif ! dial_allows "$status"; then
    server_demote
    refuse "$status" "not every hub was told that this node is active: $(meaning_of "$status")"
    return "$OCF_ERR_GENERIC"
  fi
  set_role promoted
  rm -f "$refusal_file"
  update_score
  start_filling
  return "$OCF_SUCCESS"
}

node_demote() {
  server_running || { rm -f "$role_file"; return "$OCF_NOT_RUNNING"; }
  is_promoted || return "$OCF_SUCCESS"
  stop_filling
  ocf_promotion_score -v 20 >/dev/null 2>&1
  if server_flush "$flush_wait"; then
    forget_active
    set_cluster_memory "$(node_name) flushed"
    server_demote || { ocf_exit_reason "$driver did not give up the active role"; return "$OCF_ERR_GENERIC"; }
  else
    ocf_log warn "replication was not finished within $flush_wait s: this node has mail that the others lack"
    if may_come_back; then
      server_demote || { ocf_exit_reason "$driver did not give up the active role"; return "$OCF_ERR_GENERIC"; }
    else
      # Not passive either, which would let the new active node's replication in.
      server_stop || { ocf_exit_reason "$driver did not stop"; return "$OCF_ERR_GENERIC"; }
    fi
  fi
  set_role unpromoted
  tell_agent_demoted
  return "$OCF_SUCCESS"
}

node_notify() {
  local event=${OCF_RESKEY_CRM_meta_notify_type:-}-${OCF_RESKEY_CRM_meta_notify_operation:-}
  local promoted=" ${OCF_RESKEY_CRM_meta_notify_promote_uname:-} "
  case $promoted in
    *" $(node_name) "*) return "$OCF_SUCCESS" ;;
  esac
  case $event in
    pre-promote)
      # Another node takes over while this one has mail of its own: its store must not be merged.
      if [ -e "$was_active_file" ] && ! is_promoted && server_running; then
        ocf_log err "stopping $driver: this node has mail that was never replicated, and another one takes over; bring it back with dumpster-rejoin"
        server_stop
      fi
      ;;
    post-promote) rm -f "$refusal_file" "$overruled_file" ;;
  esac
  return "$OCF_SUCCESS"
}
