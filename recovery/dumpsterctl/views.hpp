#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>

namespace recovery::dumpsterctl {

/// The documents of the hub as text of at most 80 columns. What a document does not have is shown as `-`: an
/// older hub may say less.
std::string status_view(const boost::json::object& status);
std::string cluster_view(const boost::json::object& cluster);
std::string resubmissions_view(const boost::json::array& list);
std::string resubmission_view(const boost::json::object& resubmission);

/// Whether a status says that the hub takes mail.
bool accepts_mail(const boost::json::object& status);

}  // namespace recovery::dumpsterctl
