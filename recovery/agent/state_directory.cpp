#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include "recovery/agent/state.hpp"

namespace recovery::agent {
namespace {

using dumpster::Error;
using dumpster::Fault;
using dumpster::Result;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

Error failure(const std::string& what) {
  return {Fault::unavailable, what + ": " + std::strerror(errno)};
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

class StateDirectory final : public StateStore {
 public:
  StateDirectory(std::string directory, std::string cluster, std::string node, Descriptor lock)
      : directory_(std::move(directory)),
        cluster_(std::move(cluster)),
        node_(std::move(node)),
        lock_(std::move(lock)) {}

  Result<State> load() override {
    const std::string path = directory_ + "/state.json";
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 && errno == ENOENT) {
      State fresh;
      fresh.cluster = cluster_;
      fresh.node = node_;
      return fresh;
    }
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    if (!file) return failure(path + " cannot be read");
    Result<State> state = state_from_json(text);
    if (!state) return Error{Fault::damaged, path + " is damaged (" + state.error().detail + ")"};
    if (state->cluster != cluster_ || state->node != node_) {
      return Error{Fault::conflict, path + " belongs to " + state->cluster + "/" + state->node + ", not to " +
                                        cluster_ + "/" + node_};
    }
    return state;
  }

  /// A new file, synced, renamed over the old one, and the directory synced: after a power cut there is the
  /// one or the other.
  Result<void> save(const State& state) override {
    const std::string path = directory_ + "/state.json";
    const std::string fresh = path + ".new";
    const Descriptor file{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (file.get() < 0 || !write_all(file.get(), to_json(state)) || ::fsync(file.get()) != 0) {
      return failure(fresh + " cannot be written");
    }
    if (::rename(fresh.c_str(), path.c_str()) != 0) return failure(path + " cannot be replaced");
    const Descriptor directory{::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (directory.get() < 0 || ::fsync(directory.get()) != 0)
      return failure(directory_ + " cannot be synced");
    return {};
  }

 private:
  std::string directory_;
  std::string cluster_;
  std::string node_;
  Descriptor lock_;
};

}  // namespace

Result<std::unique_ptr<StateStore>> open_state(const std::string& directory, const std::string& cluster,
                                               const std::string& node, dumpster::Duration patience) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return failure(directory + " cannot be made");
  const std::string path = directory + "/lock";
  Descriptor lock{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (lock.get() < 0) return failure(path + " cannot be opened");
  const auto end = std::chrono::steady_clock::now() + patience;
  while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return failure(path + " cannot be locked");
    if (std::chrono::steady_clock::now() > end) {
      return Error{Fault::conflict, "another operation of this agent is under way (" + path + " is locked)"};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
  return std::unique_ptr<StateStore>{
      std::make_unique<StateDirectory>(directory, cluster, node, std::move(lock))};
}

}  // namespace recovery::agent
