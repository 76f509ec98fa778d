#include "handed_job.hpp"

#include <signal.h>

#include <fstream>
#include <utility>

#include <fmt/format.h>

namespace lathe::agent {

void HandedJob::terminate() {
  ask_to_end(SIGTERM);
}

void HandedJob::kill() {
  ask_to_end(SIGKILL);
}

void HandedJob::ask_to_end(int signal) {
  if (end_ || asked_ == SIGKILL) return;
  asked_ = signal;
  end_soon();
}

bool HandedJob::set_note(std::string note) {
  if (note == note_) return false;
  note_ = std::move(note);
  std::ofstream(note_file(), std::ios::trunc) << note_ << '\n';
  return true;
}

void HandedJob::end_as(const std::string& name, JobEnd end) {
  if (!name.empty()) set_note(fmt::format("job {}: ended{}{}", name, end.error.empty() ? "" : ": ", end.error));
  end_ = std::move(end);
  changed();
}

/// A copy: the owner may take the job down, and its callback with it.
void HandedJob::changed() {
  const Changed tell = changed_;
  tell();
}

}  // namespace lathe::agent
