#include "dumpster/rocksdb/small_records.hpp"

#include "dumpster/codec.hpp"

namespace dumpster::rocks {

void put_small_record(Database& database, rocksdb::WriteBatch& batch, const std::string& key,
                      std::string_view payload) {
  const auto copy = key::second_copy(key);
  database.put(batch, Family::state, key, seal(key, payload));
  database.put(batch, Family::resubmissions, copy, seal(copy, payload));
}

Result<std::optional<std::string>> small_record(const Database& database, const std::string& key) {
  auto first = database.get(Family::state, key);
  if (first || first.error().fault != Fault::damaged) return first;
  auto second = database.get(Family::resubmissions, key::second_copy(key));
  if (!second || !*second) return first;
  return second;
}

}  // namespace dumpster::rocks
