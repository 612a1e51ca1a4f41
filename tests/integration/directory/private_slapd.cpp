#include "tests/integration/directory/private_slapd.hpp"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace relay {
namespace {

constexpr std::chrono::seconds patience{30};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool answers(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  const auto address = loopback(port);
  const bool open = ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(descriptor);
  return open;
}

}  // namespace

std::uint16_t free_port() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), size);
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(descriptor);
  return ntohs(address.sin_port);
}

PrivateSlapd::PrivateSlapd(const std::string& ldif) : port_(free_port()), tls_port_(free_port()) {
  auto name = (std::filesystem::temp_directory_path() / "slapd-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = name;
  std::ofstream{folder_ / "more.ldif"} << ldif;
  start();
}

PrivateSlapd::~PrivateSlapd() {
  stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void PrivateSlapd::start() {
  const auto slapd = (folder_ / "slapd").string();
  const auto more = (folder_ / "more.ldif").string();
  const auto port = std::to_string(port_);
  const auto tls_port = std::to_string(tls_port_);
  process_ = ::fork();
  if (process_ == 0) {
    ::setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
    ::execl(PRIVATE_SLAPD, PRIVATE_SLAPD, slapd.c_str(), port.c_str(), tls_port.c_str(), more.c_str(),
            nullptr);
    ::_exit(127);
  }
  const auto limit = std::chrono::steady_clock::now() + patience;
  while (!answers(port_) || !answers(tls_port_)) {
    if (::waitpid(process_, nullptr, WNOHANG) != 0) throw std::runtime_error("slapd ended");
    if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("slapd does not answer");
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
}

void PrivateSlapd::stop() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = 0;
}

void PrivateSlapd::modify(const std::string& ldif) {
  std::ofstream{folder_ / "change.ldif"} << ldif;
  const auto command = "ldapmodify -x -H " + url() + " -D cn=admin,dc=example,dc=test -w admin -f " +
                       (folder_ / "change.ldif").string() + " >/dev/null";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("ldapmodify failed");
}

}  // namespace relay
