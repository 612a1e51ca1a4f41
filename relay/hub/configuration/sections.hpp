#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "relay/hub/configuration.hpp"

namespace relay {

/// The sections of the configuration file, a function each: what it says goes into the configuration, what is
/// wrong to the table's faults.
void read_hub(recovery::TomlTable hub, HubConfiguration& made);
void read_listener(recovery::TomlTable listener, HubConfiguration& made);
void read_relay(recovery::TomlTable relay, HubConfiguration& made);
void read_directory(recovery::TomlTable directory, HubConfiguration& made);
dumpster::RetentionLimits read_dumpster(recovery::TomlTable dumpster);
/// `defaults`: what the groups have that say nothing of their own. `taken`: names of clusters read before.
void read_cluster(recovery::TomlTable cluster, const dumpster::RetentionLimits& defaults,
                  std::set<std::string>& taken, HubConfiguration& made);
void read_next_hop_policy(recovery::TomlTable next_hop, HubConfiguration& made);
/// `tables`: those of `made.next_hops`. Where URLs and these contradict each other is a fault of the table.
void check_next_hops(const std::vector<recovery::TomlTable>& tables, HubConfiguration& made);
/// `given`: whether the file has the section at all.
void read_recovery(recovery::TomlTable recovery, bool given, HubConfiguration& made);

// --- values that several sections have
inline constexpr std::uint64_t mebibyte = 1ULL << 20;
inline constexpr recovery::Microseconds longest = std::chrono::hours{24 * 365};

/// Letters, digits, `-`, `_` and `.`; 64 of them at the most.
bool is_name(const std::string& name);
/// `name`, which no table of its kind had before.
std::string checked_name(recovery::TomlTable& table, std::set<std::string>& taken);
/// The address in `text`, which is the value of `address`; nothing for none or an empty one.
std::optional<ListenAddress> address_of(recovery::TomlTable& table, const std::optional<std::string>& text);
std::optional<NextHop> read_next_hop(recovery::TomlTable& table, std::string_view key,
                                     const std::string& text);

}  // namespace relay
