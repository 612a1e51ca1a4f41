#include "relay/hub/next_hop_files.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>

namespace relay {
namespace {

TlsContext context_from(const ClientTlsSettings& settings, std::vector<std::string>& faults) {
  auto made = make_client_tls(settings);
  if (auto* context = std::get_if<TlsContext>(&made)) return *context;
  faults.push_back(std::get<TlsFault>(made).text);
  return nullptr;
}

NextHopPolicies::Rule rule_from(const NextHopConfiguration& read, std::vector<std::string>& faults) {
  ClientTlsSettings settings;
  // A fingerprint is compared behind the handshake, whoever has signed the certificate.
  settings.verify = read.verified && read.fingerprints.empty();
  settings.ca = read.ca;
  settings.certificate = read.certificate;
  settings.key = read.key;
  NextHopPolicies::Rule rule;
  rule.host = read.host;
  rule.port = read.port;
  rule.policy.tls = context_from(settings, faults);
  rule.policy.certificate_name = read.certificate_name;
  rule.policy.fingerprints = read.fingerprints;
  rule.policy.verified = read.verified;
  rule.policy.chunking = read.chunking;
  if (!read.auth.empty()) rule.policy.credentials = read_credentials(read.auth, faults);
  return rule;
}

}  // namespace

std::optional<smtp::Credentials> read_credentials(const std::filesystem::path& path,
                                                  std::vector<std::string>& faults) {
  constexpr std::size_t longest = 4096;
  const auto refuse = [&](const char* why) {
    faults.push_back(path.string() + ": " + why);
    return std::nullopt;
  };
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return refuse("cannot be read");
  if ((status.st_mode & S_IRWXO) != 0) return refuse("is open to everybody: chmod o= takes that back");
  std::ifstream file{path, std::ios::binary};
  std::string line(longest, '\0');
  file.read(line.data(), static_cast<std::streamsize>(line.size()));
  if (file.bad() || (!file.eof() && file.fail())) return refuse("cannot be read");
  line.resize(static_cast<std::size_t>(file.gcount()));
  if (line.size() == longest) return refuse("is too long");
  if (!line.empty() && line.back() == '\n') line.pop_back();
  if (!line.empty() && line.back() == '\r') line.pop_back();
  const auto colon = line.find(':');
  const bool clean = std::none_of(line.begin(), line.end(), [](char c) { return c >= 0 && c < ' '; });
  if (!clean || colon == std::string::npos || colon == 0 || colon + 1 == line.size())
    return refuse("is not one line USER:PASSWORD");
  return smtp::Credentials{line.substr(0, colon), line.substr(colon + 1)};
}

std::shared_ptr<const NextHopPolicies> read_next_hop_policies(const HubConfiguration& configuration,
                                                              std::vector<std::string>& faults) {
  std::vector<std::string> found;
  NextHopPolicy others;
  ClientTlsSettings settings;
  settings.verify = false;
  others.tls = context_from(settings, found);
  std::vector<NextHopPolicies::Rule> rules;
  for (const auto& read : configuration.next_hops)
    rules.push_back(rule_from(read, found));
  faults.insert(faults.end(), found.begin(), found.end());
  if (!found.empty()) return nullptr;
  return std::make_shared<const NextHopPolicies>(std::move(others), std::move(rules));
}

}  // namespace relay
