#include "output/measures.hpp"

#include <array>

#include "output/format.hpp"

namespace lathe::cli {
namespace {

struct Measure {
  const char* key;
  const char* title;
  const char* word;
  std::string (*format)(double);
};

constexpr std::array measures{Measure{"accuracy", "ACCURACY", "accuracy", format_percent},
                              Measure{"accuracy_drop", "DROP", "drop", format_percent},
                              Measure{"sparsity", "SPARSITY", "sparsity", format_percent},
                              Measure{"parameters", "PARAMETERS", "parameters", format_count},
                              Measure{"macs", "MACS", "MACs", format_count},
                              Measure{"size_bytes", "SIZE", "size", format_bytes},
                              Measure{"latency_ms", "LATENCY", "latency", format_milliseconds},
                              Measure{"speedup", "SPEEDUP", "speed-up", format_factor}};

std::string text_of_measure(const Measure& measure, const Json& values) {
  const auto value = number_of(values, measure.key);
  return value ? measure.format(*value) : std::string{};
}

}  // namespace

std::vector<Column> measure_columns() {
  std::vector<Column> columns;
  for (const Measure& measure : measures) columns.push_back({measure.title, Align::Right});
  return columns;
}

std::vector<Cell> measure_cells(const Json& values) {
  std::vector<Cell> cells;
  for (const Measure& measure : measures) cells.push_back({text_of_measure(measure, values)});
  return cells;
}

std::string measures_text(const Json& values) {
  std::string text;
  for (const Measure& measure : measures) {
    const std::string value = text_of_measure(measure, values);
    if (!value.empty()) text += (text.empty() ? "" : ", ") + std::string(measure.word) + " " + value;
  }
  return text;
}

}  // namespace lathe::cli
