#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "dumpster/resubmission.hpp"
#include "dumpster/store.hpp"

namespace recovery {

/// Readers of the bodies that the API takes. They throw `Refusal` (`400`) for whatever the contract does not
/// name.

/// `{node, term, kind}`
dumpster::Activation activation_from(std::string_view body);

/// `{key, from, until, node?, term?, deliveries?, recipient?, message_id?}`. With `deliveries` an agent has
/// to give `node`, `term` and each `attempt`. `group` and `lifetime` are left to the caller.
dumpster::ResubmissionRequest resubmission_from(std::string_view body, bool by_agent);

/// `{node, term, deliveries: [{delivery_id, recipients?}]}`. `group` is left to the caller.
dumpster::AbsentReport absent_report_from(std::string_view body);

/// `{for}`: a time such as `"90s"`, or a number of seconds; more than nothing and at most a day.
dumpster::Duration hold_from(std::string_view body);
/// `{}` or nothing at all.
void release_from(std::string_view body);

struct RecoveredReport {
  std::string node;
  std::uint64_t term = 0;
};

/// `{node, term}`
RecoveredReport recovered_report_from(std::string_view body);

struct ReplicatedReport {
  std::string node;
  dumpster::Instant through{};
};

/// `{node, through}`
ReplicatedReport replicated_report_from(std::string_view body);

/// `{directory}`: an absolute path.
std::filesystem::path backup_from(std::string_view body);

/// A Message-ID with or without its angle brackets.
std::string without_brackets(std::string message_id);

}  // namespace recovery
