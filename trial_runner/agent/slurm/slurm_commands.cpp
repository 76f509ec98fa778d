#include "slurm/slurm_commands.hpp"

#include <utility>

namespace lathe::agent {

SlurmCommands::~SlurmCommands() {
  for (const auto& [number, run] : runs_) run->stop();
}

void SlurmCommands::run(const std::string& command, std::chrono::milliseconds patience, ProgramRun::Done done) {
  const std::uint64_t number = next_++;
  runs_[number] = ProgramRun::start(io_, children_, command, patience,
                                    [this, number, done = std::move(done)](ProgramOutput output) {
                                      runs_.erase(number);
                                      done(std::move(output));
                                    });
}

}  // namespace lathe::agent
