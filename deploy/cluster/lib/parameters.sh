# The parameters with their defaults, as meta-data.xml documents them. Shared by the resource agent and the commands
# for people, which set the OCF_RESKEY_ variables from their options.

driver=${OCF_RESKEY_driver:-}
config=${OCF_RESKEY_config:-}
role_conf=${OCF_RESKEY_role_conf:-}
active_conf=${OCF_RESKEY_active_conf:-}
passive_conf=${OCF_RESKEY_passive_conf:-}
service_command=${OCF_RESKEY_service_command:-}
lmtp_address=${OCF_RESKEY_lmtp_address:-}
agent=${OCF_RESKEY_agent:-dumpster-agent}
agent_config=${OCF_RESKEY_agent_config:-/etc/dumpster-agent/dumpster-agent.toml}
mount_dial=${OCF_RESKEY_mount_dial:-good}
hub_wait=${OCF_RESKEY_hub_wait:-5}
look_limit=${OCF_RESKEY_look_limit:-20}
fill=${OCF_RESKEY_fill:-watch}
flush_wait=${OCF_RESKEY_flush_wait:-30}
term_command=${OCF_RESKEY_term_command:-}
report_command=${OCF_RESKEY_report_command:-}
state_dir=${OCF_RESKEY_state_dir:-/var/lib/dumpster-cluster}

case $driver in
  cyrus)
    config=${config:-/etc/imapd.conf}
    role_conf=${role_conf:-/etc/cyrus.conf}
    ;;
  dovecot)
    config=${config:-/etc/dovecot/dovecot.conf}
    role_conf=${role_conf:-/etc/dovecot/role.conf}
    ;;
esac
active_conf=${active_conf:-$role_conf.active}
passive_conf=${passive_conf:-$role_conf.passive}

resource=${OCF_RESOURCE_INSTANCE:-mailbox}
resource=${resource%%:*}
# Gone after a reboot: role and refusal are of this run of the cluster. Kept: that this node was active.
volatile_dir=${HA_RSCTMP:-/run/resource-agents}
role_file=$volatile_dir/mailbox-node-$resource.role
refusal_file=$volatile_dir/mailbox-node-$resource.refused
overruled_file=$volatile_dir/mailbox-node-$resource.overruled
fill_pid_file=$volatile_dir/mailbox-node-$resource.fill.pid
was_active_file=$state_dir/$resource.was-active
