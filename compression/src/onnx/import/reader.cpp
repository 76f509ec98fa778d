#include "onnx/import/reader.hpp"

#include <fstream>
#include <set>
#include <system_error>

#include <fmt/format.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <onnx/onnx_pb.h>

#include "onnx/element_type.hpp"
#include "onnx/import/inference.hpp"
#include "onnx/import/order.hpp"
#include "onnx/import/tensor_reader.hpp"

namespace lathe::compression::onnx_in {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kFirstOpset = 7;
constexpr std::int64_t kLastOpset = 17;
constexpr std::size_t kMostNodes = 200'000;

onnx::ModelProto parse(const fs::path& file, std::int64_t most_bytes) {
  std::error_code code;
  const auto status = fs::status(file, code);
  if (!fs::exists(status)) throw Malformed("no such file");
  if (!fs::is_regular_file(status)) throw Malformed("is no file");
  const auto size = fs::file_size(file, code);
  if (code || size == 0) throw Malformed("the file is empty");
  if (static_cast<std::int64_t>(size) > most_bytes) throw Malformed(fmt::format("has more than {} bytes", most_bytes));
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Malformed("cannot be read (permissions?)");
  google::protobuf::io::IstreamInputStream stream(&in);
  onnx::ModelProto model;
  if (!model.ParseFromZeroCopyStream(&stream)) throw Malformed("not an ONNX file, or a truncated one");
  if (!model.has_graph()) throw Malformed("not an ONNX file: it has no graph");
  return model;
}

std::int64_t opset_of(const onnx::ModelProto& model) {
  for (const auto& import : model.opset_import()) {
    if (!import.domain().empty() && import.domain() != "ai.onnx") continue;
    if (import.version() < kFirstOpset || import.version() > kLastOpset) {
      throw Malformed(fmt::format("opset is {}; expected {} to {}", import.version(), kFirstOpset, kLastOpset));
    }
    return import.version();
  }
  throw Malformed("it imports no opset of ai.onnx");
}

AttributeValue read_attribute(const onnx::AttributeProto& proto, const fs::path& folder, std::int64_t most_bytes) {
  switch (proto.type()) {
    case onnx::AttributeProto::INT:
      return std::int64_t{proto.i()};
    case onnx::AttributeProto::FLOAT:
      return proto.f();
    case onnx::AttributeProto::STRING:
      return proto.s();
    case onnx::AttributeProto::INTS:
      return std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end());
    case onnx::AttributeProto::FLOATS:
      return std::vector<float>(proto.floats().begin(), proto.floats().end());
    case onnx::AttributeProto::STRINGS:
      return std::vector<std::string>(proto.strings().begin(), proto.strings().end());
    case onnx::AttributeProto::TENSOR:
      return read_tensor(proto.t(), folder, most_bytes);
    default:
      return std::monostate();
  }
}

Node read_node(const onnx::NodeProto& proto, const fs::path& folder, std::int64_t most_bytes) {
  Node node;
  node.type = proto.op_type();
  node.domain = proto.domain() == "ai.onnx" ? "" : proto.domain();
  node.name = proto.name();
  node.inputs.assign(proto.input().begin(), proto.input().end());
  node.outputs.assign(proto.output().begin(), proto.output().end());
  for (const auto& attribute : proto.attribute()) {
    try {
      node.attributes[attribute.name()] = read_attribute(attribute, folder, most_bytes);
    } catch (const Malformed& error) {
      throw Malformed(fmt::format("{}: {}", node.text(), error.what()));
    }
  }
  return node;
}

ValueType read_type(const onnx::ValueInfoProto& info) {
  if (!info.type().has_tensor_type()) {
    throw Malformed(
        fmt::format("value `{}` is no tensor (sequences, maps and optionals are not supported)", info.name()));
  }
  const auto& tensor = info.type().tensor_type();
  ValueType value;
  const auto type = torch_element_type(tensor.elem_type());
  if (!type)
    throw Malformed(fmt::format("value `{}`: element type {} is not supported", info.name(), tensor.elem_type()));
  value.type = *type;
  if (!tensor.has_shape()) return value;
  value.dims.emplace();
  for (const auto& dim : tensor.shape().dim()) {
    const bool fixed = dim.has_dim_value() && dim.dim_value() >= 0;
    value.dims->push_back(fixed ? std::optional<std::int64_t>(dim.dim_value()) : std::nullopt);
  }
  return value;
}

void read_types(const google::protobuf::RepeatedPtrField<onnx::ValueInfoProto>& infos, Graph& graph) {
  for (const auto& info : infos)
    if (info.type().has_tensor_type() && torch_element_type(info.type().tensor_type().elem_type()))
      graph.types[info.name()] = read_type(info);
}

void read_inputs(const onnx::GraphProto& proto, Graph& graph) {
  for (const auto& info : proto.input()) {
    if (graph.initializers.contains(info.name())) continue;  // before IR version 4 they had to be inputs as well
    graph.types[info.name()] = read_type(info);
    graph.inputs.push_back(info.name());
  }
  if (graph.inputs.empty()) throw Malformed("the graph has no input");
  for (const auto& info : proto.output()) {
    (void)read_type(info);
    graph.outputs.push_back(info.name());
  }
  if (graph.outputs.empty()) throw Malformed("the graph has no output");
}

/// Weights are not in memory twice: their bytes leave the message. Shape inference reads shapes, which are small.
void read_initializers(onnx::GraphProto& proto, const fs::path& folder, std::int64_t most_bytes, Graph& graph) {
  constexpr std::size_t kMostBytesOfShape = 1 << 16;
  if (proto.sparse_initializer_size() > 0) throw Malformed("sparse initializers are not supported");
  std::int64_t all = 0;
  for (onnx::TensorProto& tensor : *proto.mutable_initializer()) {
    const at::Tensor value = read_tensor(tensor, folder, most_bytes - all);
    all += static_cast<std::int64_t>(value.nbytes());
    if (tensor.name().empty()) throw Malformed("an initializer has no name");
    if (!graph.initializers.insert({tensor.name(), value}).second) {
      throw Malformed(fmt::format("initializer `{}` is there twice", tensor.name()));
    }
    if (tensor.raw_data().size() > kMostBytesOfShape) std::string().swap(*tensor.mutable_raw_data());
  }
}

}  // namespace

std::string Node::text() const {
  if (!name.empty()) return fmt::format("{} node `{}`", type, name);
  return fmt::format("{} node that makes `{}`", type, outputs.empty() ? std::string() : outputs.front());
}

Graph read_graph(const fs::path& file, std::int64_t most_bytes) {
  onnx::ModelProto model = parse(file, most_bytes);
  onnx::GraphProto& proto = *model.mutable_graph();
  if (static_cast<std::size_t>(proto.node_size()) > kMostNodes) {
    throw Malformed(fmt::format("{} nodes; {} are the most", proto.node_size(), kMostNodes));
  }
  Graph graph;
  graph.name = proto.name();
  graph.opset = opset_of(model);
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  read_initializers(proto, folder, most_bytes, graph);
  read_inputs(proto, graph);
  for (const auto& node : proto.node()) graph.nodes.push_back(read_node(node, folder, most_bytes));
  read_types(proto.value_info(), graph);
  read_types(proto.output(), graph);
  put_in_order(graph);
  // It works without; then what needs a rank says so.
  read_types(infer_values(model).value_info(), graph);
  return graph;
}

}  // namespace lathe::compression::onnx_in
