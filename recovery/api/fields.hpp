#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "dumpster/instant.hpp"

namespace recovery {

/// Reads the members of a JSON object one by one and refuses (`400`, naming the member in `field`) what is
/// missing, of another type or out of range. `null` is another type.
class Fields {
 public:
  /// `place`: what stands before the names of the members in messages, e.g. `deliveries[3].`.
  explicit Fields(const boost::json::object& object, std::string place = {});

  std::string text(std::string_view name, std::size_t longest);
  std::optional<std::string> text_if_any(std::string_view name, std::size_t longest);
  std::uint64_t number(std::string_view name, std::uint64_t most);
  std::optional<std::uint64_t> number_if_any(std::string_view name, std::uint64_t most);
  dumpster::Instant instant(std::string_view name);
  /// A time such as `"90s"`, or a number of seconds.
  dumpster::Duration duration(std::string_view name, dumpster::Duration most);
  std::optional<bool> flag_if_any(std::string_view name);
  const boost::json::array* array_if_any(std::string_view name);

  /// After the last member: refuses what has not been asked for.
  void end() const;

  [[noreturn]] void refuse(std::string_view name, std::string_view why) const;

 private:
  const boost::json::value* find(std::string_view name);

  const boost::json::object& object_;
  std::string place_;
  std::set<std::string, std::less<>> asked_;
};

/// The object that a body consists of. Refuses everything else.
boost::json::object parse_object(std::string_view body);

}  // namespace recovery
