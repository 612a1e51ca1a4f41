#pragma once

#include <boost/system/result.hpp>
#include <chrono>
#include <string>

namespace recovery::dumpsterctl {

/// Why there is no answer: one sentence for the operator.
struct AskFault {
  std::string text;
};

[[noreturn]] void throw_exception_from_error(const AskFault& fault, const boost::source_location&);

/// Asks the hub through its admin socket.
class AdminClient {
 public:
  explicit AdminClient(std::string socket) : socket_(std::move(socket)) {}

  /// The body of the answer to `GET path`. A fault when the socket cannot be reached, the answer does not
  /// come within 30 s, is larger than 64 MiB or is not 200.
  boost::system::result<std::string, AskFault> get(const std::string& path) const {
    return call(path, "GET");
  }
  /// Likewise of `POST path` with a JSON body; 202 is fine, too. May take ten minutes: a large set is chosen
  /// meanwhile.
  boost::system::result<std::string, AskFault> post(const std::string& path, const std::string& body) const {
    return call(path, "POST", &body);
  }
  /// Likewise of `DELETE path`.
  boost::system::result<std::string, AskFault> remove(const std::string& path) const {
    return call(path, "DELETE");
  }

 private:
  boost::system::result<std::string, AskFault> call(const std::string& path, const char* method,
                                                    const std::string* body = nullptr) const;

  std::string socket_;
};

/// Encodes one segment of a path.
std::string escaped(const std::string& segment);

}  // namespace recovery::dumpsterctl
