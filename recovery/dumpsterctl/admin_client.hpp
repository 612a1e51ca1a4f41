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
    return call("GET", path, {}, usual_patience);
  }
  /// Likewise of `DELETE path`.
  boost::system::result<std::string, AskFault> remove(const std::string& path) const {
    return call("DELETE", path, {}, usual_patience);
  }
  /// Likewise of `POST path` with a JSON document; 202 is fine, too. By default it may take ten minutes: a
  /// large set of deliveries is chosen meanwhile.
  boost::system::result<std::string, AskFault> post(const std::string& path, const std::string& document,
                                                    std::chrono::seconds patience = longest_choice) const {
    return call("POST", path, document, patience);
  }

 private:
  static constexpr std::chrono::seconds usual_patience{30};
  static constexpr std::chrono::seconds longest_choice{600};

  boost::system::result<std::string, AskFault> call(const char* method, const std::string& path,
                                                    const std::string& document,
                                                    std::chrono::seconds patience) const;

  std::string socket_;
};

/// Encodes one segment of a path.
std::string escaped(const std::string& segment);

}  // namespace recovery::dumpsterctl
