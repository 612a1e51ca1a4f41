#include "dumpster/rocksdb/database.hpp"

#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <utility>

#include "dumpster/codec.hpp"
#include "dumpster/rocksdb/merge_watch.hpp"
#include "dumpster/rocksdb/options.hpp"

namespace dumpster::rocks {
namespace {

rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}
std::string_view view(const rocksdb::Slice& text) {
  return {text.data(), text.size()};
}

/// A database that has other families than ours was made by another program, or by a newer one. An earlier
/// one of ours had no history; gives whether there is one.
Result<bool> check_families(const std::string& folder) {
  std::vector<std::string> found;
  const auto status = rocksdb::DB::ListColumnFamilies(database_options(), folder, &found);
  if (!status.ok()) return error_from(status, "reading the list of families in " + folder);
  std::vector<std::string> ours;
  for (std::size_t i = 0; i < family_count; ++i)
    ours.push_back(name_of(static_cast<Family>(i)));
  std::sort(found.begin(), found.end());
  std::sort(ours.begin(), ours.end());
  const bool has_history = std::find(found.begin(), found.end(), name_of(Family::history)) != found.end();
  if (!has_history) std::erase(ours, name_of(Family::history));
  if (found != ours) {
    return Error{Fault::invalid,
                 "the database in " + folder + " does not have the families of a hub's store"};
  }
  return has_history;
}

Error opening_error(const rocksdb::Status& status, const std::filesystem::path& folder) {
  const auto text = status.ToString();
  if (text.find("lock file") != std::string::npos || text.find("lock hold by") != std::string::npos) {
    return {Fault::unavailable, "another process has the store in " + folder.string() + " open"};
  }
  if (status.IsCorruption() || status.IsPathNotFound()) {
    return {Fault::damaged,
            "the store in " + folder.string() +
                " is damaged and was left as it is (`--repair` saves what can be read): " + text};
  }
  return error_from(status, "opening the database in " + folder.string());
}

}  // namespace

Error error_from(const rocksdb::Status& status, std::string_view doing) {
  // A file of the store that is not there is damage, too.
  const bool damage = status.IsCorruption() || status.IsPathNotFound();
  const auto fault = damage ? Fault::damaged : Fault::unavailable;
  return {fault, std::string{doing} + ": " + status.ToString()};
}

Database::Database(std::filesystem::path folder)
    : folder_(std::move(folder)), merges_(std::make_shared<MergeWatch>()) {}

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& folder, Mode mode) {
  auto database = std::unique_ptr<Database>{new Database{folder}};
  const auto opened = database->open_in(mode);
  if (!opened) return opened.error();
  return database;
}

Result<void> Database::open_in(Mode mode) {
  auto options = database_options();
  options.listeners.push_back(merges_);
  options.create_if_missing = mode == Mode::create;
  const bool read_only = mode == Mode::read_only || mode == Mode::salvage;
  options.create_missing_column_families = !read_only;
  if (mode == Mode::salvage) {
    options.paranoid_checks = false;
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
  }
  auto families = family_descriptors();
  if (mode != Mode::create) {
    const auto has_history = check_families(folder_.string());
    if (!has_history) return has_history.error();
    // Read as it is, an earlier store has none.
    if (read_only && !*has_history) families.pop_back();
  }
  rocksdb::DB* opened = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  const auto status =
      read_only ? rocksdb::DB::OpenForReadOnly(options, folder_.string(), families, &handles, &opened)
                : rocksdb::DB::Open(options, folder_.string(), families, &handles, &opened);
  if (!status.ok()) return opening_error(status, folder_);
  db_.reset(opened);
  std::copy(handles.begin(), handles.end(), handles_.begin());
  return {};
}

Result<void> Database::open_again() {
  const std::unique_lock lock{in_use_};
  close();
  return open_in(Mode::open);
}

std::optional<Database::Use> Database::use() const {
  Use use{in_use_};
  if (!db_) return std::nullopt;
  return use;
}

void Database::close() {
  if (!db_) return;
  for (auto*& handle : handles_)
    db_->DestroyColumnFamilyHandle(std::exchange(handle, nullptr));
  db_->Close().PermitUncheckedError();
  db_.reset();
}

Database::~Database() {
  close();
}

Error Database::noted(Family family, std::string_view key, Error error) const {
  if (error.fault == Fault::damaged) damage_.note(family, key, error.detail);
  return error;
}

Result<std::optional<std::string>> Database::get(Family family, std::string_view key) const {
  rocksdb::PinnableSlice value;
  const auto status = db_->Get(rocksdb::ReadOptions{}, handle(family), slice(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>{};
  if (!status.ok()) return noted(family, key, error_from(status, "reading from " + name_of(family)));
  const auto payload = unseal(key, view(value));
  if (!payload) return noted(family, key, payload.error());
  return std::optional<std::string>{std::string{*payload}};
}

Result<bool> Database::exists(Family family, std::string_view key) const {
  rocksdb::PinnableSlice value;
  const auto status = db_->Get(rocksdb::ReadOptions{}, handle(family), slice(key), &value);
  if (status.IsNotFound()) return false;
  if (!status.ok()) return noted(family, key, error_from(status, "reading from " + name_of(family)));
  return true;
}

std::unique_ptr<rocksdb::Iterator> Database::iterator(Family family, std::string_view from,
                                                      std::string_view until, rocksdb::Slice& lower,
                                                      rocksdb::Slice& upper) const {
  rocksdb::ReadOptions options;
  lower = slice(from);
  upper = slice(until);
  if (!from.empty()) options.iterate_lower_bound = &lower;
  if (!until.empty()) options.iterate_upper_bound = &upper;
  return std::unique_ptr<rocksdb::Iterator>{db_->NewIterator(options, handle(family))};
}

Result<void> Database::walk(Family family, std::string_view from, std::string_view until,
                            const Visitor& visit, const OnDamage& on_damage) const {
  if (handle(family) == nullptr) return {};
  rocksdb::Slice lower;
  rocksdb::Slice upper;
  std::string behind{from};  // everything before has been passed
  const auto go_around = [&](std::optional<std::string> next) {
    if (on_damage) on_damage({behind, next});
    behind = next.value_or(std::string{until});
  };
  const auto seek = [&](const std::string& target) -> std::optional<std::string> {
    const auto probe = iterator(family, from, until, lower, upper);
    probe->Seek(slice(target));
    if (probe->Valid()) return probe->key().ToString();
    if (probe->status().ok()) return std::string{};
    return std::nullopt;
  };
  auto at = iterator(family, from, until, lower, upper);
  at->Seek(slice(behind));
  while (true) {
    for (; at->Valid(); at->Next()) {
      const auto key = view(at->key());
      const auto payload = unseal(key, view(at->value()));
      behind.assign(key);
      behind += '\0';
      if (payload) {
        if (!visit(key, *payload)) return {};
      } else if (payload.error().fault != Fault::damaged) {
        return payload.error();
      } else {
        damage_.note(family, key, payload.error().detail);
        if (on_damage) on_damage({std::string{key}, behind});
      }
    }
    if (at->status().ok()) return {};
    const auto error = error_from(at->status(), "walking through " + name_of(family));
    if (error.fault != Fault::damaged) return error;
    const auto next = first_readable(behind, seek);
    // Named by its end, which is the same wherever a walk begins.
    damage_.note(family, next.value_or("end"), error.detail);
    if (!next || next->empty()) {
      go_around(std::nullopt);
      return {};
    }
    go_around(next);
    at = iterator(family, from, until, lower, upper);
    at->Seek(slice(behind));
  }
}

Result<void> Database::walk_backwards(Family family, std::string_view from, std::string_view until,
                                      const Visitor& visit) const {
  rocksdb::Slice lower;
  rocksdb::Slice upper;
  const auto at = iterator(family, from, until, lower, upper);
  for (at->SeekToLast(); at->Valid(); at->Prev()) {
    const auto payload = unseal(view(at->key()), view(at->value()));
    if (!payload) {
      // What is behind a damaged block in this direction is left out.
      const auto error = noted(family, view(at->key()), payload.error());
      if (error.fault != Fault::damaged) return error;
      continue;
    }
    if (!visit(view(at->key()), *payload)) return {};
  }
  if (at->status().ok()) return {};
  const auto error = noted(family, from, error_from(at->status(), "walking through " + name_of(family)));
  if (error.fault != Fault::damaged) return error;
  return {};
}

rocksdb::Status Database::write(rocksdb::WriteBatch& batch, bool sync) {
  rocksdb::WriteOptions options;
  options.sync = sync;
  return db_->Write(options, &batch);
}

void Database::put(rocksdb::WriteBatch& batch, Family family, std::string_view key, std::string_view sealed) {
  batch.Put(handle(family), slice(key), slice(sealed)).PermitUncheckedError();
}

void Database::erase(rocksdb::WriteBatch& batch, Family family, std::string_view key) {
  batch.Delete(handle(family), slice(key)).PermitUncheckedError();
}

rocksdb::Status Database::checkpoint(const std::filesystem::path& to) const {
  rocksdb::Checkpoint* made = nullptr;
  auto status = rocksdb::Checkpoint::Create(db_.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint{made};
  if (status.ok()) status = checkpoint->CreateCheckpoint(to.string());
  return status;
}

void Database::tend() {
  for (const auto& name : merges_->take_failed()) {
    for (std::size_t i = 0; i < family_count; ++i) {
      if (name_of(static_cast<Family>(i)) != name) continue;
      damage_.note(static_cast<Family>(i), "files",
                   "merging files of " + name + " has met damage and is off");
      db_->SetOptions(handles_.at(i), {{"disable_auto_compactions", "true"}}).PermitUncheckedError();
    }
  }
}

Database::BodySpace Database::body_space() const {
  const auto value = [this](const std::string& property) {
    std::uint64_t number = 0;
    return db_->GetIntProperty(handle(Family::bodies), property, &number) ? number : 0;
  };
  return {value(rocksdb::DB::Properties::kTotalBlobFileSize),
          value(rocksdb::DB::Properties::kLiveBlobFileGarbageSize)};
}

rocksdb::Status Database::rewrite_bodies(double part, std::atomic<bool>& cancelled) {
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  options.blob_garbage_collection_policy = rocksdb::BlobGarbageCollectionPolicy::kForce;
  options.blob_garbage_collection_age_cutoff = part;
  options.canceled = &cancelled;
  return db_->CompactRange(options, handle(Family::bodies), nullptr, nullptr);
}

rocksdb::Status Database::flush() {
  const std::vector<rocksdb::ColumnFamilyHandle*> all(handles_.begin(), handles_.end());
  return db_->Flush(rocksdb::FlushOptions{}, all);
}

}  // namespace dumpster::rocks
