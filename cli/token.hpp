// Where lathectl finds the token that it shows the daemon. Never on the command line, which every user of a machine can
// read.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "http/url.hpp"
#include "outcome.hpp"

namespace lathe::cli {

struct TokenSources {
  std::string file;                              ///< --token-file
  std::string environment;                       ///< LATHE_TOKEN: the token itself
  std::string environment_file;                  ///< LATHE_TOKEN_FILE
  std::vector<std::filesystem::path> data_dirs;  ///< of a daemon on this machine, the first that fits
};

/// Those of this process: its environment, and the data folders that lathed and its package use.
[[nodiscard]] TokenSources token_sources_of_process();

/// The token of the first source that is given: --token-file, LATHE_TOKEN, LATHE_TOKEN_FILE. Without any of them, the
/// operator's token of a data folder, provided that `url` is on this machine and that a daemon is running in that very
/// folder on that port: another user who listens there must not be handed a token. Empty: none was found, which is no
/// failure, since not every daemon wants one.
[[nodiscard]] Outcome<std::string> find_token(const TokenSources& sources, const BaseUrl& url);

}  // namespace lathe::cli
