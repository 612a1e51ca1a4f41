# One line that the whole cluster remembers, across reboots of any node: "NODE active", or "NODE flushed" after NODE
# gave up the active role with its replication finished. It stands beside the cluster's options in the CIB.

cluster_memory() {
  crm_attribute --type crm_config --set-name "mailbox-node-$resource" --name "mailbox-node-$resource" \
    --query --quiet 2>/dev/null
}

set_cluster_memory() {
  crm_attribute --type crm_config --set-name "mailbox-node-$resource" --name "mailbox-node-$resource" \
    --update "$1" >/dev/null 2>&1 || ocf_log warn "the cluster does not remember: $1"
}

last_active() {
  local memory
  memory=$(cluster_memory)
  echo "${memory% *}"
}

node_name() {
  crm_node -n 2>/dev/null || uname -n
}
