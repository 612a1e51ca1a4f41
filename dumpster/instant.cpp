#include "dumpster/instant.hpp"

#include <charconv>
#include <cstdio>

namespace dumpster {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class MachineClock final : public Clock {
 public:
  Instant now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
};

/// Reads a text from its front; each step says whether it found what it wants.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }

  /// Exactly `digits` decimal digits with a value of `most` at the most.
  std::optional<int> number(std::size_t digits, int most) {
    if (rest_.size() < digits) return std::nullopt;
    int value = 0;
    const char* end = rest_.data() + digits;
    if (rest_.front() < '0' || rest_.front() > '9') return std::nullopt;
    const auto read = std::from_chars(rest_.data(), end, value);
    if (read.ec != std::errc{} || read.ptr != end || value > most) return std::nullopt;
    rest_.remove_prefix(digits);
    return value;
  }

  bool one_of(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) return false;
    last_ = rest_.front();
    rest_.remove_prefix(1);
    return true;
  }
  char last() const { return last_; }

 private:
  std::string_view rest_;
  char last_ = '\0';
};

std::optional<std::chrono::sys_days> read_date(Scanner& scan) {
  const auto year = scan.number(4, 9999);
  if (!year || !scan.one_of("-")) return std::nullopt;
  const auto month = scan.number(2, 12);
  if (!month || !scan.one_of("-")) return std::nullopt;
  const auto day = scan.number(2, 31);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date};
}

std::optional<Duration> read_fraction(Scanner& scan) {
  Duration fraction{0};
  Duration unit{100'000};
  std::size_t digits = 0;
  while (const auto digit = scan.number(1, 9)) {
    fraction += *digit * unit;
    unit /= 10;
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  return fraction;
}

std::optional<Duration> read_time(Scanner& scan) {
  const auto hour = scan.number(2, 23);
  if (!hour || !scan.one_of(":")) return std::nullopt;
  const auto minute = scan.number(2, 59);
  if (!minute || !scan.one_of(":")) return std::nullopt;
  const auto second = scan.number(2, 60);  // RFC 3339 5.6: a leap second is written as 60
  if (!second) return std::nullopt;
  Duration time = hours{*hour} + minutes{*minute} + seconds{*second};
  if (!scan.one_of(".")) return time;
  const auto fraction = read_fraction(scan);
  if (!fraction) return std::nullopt;
  return time + *fraction;
}

std::optional<Duration> read_offset(Scanner& scan) {
  if (scan.one_of("Zz")) return Duration{0};
  if (!scan.one_of("+-")) return std::nullopt;
  const int sign = scan.last() == '-' ? -1 : 1;
  const auto hour = scan.number(2, 23);
  if (!hour || !scan.one_of(":")) return std::nullopt;
  const auto minute = scan.number(2, 59);
  if (!minute) return std::nullopt;
  return sign * (hours{*hour} + minutes{*minute});
}

}  // namespace

const Clock& system_clock() {
  static const MachineClock clock;
  return clock;
}

std::string to_rfc3339(Instant instant) {
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{instant - day};
  std::string text(64, '\0');
  const int length = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
      static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::optional<Instant> from_rfc3339(std::string_view text) {
  Scanner scan{text};
  const auto date = read_date(scan);
  if (!date || !scan.one_of("Tt")) return std::nullopt;
  const auto time = read_time(scan);
  if (!time) return std::nullopt;
  const auto offset = read_offset(scan);
  if (!offset || !scan.at_end()) return std::nullopt;
  return Instant{*date} + *time - *offset;
}

}  // namespace dumpster
