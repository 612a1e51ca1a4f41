#include "relay/server/policy.hpp"

#include <algorithm>
#include <set>

namespace relay {

RecipientDecision decide_recipient(Lookup found, bool client_is_trusted, bool has_smarthost) {
  if (auto* resolved = std::get_if<std::vector<Resolved>>(&found)) {
    return {{250, "2.1.5", "recipient ok"}, {}, std::move(*resolved)};
  }
  switch (std::get<LookupFault>(found)) {
    case LookupFault::unavailable:
      return {{451, "4.3.0", "the directory cannot be asked now"}, "directory_unavailable", {}};
    case LookupFault::loop:
      return {{550, "5.4.6", "aliases form a loop"}, "alias_loop", {}};
    case LookupFault::unknown:
      break;
  }
  if (client_is_trusted && has_smarthost) return {{250, "2.1.5", "recipient ok"}, {}, {}};
  return {{550, "5.1.1", "no such mailbox here"}, "unknown_recipient", {}};
}

std::vector<dumpster::Recipient> expand_recipients(const std::vector<dumpster::Recipient>& accepted,
                                                   const std::vector<std::vector<Resolved>>& targets) {
  std::vector<dumpster::Recipient> recipients;
  std::set<std::vector<std::string>> seen;
  for (std::size_t place = 0; place < accepted.size(); ++place) {
    auto recipient = accepted[place];
    recipient.original_address = recipient.address;
    if (place >= targets.size() || targets[place].empty()) {
      if (seen.insert({"", recipient.address}).second) recipients.push_back(recipient);
      continue;
    }
    for (const auto& target : targets[place]) {
      recipient.address = target.address;
      const auto* group = std::get_if<dumpster::StorageGroup>(&target.route);
      const auto identity = group != nullptr ? std::vector<std::string>{group->cluster, group->group,
                                                                        target.mailbox, target.detail}
                                             : std::vector<std::string>{"", target.address};
      if (seen.insert(identity).second) recipients.push_back(recipient);
    }
  }
  return recipients;
}

std::chrono::milliseconds longest_pause(const Slowdowns& slowdowns,
                                        const std::vector<std::vector<Resolved>>& targets,
                                        const std::optional<NextHop>& smarthost) {
  std::chrono::milliseconds pause{0};
  if (slowdowns.none()) return pause;
  for (const auto& of_recipient : targets) {
    if (of_recipient.empty() && smarthost) pause = std::max(pause, slowdowns.pause_of(*smarthost));
    for (const auto& target : of_recipient) {
      const auto* group = std::get_if<dumpster::StorageGroup>(&target.route);
      const Destination destination = group != nullptr ? Destination{ClusterDestination{group->cluster}}
                                                       : Destination{std::get<NextHop>(target.route)};
      pause = std::max(pause, slowdowns.pause_of(destination));
    }
  }
  return pause;
}

}  // namespace relay
