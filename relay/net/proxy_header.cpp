#include "relay/net/proxy_header.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace relay {
namespace {

namespace asio = boost::asio;
using Endpoint = asio::ip::tcp::endpoint;

constexpr std::string_view signature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::string_view text_begin = "PROXY ";
constexpr std::size_t max_text = 107;
constexpr std::size_t binary_fixed = 16;
constexpr std::size_t max_binary = 4096;  // addresses and what a proxy adds; certificates do not belong here

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const auto space = line.find(' ');
    words.push_back(line.substr(0, space));
    if (space == std::string_view::npos) return words;
    line.remove_prefix(space + 1);
  }
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, port);
  const bool leading_zero = text.size() > 1 && text.front() == '0';
  if (text.empty() || leading_zero || parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return port;
}

std::optional<asio::ip::address> address_of(std::string_view text, bool v6) {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(std::string{text}, error);
  if (error || text.find('%') != std::string_view::npos || address.is_v6() != v6) return std::nullopt;
  return address;
}

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

std::uint16_t word_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8U | byte_at(bytes, at + 1));
}

template <class Address>
Address address_at(std::string_view bytes) {
  typename Address::bytes_type raw{};
  std::copy_n(bytes.begin(), raw.size(), raw.begin());
  return Address{raw};
}

}  // namespace

void ProxyHeaderReader::feed(std::string_view bytes) {
  if (state_ != State::reading || bytes.empty()) return;
  if (bytes.size() > wanted_) return fail();
  bytes_ += bytes;
  wanted_ -= bytes.size();
  const auto seen = std::min(bytes_.size(), signature.size());
  const auto begin = std::string_view{bytes_}.substr(0, seen);
  if (begin == signature.substr(0, seen)) {
    if (wanted_ == 0) read_binary();
  } else if (begin.substr(0, text_begin.size()) == text_begin.substr(0, seen)) {
    if (wanted_ == 0) read_text();
  } else {
    fail();
  }
}

void ProxyHeaderReader::fail() {
  state_ = State::malformed;
  wanted_ = 0;
}

void ProxyHeaderReader::finish() {
  state_ = State::done;
  wanted_ = 0;
}

/// `PROXY TCP4 192.0.2.1 192.0.2.2 56324 25` or `PROXY UNKNOWN …`, with CRLF; byte by byte, since its end is
/// not known before.
void ProxyHeaderReader::read_text() {
  if (bytes_.back() != '\n') {
    if (bytes_.size() >= max_text) return fail();
    wanted_ = 1;
    return;
  }
  if (!bytes_.ends_with("\r\n")) return fail();
  const auto words = words_of(std::string_view{bytes_}.substr(0, bytes_.size() - 2));
  if (words.size() > 1 && words[1] == "UNKNOWN") return finish();
  const bool v6 = words.size() > 1 && words[1] == "TCP6";
  if (words.size() != 6 || (!v6 && words[1] != "TCP4")) return fail();
  const auto source = address_of(words[2], v6);
  const auto destination = address_of(words[3], v6);
  const auto port = port_of(words[4]);
  if (!source || !destination || !port || !port_of(words[5])) return fail();
  client_ = Endpoint{*source, *port};
  finish();
}

void ProxyHeaderReader::read_binary() {
  if (bytes_.size() < binary_fixed) {
    wanted_ = binary_fixed - bytes_.size();
    return;
  }
  const std::size_t length = word_at(bytes_, 14);
  if (length > max_binary || byte_at(bytes_, 12) >> 4U != 2) return fail();
  if (bytes_.size() < binary_fixed + length) {
    wanted_ = binary_fixed + length - bytes_.size();
    return;
  }
  const auto command = byte_at(bytes_, 12) & 0x0FU;
  const auto family = byte_at(bytes_, 13);
  const auto addresses = std::string_view{bytes_}.substr(binary_fixed);
  if (command > 1) return fail();
  if (command == 0) return finish();  // LOCAL: the proxy's own connection
  if (family == 0x11) {
    if (length < 12) return fail();
    client_ = Endpoint{address_at<asio::ip::address_v4>(addresses), word_at(addresses, 8)};
  } else if (family == 0x21) {
    if (length < 36) return fail();
    client_ = Endpoint{address_at<asio::ip::address_v6>(addresses), word_at(addresses, 32)};
  }
  finish();
}

}  // namespace relay
