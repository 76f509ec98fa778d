#include "onnx/serialize.hpp"

#include <fstream>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>
#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>

#include "onnx/element_type.hpp"

namespace lathe::compression::onnx_out {
namespace {

namespace fs = std::filesystem;

/// Initializers with fewer bytes stay in the message: shape inference reads them, and files would be all padding.
constexpr std::size_t kSmall = 1024;
constexpr std::int64_t kAlignment = 4096;  ///< of a weight in the second file, so that it can be mapped

/// The IR version that was current with each opset from 13 on; readers of that opset know it.
int ir_version(int opset) {
  constexpr int kFirstWithIr8 = 15;
  return opset >= kFirstWithIr8 ? 8 : 7;
}

void write_attribute(const Attribute& attribute, onnx::AttributeProto& proto) {
  proto.set_name(attribute.name);
  if (const auto* number = std::get_if<std::int64_t>(&attribute.value)) {
    proto.set_type(onnx::AttributeProto::INT);
    proto.set_i(*number);
  } else if (const auto* real = std::get_if<float>(&attribute.value)) {
    proto.set_type(onnx::AttributeProto::FLOAT);
    proto.set_f(*real);
  } else if (const auto* text = std::get_if<std::string>(&attribute.value)) {
    proto.set_type(onnx::AttributeProto::STRING);
    proto.set_s(*text);
  } else {
    proto.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t one : std::get<std::vector<std::int64_t>>(attribute.value)) proto.add_ints(one);
  }
}

void write_node(const GraphNode& node, onnx::NodeProto& proto) {
  proto.set_op_type(node.type);
  proto.set_name(node.name);
  for (const std::string& input : node.inputs) proto.add_input(input);
  for (const std::string& output : node.outputs) proto.add_output(output);
  for (const Attribute& attribute : node.attributes) write_attribute(attribute, *proto.add_attribute());
}

void write_value(const GraphValue& value, onnx::ValueInfoProto& proto) {
  proto.set_name(value.name);
  auto* tensor = proto.mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(static_cast<int>(onnx_element_type(value.type)));
  auto* shape = tensor->mutable_shape();
  for (const Size& size : value.dims) {
    auto* dim = shape->add_dim();
    if (size.is_static()) {
      dim->set_dim_value(size.fixed);
    } else if (size == Size{1, 0}) {
      dim->set_dim_param("batch");
    } else {
      dim->set_dim_param(fmt::format("{}*batch+{}", size.per_batch, size.fixed));
    }
  }
}

void write_header(const Initializer& initializer, onnx::TensorProto& proto) {
  proto.set_name(initializer.name);
  proto.set_data_type(static_cast<int>(onnx_element_type(initializer.tensor.scalar_type())));
  for (const std::int64_t size : initializer.tensor.sizes()) proto.add_dims(size);
}

std::size_t bytes_of(const Initializer& initializer) {
  return initializer.tensor.nbytes();
}

onnx::ModelProto frame(const Graph& graph, int opset) {
  onnx::ModelProto model;
  model.set_ir_version(ir_version(opset));
  model.set_producer_name("lathe");
  auto* import = model.add_opset_import();
  import->set_domain("");
  import->set_version(opset);
  auto* proto = model.mutable_graph();
  proto->set_name(graph.name);
  for (const GraphNode& node : graph.nodes) write_node(node, *proto->add_node());
  for (const GraphValue& value : graph.inputs) write_value(value, *proto->add_input());
  for (const GraphValue& value : graph.outputs) write_value(value, *proto->add_output());
  return model;
}

void embed(const Initializer& initializer, onnx::TensorProto& proto) {
  write_header(initializer, proto);
  proto.set_raw_data(initializer.tensor.data_ptr(), bytes_of(initializer));
}

/// A file that is removed unless it was given its name.
class Temporary {
 public:
  explicit Temporary(fs::path target) : target_(std::move(target)), path_(target_) { path_ += ".part"; }
  ~Temporary() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }
  void publish() { fs::rename(path_, target_); }

 private:
  fs::path target_;
  fs::path path_;
};

void close(std::ofstream& out, const fs::path& file) {
  out.close();
  if (!out) throw std::runtime_error(fmt::format("{}: cannot be written", file.string()));
}

void write_message(const onnx::ModelProto& model, const Temporary& file) {
  std::ofstream out(file.path(), std::ios::binary);
  if (!model.SerializeToOstream(&out)) throw std::runtime_error("the message cannot be written");
  close(out, file.path());
}

void add_external(onnx::TensorProto& proto, const std::string& key, const std::string& value) {
  auto* entry = proto.add_external_data();
  entry->set_key(key);
  entry->set_value(value);
}

/// Writes the large initializers one after the other and notes where each is.
void write_data(const Graph& graph, const std::string& name, const Temporary& file, onnx::GraphProto& proto) {
  std::ofstream out(file.path(), std::ios::binary);
  std::int64_t offset = 0;
  for (const Initializer& initializer : graph.initializers) {
    onnx::TensorProto& tensor = *proto.add_initializer();
    const auto bytes = static_cast<std::int64_t>(bytes_of(initializer));
    if (bytes_of(initializer) < kSmall) {
      embed(initializer, tensor);
      continue;
    }
    const std::int64_t aligned = (offset + kAlignment - 1) / kAlignment * kAlignment;
    out << std::string(static_cast<std::size_t>(aligned - offset), '\0');
    out.write(static_cast<const char*>(initializer.tensor.data_ptr()), bytes);
    write_header(initializer, tensor);
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    add_external(tensor, "location", name);
    add_external(tensor, "offset", fmt::format("{}", aligned));
    add_external(tensor, "length", fmt::format("{}", bytes));
    offset = aligned + bytes;
  }
  close(out, file.path());
}

}  // namespace

onnx::ModelProto to_proto(const Graph& graph, int opset, Weights weights) {
  onnx::ModelProto model = frame(graph, opset);
  for (const Initializer& initializer : graph.initializers) {
    if (weights == Weights::AsInputs && bytes_of(initializer) >= kSmall) {
      write_value({initializer.name, initializer.tensor.scalar_type(),
                   [&] {
                     Sizes sizes;
                     for (const std::int64_t size : initializer.tensor.sizes()) sizes.push_back({0, size});
                     return sizes;
                   }()},
                  *model.mutable_graph()->add_input());
    } else {
      embed(initializer, *model.mutable_graph()->add_initializer());
    }
  }
  return model;
}

std::int64_t weight_bytes(const Graph& graph) {
  std::int64_t bytes = 0;
  for (const Initializer& initializer : graph.initializers) bytes += static_cast<std::int64_t>(bytes_of(initializer));
  return bytes;
}

Result<void> check_graph(const Graph& graph, int opset) {
  try {
    onnx::ModelProto model = to_proto(graph, opset, Weights::AsInputs);
    onnx::checker::check_model(model);
    constexpr bool check_types = true;
    constexpr int strict = 1;
    onnx::shape_inference::InferShapes(model, onnx::OpSchemaRegistry::Instance(), {check_types, strict, true});
    return {};
  } catch (const std::exception& error) {
    return fail(fmt::format("the written graph does not pass ONNX's own checks: {}", error.what()));
  }
}

Result<void> write_file(const Graph& graph, int opset, const fs::path& file, bool external) {
  try {
    Temporary message(file);
    if (!external) {
      write_message(to_proto(graph, opset, Weights::Embedded), message);
      message.publish();
      return {};
    }
    fs::path data_file = file;
    data_file += ".data";
    Temporary data(data_file);
    onnx::ModelProto model = frame(graph, opset);
    write_data(graph, data_file.filename().string(), data, *model.mutable_graph());
    write_message(model, message);
    data.publish();
    message.publish();
    return {};
  } catch (const std::exception& error) {
    return fail(fmt::format("{}: {}", file.string(), error.what()));
  }
}

}  // namespace lathe::compression::onnx_out
