#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <string_view>

namespace dumpster {

/// What a call of the store can fail with.
enum class Fault {
  unavailable,  ///< the store cannot write (disk full, failed sync, closing); outcome of a write: not done or
                ///< unknown
  damaged,      ///< a record or body does not carry its checksum
  not_found,    ///< no such message, delivery, group, cluster or resubmission
  conflict,     ///< refused by a rule: term not higher, key reused with another body, evidence from the wrong
                ///< node
  invalid,      ///< the request contradicts itself
};

std::string_view to_string(Fault fault);

struct Error {
  Fault fault = Fault::unavailable;
  std::string detail;  ///< one sentence for a log or an operator
};

/// What a call gives back: a value, or why there is none.
template <class T>
using Result = boost::system::result<T, Error>;

[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location&);

}  // namespace dumpster
