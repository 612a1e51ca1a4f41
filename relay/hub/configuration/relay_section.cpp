#include "relay/hub/configuration/sections.hpp"

namespace relay {

using namespace std::chrono_literals;
using recovery::Microseconds;
using recovery::TomlTable;

namespace {

std::uint32_t count(TomlTable& relay, std::string_view key, std::int64_t otherwise,
                    recovery::Range<std::int64_t> range = {0, 1'000'000'000}) {
  return static_cast<std::uint32_t>(relay.integer(key, otherwise, range));
}

/// How much is taken from whom; 0 stands for no limit.
void read_limits(TomlTable& relay, HubConfiguration& made) {
  made.max_connections = count(relay, "max_connections", 10'000, {1, 1'000'000});
  made.client.connections = count(relay, "max_connections_per_client", 100);
  made.client.messages_per_minute = count(relay, "max_messages_per_minute", 0);
  made.client.recipients_per_minute = count(relay, "max_recipients_per_minute", 0);
  made.client.auth_failures = count(relay, "max_auth_failures", 20);
  made.max_received = count(relay, "max_received", 50, {1, 10'000});
  made.max_passes = count(relay, "max_passes", 3, {1, 100});
  made.commit_limit = relay.duration("commit_limit", Microseconds{30s}, {100ms, Microseconds{10min}});
  made.load.min_free_disk = relay.size("min_free_disk", 16 * mebibyte);
  made.load.max_memory = relay.size("max_memory", half_of_memory());
  made.load.max_commit_time = std::chrono::duration_cast<std::chrono::milliseconds>(
      relay.duration("max_commit_time", Microseconds{10s}, {0s, longest}));
}

}  // namespace

void read_relay(TomlTable relay, HubConfiguration& made) {
  const auto networks = relay.strings("trusted_networks", std::vector<std::string>{"127.0.0.0/8", "::1/128"});
  for (const auto& text : networks) {
    if (const auto network = network_from(text)) {
      made.trusted_networks.push_back(*network);
    } else {
      relay.fault("trusted_networks",
                  "`trusted_networks` has \"" + text + "\", which is not a network like 192.0.2.0/24");
    }
  }
  made.max_message_size = relay.size("max_message_size", 36 * mebibyte, {1024, 1024 * mebibyte});
  made.max_recipients = static_cast<std::uint32_t>(relay.integer("max_recipients", 1000, {1, 100'000}));
  read_limits(relay, made);
  made.passwords = relay.string("passwords", "");
  if (const auto smarthost = relay.optional_string("smarthost")) {
    made.smarthost = read_next_hop(relay, "smarthost", *smarthost);
  }
  made.back_off.retry_min = relay.duration("retry_min", Microseconds{5s}, {10ms, longest});
  made.back_off.retry_max = relay.duration("retry_max", Microseconds{15min}, {10ms, longest});
  if (made.back_off.retry_max < made.back_off.retry_min) {
    relay.fault("retry_max", "`retry_max` must not be shorter than `retry_min`");
  }
  made.queue_lifetime = relay.duration("queue_lifetime", Microseconds{120h}, {1s, longest});
  made.delay_warning = relay.duration("delay_warning", Microseconds{4h}, {Microseconds{0}, longest});
  made.postmaster = relay.string("postmaster", "");
  if (!made.postmaster.empty() && made.postmaster.find('@') == std::string::npos)
    relay.fault("postmaster", "`postmaster` is not an address");
  if (made.postmaster.empty()) made.postmaster = "postmaster@" + made.name;
  made.connections_per_destination =
      static_cast<std::uint32_t>(relay.integer("connections_per_destination", 20, {1, 1000}));
  made.max_outgoing_connections =
      static_cast<std::uint32_t>(relay.integer("max_outgoing_connections", 500, {1, 10'000}));
  relay.close();
}

}  // namespace relay
