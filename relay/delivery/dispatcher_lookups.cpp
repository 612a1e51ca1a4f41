#include "relay/delivery/dispatcher.hpp"

namespace relay {

namespace {

constexpr std::size_t questions_at_a_time = 64;

}  // namespace

/// The recipients count as busy until their answers are here, so that no second plan takes them.
void Dispatcher::look_up(const Message& message, std::vector<ToLookUp> wanted,
                         const std::string& expedited_cluster) {
  for (const auto& recipient : wanted)
    message->busy.insert(recipient.index);
  auto question = std::make_shared<Question>();
  question->message = message;
  question->wanted = std::move(wanted);
  question->expedited_cluster = expedited_cluster;
  to_look_up_.push_back(std::move(question));
  look_up_next();
}

void Dispatcher::look_up_next() {
  while (looking_up_ < questions_at_a_time && !to_look_up_.empty() && !drained_) {
    const auto question = to_look_up_.front();
    to_look_up_.pop_front();
    ++looking_up_;
    const auto directory = directory_();
    question->unanswered = question->wanted.size();
    for (const auto& recipient : question->wanted) {
      auto answered = [this, question, address = recipient.address](Lookup answer) {
        on_own_thread([this, question, address, answer = std::move(answer)]() mutable {
          question->answers.insert_or_assign(address, std::move(answer));
          if (--question->unanswered == 0) looked_up(question);
        });
      };
      directory->ask(recipient.address, std::move(answered));
    }
  }
}

void Dispatcher::looked_up(const std::shared_ptr<Question>& question) {
  --looking_up_;
  for (const auto& recipient : question->wanted)
    question->message->busy.erase(recipient.index);
  schedule(question->message, question->expedited_cluster, std::move(question->answers));
  forget_when_settled(question->message);
  look_up_next();
}

}  // namespace relay
