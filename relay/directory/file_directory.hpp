#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <filesystem>
#include <istream>
#include <memory>
#include <string>
#include <vector>

#include "dumpster/delivery.hpp"
#include "relay/directory/directory.hpp"

namespace relay {

/// What the recipients file is read with.
struct FileDirectorySettings {
  std::vector<dumpster::StorageGroup> storage_groups;  ///< those of the configuration; others are faults
  std::string hub_name;                                ///< whose postmaster `postmaster` without a domain is
};

/// Everything that is wrong with a recipients file.
struct RecipientsFaults {
  struct Fault {
    std::size_t line = 0;  ///< from 1; 0: the file as a whole
    std::string text;
  };
  std::vector<Fault> faults;  ///< in the order of the lines, the first 1,000
  std::size_t more = 0;       ///< how many there are beyond these

  /// One `line N: …` a line, for an operator.
  std::string text() const;
};

[[noreturn]] void throw_exception_from_error(const RecipientsFaults& faults, const boost::source_location&);

template <class T>
using DirectoryResult = boost::system::result<T, RecipientsFaults>;

/// Reads the recipients file; README.md describes it. All faults are found in one reading, and with any of
/// them there is no directory. Memory: about the size of the file plus 32 bytes a line.
DirectoryResult<std::shared_ptr<const Directory>> load_file_directory(const std::filesystem::path& path,
                                                                      FileDirectorySettings settings);

/// The same from a stream.
DirectoryResult<std::shared_ptr<const Directory>> read_file_directory(std::istream& in,
                                                                      FileDirectorySettings settings);

}  // namespace relay
