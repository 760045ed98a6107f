#pragma once

#include <napi.h>

#include "buffer.h"

namespace nftjs {

/** The JavaScript class `Program`: a large program, taken in piece by piece; src/netlink/native.ts describes
 * it. */
class Program : public Napi::ObjectWrap<Program> {
 public:
  static Napi::Function define(Napi::Env env);

  /** `new Program(length)` */
  explicit Program(const Napi::CallbackInfo& info);

  /** Whether a JavaScript value stands for a program. */
  static bool is(Napi::Value value);

  /** Takes all bytes out of the program that a JavaScript value stands for. */
  static Buffer take(Napi::Value value);

 private:
  Napi::Value append(const Napi::CallbackInfo& info);

  Buffer bytes_;
};

}  // namespace nftjs
