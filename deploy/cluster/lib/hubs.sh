# Everything that is asked of the hubs, through dumpster-agent.

run_agent() {
  "$agent" --config "$agent_config" --wait "${hub_wait}s" "$@"
}

meaning_of() {
  case $1 in
    0) echo "every hub has answered and covers the window" ;;
    1) echo "dumpster-agent reports an error" ;;
    2) echo "a hub was not reached; what it has is filled when it is back" ;;
    3) echo "a hub's dumpster does not reach back far enough: older mail is lost" ;;
    4) echo "some mailboxes cannot be looked at" ;;
    5) echo "another node holds a higher term" ;;
    124) echo "the look at the hubs took longer than $look_limit s" ;;
    *) echo "dumpster-agent ended with $1" ;;
  esac
}

# Whether the policy lets this node be promoted with that answer (the automatic mount dial of Exchange 2007).
dial_allows() {
  case $mount_dial:$1 in
    *:0) return 0 ;;
    *:5) return 1 ;;
    good:2 | good:4) return 0 ;;
    best_availability:*) return 0 ;;
    *) return 1 ;;
  esac
}

# An administrator has decided, for one promotion (dumpster-promote-anyway).
obey_overruling() {
  [ -e "$overruled_file" ] || return 0
  rm -f "$overruled_file"
  mount_dial=best_availability
}

# Asks what would not be covered, changing nothing. Keeps the answer in $look_answer.
look_at_hubs() {
  look_answer=$(timeout "$look_limit" "$agent" --config "$agent_config" --wait "${hub_wait}s" promote --dry-run --no-fill $(term_option) 2>&1)
  local status=$?
  ocf_log info "look before promoting, status $status: $look_answer"
  return "$status"
}

# Before mail flows: to the log, and to whoever the administrator wants told.
report() {
  ocf_log warn "$resource on $(node_name): $1"
  [ -n "$report_command" ] || return 0
  printf '%s\n\n%s\n' "$resource on $(node_name): $1" "$look_answer" | timeout 10 /bin/sh -c "$report_command" ||
    ocf_log err "report_command failed"
}

term_option() {
  [ -n "$term_command" ] || return 0
  local term
  term=$(timeout 10 /bin/sh -c "$term_command") || ocf_log err "term_command failed"
  echo "--term ${term:-missing}"
}

# $1: what the cluster remembers of the last active node. A node that was demoted with its replication finished makes
# this a planned move; the gap is filled all the same, should there be one.
activate_on_hubs() {
  local answer status planned=
  case $1 in
    "$(node_name) "*) ;;
    *" flushed") planned=--planned ;;
  esac
  answer=$(run_agent promote --no-fill $planned $(term_option) 2>&1)
  status=$?
  ocf_log info "promote, status $status: $answer"
  [ "$status" != 2 ] || ocf_log warn "a hub was not reached and is remembered"
  return "$status"
}

# A promotion during which no hub could be reached may turn out to be void when they are back: the agent gives way to
# what the hubs say. The cluster manager has the last word, so it is ordered again.
assert_active() {
  [ -z "$term_command" ] || return 0
  # Its own file, so that nothing has to wait: what says "active" is in order.
  grep -qs '"role" *: *"active"' "$(agent_setting state_dir)/state.json" && return 0
  local status
  status=$(timeout 5 "$agent" --config "$agent_config" --wait 1s status 2>/dev/null) || return 0
  case $status in
    *": active,"*) return 0 ;;
  esac
  grep -q 'term [0-9]*, .* active' <<<"$status" || return 0
  ocf_log warn "the hubs do not know that this node is active: telling them again"
  activate_on_hubs "" && start_filling
  return 0
}

agent_setting() {
  sed -n "s/^$1[[:space:]]*=[[:space:]]*//p" "$agent_config" | tail -n 1 | sed 's/[[:space:]]*#.*//' | tr -d '"'
}

start_filling() {
  case $fill in
    watch) ;;
    wait) run_agent fill >/dev/null 2>&1 || ocf_log warn "fill ended with $?" ;;
    background)
      stop_filling
      (
        # Until every hub has answered.
        while :; do
          "$agent" --config "$agent_config" --wait "${hub_wait}s" fill
          [ $? = 2 ] || break
          sleep 10
        done
      ) </dev/null >"$volatile_dir/mailbox-node-$resource.fill.log" 2>&1 &
      echo $! >"$fill_pid_file"
      ;;
  esac
}

stop_filling() {
  local filler
  filler=$(cat "$fill_pid_file" 2>/dev/null) || return 0
  rm -f "$fill_pid_file"
  # Only if it is still that program: ids are used again.
  grep -qs mailbox-node "/proc/$filler/cmdline" || return 0
  pkill -TERM -P "$filler"
  kill "$filler" 2>/dev/null
  return 0
}

tell_agent_demoted() {
  local answer
  answer=$(timeout 40 "$agent" --config "$agent_config" demote 2>&1) || ocf_log warn "dumpster-agent demote: $answer"
}

# The node that the hub with the highest term names; nothing when none answers.
active_by_hubs() {
  run_agent status 2>/dev/null | sed -n 's/.*term \([0-9]*\), \(.*\) active.*/\1 \2/p' | sort -n | tail -n 1 |
    cut -d ' ' -f 2-
}

# A promotion that was refused because hubs were away is allowed again once they have come back. What no dumpster
# covers stays refused until an administrator decides (dumpster-promote-anyway), another node is promoted, or the dial changes.
reconsider_refusal() {
  [ -e "$refusal_file" ] || return 0
  local status dial
  read -r status dial <"$refusal_file"
  if [ "$dial" != "$mount_dial" ]; then
    rm -f "$refusal_file"
  elif [ "$status" = 2 ] || [ "$status" = 124 ]; then
    look_at_hubs
    dial_allows $? && rm -f "$refusal_file"
  fi
  return 0
}
