#pragma once

#include <napi.h>

#include <memory>
#include <optional>

#include "buffer.h"
#include "readable.h"
#include "socket.h"

namespace nftjs {

/**
 * The JavaScript class `Monitor`; src/netlink/native.ts describes it.
 *
 * It takes messages off its socket only when it is asked to, so a slow reader costs the memory of the
 * socket's receive buffer and no more: when that is full, the kernel drops messages and says so.
 */
class Monitor : public Napi::ObjectWrap<Monitor> {
 public:
  static Napi::Function define(Napi::Env env);

  /** `new Monitor(connection, protocol, groups, receiveBuffer)`, with a request to be sent first behind it */
  explicit Monitor(const Napi::CallbackInfo& info);

 private:
  /** What one read brought. */
  struct Received {
    Buffer messages;
    /** Behind these messages others were lost. */
    bool overrun = false;
  };

  /** A read that waits. */
  struct Waiting {
    Napi::Promise::Deferred deferred;
    size_t limit;
  };

  Napi::Value read(const Napi::CallbackInfo& info);
  Napi::Value generation(const Napi::CallbackInfo& info);
  Napi::Value ref(const Napi::CallbackInfo& info);
  Napi::Value unref(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  void ask(const uint8_t* request, size_t size);
  Received receive(size_t limit);
  void drain();
  bool answer(const Waiting& waiting);
  void on_ready();
  void stop_waiting();

  /** Null when closed. */
  std::unique_ptr<Socket> socket_;
  std::unique_ptr<Readable> readable_;
  /** The ruleset's when the monitor began, whatever is newer will be heard; 0 of NETLINK_ROUTE. */
  uint32_t generation_ = 0;
  std::optional<Waiting> waiting_;
  Napi::AsyncContext context_;
};

}  // namespace nftjs
