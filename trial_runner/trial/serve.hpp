// The warm parent of an experiment's trials: model and data are loaded once, and each trial is a fork.
//
// Everything happens on one thread, before and after the fork: a child of a process with threads would wait for ever
// for those that it did not inherit. LibTorch is told so before it runs anything.
#pragma once

#include <filesystem>
#include <optional>

#include "result.hpp"
#include "setup.hpp"

namespace lathe::trial {

/// Loads what the compression config names, warms up and serves requests of an agent on standard input (a Unix
/// socket, see lathe/proto/warm_start.hpp). Returns
/// - what was loaded: in a child that has become a trial and was let go;
/// - nullopt: in the parent, when the agent is gone, or when one of the files has changed;
/// - an error: nothing can be served, as the files cannot be loaded, the config asks for more than one thread, or the
///   process has more than one.
[[nodiscard]] Result<std::optional<Setup>> serve(const std::filesystem::path& config_file);

}  // namespace lathe::trial
