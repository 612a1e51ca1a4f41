#pragma once

#include <rocksdb/db.h>

#include <string>
#include <vector>

#include "dumpster/rocksdb/keys.hpp"

namespace dumpster::rocks {

/// The name of a column family, as RocksDB and FORMAT.md know it.
std::string name_of(Family family);

rocksdb::DBOptions database_options();

/// All families, in the order of `Family`.
std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors();

}  // namespace dumpster::rocks
