// lathe-trial of this host, if it is of this agent's version.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "children.hpp"
#include "program_run.hpp"

namespace lathe::agent {

/// Asks the program for its version, once for each state of its file: the answer is kept in memory and in a file.
/// Loop thread only.
class TrialProgram {
 public:
  /// `program`: empty: lathe-trial beside this process's executable, else the one on PATH. `cache`: file of the last
  /// answer. `known` is called from the loop when an answer has come that `path` did not have.
  TrialProgram(boost::asio::io_context& io, Children& children, std::filesystem::path program,
               std::filesystem::path cache, std::function<void()> known);
  ~TrialProgram();
  TrialProgram(const TrialProgram&) = delete;
  TrialProgram& operator=(const TrialProgram&) = delete;

  /// The absolute path; empty: there is none, or it is of another version or does not answer within 5 s; nullopt: it is
  /// being asked.
  [[nodiscard]] std::optional<std::string> path();

 private:
  /// What tells one state of a file from another.
  struct Mark {
    std::string path;
    std::int64_t size = 0;
    std::int64_t modified_ns = 0;

    friend bool operator==(const Mark&, const Mark&) = default;
  };
  [[nodiscard]] std::optional<Mark> mark() const;
  void ask(const Mark& mark);
  void load();
  void save() const;

  boost::asio::io_context& io_;
  Children& children_;
  std::filesystem::path program_;
  std::filesystem::path cache_;
  std::function<void()> known_;
  std::shared_ptr<ProgramRun> run_;
  std::optional<Mark> asked_;     ///< is being asked
  std::optional<Mark> answered_;  ///< has answered
  std::string version_;           ///< its answer
};

}  // namespace lathe::agent
