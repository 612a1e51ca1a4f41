#include "recovery/agent/subprocess.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

extern char** environ;

namespace recovery::agent {
namespace {

using Steady = std::chrono::steady_clock;

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

struct Pipe {
  Descriptor read;
  Descriptor write;
};

dumpster::Error failure(std::string detail) {
  return {dumpster::Fault::unavailable, std::move(detail)};
}

std::string errno_text() {
  return std::strerror(errno);
}

bool open_pipe(Pipe& pipe) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  pipe.read = Descriptor{ends[0]};
  pipe.write = Descriptor{ends[1]};
  return ::fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
}

/// A file in memory: unlike a pipe, a program that does not read its input cannot block the writer.
Descriptor input_file(const std::string& text) {
  Descriptor file{::memfd_create("input", MFD_CLOEXEC)};
  std::size_t written = 0;
  while (file.get() >= 0 && written < text.size()) {
    const ssize_t count = ::write(file.get(), text.data() + written, text.size() - written);
    if (count <= 0) return Descriptor{};
    written += static_cast<std::size_t>(count);
  }
  if (file.get() >= 0) ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

class Child {
 public:
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    kill_group();
    int status = 0;
    ::waitpid(pid_, &status, 0);
  }

  int start(const std::vector<std::string>& arguments, int input, int output, int complaint) {
    std::vector<char*> pointers;
    for (const std::string& argument : arguments)
      pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, complaint, 2);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    const int error = ::posix_spawnp(&pid_, pointers[0], &actions, &attributes, pointers.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) pid_ = -1;
    return error;
  }

  /// Whether it has ended; its group then is gone or left alone.
  bool ended(int& status) {
    int raw = 0;
    if (::waitpid(pid_, &raw, WNOHANG) != pid_) return false;
    status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    pid_ = -1;
    return true;
  }

  void kill_group() const { ::kill(-pid_, SIGKILL); }

 private:
  pid_t pid_ = -1;
};

/// Reads what there is. Closes the descriptor at its end.
void drain(Descriptor& from, std::string& into) {
  std::array<char, 65536> buffer{};
  while (from.get() >= 0) {
    const ssize_t count = ::read(from.get(), buffer.data(), buffer.size());
    if (count > 0) {
      into.append(buffer.data(), static_cast<std::size_t>(count));
      if (count == static_cast<ssize_t>(buffer.size())) return;  // let the caller look at its limits
      continue;
    }
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    from.close();
  }
}

void keep_end(std::string& text, std::size_t length) {
  if (text.size() > length) text.erase(0, text.size() - length);
}

/// Waits for bytes or for a moment, after which the child is looked at.
void wait_for_bytes(const Descriptor& output, const Descriptor& complaint) {
  std::array<pollfd, 2> sources{{{output.get(), POLLIN, 0}, {complaint.get(), POLLIN, 0}}};
  ::poll(sources.data(), sources.size(), 20);
}

dumpster::Result<SubprocessOutcome> follow(const Subprocess& what, Child& child, Pipe& output,
                                           Pipe& complaint) {
  SubprocessOutcome outcome;
  const auto end = Steady::now() + what.deadline;
  const std::string& name = what.arguments.front();
  bool ended = false;
  while (!ended) {
    wait_for_bytes(output.read, complaint.read);
    ended = child.ended(outcome.status);
    do {
      const std::size_t before = outcome.output.size();
      drain(output.read, outcome.output);
      if (outcome.output.size() > what.largest_output) return failure(name + " writes more than is allowed");
      if (outcome.output.size() == before) break;
    } while (ended);
    drain(complaint.read, outcome.complaint);
    keep_end(outcome.complaint, 4096);
    if (ended) break;
    if (what.stop != nullptr && *what.stop) return failure(name + " was ended on request");
    if (Steady::now() > end) return failure(name + " was not done in time");
  }
  return outcome;
}

}  // namespace

dumpster::Result<SubprocessOutcome> run(const Subprocess& subprocess) {
  Pipe output;
  Pipe complaint;
  const Descriptor input = input_file(subprocess.input);
  if (input.get() < 0 || !open_pipe(output) || !open_pipe(complaint)) {
    return failure("no pipe for " + subprocess.arguments.front() + ": " + errno_text());
  }
  Child child;
  const int error = child.start(subprocess.arguments, input.get(), output.write.get(), complaint.write.get());
  output.write.close();
  complaint.write.close();
  if (error != 0) return failure(subprocess.arguments.front() + " cannot be run: " + std::strerror(error));
  return follow(subprocess, child, output, complaint);
}

}  // namespace recovery::agent
