#include "relay/directory/file_directory.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <stdexcept>

#include "relay/directory/alias_expansion.hpp"
#include "relay/directory/recipient_table.hpp"
#include "relay/directory/recipients_line.hpp"

namespace relay {
namespace {

constexpr std::size_t most_faults = 1000;

class TableSource final : public RecipientSource {
 public:
  explicit TableSource(const RecipientTable& table) : table_(table) {}

  EntryAnswer find(std::string_view key) override {
    const auto* entry = table_.find(key);
    if (entry == nullptr) return NoSuchEntry{};
    if (entry->route == RecipientTable::alias)
      return RecipientEntry{table_.key(*entry), table_.text(*entry), {}, nullptr};
    return RecipientEntry{table_.key(*entry), {}, table_.text(*entry), &table_.route(*entry)};
  }

 private:
  const RecipientTable& table_;
};

class FileDirectory final : public ReadyDirectory {
 public:
  FileDirectory(RecipientTable table, std::string hub_name)
      : table_(std::move(table)), hub_name_(std::move(hub_name)) {}

 private:
  Lookup look_up(std::string_view address) const override {
    TableSource source{table_};
    return *AliasExpansion{source, hub_name_}.run(address);  // a table has everything at hand
  }

  RecipientTable table_;
  std::string hub_name_;
};

class Reader {
 public:
  explicit Reader(const FileDirectorySettings& settings)
      : groups_(settings.storage_groups.begin(), settings.storage_groups.end()) {
    for (const auto& group : groups_)
      clusters_.insert(group.cluster);
  }

  void read(std::istream& in) {
    std::string text;
    while (std::getline(in, text)) {
      ++line_;
      auto parsed = read_recipients_line(text);
      if (auto* fault = std::get_if<LineFault>(&parsed)) {
        fault_at(line_, std::move(fault->text));
      } else if (auto* line = std::get_if<RecipientsLine>(&parsed)) {
        take(std::move(*line));
      }
    }
    if (in.bad()) fault_at(0, "cannot be read to its end");
  }

  DirectoryResult<std::shared_ptr<const Directory>> result(std::string hub_name) {
    for (const auto& [first, second] : table_.finish()) {
      fault_at(second, "the same recipient stands in line " + std::to_string(first));
    }
    if (!faults_.faults.empty()) {
      std::stable_sort(faults_.faults.begin(), faults_.faults.end(),
                       [](const auto& a, const auto& b) { return a.line < b.line; });
      return faults_;
    }
    return std::shared_ptr<const Directory>{
        std::make_shared<FileDirectory>(std::move(table_), std::move(hub_name))};
  }

 private:
  void take(RecipientsLine line) {
    auto route = RecipientTable::alias;
    std::string text;
    if (const auto* targets = std::get_if<std::vector<std::string>>(&line.target)) {
      for (const auto& target : *targets) {
        if (!text.empty()) text += ',';
        text += target;
      }
    } else {
      const auto& where = std::get<Route>(line.target);
      if (const auto* group = std::get_if<dumpster::StorageGroup>(&where)) {
        if (!known(*group)) return;
      }
      route = table_.route_index(where);
      text = std::move(line.mailbox);
    }
    table_.add(line.key, route, text, line_);
  }

  bool known(const dumpster::StorageGroup& group) {
    if (groups_.contains(group)) return true;
    if (!clusters_.contains(group.cluster)) {
      fault_at(line_, "there is no cluster \"" + group.cluster + "\" in the configuration");
    } else {
      fault_at(line_, "cluster \"" + group.cluster + "\" has no storage group \"" + group.group + "\"");
    }
    return false;
  }

  void fault_at(std::uint32_t line, std::string text) {
    if (faults_.faults.size() < most_faults) {
      faults_.faults.push_back({line, std::move(text)});
    } else {
      ++faults_.more;
    }
  }

  std::set<dumpster::StorageGroup> groups_;
  std::set<std::string> clusters_;
  RecipientTable table_;
  RecipientsFaults faults_;
  std::uint32_t line_ = 0;
};

RecipientsFaults whole_file(std::string text) {
  RecipientsFaults faults;
  faults.faults.push_back({0, std::move(text)});
  return faults;
}

}  // namespace

std::string RecipientsFaults::text() const {
  std::string result;
  for (const auto& fault : faults) {
    if (fault.line > 0) result += "line " + std::to_string(fault.line) + ": ";
    result += fault.text + "\n";
  }
  if (more > 0) result += "and " + std::to_string(more) + " more\n";
  return result;
}

void throw_exception_from_error(const RecipientsFaults& faults, const boost::source_location&) {
  throw std::runtime_error(faults.text());
}

DirectoryResult<std::shared_ptr<const Directory>> read_file_directory(std::istream& in,
                                                                      FileDirectorySettings settings) {
  Reader reader{settings};
  reader.read(in);
  return reader.result(std::move(settings.hub_name));
}

DirectoryResult<std::shared_ptr<const Directory>> load_file_directory(const std::filesystem::path& path,
                                                                      FileDirectorySettings settings) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (error || !std::filesystem::exists(status))
    return whole_file(path.string() + " does not exist or cannot be reached");
  if (!std::filesystem::is_regular_file(status)) return whole_file(path.string() + " is not a file");
  std::ifstream in{path, std::ios::binary};
  if (!in) return whole_file(path.string() + " cannot be opened for reading");
  return read_file_directory(in, std::move(settings));
}

}  // namespace relay
