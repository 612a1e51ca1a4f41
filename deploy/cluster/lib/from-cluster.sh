# For the commands that people run: takes the resource's parameters from the cluster, so that nothing is said twice.
# Before: $resource_name. After: the variables of parameters.sh, and the driver's functions.

ocf_log() {
  shift
  echo "$*" >&2
}
ocf_exit_reason() { echo "$*" >&2; }

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

load_parameters() {
  local name value
  crm_resource --resource "$resource_name" --query-xml >/dev/null 2>&1 || fail "the cluster has no resource $resource_name"
  for name in driver config role_conf active_conf passive_conf pid_file service_command lmtp_address agent agent_config hub_wait look_limit \
    term_command state_dir; do
    value=$(crm_resource --resource "$resource_name" --get-parameter "$name" 2>/dev/null) || continue
    export "OCF_RESKEY_$name=$value"
  done
  export OCF_RESOURCE_INSTANCE=$resource_name
  . "$LIBRARY/parameters.sh"
  . "$LIBRARY/cluster-memory.sh"
  . "$LIBRARY/$driver.sh"
}

# The node on which the resource is promoted; nothing when there is none.
promoted_node() {
  crm_resource --resource "$resource_name" --locate 2>/dev/null | sed -n 's/.*is running on: \(.*\) \(Promoted\|Master\)$/\1/p' | head -n 1
}
