#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dumpster/error.hpp"

namespace recovery::agent {

/// Which folders of a mailbox count, as names and patterns for `doveadm … mailbox`: those of every private
/// namespace. `namespaces` is what `doveconf namespace` prints.
///
/// A star alone would not do: doveadm lets it match within a namespace without a prefix only, so that nothing
/// is found where all folders are below `INBOX.`. Folders of shared and public namespaces must not count: a
/// copy in somebody else's mailbox has the same id when a message went to both, and would hide that the own
/// one is lost. Neither does a virtual namespace, which shows mail of others a second time, nor an alias. An
/// error when there is no private namespace, and for a private prefix with a variable, whose folders could
/// not be named.
dumpster::Result<std::vector<std::string>> dovecot_folders(std::string_view namespaces);

}  // namespace recovery::agent
