#include "recovery/access/tokens.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <sstream>
#include <stdexcept>

namespace recovery {
namespace {

constexpr std::size_t longest_token = 512;
constexpr std::size_t largest_file = std::size_t{256} << 10U;

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

/// b64token of RFC 6750 2.1.
bool is_token(std::string_view text) {
  while (!text.empty() && text.back() == '=')
    text.remove_suffix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"-._~+/"}.find(c) != std::string_view::npos;
  });
}

std::optional<Role> role_from(std::string_view text) {
  if (text == "agent") return Role::agent;
  if (text == "admin") return Role::admin;
  if (text == "read") return Role::read;
  return std::nullopt;
}

std::optional<Scope> scope_from(const std::string& text) {
  if (text == "*") return Scope{};
  const auto slash = text.find('/');
  Scope scope{text.substr(0, slash), {}};
  if (!is_name(scope.cluster)) return std::nullopt;
  if (slash != std::string::npos) {
    scope.node = text.substr(slash + 1);
    if (!is_name(scope.node)) return std::nullopt;
  }
  return scope;
}

TokensFaults whole_file(const std::filesystem::path& path, std::string_view text) {
  TokensFaults faults;
  faults.faults.push_back({0, path.string() + ": " + std::string{text}});
  return faults;
}

class Descriptor {
 public:
  explicit Descriptor(const std::filesystem::path& path)
      : number_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

/// What is wrong with one line; empty when nothing is. `columns` are not empty.
std::string fault_of(const std::vector<std::string>& columns, Identity& identity) {
  if (columns.size() != 3) return "is not TOKEN ROLE SCOPE";
  const auto& token = columns[0];
  if (!is_token(token)) return "the token contains a character that RFC 6750 does not allow";
  if (token.size() > longest_token) return "the token is longer than 512 characters";
  const auto role = role_from(columns[1]);
  if (!role) return "the role is not agent, admin or read";
  auto scope = scope_from(columns[2]);
  if (!scope) return "the scope is not CLUSTER, CLUSTER/NODE or *";
  identity.role = *role;
  identity.scope = std::move(*scope);
  return {};
}

}  // namespace

std::string TokensFaults::text() const {
  std::string result;
  for (const auto& fault : faults) {
    if (fault.line > 0) result += "line " + std::to_string(fault.line) + ": ";
    result += fault.text + "\n";
  }
  return result;
}

void throw_exception_from_error(const TokensFaults& faults, const boost::source_location&) {
  throw std::runtime_error(faults.text());
}

Tokens::Digest Tokens::digest_of(std::string_view token) {
  Digest digest{};
  unsigned int size = 0;
  if (EVP_Digest(token.data(), token.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 is not available");
  }
  return digest;
}

std::optional<Identity> Tokens::find(std::string_view token) const {
  const auto digest = digest_of(token);
  const Known* found = nullptr;
  for (const auto& known : known_) {  // to the end, also behind a match
    if (CRYPTO_memcmp(known.digest.data(), digest.data(), digest.size()) == 0) found = &known;
  }
  if (found == nullptr) return std::nullopt;
  return found->identity;
}

TokensResult<Tokens> read_tokens(std::istream& in) {
  Tokens tokens;
  TokensFaults faults;
  std::string text;
  for (std::size_t line = 1; std::getline(in, text); ++line) {
    std::istringstream words{text.substr(0, text.find('#'))};
    std::vector<std::string> columns;
    for (std::string word; words >> word;)
      columns.push_back(std::move(word));
    if (columns.empty()) continue;
    Identity identity;
    auto fault = fault_of(columns, identity);
    if (fault.empty() && tokens.find(columns[0])) fault = "the same token stands in an earlier line";
    if (!fault.empty()) {
      faults.faults.push_back({line, std::move(fault)});
      continue;
    }
    const auto size = columns[0].size();
    tokens.shortest_ = tokens.known_.empty() ? size : std::min(tokens.shortest_, size);
    tokens.known_.push_back({Tokens::digest_of(columns[0]), std::move(identity)});
  }
  if (!faults.faults.empty()) return faults;
  return tokens;
}

TokensResult<Tokens> load_tokens(const std::filesystem::path& path) {
  const Descriptor file{path};
  struct stat status {};
  if (file.number() < 0 || ::fstat(file.number(), &status) != 0)
    return whole_file(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return whole_file(path, "is not a regular file");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return whole_file(path, "group or others have access to it; its mode has to be 0600 or 0400");
  }
  std::string content;
  std::array<char, 4096> buffer{};
  while (true) {
    const auto count = ::read(file.number(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return whole_file(path, std::strerror(errno));
    if (count == 0) break;
    content.append(buffer.data(), static_cast<std::size_t>(count));
    if (content.size() > largest_file) return whole_file(path, "is larger than 256 KiB");
  }
  std::istringstream in{content};
  auto tokens = read_tokens(in);
  if (tokens) return tokens;
  auto faults = tokens.error();
  faults.faults.insert(faults.faults.begin(), {0, path.string() + " has faults:"});
  return faults;
}

}  // namespace recovery
