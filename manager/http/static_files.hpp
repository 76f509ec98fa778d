// Serves the files of the dashboard's folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "http/request.hpp"
#include "http/response.hpp"

namespace lathe::manager {

/// The file of `root` that the path names (`/`: index.html), with its content type, an ETag and a strict
/// Content-Security-Policy; 304 when the client has it already; a 404 problem for what is not there, not a plain file
/// or outside `root`. Reads the disk: not for the loop thread.
[[nodiscard]] HttpResponse serve_static(const std::filesystem::path& root, const HttpRequest& request);

}  // namespace lathe::manager
