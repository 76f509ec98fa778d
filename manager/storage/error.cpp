#include "storage/error.hpp"

#include <exception>

#include <sqlite3.h>

#include "storage/sqlite.hpp"

namespace lathe::manager {

StorageError current_storage_error() {
  try {
    throw;
  } catch (const SqliteError& error) {
    const bool full = (error.code() & 0xff) == SQLITE_FULL;
    if (full) return {StorageError::Kind::Unavailable, std::string("disk full: ") + error.what(), {}, true};
    if (error.is_transient()) return {StorageError::Kind::Unavailable, std::string("database: ") + error.what(), {}};
    return {StorageError::Kind::Refused, std::string("database: ") + error.what(), {}};
  } catch (const std::exception& error) {
    return {StorageError::Kind::Refused, std::string("database: ") + error.what(), {}};
  }
}

}  // namespace lathe::manager
