#include "program.h"

#include <exception>

#include "task.h"
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
  info.This().As<Napi::Object>().TypeTag(&kProgramTag);
}

bool Program::is(Napi::Value value) {
  return value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&kProgramTag);
}

Batch Program::take(Napi::Value value) {
  try {
    return Unwrap(value.As<Napi::Object>())->builder_.take();
  } catch (...) {
    throw to_error(value.Env(), std::current_exception());
  }
}

Napi::Value Program::append(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array piece = bytes_argument(info, 0);
  try {
    builder_.append(Span(piece.Data(), piece.ByteLength()));
  } catch (...) {
    throw to_error(info.Env(), std::current_exception());
  }
  return info.Env().Undefined();
}

}  // namespace nftjs
