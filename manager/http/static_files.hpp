// Serves the files of the dashboard's folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "http/request.hpp"
#include "http/response.hpp"

namespace lathe::manager {

/// The file of `root` that the path names (`…/`: its index.html). A path that names no file is a page of the dashboard,
/// which is drawn by its script: the index.html of `root`; but below `/assets/`, where only the dashboard's own files
/// are asked for, it is a 404 problem, as is what no page can be called (`..`, a name that begins with a dot).
///
/// Files are plain files reached without symbolic links (see open_beneath). `NAME.br` and `NAME.gz` beside a file are
/// sent in its place to who takes them. With a content type, an ETag and a strict Content-Security-Policy; 304 when the
/// client has it already. Files in `/assets/` whose name ends with a hash (`-` and 8 or more of A-Za-z0-9_-) are never
/// asked for again. Reads the disk: not for the loop thread.
[[nodiscard]] HttpResponse serve_static(const std::filesystem::path& root, const HttpRequest& request);

/// Whether an Accept-Encoding header takes a coding (RFC 9110).
[[nodiscard]] bool accepts_coding(std::string_view header, std::string_view coding);

}  // namespace lathe::manager
