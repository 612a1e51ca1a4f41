#include "recovery/configuration/toml_reader.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>

#include "recovery/configuration/quantity.hpp"

namespace recovery {

struct TomlDocument::Content {
  std::string name;
  toml::table root;
  bool unreadable = false;
  std::vector<ConfigurationFault> faults;
};

struct TomlTable::Place {
  std::shared_ptr<TomlDocument::Content> content;
  const toml::table* table = nullptr;  ///< null: not in the file
  std::string path;                    ///< of the table, e.g. `cluster.node`; empty for the root
  std::size_t line = 1;
  bool silent = false;  ///< its absence has been reported already
  std::set<std::string, std::less<>> asked;

  std::string name_of(std::string_view key) const {
    return path.empty() ? std::string{key} : path + "." + std::string{key};
  }

  void report(std::size_t at, std::string sentence) const {
    content->faults.push_back({content->name, at, std::move(sentence)});
  }

  const toml::node* find(std::string_view key) {
    asked.emplace(key);
    return table == nullptr ? nullptr : table->get(key);
  }

  void missing(std::string_view key) const {
    if (!silent) report(line, "`" + name_of(key) + "` is missing");
  }

  /// The value that `read` makes of the key's node; what it makes of none, or of a wrong one, is the default.
  template <class T, class Read>
  T value(std::string_view key, const Otherwise<T>& otherwise, Read read) {
    const toml::node* node = find(key);
    if (node == nullptr) {
      if (!otherwise.value()) missing(key);
      return otherwise.value().value_or(T{});
    }
    std::optional<T> result = read(*node);
    return result ? std::move(*result) : otherwise.value().value_or(T{});
  }
};

namespace {

std::size_t line_of(const toml::node& node, std::size_t otherwise) {
  const auto line = node.source().begin.line;
  return line == 0 ? otherwise : line;
}

std::string kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return node.is_array_of_tables() ? "an array of tables" : "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a floating point number";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

std::string quoted(std::string_view text) {
  return "\"" + std::string{text} + "\"";
}

/// Reads a quantity that is written as a string, or as the integer 0.
template <class T, class Parse>
std::optional<T> quantity(const toml::node& node, Parse parse) {
  if (const auto* text = node.as_string()) return parse(std::string_view{text->get()});
  if (const auto* number = node.as_integer(); number != nullptr && number->get() == 0) return T{};
  return std::nullopt;
}

}  // namespace

std::string to_string(const ConfigurationFault& fault) {
  if (fault.line == 0) return fault.file + ": " + fault.sentence;
  return fault.file + ":" + std::to_string(fault.line) + ": " + fault.sentence;
}

TomlTable::TomlTable(std::shared_ptr<Place> place) : place_(std::move(place)) {}

std::string TomlTable::string(std::string_view key, Otherwise<std::string> otherwise) {
  Place& place = *place_;
  return place.value(key, otherwise, [&](const toml::node& node) -> std::optional<std::string> {
    if (const auto* text = node.as_string()) return text->get();
    place.report(line_of(node, place.line),
                 "`" + place.name_of(key) + "` must be a string, not " + kind_of(node));
    return std::nullopt;
  });
}

std::optional<std::string> TomlTable::optional_string(std::string_view key) {
  if (!has(key)) {
    place_->asked.emplace(key);
    return std::nullopt;
  }
  return string(key, "");
}

std::string TomlTable::name(std::string_view key) {
  std::string text = string(key, required);
  const bool is_string = has(key) && place_->find(key)->is_string();
  if (is_string && text.empty()) fault(key, "`" + place_->name_of(key) + "` must not be empty");
  return text;
}

std::string TomlTable::word(std::string_view key, std::initializer_list<std::string_view> allowed,
                            Otherwise<std::string> otherwise) {
  const std::string text = string(key, otherwise);
  if (!has(key) || std::find(allowed.begin(), allowed.end(), text) != allowed.end()) return text;
  const toml::node* node = place_->find(key);
  if (node->is_string()) {
    std::string choice;
    for (const std::string_view word : allowed)
      choice += (choice.empty() ? "" : ", ") + quoted(word);
    fault(key, "`" + place_->name_of(key) + "` must be one of " + choice + ", not " + quoted(text));
  }
  return otherwise.value().value_or("");
}

bool TomlTable::boolean(std::string_view key, Otherwise<bool> otherwise) {
  Place& place = *place_;
  return place.value(key, otherwise, [&](const toml::node& node) -> std::optional<bool> {
    if (const auto* value = node.as_boolean()) return value->get();
    place.report(line_of(node, place.line),
                 "`" + place.name_of(key) + "` must be true or false, not " + kind_of(node));
    return std::nullopt;
  });
}

std::int64_t TomlTable::integer(std::string_view key, Otherwise<std::int64_t> otherwise,
                                Range<std::int64_t> range) {
  Place& place = *place_;
  return place.value(key, otherwise, [&](const toml::node& node) -> std::optional<std::int64_t> {
    const std::size_t line = line_of(node, place.line);
    const auto* value = node.as_integer();
    if (value == nullptr) {
      place.report(line, "`" + place.name_of(key) + "` must be an integer, not " + kind_of(node));
      return std::nullopt;
    }
    if (value->get() >= range.least && value->get() <= range.most) return value->get();
    place.report(line, "`" + place.name_of(key) + "` must be from " + std::to_string(range.least) + " to " +
                           std::to_string(range.most) + ", not " + std::to_string(value->get()));
    return std::nullopt;
  });
}

std::uint64_t TomlTable::size(std::string_view key, Otherwise<std::uint64_t> otherwise,
                              Range<std::uint64_t> range) {
  Place& place = *place_;
  return place.value(key, otherwise, [&](const toml::node& node) -> std::optional<std::uint64_t> {
    const std::size_t line = line_of(node, place.line);
    const auto value = quantity<std::uint64_t>(node, bytes_from);
    if (!value) {
      place.report(
          line, "`" + place.name_of(key) + "` must be a size such as \"18MiB\" (B, KiB, MiB, GiB, TiB) or 0");
      return std::nullopt;
    }
    if (*value >= range.least && *value <= range.most) return value;
    place.report(line, "`" + place.name_of(key) + "` must be from " + bytes_to_string(range.least) + " to " +
                           bytes_to_string(range.most) + ", not " + bytes_to_string(*value));
    return std::nullopt;
  });
}

std::optional<std::uint64_t> TomlTable::optional_size(std::string_view key, Range<std::uint64_t> range) {
  if (has(key)) return size(key, std::uint64_t{0}, range);
  place_->asked.emplace(key);
  return std::nullopt;
}

Microseconds TomlTable::duration(std::string_view key, Otherwise<Microseconds> otherwise,
                                 Range<Microseconds> range) {
  Place& place = *place_;
  return place.value(key, otherwise, [&](const toml::node& node) -> std::optional<Microseconds> {
    const std::size_t line = line_of(node, place.line);
    const auto value = quantity<Microseconds>(node, duration_from);
    if (!value) {
      place.report(line,
                   "`" + place.name_of(key) + "` must be a time such as \"90s\" (us, ms, s, m, h, d) or 0");
      return std::nullopt;
    }
    if (*value >= range.least && *value <= range.most) return value;
    place.report(line, "`" + place.name_of(key) + "` must be from " + duration_to_string(range.least) +
                           " to " + duration_to_string(range.most) + ", not " + duration_to_string(*value));
    return std::nullopt;
  });
}

std::optional<Microseconds> TomlTable::optional_duration(std::string_view key, Range<Microseconds> range) {
  if (has(key)) return duration(key, Microseconds::zero(), range);
  place_->asked.emplace(key);
  return std::nullopt;
}

std::vector<std::string> TomlTable::strings(std::string_view key,
                                            Otherwise<std::vector<std::string>> otherwise) {
  Place& place = *place_;
  using Texts = std::vector<std::string>;
  return place.value(key, otherwise, [&](const toml::node& node) -> std::optional<Texts> {
    const auto* array = node.as_array();
    const std::string sentence = "`" + place.name_of(key) + "` must be an array of strings, not ";
    if (array == nullptr) {
      place.report(line_of(node, place.line), sentence + kind_of(node));
      return std::nullopt;
    }
    Texts texts;
    for (const toml::node& element : *array) {
      if (const auto* text = element.as_string()) {
        texts.push_back(text->get());
      } else {
        place.report(line_of(element, line_of(node, place.line)), sentence + "one with " + kind_of(element));
      }
    }
    return texts;
  });
}

TomlTable TomlTable::table(std::string_view key) {
  auto inner = std::make_shared<Place>();
  inner->content = place_->content;
  inner->path = place_->name_of(key);
  inner->line = place_->line;
  inner->silent = place_->silent;
  if (const toml::node* node = place_->find(key)) {
    inner->line = line_of(*node, place_->line);
    inner->table = node->as_table();
    if (inner->table == nullptr) {
      place_->report(inner->line, "`" + inner->path + "` must be a table, not " + kind_of(*node));
      inner->silent = true;
    }
  }
  return TomlTable{std::move(inner)};
}

TomlTable TomlTable::table(std::string_view key, Required) {
  TomlTable inner = table(key);
  if (inner.place_->table == nullptr && !inner.place_->silent) {
    place_->report(place_->line, "the table [" + inner.place_->path + "] is missing");
    inner.place_->silent = true;
  }
  return inner;
}

std::vector<TomlTable> TomlTable::tables(std::string_view key, std::size_t at_least) {
  std::vector<TomlTable> inner;
  const std::string path = place_->name_of(key);
  const toml::node* node = place_->find(key);
  const toml::array* array = node == nullptr ? nullptr : node->as_array();
  if (node != nullptr && (array == nullptr || (!array->empty() && !array->is_array_of_tables()))) {
    place_->report(line_of(*node, place_->line),
                   "`" + path + "` must be written as [[" + path + "]], not as " + kind_of(*node));
    return inner;
  }
  for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
    auto place = std::make_shared<Place>();
    place->content = place_->content;
    place->path = path;
    place->table = array->get(i)->as_table();
    place->line = line_of(*array->get(i), place_->line);
    inner.push_back(TomlTable{std::move(place)});
  }
  if (inner.size() < at_least && !place_->silent) {
    const std::string times =
        at_least == 1 ? "at least once" : "at least " + std::to_string(at_least) + " times";
    place_->report(place_->line, "[[" + path + "]] must be there " + times);
  }
  return inner;
}

bool TomlTable::has(std::string_view key) const {
  return place_->table != nullptr && place_->table->get(key) != nullptr;
}

void TomlTable::fault(std::string_view key, std::string sentence) const {
  const toml::node* node = place_->table == nullptr ? nullptr : place_->table->get(key);
  place_->report(node == nullptr ? place_->line : line_of(*node, place_->line), std::move(sentence));
}

void TomlTable::close() {
  if (place_->table == nullptr) return;
  for (const auto& [key, node] : *place_->table) {
    if (place_->asked.contains(key.str())) continue;
    const std::size_t line =
        key.source().begin.line == 0 ? line_of(node, place_->line) : key.source().begin.line;
    place_->report(line, "`" + place_->name_of(key.str()) + "` is not a known key");
  }
}

TomlDocument::TomlDocument(std::shared_ptr<Content> content) : content_(std::move(content)) {}

TomlDocument TomlDocument::read(const std::string& path) {
  constexpr std::size_t largest = 1 << 20;
  auto content = std::make_shared<Content>();
  content->name = path;
  std::string text(largest + 1, '\0');
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  const auto length = static_cast<std::size_t>(file.gcount());
  if (file.bad() || (length == 0 && !file.eof())) {
    content->faults.push_back({path, 0, "cannot be read: " + std::string{std::strerror(errno)}});
  } else if (length > largest) {
    content->faults.push_back({path, 0, "is larger than 1 MiB"});
  } else {
    return parse(std::string_view{text}.substr(0, length), path);
  }
  content->unreadable = true;
  return TomlDocument{std::move(content)};
}

TomlDocument TomlDocument::parse(std::string_view text, std::string name) {
  auto content = std::make_shared<Content>();
  content->name = std::move(name);
  try {
    content->root = toml::parse(text, content->name);
  } catch (const toml::parse_error& error) {
    content->unreadable = true;
    content->faults.push_back(
        {content->name, error.source().begin.line, "is not TOML: " + std::string{error.description()}});
  }
  return TomlDocument{std::move(content)};
}

TomlTable TomlDocument::root() const {
  auto place = std::make_shared<TomlTable::Place>();
  place->content = content_;
  place->silent = content_->unreadable;
  if (!content_->unreadable) place->table = &content_->root;
  return TomlTable{std::move(place)};
}

std::vector<ConfigurationFault> TomlDocument::faults() const {
  std::vector<ConfigurationFault> sorted = content_->faults;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  return sorted;
}

}  // namespace recovery
