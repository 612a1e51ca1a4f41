#pragma once

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

/// A DNS server on loopback that knows a few names, in a thread of its own.
class NameServer {
 public:
  enum class Answer : std::uint8_t { success = 0, server_failure = 2, no_such_name = 3, silence = 255 };
  struct Host {
    Answer answer = Answer::success;
    std::vector<std::string> ipv4;
    std::vector<std::string> ipv6;
    Answer answer_ipv6 = Answer::success;
  };

  explicit NameServer(std::map<std::string, Host> hosts)
      : hosts_(std::move(hosts)), socket_(context_, {boost::asio::ip::make_address("127.0.0.1"), 0}) {
    thread_ = std::thread([this] { serve(); });
  }
  ~NameServer() {
    stopping_ = true;
    boost::asio::ip::udp::socket knock{context_, boost::asio::ip::udp::v4()};
    knock.send_to(boost::asio::buffer("x", 1), socket_.local_endpoint());
    thread_.join();
  }
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  /// `ADDRESS:PORT`.
  std::string address() const { return "127.0.0.1:" + std::to_string(socket_.local_endpoint().port()); }
  int questions() const { return questions_; }

 private:
  static constexpr std::size_t header_size = 12;
  static constexpr std::uint16_t type_a = 1;
  static constexpr std::uint16_t type_aaaa = 28;

  void serve() {
    std::array<char, 1500> buffer{};
    while (true) {
      boost::asio::ip::udp::endpoint client;
      const auto size = socket_.receive_from(boost::asio::buffer(buffer), client);
      if (stopping_) return;
      ++questions_;
      const auto reply = reply_to({buffer.data(), size});
      if (!reply.empty()) socket_.send_to(boost::asio::buffer(reply), client);
    }
  }

  static void append(std::string& text, unsigned value, int octets) {
    while (octets-- > 0)
      text += static_cast<char>((value >> (8U * static_cast<unsigned>(octets))) & 255U);
  }

  std::string reply_to(const std::string& question) {
    std::string name;
    std::size_t at = header_size;
    while (at < question.size() && question[at] != 0) {
      const auto length = static_cast<std::size_t>(question[at]);
      name += (name.empty() ? "" : ".") + question.substr(at + 1, length);
      at += length + 1;
    }
    const auto type = static_cast<std::uint16_t>(static_cast<unsigned char>(question.at(at + 2)));
    const auto found = hosts_.find(name);
    const Host host =
        found == hosts_.end() ? Host{Answer::no_such_name, {}, {}, Answer::no_such_name} : found->second;
    const auto answer = type == type_aaaa && host.answer == Answer::success ? host.answer_ipv6 : host.answer;
    if (answer == Answer::silence) return {};
    const std::vector<std::string> none;
    const auto& addresses = answer != Answer::success ? none
                            : type == type_a          ? host.ipv4
                            : type == type_aaaa       ? host.ipv6
                                                      : none;
    std::string reply = question.substr(0, 2);
    append(reply, 0x8180U | static_cast<unsigned>(answer), 2);
    append(reply, 1, 2);
    append(reply, static_cast<unsigned>(addresses.size()), 2);
    append(reply, 0, 4);
    reply += question.substr(header_size, at + 5 - header_size);
    for (const auto& text : addresses) {
      const auto address = boost::asio::ip::make_address(text);
      append(reply, 0xC00C, 2);
      append(reply, type, 2);
      append(reply, 1, 2);
      append(reply, 60, 4);
      append(reply, address.is_v4() ? 4 : 16, 2);
      if (address.is_v4()) {
        append(reply, address.to_v4().to_uint(), 4);
      } else {
        for (const auto byte : address.to_v6().to_bytes())
          reply += static_cast<char>(byte);
      }
    }
    return reply;
  }

  std::map<std::string, Host> hosts_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> questions_{0};
  boost::asio::io_context context_{1};
  boost::asio::ip::udp::socket socket_;
  std::thread thread_;
};
