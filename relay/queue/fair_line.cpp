#include "relay/queue/fair_line.hpp"

#include <algorithm>

namespace relay {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::string sender_class(std::string_view address) {
  const auto at = address.rfind('@');
  const auto domain = at == std::string_view::npos ? std::string_view{} : address.substr(at);
  auto local = address.substr(0, at);
  local = local.substr(0, local.find_first_of("+=", 1));
  std::string made;
  for (const char c : local) {
    if (!is_digit(c)) {
      made += c;
    } else if (!made.ends_with('#')) {
      made += '#';
    }
  }
  made += domain;
  std::transform(made.begin(), made.end(), made.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return made;
}

void FairLine::add(Job job) {
  auto sender = sender_class(job.message->spooled.message.envelope.sender);
  auto& jobs = by_sender_[sender];
  if (jobs.empty()) turns_.push_back(std::move(sender));
  jobs.push_back(std::move(job));
  ++waiting_;
}

Job FairLine::take() {
  auto sender = std::move(turns_.front());
  turns_.pop_front();
  const auto found = by_sender_.find(sender);
  auto job = std::move(found->second.front());
  found->second.pop_front();
  --waiting_;
  if (found->second.empty()) {
    by_sender_.erase(found);
  } else {
    turns_.push_back(std::move(sender));
  }
  return job;
}

void FairLine::remove(const std::function<bool(Job&)>& wanted, std::vector<Job>& removed) {
  const auto before = removed.size();
  for (auto& [sender, jobs] : by_sender_) {
    for (auto job = jobs.begin(); job != jobs.end();) {
      if (!wanted(*job)) {
        ++job;
        continue;
      }
      removed.push_back(std::move(*job));
      job = jobs.erase(job);
      --waiting_;
    }
  }
  if (removed.size() == before) return;
  std::erase_if(by_sender_, [](const auto& line) { return line.second.empty(); });
  std::erase_if(turns_, [this](const std::string& sender) { return !by_sender_.contains(sender); });
}

void FairLine::each(const std::function<void(const Job&)>& visit) const {
  for (const auto& [sender, jobs] : by_sender_) {
    for (const auto& job : jobs)
      visit(job);
  }
}

}  // namespace relay
