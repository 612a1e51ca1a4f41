#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <filesystem>

#include "dumpster/error.hpp"

namespace recovery::http {

/// Listens on a socket file of mode 0600, see `Server::listen_unix`.
dumpster::Result<boost::asio::local::stream_protocol::acceptor> open_unix_acceptor(
    const boost::asio::any_io_executor& executor, const std::filesystem::path& path);

/// Whether the process at the other end belongs to root or to the user of this one (SO_PEERCRED).
bool is_own_or_root(boost::asio::local::stream_protocol::socket& socket);

}  // namespace recovery::http
