#pragma once

#include <rocksdb/db.h>

#include <string>
#include <vector>

#include "dumpster/rocksdb/keys.hpp"

namespace dumpster::rocks {

/// The most bytes of files, compressed, that the history takes on the disk, and how long its events are kept.
inline constexpr std::uint64_t history_size = 256ULL << 20;
inline constexpr std::chrono::hours history_age{24 * 14};

/// The name of a column family, as RocksDB and FORMAT.md know it.
std::string name_of(Family family);

rocksdb::DBOptions database_options();

/// All families, in the order of `Family`.
std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors();

}  // namespace dumpster::rocks
