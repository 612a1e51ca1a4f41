#include "relay/hub/surroundings.hpp"

#include <chrono>
#include <sstream>

#include "metrics/log.hpp"
#include "recovery/http/tls.hpp"
#include "relay/directory/file_directory.hpp"
#include "relay/hub/next_hop_files.hpp"
#include "relay/net/certificate_expiry.hpp"

namespace relay {
namespace {

constexpr std::size_t safe_token = 16;
constexpr std::chrono::hours certificate_warning{24 * 14};

template <class Faults>
void tell(const std::filesystem::path& file, const Faults& found, std::vector<std::string>& faults) {
  for (const auto& fault : found.faults) {
    const auto line = fault.line == 0 ? std::string{} : ":" + std::to_string(fault.line);
    faults.push_back(file.string() + line + ": " + fault.text);
  }
}

std::shared_ptr<const Directory> read_directory_file(const HubConfiguration& configuration,
                                                     std::vector<std::string>& faults) {
  FileDirectorySettings settings;
  settings.hub_name = configuration.name;
  for (const auto& cluster : configuration.clusters) {
    for (const auto& group : cluster.storage_groups)
      settings.storage_groups.push_back({cluster.name, group.name});
  }
  auto loaded = load_file_directory(configuration.recipients, std::move(settings));
  if (loaded) return *loaded;
  tell(configuration.recipients, loaded.error(), faults);
  if (loaded.error().more > 0) {
    faults.push_back(configuration.recipients.string() + ": and " + std::to_string(loaded.error().more) +
                     " more faults");
  }
  return nullptr;
}

std::shared_ptr<const Passwords> read_password_file(const std::filesystem::path& path,
                                                    std::vector<std::string>& faults) {
  auto loaded = load_passwords(path);
  if (auto* passwords = std::get_if<Passwords>(&loaded)) {
    return std::make_shared<const Passwords>(std::move(*passwords));
  }
  for (const auto& fault : std::get<std::vector<PasswordsFault>>(loaded)) {
    const auto line = fault.line == 0 ? std::string{} : ":" + std::to_string(fault.line);
    faults.push_back(path.string() + line + ": " + fault.text);
  }
  return nullptr;
}

TlsContext read_listener_tls(const ListenerConfiguration& listener, std::vector<std::string>& faults) {
  const bool named = !listener.tls_files.certificate.empty() && !listener.tls_files.key.empty();
  if (listener.tls == ListenerSettings::Tls::none || !named) return nullptr;
  auto made = make_server_tls(listener.tls_files);
  if (auto* fault = std::get_if<TlsFault>(&made)) {
    faults.push_back(std::move(fault->text));
    return nullptr;
  }
  const auto context = std::get<TlsContext>(std::move(made));
  const auto left = std::chrono::duration_cast<std::chrono::hours>(certificate_expiry(context) -
                                                                   std::chrono::system_clock::now());
  if (left < certificate_warning) {
    metrics::log_warning(
        left.count() < 0 ? "a certificate has expired" : "a certificate expires soon",
        {{"file", listener.tls_files.certificate.string()}, {"days_left", left.count() / 24}});
  }
  return context;
}

/// What the recovery API's port will read when it is opened.
void check_recovery_tls(const HubConfiguration& configuration, std::vector<std::string>& faults) {
  if (!configuration.recovery_tls) return;
  const auto made = recovery::http::make_tls_context(*configuration.recovery_tls);
  if (!made) faults.push_back(made.error().detail);
}

}  // namespace

Surroundings read_surroundings(const HubConfiguration& configuration, std::vector<std::string>& faults) {
  Surroundings read;
  if (faults.empty()) read.directory = read_directory_file(configuration, faults);
  read.next_hops = read_next_hop_policies(configuration, faults);
  if (!configuration.passwords.empty()) read.passwords = read_password_file(configuration.passwords, faults);
  for (const auto& listener : configuration.listeners)
    read.listener_tls.push_back(read_listener_tls(listener, faults));
  check_recovery_tls(configuration, faults);
  if (configuration.tokens.empty()) {
    read.tokens = std::make_shared<const recovery::Tokens>();
    return read;
  }
  auto tokens = recovery::load_tokens(configuration.tokens);
  if (tokens) {
    if (tokens->shortest() > 0 && tokens->shortest() < safe_token) {
      metrics::log_warning("a token is short enough to be guessed",
                           {{"file", configuration.tokens.string()}});
    }
    read.tokens = std::make_shared<const recovery::Tokens>(std::move(*tokens));
  } else {
    tell(configuration.tokens, tokens.error(), faults);
  }
  return read;
}

}  // namespace relay
