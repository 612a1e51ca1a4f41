#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace recovery {

/// One thing that is wrong in a configuration file.
struct ConfigurationFault {
  std::string file;
  std::size_t line = 0;  ///< from 1; 0 when the file could not be read at all
  std::string sentence;

  bool operator==(const ConfigurationFault&) const = default;
};

/// `FILE:LINE: sentence`, the form that `--check` prints.
std::string to_string(const ConfigurationFault& fault);

struct Required {};
/// In place of a default: leaving the key out is a fault.
inline constexpr Required required{};

/// What a key has when the file leaves it out: a default, or `required`.
template <class T>
class Otherwise {
 public:
  Otherwise(Required) {}  // NOLINT: reads like a table
  template <class U>
  requires std::convertible_to<U, T> Otherwise(U&& value) : value_(std::forward<U>(value)) {}  // NOLINT
  const std::optional<T>& value() const { return value_; }

 private:
  std::optional<T> value_;
};

/// What is allowed, both ends included.
template <class T>
struct Range {
  T least = std::numeric_limits<T>::min();
  T most = std::numeric_limits<T>::max();
};

using Microseconds = std::chrono::microseconds;
template <>
struct Range<Microseconds> {
  Microseconds least = Microseconds::zero();
  Microseconds most = Microseconds::max();
};

class TomlDocument;

/// One table of a file. Each key is asked for once, by the call of its type; `close` then reports the keys
/// that nobody asked for. Nothing throws: what is wrong goes to the document's faults, and the call gives
/// back the default (or, for what is required, an empty value). Cheap to copy; valid for as long as any copy
/// of its document or tables.
class TomlTable {
 public:
  std::string string(std::string_view key, Otherwise<std::string> otherwise);
  std::optional<std::string> optional_string(std::string_view key);
  /// Required and not empty.
  std::string name(std::string_view key);
  /// One of the given words.
  std::string word(std::string_view key, std::initializer_list<std::string_view> allowed,
                   Otherwise<std::string> otherwise);
  bool boolean(std::string_view key, Otherwise<bool> otherwise);
  std::int64_t integer(std::string_view key, Otherwise<std::int64_t> otherwise,
                       Range<std::int64_t> range = {});
  /// Bytes, written `"18MiB"` or 0.
  std::uint64_t size(std::string_view key, Otherwise<std::uint64_t> otherwise,
                     Range<std::uint64_t> range = {});
  std::optional<std::uint64_t> optional_size(std::string_view key, Range<std::uint64_t> range = {});
  /// Written `"7d"`, `"250ms"` or 0.
  Microseconds duration(std::string_view key, Otherwise<Microseconds> otherwise,
                        Range<Microseconds> range = {});
  std::optional<Microseconds> optional_duration(std::string_view key, Range<Microseconds> range = {});
  std::vector<std::string> strings(std::string_view key, Otherwise<std::vector<std::string>> otherwise);

  /// `[key]`. One that the file leaves out reads as an empty table, in which required keys are missing.
  TomlTable table(std::string_view key);
  /// `[key]`. Leaving it out is one fault; the keys of what is given back then are no further ones.
  TomlTable table(std::string_view key, Required);
  /// Every `[[key]]`, in the order of the file; fewer than `at_least` is a fault.
  std::vector<TomlTable> tables(std::string_view key, std::size_t at_least = 0);

  /// Whether the file names this key in this table. Does not count as asking for it.
  bool has(std::string_view key) const;

  /// A fault of the reader's own at that key's line (the table's line when the key is not there).
  void fault(std::string_view key, std::string sentence) const;

  /// Reports every key that no call has asked for.
  void close();

 private:
  friend class TomlDocument;
  struct Place;
  explicit TomlTable(std::shared_ptr<Place> place);

  std::shared_ptr<Place> place_;
};

/// A TOML file and all that is wrong with it. A file that cannot be read or parsed is one fault, and its root
/// reads as a table in which nothing is missing.
class TomlDocument {
 public:
  /// Files above 1 MiB are refused.
  static TomlDocument read(const std::string& path);
  static TomlDocument parse(std::string_view text, std::string name);

  TomlTable root() const;

  /// In the order of the lines.
  std::vector<ConfigurationFault> faults() const;

 private:
  friend class TomlTable;
  struct Content;
  explicit TomlDocument(std::shared_ptr<Content> content);

  std::shared_ptr<Content> content_;
};

}  // namespace recovery
