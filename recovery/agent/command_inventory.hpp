#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "recovery/agent/inventory.hpp"

namespace recovery::agent {

/// Asks a program of the administrator. It reads the mailboxes, one a line, on standard input, has the start
/// of the window (RFC 3339) as its only argument, and prints a line `MAILBOX<TAB>VALUE` for each message,
/// VALUE being that of the topmost `X-Dumpster-Id` field. Another exit status than 0, a line of another form,
/// a mailbox that was not asked for, too much output or no end within `deadline` is an error of the whole
/// inventory. A mailbox with a line feed or tab in its name cannot be asked for and is unknown.
std::unique_ptr<InventorySource> make_command_inventory(
    std::string program, const std::atomic<bool>* stop,
    std::chrono::milliseconds deadline = std::chrono::minutes{10});

}  // namespace recovery::agent
