#include "pai/pai_server.hpp"

#include <utility>

namespace lathe::agent {

PaiServer::PaiServer(boost::asio::io_context& io, Children& children, PaiAccess access, const std::string& prefix,
                     PaiTimes times, spdlog::logger& log)
    : times_(times),
      client_(io, children, std::move(access), times),
      watch_(io, client_, jobs_, prefix, times, log),
      submitter_(io, client_, jobs_, times, log, [this] { watch_.poll_soon(); }) {}

/// A job that is adopted is with PAI already.
std::uint64_t PaiServer::enter(PaiJob& job) {
  watch_.poll_soon();
  return jobs_.add(job);
}

}  // namespace lathe::agent
