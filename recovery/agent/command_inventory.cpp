#include "recovery/agent/command_inventory.hpp"

#include "recovery/agent/delivery_id_field.hpp"
#include "recovery/agent/subprocess.hpp"

namespace recovery::agent {
namespace {

using dumpster::Error;
using dumpster::Fault;
using dumpster::Result;

class CommandInventory final : public InventorySource {
 public:
  CommandInventory(std::string program, const std::atomic<bool>* stop, std::chrono::milliseconds deadline)
      : program_(std::move(program)), stop_(stop), deadline_(deadline) {}

  Result<Inventory> take(const std::set<std::string>& mailboxes, dumpster::Instant window_start) override {
    Inventory inventory;
    Subprocess command;
    command.arguments = {program_, dumpster::to_rfc3339(window_start)};
    command.deadline = deadline_;
    command.stop = stop_;
    for (const std::string& mailbox : mailboxes) {
      if (mailbox.empty() || mailbox.find_first_of("\t\r\n") != std::string::npos) {
        inventory.set_unknown(mailbox, "its name cannot be written on a line");
      } else {
        command.input += mailbox + "\n";
      }
    }
    const auto outcome = run(command);
    if (!outcome) return outcome.error();
    if (outcome->status != 0) {
      return failure("ended with status " + std::to_string(outcome->status) + ": " + outcome->complaint);
    }
    if (const auto read = read_lines(outcome->output, mailboxes, inventory); !read) return read.error();
    return inventory;
  }

 private:
  Error failure(const std::string& what) const { return {Fault::unavailable, program_ + " " + what}; }

  Result<void> read_lines(std::string_view output, const std::set<std::string>& mailboxes,
                          Inventory& inventory) const {
    while (!output.empty()) {
      const std::size_t end = output.find('\n');
      if (end == std::string_view::npos) return failure("ended in the middle of a line");
      const std::string_view line = output.substr(0, end);
      output.remove_prefix(end + 1);
      const std::size_t tab = line.find('\t');
      if (tab == std::string_view::npos) return failure("printed a line without a tab");
      const std::string mailbox{line.substr(0, tab)};
      if (!mailboxes.contains(mailbox))
        return failure("printed a mailbox that it was not asked for: " + mailbox);
      if (const auto id = delivery_id_in_value(line.substr(tab + 1))) inventory.add(mailbox, *id);
    }
    return {};
  }

  std::string program_;
  const std::atomic<bool>* stop_;
  std::chrono::milliseconds deadline_;
};

}  // namespace

std::unique_ptr<InventorySource> make_command_inventory(std::string program, const std::atomic<bool>* stop,
                                                        std::chrono::milliseconds deadline) {
  return std::make_unique<CommandInventory>(std::move(program), stop, deadline);
}

}  // namespace recovery::agent
