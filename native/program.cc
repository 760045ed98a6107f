#include "program.h"

#include <cstring>
#include <utility>

#include "values.h"

namespace nftjs {
namespace {

/** Tells a Program from whatever else an object may wrap. */
constexpr napi_type_tag kProgramTag = {0x2f6f8f0c3a5b4e17, 0x91d84c07be263af5};

}  // namespace

Napi::Function Program::define(Napi::Env env) {
  return DefineClass(env, "Program", {InstanceMethod<&Program::append>("append")});
}

Program::Program(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Program>(info) {
  bytes_.room(uint_argument(info, 0));
  info.This().As<Napi::Object>().TypeTag(&kProgramTag);
}

bool Program::is(Napi::Value value) {
  return value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&kProgramTag);
}

Buffer Program::take(Napi::Value value) {
  return std::move(Unwrap(value.As<Napi::Object>())->bytes_);
}

Napi::Value Program::append(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array piece = bytes_argument(info, 0);
  std::memcpy(bytes_.extend(piece.ByteLength()), piece.Data(), piece.ByteLength());
  return info.Env().Undefined();
}

}  // namespace nftjs
