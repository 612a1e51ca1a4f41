#include "dumpster/repair.hpp"

#include <fcntl.h>
#include <stdio.h>

#include <cerrno>
#include <cstring>

#include "dumpster/rocksdb/folder.hpp"
#include "dumpster/rocksdb/salvage.hpp"
#include "metrics/log.hpp"

namespace dumpster {
namespace {

using namespace rocks;
namespace fs = std::filesystem;

Error failed(const std::string& doing, int error) {
  return {Fault::unavailable, doing + ": " + std::strerror(error)};
}

fs::path beside(const fs::path& path, const std::string& suffix) {
  auto name = path;
  name += suffix;
  return name;
}

Result<Repaired> build(const Folder& damaged, const Folder& fresh) {
  const auto old = Database::open(damaged.database(), Database::Mode::salvage);
  if (!old) return old.error();
  const auto begun = begin_backup(fresh);
  if (!begun) return begun.error();
  auto made = Database::open(fresh.database(), Database::Mode::create);
  if (!made) return made.error();
  auto saved = salvage(**old, **made);
  if (!saved) return saved.error();
  const auto flushed = (*made)->flush();
  if (!flushed.ok()) return error_from(flushed, "writing the repaired store");
  made->reset();
  const auto finished = finish_backup(fresh);
  if (!finished) return finished.error();
  return saved;
}

/// In one step, so that at no moment there is no store: the next start would begin an empty one.
Result<void> exchange(const fs::path& one, const fs::path& other) {
  if (::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) != 0)
    return failed("exchanging " + one.string() + " and " + other.string(), errno);
  return sync_path(one.parent_path());
}

fs::path free_name(const fs::path& path) {
  auto name = beside(path, ".damaged");
  for (int number = 2; fs::exists(name); ++number)
    name = beside(path, ".damaged-" + std::to_string(number));
  return name;
}

}  // namespace

Result<Repaired> repair_store(const fs::path& path) {
  const Folder damaged{path};
  const auto state = inspect(damaged);
  if (!state) return state.error();
  if (*state == FolderState::fresh) return Error{Fault::not_found, "there is no store in " + path.string()};
  if (in_use(damaged))
    return Error{Fault::unavailable, "another process has the store in " + path.string() + " open"};
  const Folder fresh{beside(path, ".repaired")};
  std::error_code error;
  fs::remove_all(fresh.path, error);  // of a repair that was interrupted
  auto repaired = build(damaged, fresh);
  if (!repaired) {
    fs::remove_all(fresh.path, error);
    return repaired;
  }
  const auto exchanged = exchange(fresh.path, path);
  if (!exchanged) return exchanged.error();
  repaired->set_aside = free_name(path);
  fs::rename(fresh.path, repaired->set_aside, error);
  if (error) repaired->set_aside = fresh.path;
  metrics::log_warning("store_repaired", {{"set_aside", repaired->set_aside.string()},
                                          {"damaged_places", repaired->damaged_places},
                                          {"lost_messages", repaired->lost_messages},
                                          {"lost_deliveries", repaired->lost_lines}});
  return repaired;
}

}  // namespace dumpster
