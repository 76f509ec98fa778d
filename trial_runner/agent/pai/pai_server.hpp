// All jobs of one user in one PAI, and what is done for them.
#pragma once

#include <cstdint>
#include <string>

#include <spdlog/logger.h>
#include <boost/asio/io_context.hpp>

#include "children.hpp"
#include "pai/pai_client.hpp"
#include "pai/pai_jobs.hpp"
#include "pai/pai_submitter.hpp"
#include "pai/pai_times.hpp"
#include "pai/pai_watch.hpp"

namespace lathe::agent {

class PaiServer final : public PaiDesk {
 public:
  PaiServer(boost::asio::io_context& io, Children& children, PaiAccess access, const std::string& prefix,
            PaiTimes times, spdlog::logger& log);

  [[nodiscard]] std::uint64_t enter(PaiJob& job) override;
  void leave(const PaiJob& job) override { jobs_.remove(job.number()); }
  void submit_soon(const PaiJob& job) override { submitter_.add(job.number()); }
  void stop_soon() override { watch_.stop_soon(); }
  [[nodiscard]] const PaiTimes& times() const override { return times_; }

 private:
  PaiTimes times_;
  PaiJobs jobs_;
  PaiClient client_;
  PaiWatch watch_;
  PaiSubmitter submitter_;
};

}  // namespace lathe::agent
