#include "addon.h"

#include "connection.h"

namespace {

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  const Napi::Function connection = nftjs::Connection::define(env);
  auto* addon = new nftjs::Addon;
  addon->connection = Napi::Persistent(connection);
  env.SetInstanceData(addon);
  exports.Set("Connection", connection);
  return exports;
}

}  // namespace

NODE_API_MODULE(nftjs, initialize)
