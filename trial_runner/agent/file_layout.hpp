// Lays out the files of the store for trials, as `place` of file_stream.hpp asks for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include <lathe/proto/result.hpp>

#include "file_store.hpp"
#include "trash.hpp"

namespace lathe::agent {

class FileLayout {
 public:
  /// `store` and `trash` are of the same root, and outlive it.
  FileLayout(std::filesystem::path root, FileStore& store, Trash& trash);

  [[nodiscard]] proto::Result<void> place(const nlohmann::ordered_json& message);

  /// The path, if it is absolute and below the root without a step back.
  [[nodiscard]] proto::Result<std::filesystem::path> below_root(const std::string& text) const;

 private:
  [[nodiscard]] proto::Result<void> place_whole(const nlohmann::ordered_json& message);
  [[nodiscard]] proto::Result<void> place_each(const nlohmann::ordered_json& message);
  [[nodiscard]] proto::Result<void> place_entry(const nlohmann::ordered_json& entry);
  [[nodiscard]] proto::Result<void> place_link(const nlohmann::ordered_json& link);
  [[nodiscard]] proto::Result<std::filesystem::path> place_for(const std::string& text) const;
  [[nodiscard]] std::uint64_t size_of_copies(const nlohmann::ordered_json& message) const;

  std::filesystem::path root_;
  FileStore& store_;
  Trash& trash_;
  std::string whole_;  ///< the folder that is being placed as a whole; empty: none
};

}  // namespace lathe::agent
