#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "dumpster/instant.hpp"

namespace recovery::dumpsterctl {

// The hub's documents about the queue and about single messages, as text of at most 80 columns.

/// `lines`: the messages, and last what the hub says about the list.
std::string queue_view(const std::vector<boost::json::object>& lines, dumpster::Instant now);
std::string queued_mail_view(const boost::json::object& mail);
std::string queue_change_view(const std::string& action, const boost::json::object& changed);
/// `lines`: the messages, and last what the hub says about the history.
std::string trace_view(const std::vector<boost::json::object>& lines);
std::string trace_nothing_view(const std::string& what, const boost::json::object& last);

}  // namespace recovery::dumpsterctl
