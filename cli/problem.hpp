// Refusals of the daemon (RFC 9457 problem details) as text for people.
#pragma once

#include <string>

#include "http/client.hpp"
#include "outcome.hpp"

namespace lathe::cli {

/// The failure that a response with a status of 400 or more stands for: its detail, then every error on a line of its
/// own as `file:line: field: message`. `file` is named where the problem names none (the daemon sees only the text of a
/// config).
[[nodiscard]] Failure failure_of(const Response& response, const std::string& file = {});

/// The same for a response of which only the header has been read.
[[nodiscard]] Failure failure_of_stream(ResponseStream& stream);

}  // namespace lathe::cli
