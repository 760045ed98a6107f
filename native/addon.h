#pragma once

#include <napi.h>

namespace nftjs {

/** What the addon keeps for one environment (the main thread or a worker); it goes with the environment. */
struct Addon {
  Napi::FunctionReference connection;

  static Addon& of(Napi::Env env) { return *env.GetInstanceData<Addon>(); }
};

}  // namespace nftjs
