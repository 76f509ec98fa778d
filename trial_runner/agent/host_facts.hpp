// What the kernel tells about this host and about a process that uses it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include <lathe/proto/frames.hpp>

namespace lathe::agent {

/// Everything of a report but the GPUs. `root`: a folder, or one that is to be made; its file system is looked at.
[[nodiscard]] proto::HostReport read_host(const std::filesystem::path& root);

/// Fills in program, user and trial of a process that uses a GPU. `sessions`: trials by the session that their
/// processes belong to, whose leader is the trial's keeper; a process belongs to one if it is in the session or
/// descends from the keeper.
void describe_process(proto::GpuProcess& process, const std::map<std::int64_t, std::string>& sessions);

}  // namespace lathe::agent
