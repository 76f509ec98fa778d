#include "storage/drained_table.hpp"

namespace lathe::manager {

void store_drained(Connection& connection, const std::string& host, bool drained) {
  Statement statement = connection.prepare(drained ? "INSERT OR IGNORE INTO drained_hosts (host) VALUES (?)"
                                                   : "DELETE FROM drained_hosts WHERE host = ?");
  statement.bind(host).step();
}

std::set<std::string> drained_hosts(Connection& connection) {
  Statement statement = connection.prepare("SELECT host FROM drained_hosts");
  std::set<std::string> hosts;
  while (statement.step()) hosts.insert(statement.text(0));
  return hosts;
}

}  // namespace lathe::manager
