#include "recovery/agent/store_marker.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "dumpster/uuid.hpp"
#include "recovery/agent/durable_file.hpp"

namespace recovery::agent {
namespace {

using dumpster::Error;
using dumpster::Fault;
using dumpster::Result;
namespace fs = std::filesystem;

constexpr std::size_t longest_marker = 200;

class MarkerFile final : public MarkerPlace {
 public:
  explicit MarkerFile(fs::path path) : path_(std::move(path)) {}

  std::string name() const override { return path_.string(); }

  Result<std::optional<std::string>> read() override {
    std::error_code error;
    const fs::path store = path_.parent_path();
    if (!fs::is_directory(store, error)) {
      return failure("the mail store " + store.string() + " is not there: is it mounted?", error);
    }
    const bool there = fs::exists(path_, error);
    if (error) return failure(path_.string() + " cannot be looked at", error);
    if (!there) return std::optional<std::string>{};
    std::ifstream file{path_};
    std::string text(longest_marker, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad() || !file.is_open()) return failure(path_.string() + " cannot be read", {});
    text.resize(static_cast<std::size_t>(file.gcount()));
    text = text.substr(0, text.find('\n'));
    return std::optional{std::move(text)};
  }

  Result<bool> bare() override {
    std::error_code error;
    for (fs::directory_iterator entry{path_.parent_path(), error};
         !error && entry != fs::directory_iterator{}; entry.increment(error)) {
      const std::string name = entry->path().filename();
      const bool of_marker = name == path_.filename() || name == path_.filename().string() + ".new";
      if (!of_marker && name != "lost+found") return false;
    }
    if (error) return failure(path_.parent_path().string() + " cannot be read", error);
    return true;
  }

  Result<void> write(const std::string& marker) override { return replace_file(path_, marker + "\n", 0644); }

 private:
  static Error failure(const std::string& what, const std::error_code& error) {
    return {Fault::unavailable, error ? what + " (" + error.message() + ")" : what};
  }

  fs::path path_;
};

}  // namespace

std::unique_ptr<MarkerPlace> make_marker_file(std::string path) {
  return std::make_unique<MarkerFile>(std::move(path));
}

Result<StoreStanding> standing_of(MarkerPlace* place, const State& state) {
  if (place == nullptr) return StoreStanding::unmarked;
  const auto found = place->read();
  if (!found) return found.error();
  if (*found && **found == state.marker && !state.marker.empty()) return StoreStanding::own;
  if (state.marker.empty()) return *found ? StoreStanding::foreign : StoreStanding::first;
  const auto bare = place->bare();
  if (!bare) return bare.error();
  if (*bare) {
    return Error{Fault::unavailable, "the mail store is empty and has not this node's marker (" +
                                         place->name() + "): it is not mounted, or was wiped"};
  }
  return StoreStanding::foreign;
}

void renew_marker(MarkerPlace* place, State& state, dumpster::Instant now) {
  if (place == nullptr) return;
  const std::string marker = dumpster::to_string(dumpster::new_uuid(now));
  // Not into the directory under a store that is not mounted.
  const auto found = place->read();
  const auto bare = place->bare();
  const bool same_store = found && *found && **found == state.marker;
  if (found && bare && (same_store || !*bare || state.marker.empty())) (void)place->write(marker);
  state.marker = marker;
}

}  // namespace recovery::agent
