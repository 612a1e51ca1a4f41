#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

namespace metrics {

enum class Severity { debug, info, warning, error };

/// One `name=value` of a log line.
struct LogField {
  std::string_view name;
  std::string value;

  LogField(std::string_view field_name, std::string_view text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, const char* text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, const std::string& text) : name(field_name), value(text) {}
  template <std::integral Number>
  LogField(std::string_view field_name, Number number) : name(field_name), value(std::to_string(number)) {}
};

/// Writes one structured line to standard error: time, severity, `event=…` and the fields (logfmt). Control
/// characters in values are escaped, so that a peer cannot forge a line. Thread-safe.
void log(Severity severity, std::string_view event, std::initializer_list<LogField> fields = {});

inline void log_info(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log(Severity::info, event, fields);
}
inline void log_warning(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log(Severity::warning, event, fields);
}
inline void log_error(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log(Severity::error, event, fields);
}

/// Lines below `severity` are dropped from now on.
void set_log_severity(Severity severity);

/// What `log` writes behind time and severity: `event=… name=value …`.
std::string log_line(std::string_view event, std::initializer_list<LogField> fields);

}  // namespace metrics
