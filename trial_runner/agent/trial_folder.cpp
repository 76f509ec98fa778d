#include "trial_folder.hpp"

#include <fcntl.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>

#include "system_error.hpp"

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;

proto::Result<Descriptor> open_file(const fs::path& path) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644));
  if (!file.is_open()) return proto::fail(describe_errno("cannot write " + path.string()));
  return file;
}

/// A trial that polls for the file must never see half of it: written aside, then renamed.
proto::Result<void> write_file(const fs::path& path, std::string_view content) {
  const fs::path temporary = path.string() + ".new";
  proto::Result<Descriptor> file = open_file(temporary);
  if (!file) return tl::unexpected<proto::Error>(file.error());
  while (!content.empty()) {
    const ssize_t count = ::write(file->get(), content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return proto::fail(describe_errno("cannot write " + temporary.string()));
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0)
    return proto::fail(describe_errno("cannot write " + path.string()));
  return {};
}

proto::Result<void> make_folders(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(metrics_folder(directory), error);
  if (error) return proto::fail("cannot create " + metrics_folder(directory).string() + ": " + error.message());
  fs::remove(metrics_file(directory), error);
  if (error) return proto::fail("cannot remove " + metrics_file(directory).string() + ": " + error.message());
  return {};
}

}  // namespace

fs::path metrics_folder(const fs::path& directory) {
  return directory / ".nni";
}

fs::path metrics_file(const fs::path& directory) {
  return metrics_folder(directory) / "metrics";
}

fs::path code_folder(const fs::path& directory) {
  return directory / "code";
}

proto::Result<TrialFolder> lay_out(const proto::StartTrial& start, const fs::path& working_directory) {
  const fs::path directory = start.directory;
  const auto failed = [](const auto& result) { return tl::unexpected<proto::Error>(result.error()); };
  if (!directory.is_absolute()) return proto::fail("directory: \"" + start.directory + "\" is not an absolute path");
  Descriptor working(::open(working_directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!working.is_open()) {
    return proto::fail(describe_errno("cannot run in the working directory \"" + working_directory.string() + "\""));
  }
  if (const auto made = make_folders(directory); !made) return failed(made);
  if (!start.parameter_file.empty()) {
    if (const auto written = write_file(directory / "parameter.cfg", start.parameter_file); !written)
      return failed(written);
  }
  proto::Result<Descriptor> output = open_file(directory / "stdout");
  if (!output) return failed(output);
  proto::Result<Descriptor> error_output = open_file(directory / "stderr");
  if (!error_output) return failed(error_output);
  return TrialFolder{std::move(working), std::move(*output), std::move(*error_output)};
}

}  // namespace lathe::agent
