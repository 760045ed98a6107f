#pragma once

#include <napi.h>

#include "batch.h"
#include "batch_builder.h"

namespace nftjs {

/** The JavaScript class `Program`: a large program, taken in piece by piece; src/netlink/native.ts describes
 * it. */
class Program : public Napi::ObjectWrap<Program> {
 public:
  static Napi::Function define(Napi::Env env);

  /** `new Program()` */
  explicit Program(const Napi::CallbackInfo& info);

  /** Whether a JavaScript value stands for a program. */
  static bool is(Napi::Value value);

  /**
   * Takes the batch out of the program that a JavaScript value stands for.
   *
   * @throws Napi::Error when it is not whole
   */
  static Batch take(Napi::Value value);

 private:
  Napi::Value append(const Napi::CallbackInfo& info);

  BatchBuilder builder_;
};

}  // namespace nftjs
