#include "daemon/logging.hpp"

#include <chrono>
#include <memory>

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace lathe::manager {

void set_up_logging(const std::filesystem::path& file, const std::string& level) {
  constexpr std::size_t file_bytes = 10u << 20;
  constexpr std::size_t old_files = 3;
  const auto to_file = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file.string(), file_bytes, old_files);
  const auto to_stderr = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  const auto logger = std::make_shared<spdlog::logger>("lathed", spdlog::sinks_init_list{to_stderr, to_file});
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(logger);
}

}  // namespace lathe::manager
