#include "relay/hub/configuration/sections.hpp"

namespace relay {

using namespace std::chrono_literals;
using recovery::Microseconds;
using recovery::TomlTable;

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
