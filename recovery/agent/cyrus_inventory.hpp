#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "recovery/agent/inventory.hpp"

namespace recovery::agent {

/// Looks at Cyrus's message files, in all folders of the users that are asked for. Cyrus's own tools say
/// which folders there are and where (`ctl_mboxlist`, `mbpath`), so that every layout of the spool works,
/// without a running server and without a password; each message file is opened once.
///
/// What a user has expunged counts as there as long as Cyrus keeps its file (`cyr_expire -X`): it has
/// arrived, and is not brought back. Shared folders, to which only filters deliver, are not looked at. A user
/// that Cyrus does not know is an unknown mailbox. A tool that fails, and a folder or message that cannot be
/// read, is an error of the whole inventory.
std::unique_ptr<InventorySource> make_cyrus_inventory(std::string configuration,
                                                      const std::atomic<bool>* stop);

/// The directory of the default partition, as the configuration says; empty when it does not.
std::string cyrus_store(const std::string& configuration);

}  // namespace recovery::agent
