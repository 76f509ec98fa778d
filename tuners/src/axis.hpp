// One parameter of the search space as the tuners see it: its values mapped to one number, the internal value.
//
//   choice                    the index of the option
//   randint                   [0, 1]: the centre of the integer's cell among `size` cells of equal width
//   uniform family            [0, 1]: the place between the bounds, of the logarithm for the log types
//   normal family             z-score, of the logarithm for the log types; read back values are held within ±10
//
// So the prior of an internal value is uniform over the options, uniform on [0, 1], or standard normal: Scale says
// which.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/proto/search_space.hpp>

#include "random.hpp"

namespace lathe::tuners {

enum class Scale { Categorical, Unit, Gaussian };

class Axis {
 public:
  explicit Axis(const proto::Distribution& distribution);

  [[nodiscard]] Scale scale() const { return scale_; }
  /// Number of options; Categorical only.
  [[nodiscard]] std::size_t options() const { return options_.size(); }
  /// Values come in steps (randint and the q types), so that several internal values mean the same.
  [[nodiscard]] bool stepped() const { return stepped_; }
  /// randint: the cells have an order, but the values are integers.
  [[nodiscard]] bool integral() const { return integral_; }
  /// Distance of neighbouring values in internal units where it is the same everywhere, else 0.
  [[nodiscard]] double step() const { return step_; }

  /// An internal value drawn from the prior.
  [[nodiscard]] double sample(RandomStream& random) const;

  /// What the trial receives. An option with a sub-space gives its own part only ({"_name": …} and constants).
  [[nodiscard]] nlohmann::ordered_json value(double internal) const;

  /// The internal value of what a trial received; nullopt when it does not fit the axis. q types take any value within
  /// the bounds, on the grid or not.
  [[nodiscard]] std::optional<double> read(const nlohmann::ordered_json& value) const;

  /// The internal value that means the same and that read() would find, up to rounding, had `internal` been handed out.
  [[nodiscard]] double canonical(double internal) const;

  /// How many different values the axis can take; nullopt: without end. qnormal and qlognormal count those within four
  /// standard deviations, as the rest is as good as never drawn.
  [[nodiscard]] std::optional<std::uint64_t> grid_size() const { return grid_size_; }
  /// Canonical internal value of grid point `index` < grid_size(), in ascending order.
  [[nodiscard]] double grid_point(std::uint64_t index) const;
  /// The grid point nearest to a canonical internal value.
  [[nodiscard]] std::uint64_t grid_index(double internal) const;

 private:
  struct OptionKey {
    nlohmann::ordered_json value;
    nlohmann::json comparable;  ///< the same with its keys sorted
    std::string name;
    std::size_t first_equal;  ///< options that cannot be told apart by value are one: the first
  };

  void initialise(const proto::Choice& choice);
  void initialise(const proto::RandInt& integers);
  void initialise(const proto::Uniform& uniform);
  void initialise(const proto::Normal& normal);
  void set_grid(double first_value, double last_value);
  [[nodiscard]] double number(double internal) const;
  [[nodiscard]] double quantised(double value) const;
  [[nodiscard]] std::int64_t integer(double internal) const;
  [[nodiscard]] std::optional<std::size_t> find_option(const nlohmann::json& value) const;
  [[nodiscard]] std::optional<double> read_integer(const nlohmann::ordered_json& value) const;
  [[nodiscard]] std::optional<double> read_number(double value) const;

  Scale scale_ = Scale::Unit;
  bool stepped_ = false;
  double step_ = 0;
  std::optional<std::uint64_t> grid_size_;

  std::vector<OptionKey> options_;     // choice
  std::vector<std::size_t> distinct_;  // the options that are their own first_equal

  bool integral_ = false;  // randint
  std::int64_t first_integer_ = 0;
  std::uint64_t integers_ = 0;

  bool log_ = false;   // the uniform and normal families
  double origin_ = 0;  // low, or mu; of the logarithm when log_
  double end_ = 1;     // high; of the logarithm when log_
  double sigma_ = 1;
  double minimum_ = 0;  // bounds of the value itself
  double maximum_ = 1;
  double q_ = 0;  // 0: none
  double first_grid_multiple_ = 0;
};

}  // namespace lathe::tuners
