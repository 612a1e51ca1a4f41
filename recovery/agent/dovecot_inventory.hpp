#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "recovery/agent/inventory.hpp"

namespace recovery::agent {

/// Asks Dovecot by `doveadm fetch`, a few mailboxes side by side, about all their own folders
/// (dovecot_folders.hpp); works for every mail format of Dovecot, and on a passive node, too. Folders of a
/// namespace that is not listed (`list = no`), and namespaces that a userdb adds to single users, are not
/// seen.
///
/// `configuration` is the file for `doveadm -c`; empty: Dovecot's own. A user that Dovecot does not know, and
/// a name that doveadm would take for a pattern (`*`, `?`), is an unknown mailbox: were it taken for empty, a
/// mailbox that Dovecot knows by another name would be filled twice. Every other failure is one of the whole
/// inventory.
std::unique_ptr<InventorySource> make_dovecot_inventory(std::string configuration,
                                                        const std::atomic<bool>* stop,
                                                        std::string doveadm = "doveadm");

}  // namespace recovery::agent
