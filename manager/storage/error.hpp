// Why the database did not do what was asked.
#pragma once

#include <string>

#include <tl/expected.hpp>

namespace lathe::manager {

struct StorageError {
  enum class Kind {
    Unavailable,  ///< disk full or failing; the same request may succeed later
    Invalid,      ///< the request itself is wrong, e.g. a cursor that no page ever had; `field` names it
    Refused,      ///< a constraint or a defect; repeating it will not help
  };
  Kind kind = Kind::Refused;
  std::string message;
  std::string field;
  bool disk_full = false;  ///< Unavailable for want of space
};

template <class T>
using StorageResult = tl::expected<T, StorageError>;

/// The exception in flight as a value; call inside a catch block.
[[nodiscard]] StorageError current_storage_error();

}  // namespace lathe::manager
