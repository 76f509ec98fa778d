// ONNX files written by hand, for tests of what reads them.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <onnx/onnx_pb.h>

namespace lathe::compression::test_models {

class OnnxFile {
 public:
  explicit OnnxFile(int opset = 13) {
    model.set_ir_version(7);
    model.add_opset_import()->set_version(opset);
    model.mutable_graph()->set_name("net");
  }

  /// Sizes below 0 are symbolic.
  OnnxFile& input(const std::string& name, const std::vector<std::int64_t>& shape,
                  int type = onnx::TensorProto::FLOAT) {
    value(*model.mutable_graph()->add_input(), name, shape, type);
    return *this;
  }
  OnnxFile& output(const std::string& name, const std::vector<std::int64_t>& shape,
                   int type = onnx::TensorProto::FLOAT) {
    value(*model.mutable_graph()->add_output(), name, shape, type);
    return *this;
  }
  /// float32 and int64 tensors.
  onnx::TensorProto& initializer(const std::string& name, const at::Tensor& tensor) {
    auto& proto = *model.mutable_graph()->add_initializer();
    write(proto, name, tensor);
    return proto;
  }
  onnx::NodeProto& node(const std::string& type, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs, const std::string& name = {}) {
    auto& proto = *model.mutable_graph()->add_node();
    proto.set_op_type(type);
    proto.set_name(name);
    for (const auto& one : inputs) proto.add_input(one);
    for (const auto& one : outputs) proto.add_output(one);
    return proto;
  }

  [[nodiscard]] std::string bytes() const { return model.SerializeAsString(); }
  std::filesystem::path save(const std::filesystem::path& file) const {
    std::ofstream(file, std::ios::binary) << bytes();
    return file;
  }

  onnx::ModelProto model;

 private:
  static void value(onnx::ValueInfoProto& info, const std::string& name, const std::vector<std::int64_t>& shape,
                    int type) {
    info.set_name(name);
    auto* tensor = info.mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type);
    for (const std::int64_t size : shape) {
      auto* dim = tensor->mutable_shape()->add_dim();
      size < 0 ? dim->set_dim_param("n") : dim->set_dim_value(size);
    }
  }
  static void write(onnx::TensorProto& proto, const std::string& name, const at::Tensor& tensor) {
    const at::Tensor whole = tensor.contiguous();
    proto.set_name(name);
    proto.set_data_type(tensor.scalar_type() == at::kLong ? onnx::TensorProto::INT64 : onnx::TensorProto::FLOAT);
    for (const std::int64_t size : tensor.sizes()) proto.add_dims(size);
    proto.set_raw_data(whole.data_ptr(), whole.nbytes());
  }
};

inline onnx::NodeProto& set(onnx::NodeProto& node, const std::string& name, std::int64_t number) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(number);
  return node;
}

inline onnx::NodeProto& set(onnx::NodeProto& node, const std::string& name, const std::vector<std::int64_t>& numbers) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t number : numbers) attribute.add_ints(number);
  return node;
}

inline onnx::NodeProto& set(onnx::NodeProto& node, const std::string& name, const std::string& text) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::STRING);
  attribute.set_s(text);
  return node;
}

inline onnx::NodeProto& set_real(onnx::NodeProto& node, const std::string& name, float number) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::FLOAT);
  attribute.set_f(number);
  return node;
}

}  // namespace lathe::compression::test_models
