#include "relay/hub/surroundings.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

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

/// A secret in a file: its first line.
std::string read_password(const std::filesystem::path& path, std::vector<std::string>& faults) {
  struct stat status {};
  std::ifstream in{path, std::ios::binary};
  std::string password;
  std::string fault;
  if (::stat(path.c_str(), &status) != 0 || !in) {
    fault = "does not exist or cannot be read";
  } else if (!S_ISREG(status.st_mode)) {
    fault = "is not a regular file";
  } else if ((status.st_mode & 077) != 0) {
    fault = "group or others have access to it; its mode has to be 0600 or 0400";
  } else if (!std::getline(in, password) || password.empty()) {
    fault = "is empty: a bind without a password is nobody's (RFC 4513 5.1.2)";
  }
  if (!fault.empty()) faults.push_back(path.string() + ": " + fault);
  return password;
}

std::optional<ldap::Settings> read_ldap_files(const HubConfiguration& configuration,
                                              std::vector<std::string>& faults) {
  auto settings = configuration.ldap;
  if (!settings) return settings;
  if (!configuration.ldap_password.empty())
    settings->bind_password = read_password(configuration.ldap_password, faults);
  if (!settings->ca.empty() && ::access(settings->ca.c_str(), R_OK) != 0)
    faults.push_back(settings->ca.string() + ": does not exist or cannot be read");
  return settings;
}

}  // namespace

std::shared_ptr<const Directory> read_recipients(const HubConfiguration& configuration,
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

namespace {

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
  read.ldap = read_ldap_files(configuration, faults);
  if (faults.empty() && !read.ldap) {
    read.watch.emplace(configuration.recipients);
    read.directory = read_recipients(configuration, faults);
  }
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
