#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "dumpster/rocksdb/committer.hpp"
#include "dumpster/rocksdb/resubmission_changes.hpp"

namespace dumpster::rocks {

/// What the store does about resubmissions, as changes for the committer. Requests are taken through their
/// pieces, each a change of its own; those under one key wait for each other, so that the second one finds
/// the answer of the first. Thread-safe; must outlive the committer's thread.
class ResubmissionIntake {
 public:
  explicit ResubmissionIntake(Committer& committer) : committer_(committer) {}

  void ask(ResubmissionRequest request, Completion<ResubmissionAccepted> done);
  // As `Store` describes them.
  void cancel(Uuid id, Completion<std::vector<Uuid>> done);
  void release(std::string cluster, std::size_t most, Completion<std::vector<Uuid>> done);
  void pause(std::string cluster, bool paused, Completion<Done> done);
  void settle(Completion<std::vector<Uuid>> done);
  ResubmissionWork work(const std::string& cluster) const;
  /// Those whose lines are read as what they were.
  std::set<Uuid> ended_ones() const;

 private:
  using Key = std::pair<StorageGroup, std::string>;
  struct Asked {
    ResubmissionRequest request;
    Completion<ResubmissionAccepted> done;
  };

  void begin(const Key& key, Asked asked);
  void next_piece(const std::shared_ptr<Preparation>& preparation,
                  const Completion<ResubmissionAccepted>& done);
  void next_of(const Key& key);

  Committer& committer_;
  std::mutex mutex_;
  std::map<Key, std::deque<Asked>> waiting_;  ///< behind the one under way; a key stands here while one is
};

}  // namespace dumpster::rocks
