# Calls to every hub of the agent's configuration, in the name of an administrator.

# Sets hubs, mail_cluster and curl_options.
load_hubs() {
  local name value
  mail_cluster=$(agent_setting cluster)
  mapfile -t hubs < <(agent_setting hubs | tr -d '[] ' | tr ',' '\n' | sed '/^$/d')
  [ ${#hubs[@]} -gt 0 ] || fail "no hubs in $agent_config (write them on one line)"
  [ -r "$token_file" ] || fail "cannot read $token_file"
  curl_options=(--silent --show-error --fail-with-body --max-time 10 --header "Content-Type: application/json")
  for name in ca:cacert certificate:cert key:key; do
    value=$(agent_setting "${name%%:*}")
    [ -z "$value" ] || curl_options+=("--${name##*:}" "$value")
  done
}

# each_hub METHOD PATH [BODY]: prints a line a hub; fails when one did.
each_hub() {
  local hub status=0
  for hub in "${hubs[@]}"; do
    # The token goes in by a descriptor: arguments can be read by everyone on the machine.
    curl "${curl_options[@]}" --config <(printf 'header = "Authorization: Bearer %s"\n' "$(cat "$token_file")") \
      --request "$1" ${3:+--data "$3"} "$hub/v1/clusters/$mail_cluster$2" 2>&1 || status=1
    echo
  done
  return "$status"
}

# Whether every hub delivers to the node.
followed() {
  local answers
  answers=$(each_hub GET "") || return 1
  [ "$(grep -c "\"active\":\"$1\"" <<<"$answers")" = ${#hubs[@]} ]
}

other_node() {
  crm_node -p | tr ' ' '\n' | grep -v -x -e "$1" -e '' | head -n 1
}
