// What every handler may use.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "api/event_stream.hpp"
#include "experiment/service.hpp"

namespace lathe::manager {

class AccessControl;
class TrialTables;

struct ApiContext {
  ExperimentService& service;
  boost::asio::any_io_executor pool;  ///< for work that blocks
  std::vector<std::filesystem::path>
      search_path;                     ///< folders of relative paths in a config that comes without `directory`
  std::filesystem::path data_dir;      ///< nothing outside it is ever served, but the dashboard
  std::filesystem::path log_file;      ///< the daemon's own log, in data_dir
  std::filesystem::path webui;         ///< folder of the dashboard; empty: none
  std::vector<std::string> own_names;  ///< names besides loopback that a Host header may give, lower case
  std::string version;
  AccessControl* access = nullptr;  ///< null: who gets past the origin guard may do everything
  std::shared_ptr<EventFrames> frames = std::make_shared<EventFrames>();
  TrialTables* tables = nullptr;  ///< never null while requests are answered
};

}  // namespace lathe::manager
