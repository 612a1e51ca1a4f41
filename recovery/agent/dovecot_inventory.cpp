#include "recovery/agent/dovecot_inventory.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <thread>
#include <vector>

#include "recovery/agent/delivery_id_field.hpp"
#include "recovery/agent/dovecot_folders.hpp"
#include "recovery/agent/subprocess.hpp"

namespace recovery::agent {
namespace {

namespace json = boost::json;
using dumpster::Error;
using dumpster::Fault;
using dumpster::Result;

constexpr int no_such_user = 67;  // EX_NOUSER of sysexits.h, as doveadm(1) says

/// Doveadm gives all fields of one name in one value, from the top, each on its line; a line that begins with
/// a blank continues the one before.
std::string_view topmost(std::string_view values) {
  std::size_t end = values.find('\n');
  while (end != std::string_view::npos && end + 1 < values.size() &&
         (values[end + 1] == ' ' || values[end + 1] == '\t')) {
    end = values.find('\n', end + 1);
  }
  return values.substr(0, end);
}

/// Reads `[{"hdr.x-dumpster-id": "…"}, …]`. JSON, because the tab format does not tell a second field of one
/// message from the next message.
bool count(const std::string& mailbox, std::string_view output, Inventory& inventory) {
  json::monotonic_resource memory;
  json::parse_options options;
  options.allow_invalid_utf8 = true;  // a header may hold any byte
  json::error_code error;
  const json::value messages = json::parse(output, error, &memory, options);
  const json::array* array = messages.if_array();
  if (error || array == nullptr) return false;
  for (const json::value& entry : *array) {
    const json::object* message = entry.if_object();
    const json::value* field = message == nullptr ? nullptr : message->if_contains("hdr.x-dumpster-id");
    if (field == nullptr || !field->is_string()) return false;
    const json::string& values = field->get_string();
    if (const auto id = delivery_id_in_value(topmost({values.data(), values.size()})))
      inventory.add(mailbox, *id);
  }
  return true;
}

class DovecotInventory final : public InventorySource {
 public:
  DovecotInventory(std::string configuration, const std::atomic<bool>* stop, std::string doveadm)
      : configuration_(std::move(configuration)), stop_(stop), doveadm_(std::move(doveadm)) {}

  Result<Inventory> take(const std::set<std::string>& mailboxes, dumpster::Instant) override {
    const auto folders = folder_query();
    if (!folders) return folders.error();
    const std::vector<std::string> names{mailboxes.begin(), mailboxes.end()};
    std::vector<Result<Inventory>> parts(std::min(lookers(), names.size()), Inventory{});
    std::atomic<std::size_t> next{0};
    std::vector<std::thread> threads;
    for (Result<Inventory>& part : parts) {
      threads.emplace_back([this, &names, &folders, &next, &part] {
        for (std::size_t place = next++; place < names.size() && part; place = next++) {
          if (const auto looked = look(names[place], *folders, *part); !looked) part = looked.error();
        }
      });
    }
    for (std::thread& thread : threads)
      thread.join();
    Inventory whole;
    for (const Result<Inventory>& part : parts) {
      if (!part) return part.error();
      whole.merge(*part);
    }
    return whole;
  }

  Result<std::optional<std::set<std::string>>> mailboxes() override {
    Subprocess list = doveadm();
    list.arguments.insert(list.arguments.end(), {"user", "*"});
    const auto outcome = run(list);
    if (!outcome) return outcome.error();
    if (outcome->status != 0)
      return Error{Fault::unavailable, "doveadm cannot list the users: " + outcome->complaint};
    std::set<std::string> all;
    std::string_view rest = outcome->output;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      if (end != 0) all.emplace(rest.substr(0, end));
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return std::optional{std::move(all)};
  }

 private:
  Subprocess doveadm() const {
    Subprocess command;
    command.arguments = {doveadm_};
    if (!configuration_.empty()) command.arguments.insert(command.arguments.end(), {"-c", configuration_});
    command.deadline = std::chrono::minutes{5};
    command.stop = stop_;
    return command;
  }

  /// How many mailboxes are asked for side by side: a doveadm mostly waits for others.
  static std::size_t lookers() {
    return std::clamp<std::size_t>(2 * std::thread::hardware_concurrency(), 2, 16);
  }

  /// The part of a search query that names the folders: `( mailbox A or mailbox B )`.
  Result<std::vector<std::string>> folder_query() const {
    Subprocess show;
    show.arguments = {"doveconf"};
    if (!configuration_.empty()) show.arguments.insert(show.arguments.end(), {"-c", configuration_});
    show.arguments.emplace_back("namespace");
    show.stop = stop_;
    const auto outcome = run(show);
    if (!outcome) return outcome.error();
    if (outcome->status != 0)
      return Error{Fault::unavailable, "doveconf cannot tell the namespaces: " + outcome->complaint};
    const auto folders = dovecot_folders(outcome->output);
    if (!folders) return folders.error();
    std::vector<std::string> query{"("};
    for (const std::string& folder : *folders) {
      if (query.size() > 1) query.emplace_back("or");
      query.insert(query.end(), {"mailbox", folder});
    }
    query.emplace_back(")");
    return query;
  }

  Result<void> look(const std::string& mailbox, const std::vector<std::string>& folders,
                    Inventory& inventory) const {
    if (!mailbox.empty() && mailbox.find_first_of(std::string_view{"*?\0\n", 4}) == std::string::npos)
      return ask(mailbox, folders, inventory);
    inventory.set_unknown(mailbox, "Dovecot cannot have a user of this name");
    return {};
  }

  Result<void> ask(const std::string& mailbox, const std::vector<std::string>& folders,
                   Inventory& inventory) const {
    Subprocess fetch = doveadm();
    fetch.arguments.insert(fetch.arguments.end(),
                           {"-f", "json", "fetch", "-u", mailbox, "hdr.x-dumpster-id"});
    fetch.arguments.insert(fetch.arguments.end(), folders.begin(), folders.end());
    const auto outcome = run(fetch);
    if (!outcome) return outcome.error();
    if (outcome->status == no_such_user) {
      inventory.set_unknown(mailbox, "Dovecot knows no such user");
      return {};
    }
    if (outcome->status != 0) {
      return Error{Fault::unavailable, "doveadm ended with status " + std::to_string(outcome->status) +
                                           " for " + mailbox + ": " + outcome->complaint};
    }
    if (!count(mailbox, outcome->output, inventory)) {
      return Error{Fault::unavailable, "doveadm wrote what is not a list of messages for " + mailbox};
    }
    return {};
  }

  std::string configuration_;
  const std::atomic<bool>* stop_;
  std::string doveadm_;
};

}  // namespace

std::unique_ptr<InventorySource> make_dovecot_inventory(std::string configuration,
                                                        const std::atomic<bool>* stop, std::string doveadm) {
  return std::make_unique<DovecotInventory>(std::move(configuration), stop, std::move(doveadm));
}

}  // namespace recovery::agent
