#include "relay/server/passwords.hpp"

#include <crypt.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <set>

namespace relay {
namespace {

constexpr std::size_t max_line = 1024;
constexpr std::array<std::string_view, 5> known_methods{"$y$", "$2b$", "$2a$", "$2y$", "$6$"};

/// Hashed for users whom nobody knows, so that the time tells nothing; no password has this hash.
constexpr const char* nobody = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$wh8hty23yGC7kbtb/NX5eK4GG4JfeYArHoPf85rsTe1";

bool is_usable(const std::string& hash) {
  const auto begins = [&hash](std::string_view method) { return hash.starts_with(method); };
  if (std::none_of(known_methods.begin(), known_methods.end(), begins)) return false;
  return crypt_checksalt(hash.c_str()) == CRYPT_SALT_OK;
}

/// Empty when `line` is in order.
std::string fault_of(std::string_view user, const std::string& hash) {
  if (user.empty()) return "a user's name is wanted before the `:`";
  if (!is_usable(hash)) {
    return "the hash of `" + std::string{user} + "` is not one of yescrypt, bcrypt or SHA-512 (crypt(3))";
  }
  return {};
}

}  // namespace

bool Passwords::match(const std::string& user, const std::string& password) const {
  const auto found = hashes_.find(user);
  // A method of the file where there is one: then the time is the same, too.
  std::string expected = nobody;
  if (found != hashes_.end()) {
    expected = found->second;
  } else if (!hashes_.empty()) {
    expected = hashes_.begin()->second;
  }
  const auto scratch = std::make_unique<crypt_data>();
  const char* made = crypt_r(password.c_str(), expected.c_str(), scratch.get());
  if (made == nullptr || found == hashes_.end()) return false;
  const std::string_view hash{made};
  return hash.size() == expected.size() && CRYPTO_memcmp(hash.data(), expected.data(), hash.size()) == 0;
}

std::variant<Passwords, std::vector<PasswordsFault>> read_passwords(std::istream& in) {
  Passwords read;
  std::vector<PasswordsFault> faults;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    const auto colon = line.find(':');
    if (colon == std::string::npos || line.size() > max_line) {
      faults.push_back({number, "is not of the form USER:HASH"});
      continue;
    }
    auto user = line.substr(0, colon);
    auto hash = line.substr(colon + 1);
    if (auto wrong = fault_of(user, hash); !wrong.empty()) {
      faults.push_back({number, std::move(wrong)});
    } else if (!read.hashes_.emplace(user, std::move(hash)).second) {
      faults.push_back({number, "`" + user + "` is there twice"});
    }
  }
  if (in.bad()) faults.push_back({0, "cannot be read"});
  if (!faults.empty()) return faults;
  return read;
}

std::variant<Passwords, std::vector<PasswordsFault>> load_passwords(const std::filesystem::path& path) {
  using std::filesystem::perms;
  const auto one = [](std::string text) {
    return std::vector<PasswordsFault>{PasswordsFault{0, std::move(text)}};
  };
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (error) return one(error.message());
  if (status.type() != std::filesystem::file_type::regular) return one("is not a regular file");
  constexpr auto forbidden = perms::others_all | perms::group_write;
  if ((status.permissions() & forbidden) != perms::none) {
    return one("others can read it or group or others can write it (chmod 640)");
  }
  std::ifstream file{path};
  if (!file) return one("cannot be opened");
  return read_passwords(file);
}

}  // namespace relay
