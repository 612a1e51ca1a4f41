#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "recovery/agent/inventory.hpp"

namespace recovery::agent {

/// Looks at maildirs, `PATH/MAILBOX/{new,cur}` and the Maildir++ folders `PATH/MAILBOX/.FOLDER/{new,cur}`. Of
/// each message at most the first 64 KiB of the header are read.
///
/// When it fails, and what it takes for empty:
/// - PATH that is missing or cannot be read, a folder or message that cannot be read, and a message that is
/// not plain text (compressed or encrypted by the mailbox
///   server) are errors of the whole inventory.
/// - A mailbox that has no directory in PATH is empty: its first mail may be among what was lost. So is every
/// mailbox of
///   an empty PATH: a node to which nothing was ever replicated.
/// - A mailbox whose directory has neither `new` nor `cur` nor folders is unknown: it is laid out in another
/// way.
/// - A mailbox whose name is no single path component (`/`, `.`, `..`) is unknown, and nothing outside of
/// PATH is read.
///
/// Once `stop` is true, a look ends with an error.
std::unique_ptr<InventorySource> make_maildir_inventory(std::string path,
                                                        const std::atomic<bool>* stop = nullptr);

}  // namespace recovery::agent
