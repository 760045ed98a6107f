#include "values.h"

#include <cstdlib>
#include <limits>

namespace nftjs {
namespace {

double number_argument(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsNumber()) throw bad_argument(info.Env(), "a number expected");
  return info[index].As<Napi::Number>().DoubleValue();
}

}  // namespace

Napi::Error bad_argument(Napi::Env env, const char* what) {
  return Napi::TypeError::New(env, what);
}

Napi::Uint8Array bytes_argument(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsTypedArray() ||
      info[index].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw bad_argument(info.Env(), "a Uint8Array expected");
  }
  return info[index].As<Napi::Uint8Array>();
}

uint32_t uint_argument(const Napi::CallbackInfo& info, size_t index) {
  number_argument(info, index);
  return info[index].As<Napi::Number>().Uint32Value();
}

size_t limit_argument(const Napi::CallbackInfo& info, size_t index) {
  const double limit = number_argument(info, index);
  if (!(limit >= 1)) throw bad_argument(info.Env(), "a limit of at least one byte expected");
  return limit < 9e15 ? static_cast<size_t>(limit) : std::numeric_limits<size_t>::max();
}

Napi::Value give(Napi::Env env, Buffer& buffer) {
  const size_t size = buffer.size();
  if (size == 0) return Napi::Buffer<uint8_t>::New(env, 0);
  uint8_t* data = buffer.release();
  return Napi::Buffer<uint8_t>::NewOrCopy(env, data, size,
                                          [](Napi::Env, uint8_t* bytes) { std::free(bytes); });
}

}  // namespace nftjs
