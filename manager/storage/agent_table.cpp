#include "storage/agent_table.hpp"

namespace lathe::manager {

void store_progress(Connection& connection, const std::string& experiment_id, const std::string& state_id,
                    std::uint64_t sequence) {
  Statement statement = connection.prepare(
      "INSERT INTO agents (state_id, experiment_id, sequence) VALUES (?, ?, ?) "
      "ON CONFLICT DO UPDATE SET sequence = max(sequence, excluded.sequence)");
  statement.bind(state_id).bind(experiment_id).bind(static_cast<std::int64_t>(sequence)).step();
}

AgentProgress find_progress(Connection& connection, const std::string& experiment_id) {
  Statement statement = connection.prepare("SELECT state_id, sequence FROM agents WHERE experiment_id = ?");
  statement.bind(experiment_id);
  AgentProgress progress;
  while (statement.step()) progress[statement.text(0)] = static_cast<std::uint64_t>(statement.integer(1));
  return progress;
}

}  // namespace lathe::manager
