# Driver for any other mailbox server: a command of the administrator with start, stop, status, promote, demote,
# flush SECONDS, intake-over, seed, stores. Status 0 is success; `status` fails when the server does not run.

server_programs() { echo "$service_command"; }
server_validate() {
  [ -n "$service_command" ] || { ocf_exit_reason "driver=command needs service_command"; return 1; }
}
server_running() { "$service_command" status >/dev/null 2>&1; }
server_start() { "$service_command" start; }
server_stop() { ! server_running || "$service_command" stop; }
server_promote() { "$service_command" promote; }
server_demote() { "$service_command" demote; }
server_flush() { timeout "$1" "$service_command" flush "$1"; }
server_intake_over() { "$service_command" intake-over; }
server_seed() { "$service_command" seed; }
server_keep_replicating() { :; }
