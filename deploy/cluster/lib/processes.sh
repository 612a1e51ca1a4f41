# Processes of one mailbox server, found by what they are, never by name alone.

# Alive, and not only waiting for its parent to notice that it is dead.
is_alive() {
  local state
  state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/${1:-0}/status" 2>/dev/null)
  [ -n "$state" ] && [ "$state" != Z ] && [ "$state" != X ]
}

wait_gone() {
  local turn
  for ((turn = 0; turn < $1 * 20; turn++)); do
    is_alive "$2" || return 0
    sleep 0.05
  done
  return 1
}

# Puts a role's file in place whole, readable by the server whatever the umask is.
install_role() {
  install -m 644 "$1" "$role_conf.new" && mv "$role_conf.new" "$role_conf"
}

# Starts a daemon that must not keep the caller's pipes open. What it said before it went away is logged on failure.
start_daemon() {
  local said=$volatile_dir/mailbox-node-$resource.start.log
  mkdir -p "$volatile_dir"
  "$@" </dev/null >"$said" 2>&1 && return 0
  ocf_log err "$1: $(tail -c 1000 "$said")"
  return 1
}
