#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dumpster/error.hpp"

namespace recovery::agent {

/// What the inventory needs of Cyrus's own configuration.
struct CyrusSettings {
  std::string config_directory;
  std::string default_domain;
  std::string mailbox_list;  ///< the file of the mailboxes' database
  std::string store;         ///< the directory of the default partition
  char separator = '/';      ///< between folders, in names as the tools take them
};

/// From what `cyr_info conf-all` prints.
CyrusSettings cyrus_settings_from(std::string_view text);

/// A folder of a user, by names that the tools take.
using CyrusFolders = std::map<std::string, std::vector<std::string>>;

/// The folders of every user, from what `ctl_mboxlist -d` prints: by user, `NAME` or `NAME@DOMAIN` in lower
/// case. Shared folders and mailboxes that are deleted belong to nobody. Nothing when the text is of another
/// form.
std::optional<CyrusFolders> cyrus_folders_from(std::string_view text, char separator);

/// Cyrus's command line tools, which work without a running server. They need root or Cyrus's own user.
class CyrusTools {
 public:
  /// `configuration`: the file for `-C`; empty: Cyrus's own.
  CyrusTools(std::string configuration, const std::atomic<bool>* stop)
      : configuration_(std::move(configuration)), stop_(stop) {}

  dumpster::Result<CyrusSettings> settings() const;
  dumpster::Result<CyrusFolders> folders(char separator) const;
  /// The directory of each folder; an error when one of them is not there.
  dumpster::Result<std::vector<std::string>> paths(const std::vector<std::string>& folders) const;

 private:
  dumpster::Result<std::string> call(const std::string& tool,
                                     const std::vector<std::string>& arguments) const;

  std::string configuration_;
  const std::atomic<bool>* stop_;
};

}  // namespace recovery::agent
