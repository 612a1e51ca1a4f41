#pragma once

#include <cstddef>
#include <filesystem>
#include <istream>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace relay {

struct PasswordsFault {
  std::size_t line = 0;  ///< from 1; 0: the file as a whole
  std::string text;
};

/// Who may authenticate: users and hashes of their passwords (crypt(3): yescrypt, bcrypt, SHA-512). Immutable
/// and thread-safe.
class Passwords {
 public:
  /// Whether that is the user's password. Hashes it, which takes a good part of a second: not for an io
  /// thread. Takes about as long for a user whom nobody knows.
  bool match(const std::string& user, const std::string& password) const;
  std::size_t users() const { return hashes_.size(); }

 private:
  std::map<std::string, std::string, std::less<>> hashes_;
  friend std::variant<Passwords, std::vector<PasswordsFault>> read_passwords(std::istream& in);
};

/// Reads lines `USER:HASH`; empty lines and those that begin with `#` are passed over. Names count exactly as
/// written. All faults come together.
std::variant<Passwords, std::vector<PasswordsFault>> read_passwords(std::istream& in);

/// The same from a regular file that others can neither read nor write, and its group not write.
std::variant<Passwords, std::vector<PasswordsFault>> load_passwords(const std::filesystem::path& path);

}  // namespace relay
