#pragma once

#include <rocksdb/write_batch.h>

#include "dumpster/codec.hpp"
#include "dumpster/rocksdb/database.hpp"
#include "store_fixture.hpp"

namespace dumpster::testing {

inline constexpr std::uint32_t number_of_sg1 = 1;

/// A store in which single values are damaged.
class DamageFixture : public StoreFixture {
 public:
  /// A damaged store is not verified at the end.
  ~DamageFixture() { shut(); }

  /// Closes the store and flips a bit of one value.
  void damage(rocks::Family family, const std::string& key) {
    shut();
    const auto database = rocks::Database::open(path() / "db", rocks::Database::Mode::open);
    REQUIRE(database.has_value());
    const auto payload = (*database)->get(family, key);
    REQUIRE(payload.has_value());
    REQUIRE(payload->has_value());
    auto sealed = seal(key, **payload);
    sealed[sealed.size() / 2] = static_cast<char>(sealed[sealed.size() / 2] ^ 4);
    rocksdb::WriteBatch batch;
    (*database)->put(batch, family, key, sealed);
    REQUIRE((*database)->write(batch, true).ok());
  }
};

}  // namespace dumpster::testing
