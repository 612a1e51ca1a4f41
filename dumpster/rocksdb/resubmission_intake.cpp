#include "dumpster/rocksdb/resubmission_intake.hpp"

#include <algorithm>

#include "dumpster/rocksdb/resubmission_spooling.hpp"

namespace dumpster::rocks {
namespace {

constexpr std::size_t most_released = 1000;

}  // namespace

void ResubmissionIntake::ask(ResubmissionRequest request, Completion<ResubmissionAccepted> done) {
  const Key key{request.group, request.key};
  Asked asked{std::move(request), std::move(done)};
  {
    const std::lock_guard lock{mutex_};
    const auto [place, first] = waiting_.try_emplace(key);
    if (!first) {
      place->second.push_back(std::move(asked));
      return;
    }
  }
  begin(key, std::move(asked));
}

void ResubmissionIntake::begin(const Key& key, Asked asked) {
  auto preparation = std::make_shared<Preparation>(std::move(asked.request));
  next_piece(preparation, [this, key, done = std::move(asked.done)](Result<ResubmissionAccepted> accepted) {
    done(std::move(accepted));
    next_of(key);
  });
}

void ResubmissionIntake::next_of(const Key& key) {
  std::optional<Asked> next;
  {
    const std::lock_guard lock{mutex_};
    const auto place = waiting_.find(key);
    if (place->second.empty()) {
      waiting_.erase(place);
      return;
    }
    next = std::move(place->second.front());
    place->second.pop_front();
  }
  begin(key, std::move(*next));
}

void ResubmissionIntake::next_piece(const std::shared_ptr<Preparation>& preparation,
                                    const Completion<ResubmissionAccepted>& done) {
  using Piece = std::optional<ResubmissionAccepted>;
  auto apply = [preparation](Change& change) { return choose_piece(change, *preparation); };
  auto chosen = [this, preparation, done](Result<Piece> piece) {
    if (piece && *piece) {
      done(std::move(**piece));
    } else if (piece) {
      next_piece(preparation, done);
    } else {
      const auto error = piece.error();
      if (preparation->id.is_nil()) return done(error);
      auto give_up = [id = preparation->id](Change& change) {
        abandon(change, id);
        return Done{};
      };
      // Where this cannot be written either, the store finds the request interrupted when it opens again.
      committer_.submit<Done>(std::move(give_up), [done, error](const Result<Done>&) { done(error); });
    }
  };
  committer_.submit<Piece>(std::move(apply), std::move(chosen));
}

void ResubmissionIntake::cancel(Uuid id, Completion<std::vector<Uuid>> done) {
  committer_.submit<std::vector<Uuid>>([id](Change& change) { return rocks::cancel(change, id); },
                                       std::move(done));
}

void ResubmissionIntake::release(std::string cluster, std::size_t most, Completion<std::vector<Uuid>> done) {
  auto apply = [cluster = std::move(cluster), most](Change& change) {
    return rocks::release(change, cluster, std::min(most, most_released));
  };
  committer_.submit<std::vector<Uuid>>(std::move(apply), std::move(done));
}

void ResubmissionIntake::pause(std::string cluster, bool paused, Completion<Done> done) {
  auto apply = [cluster = std::move(cluster), paused](Change& change) {
    rocks::pause(change, cluster, paused);
    return Done{};
  };
  committer_.submit<Done>(std::move(apply), std::move(done));
}

void ResubmissionIntake::settle(Completion<std::vector<Uuid>> done) {
  committer_.submit<std::vector<Uuid>>([](Change& change) { return settle_piece(change); }, std::move(done));
}

ResubmissionWork ResubmissionIntake::work(const std::string& cluster) const {
  return committer_.look([&](const Tables& tables) {
    ResubmissionWork sum;
    for (const auto& [id, work] : tables.at_work) {
      sum.unsettled = sum.unsettled || work.ending() || work.orphaned;
      if (work.group.cluster != cluster || work.phase != ResubmissionAtWork::Phase::running) continue;
      (work.paused ? sum.paused : sum.running) += 1;
      sum.waiting = sum.waiting || work.waiting;
      sum.spooled += work.spooled;
    }
    return sum;
  });
}

std::set<Uuid> ResubmissionIntake::ended_ones() const {
  return committer_.look([](const Tables& tables) {
    std::set<Uuid> ended;
    for (const auto& [id, work] : tables.at_work) {
      if (work.ending()) ended.insert(id);
    }
    return ended;
  });
}

}  // namespace dumpster::rocks
