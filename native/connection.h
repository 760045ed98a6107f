#pragma once

#include <napi.h>

#include <memory>
#include <mutex>
#include <optional>

#include "dump.h"
#include "socket.h"
#include "task.h"
#include "transaction.h"

namespace nftjs {

/** A socket, used by one thread at a time. Whoever still works with it keeps it open. */
struct Channel {
  std::mutex mutex;
  std::unique_ptr<Socket> socket;
  /** The answer that next() goes on with. */
  std::optional<Dump> dump;
  Storage storage;
};

/** The JavaScript class `Connection`; src/netlink/native.ts describes it. */
class Connection : public Napi::ObjectWrap<Connection> {
 public:
  static Napi::Function define(Napi::Env env);

  /** `new Connection(netns, receiveBuffer)`, or `new Connection(other)` for the namespace of another. */
  explicit Connection(const Napi::CallbackInfo& info);

  /**
   * The connection that a JavaScript value stands for.
   *
   * @throws Napi::Error for any other value
   */
  static Connection& of(Napi::Value value);

  /**
   * Another socket in the same network namespace, whose receive buffer may have another size.
   *
   * @throws Napi::Error when the connection is closed
   * @throws SystemError
   */
  std::unique_ptr<Socket> sibling(Napi::Env env, std::optional<int> receive_buffer,
                                  int protocol = NETLINK_NETFILTER) const;

 private:
  Napi::Value submit(const Napi::CallbackInfo& info);
  Napi::Value submit_sync(const Napi::CallbackInfo& info);
  Napi::Value request(const Napi::CallbackInfo& info);
  Napi::Value request_sync(const Napi::CallbackInfo& info);
  Napi::Value next(const Napi::CallbackInfo& info);
  Napi::Value generation(const Napi::CallbackInfo& info);
  Napi::Value generation_sync(const Napi::CallbackInfo& info);
  Napi::Value rtnetlink(const Napi::CallbackInfo& info);
  Napi::Value rtnetlink_sync(const Napi::CallbackInfo& info);
  Napi::Value port(const Napi::CallbackInfo& info);
  Napi::Value cancel(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::shared_ptr<Channel> channel(Napi::Env env) const;
  Napi::Value add(const Napi::CallbackInfo& info, Work work);

  std::shared_ptr<Channel> channel_;
  TaskQueue queue_;
};

}  // namespace nftjs
