#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <vector>

namespace recovery::dumpsterctl {

/// The documents of the hub as text of at most 80 columns. What a document does not have is shown as `-`: an
/// older hub may say less.
std::string status_view(const boost::json::object& status);
std::string cluster_view(const boost::json::object& cluster);
std::string sizing_view(const std::string& group, const boost::json::object& sizing);
/// `lines`: the deliveries, and last what the hub says about the listing.
std::string deliveries_view(const std::vector<boost::json::object>& lines);
std::string purge_view(const boost::json::object& purged);
/// Of the answer to `POST /v1/verification`.
std::string verification_view(const boost::json::object& found);
/// Of the answer to `POST /v1/backup`.
std::string backup_view(const boost::json::object& made);
std::string resubmissions_view(const boost::json::array& list);
std::string resubmission_view(const boost::json::object& resubmission);
std::string accepted_view(const boost::json::object& accepted);
std::string preview_view(const boost::json::object& preview);
/// Without an end of line, of the same width while numbers grow.
std::string progress_line(const boost::json::object& resubmission);

/// Whether a status says that the hub takes mail.
bool accepts_mail(const boost::json::object& status);

}  // namespace recovery::dumpsterctl
