#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>

#include "relay/delivery/worker.hpp"
#include "tests/integration/relay/hop_client.hpp"
#include "tests/integration/relay/scripted_hop.hpp"

namespace {

using Kind = relay::smtp::ClientRecipientResult::Kind;

/// A worker and its owner: each job is run to its end.
class Delivery : public relay::WorkerOwner {
 public:
  explicit Delivery(const ScriptedHop& hop) {
    const auto url = "smtp://127.0.0.1:" + std::to_string(hop.port());
    worker_ = std::make_shared<relay::Worker>(context_, *relay::next_hop_from(url), open_policy(),
                                              "hub1.example.test", store_, *this);
    worker_->start();
    wait();
  }
  ~Delivery() override {
    worker_->cut();
    context_.restart();
    while (!gone_)
      context_.run_one();
  }
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  relay::smtp::ClientRecipientResult send(const std::string& body, bool eight_bit_mime = false,
                                          bool smtputf8 = false) {
    relay::Assignment assignment;
    assignment.job.message = std::make_shared<relay::QueuedMessage>();
    auto& message = assignment.job.message->spooled.message;
    message.size = body.size();
    message.chunks = 1;
    assignment.fresh_body = body_in_memory(body);
    assignment.transaction = HopClient::one_recipient();
    if (eight_bit_mime) assignment.transaction.body_type = dumpster::BodyType::eight_bit_mime;
    assignment.transaction.smtputf8 = smtputf8;
    worker_->assign(std::move(assignment));
    wait();
    return end_.results.at(0);
  }

 private:
  void wait() {
    reported_ = false;
    context_.restart();
    while (!reported_)
      context_.run_one();
  }
  void worker_ready(std::shared_ptr<relay::Worker> /*worker*/) override { reported_ = true; }
  void worker_finished(std::shared_ptr<relay::Worker> /*worker*/, relay::Assignment /*assignment*/,
                       relay::TransactionEnd end, std::chrono::nanoseconds /*duration*/) override {
    end_ = std::move(end);
    reported_ = true;
  }
  void worker_gone(std::shared_ptr<relay::Worker> /*worker*/, std::string /*failure*/) override {
    reported_ = gone_ = true;
  }

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
  recovery::FakeStore store_;
  std::shared_ptr<relay::Worker> worker_;
  relay::TransactionEnd end_;
  bool reported_ = false;
  bool gone_ = false;
};

void welcome(HopConnection& hop, const std::string& extension) {
  hop.say("220 next\r\n");
  hop.hear();
  hop.say("250-next\r\n250 " + extension + "\r\n");
}

/// Takes mail with DATA; after `transactions` of them the next MAIL is answered with 421.
void take_mail(HopConnection& hop, int transactions) {
  for (auto line = hop.hear(); !line.empty(); line = hop.hear()) {
    if (line.starts_with("MAIL") && transactions-- == 0) {
      hop.say("421 4.4.2 idle for too long\r\n");
      return;
    }
    if (line == "DATA") {
      hop.say("354 go\r\n");
      hop.hear_data();
    }
    hop.say("250 ok\r\n");
  }
}

bool heard(const ScriptedHop& hop, const std::string& line) {
  const auto all = hop.heard();
  return std::find(all.begin(), all.end(), line) != all.end();
}

const std::string ascii = "Subject: x\r\n\r\ntext\r\n";
const std::string eight_bit = "Subject: x\r\n\r\n\xC3\xBC\r\n";
const std::string utf8_header = "Subject: \xC3\xBC\r\n\r\ntext\r\n";

}  // namespace

TEST_CASE("a kept connection that the next hop gives up costs the message nothing") {
  ScriptedHop hop{[](HopConnection& connection) {
    welcome(connection, "SIZE");
    take_mail(connection, 1);
  }};
  Delivery delivery{hop};
  CHECK(delivery.send(ascii).kind == Kind::delivered);
  CHECK(delivery.send(ascii).kind == Kind::delivered);
  CHECK(hop.connections() == 2);
}

TEST_CASE("a next hop that offers BDAT without knowing it gets DATA on a new connection") {
  ScriptedHop hop{[](HopConnection& connection) {
    welcome(connection, "CHUNKING");
    for (auto line = connection.hear(); !line.empty(); line = connection.hear()) {
      if (line.starts_with("BDAT")) {
        connection.say("500 5.5.1 what\r\n");
        return;
      }
      if (line == "DATA") {
        connection.say("354 go\r\n");
        connection.hear_data();
      }
      connection.say("250 ok\r\n");
    }
  }};
  Delivery delivery{hop};
  CHECK(delivery.send(ascii).kind == Kind::delivered);
  CHECK(delivery.send(ascii).kind == Kind::delivered);
  CHECK(hop.connections() == 2);
}

TEST_CASE("mail that declares more than it needs goes out, and what it does need is refused where it lacks") {
  ScriptedHop hop{[](HopConnection& connection) {
    welcome(connection, "SIZE");
    take_mail(connection, 100);
  }};
  Delivery delivery{hop};
  CHECK(delivery.send(ascii, true, true).kind == Kind::delivered);
  CHECK(heard(hop, "MAIL FROM:<sender@example.test>"));
  const auto body = delivery.send(eight_bit, true);
  CHECK(body.kind == Kind::refused);
  CHECK(body.reply.enhanced == "5.6.3");
  const auto header = delivery.send(utf8_header, false, true);
  CHECK(header.kind == Kind::refused);
  CHECK(header.reply.enhanced == "5.6.9");
  CHECK(delivery.send(eight_bit, false, true).kind == Kind::delivered);
}
