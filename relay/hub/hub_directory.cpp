#include <algorithm>
#include <filesystem>

#include "metrics/log.hpp"
#include "relay/hub/hub.hpp"

// Where the hub's recipients come from: a file that is watched, or a server.

namespace relay {
namespace {

constexpr std::size_t most_faults_told = 20;

}  // namespace

void Hub::use_directory(Surroundings& surroundings) {
  const auto old = ldap_;
  if (!surroundings.ldap) {
    // Known as it was before it was read: what was written to it meanwhile is seen by the next look.
    recipients_ = std::move(surroundings.watch);
    metrics_.directory_outdated(false);
    directory_.set(std::move(surroundings.directory));
    ldap_.reset();
  } else if (old && surroundings.ldap == ldap_settings_) {
    old->forget();
    return;
  } else {
    recipients_.reset();
    ldap_ = ldap::make_ldap_directory(*surroundings.ldap, metrics_);
    directory_.set(ldap_);
  }
  ldap_settings_ = std::move(surroundings.ldap);
  if (old) old->close();
}

/// A file that cannot be used changes nothing, and is read again when it has changed again.
void Hub::look_at_recipients() {
  if (!recipients_ || !recipients_->look()) return;
  std::vector<std::string> faults;
  std::error_code error;
  std::shared_ptr<const Directory> read;
  if (std::filesystem::file_size(recipients_->path(), error) == 0 && !error) {
    faults.push_back(recipients_->path().string() + ": is empty; SIGHUP takes it all the same");
  } else {
    read = read_recipients(configuration_, faults);
  }
  if (!recipients_->unchanged()) return;  // written to meanwhile: the next look finds it
  metrics_.directory_outdated(!faults.empty());
  metrics_.directory_reloaded(faults.empty() ? "loaded" : "failed");
  if (faults.empty()) {
    directory_.set(std::move(read));
    dispatcher_->look_at_routes(false);
    metrics::log_info("recipients reloaded", {{"path", recipients_->path().string()}});
    return;
  }
  for (std::size_t i = 0; i < std::min(faults.size(), most_faults_told); ++i)
    metrics::log_error("recipients not reloaded", {{"fault", faults[i]}});
  metrics::log_error("recipients not reloaded",
                     {{"fault", "the recipients from before stay"}, {"faults", faults.size()}});
}

}  // namespace relay
