// Serves the files of the dashboard's folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "http/request.hpp"
#include "http/response.hpp"

namespace lathe::manager {

/// The file of `root` that the path names (`…/`: its index.html), with its content type, an ETag and a strict
/// Content-Security-Policy; 304 when the client has it already; a 404 problem for what is not there or not a plain file
/// of `root` reached without symbolic links (see open_beneath). Reads the disk: not for the loop thread.
[[nodiscard]] HttpResponse serve_static(const std::filesystem::path& root, const HttpRequest& request);

}  // namespace lathe::manager
