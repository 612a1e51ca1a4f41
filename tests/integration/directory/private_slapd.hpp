#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace relay {

/// A real slapd on loopback ports of its own, with the example entries of deploy/ldap and those of `ldif`.
/// Ends with its scope; `stop` and `start` in between keep what it holds.
class PrivateSlapd {
 public:
  explicit PrivateSlapd(const std::string& ldif = {});
  ~PrivateSlapd();
  PrivateSlapd(const PrivateSlapd&) = delete;
  PrivateSlapd& operator=(const PrivateSlapd&) = delete;

  void start();  ///< until it answers
  void stop();
  /// Changes entries as its administrator: LDIF with changetype.
  void modify(const std::string& ldif);

  std::string url() const { return "ldap://127.0.0.1:" + std::to_string(port_); }
  std::string tls_url() const { return "ldaps://127.0.0.1:" + std::to_string(tls_port_); }
  std::filesystem::path ca() const { return folder_ / "slapd" / "ca.crt"; }
  std::filesystem::path other_ca() const { return folder_ / "slapd" / "other.crt"; }

 private:
  std::filesystem::path folder_;
  std::uint16_t port_;
  std::uint16_t tls_port_;
  pid_t process_ = 0;
};

/// A port of loopback that nobody listens on now.
std::uint16_t free_port();

}  // namespace relay
