#include <napi.h>

#include "connection.h"
#include "monitor.h"
#include "notify.h"
#include "program.h"

namespace {

/** The addon keeps nothing of its own: what a thread opens, goes with that thread's environment. */
Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("Connection", nftjs::Connection::define(env));
  exports.Set("Program", nftjs::Program::define(env));
  exports.Set("Monitor", nftjs::Monitor::define(env));
  exports.Set("notify", Napi::Function::New(env, nftjs::notify, "notify"));
  return exports;
}

}  // namespace

NODE_API_MODULE(nftjs, initialize)
