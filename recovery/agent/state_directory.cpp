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

#include "recovery/agent/durable_file.hpp"
#include "recovery/agent/state.hpp"

namespace recovery::agent {
namespace {

using dumpster::Error;
using dumpster::Fault;
using dumpster::Result;

Error failure(const std::string& what) {
  return {Fault::unavailable, what + ": " + std::strerror(errno)};
}

class StateDirectory final : public StateStore {
 public:
  StateDirectory(std::string directory, std::string cluster, std::string node, Descriptor turn,
                 Descriptor lock)
      : directory_(std::move(directory)),
        cluster_(std::move(cluster)),
        node_(std::move(node)),
        turn_(std::move(turn)),
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

  /// The sizes are those of a few kilobytes: the whole is written anew.
  Result<void> save(const State& state) override {
    return replace_file(directory_ + "/state.json", to_json(state), 0600);
  }

 private:
  std::string directory_;
  std::string cluster_;
  std::string node_;
  Descriptor turn_;  ///< none for a round of `watch`
  Descriptor lock_;
};

Result<Descriptor> open_lock(const std::string& directory, const char* name) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return failure(directory + " cannot be made");
  const std::string path = directory + "/" + name;
  Descriptor lock{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (lock.get() < 0) return failure(path + " cannot be opened");
  return lock;
}

/// False when somebody else holds it.
bool try_lock(const Descriptor& lock, int kind) {
  return ::flock(lock.get(), kind | LOCK_NB) == 0;
}

Result<Descriptor> wait_for_lock(const std::string& directory, const char* name,
                                 std::chrono::steady_clock::time_point end) {
  auto lock = open_lock(directory, name);
  while (lock && !try_lock(*lock, LOCK_EX)) {
    if (errno != EWOULDBLOCK && errno != EINTR) return failure(directory + " cannot be locked");
    if (std::chrono::steady_clock::now() > end) {
      return Error{Fault::conflict,
                   "another operation of this agent is under way (" + directory + "/" + name + " is locked)"};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  return lock;
}

}  // namespace

Result<std::unique_ptr<StateStore>> open_state(const std::string& directory, const std::string& cluster,
                                               const std::string& node, dumpster::Duration patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  auto turn = wait_for_lock(directory, "turn", end);
  if (!turn) return turn.error();
  auto lock = wait_for_lock(directory, "lock", end);
  if (!lock) return lock.error();
  return std::unique_ptr<StateStore>{
      std::make_unique<StateDirectory>(directory, cluster, node, std::move(*turn), std::move(*lock))};
}

Result<std::unique_ptr<StateStore>> open_state_to_look(const std::string& directory,
                                                       const std::string& cluster, const std::string& node,
                                                       dumpster::Duration patience) {
  auto lock = wait_for_lock(directory, "lock", std::chrono::steady_clock::now() + patience);
  if (!lock) return lock.error();
  return std::unique_ptr<StateStore>{
      std::make_unique<StateDirectory>(directory, cluster, node, Descriptor{}, std::move(*lock))};
}

Result<std::unique_ptr<StateStore>> open_state_for_round(const std::string& directory,
                                                         const std::string& cluster,
                                                         const std::string& node) {
  auto lock = open_lock(directory, "lock");
  if (!lock) return lock.error();
  if (operation_waits(directory) || !try_lock(*lock, LOCK_EX)) return std::unique_ptr<StateStore>{};
  return std::unique_ptr<StateStore>{
      std::make_unique<StateDirectory>(directory, cluster, node, Descriptor{}, std::move(*lock))};
}

bool operation_waits(const std::string& directory) {
  const auto turn = open_lock(directory, "turn");
  return turn && !try_lock(*turn, LOCK_SH);
}

}  // namespace recovery::agent
