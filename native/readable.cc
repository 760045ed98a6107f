#include "readable.h"

#include <uv.h>

#include <memory>
#include <utility>

#include "errors.h"

namespace nftjs {

struct Readable::Watch {
  uv_poll_t handle;
  /** Null when nobody listens any more. */
  Readable* owner;
  napi_async_cleanup_hook_handle hook = nullptr;

  explicit Watch(Readable* readable) : owner(readable) {}

  uv_handle_t* base() { return reinterpret_cast<uv_handle_t*>(&handle); }

  static Watch* of(void* handle) { return static_cast<Watch*>(static_cast<uv_handle_t*>(handle)->data); }

  /** The memory goes when the loop has let go of the handle; only then may the environment end. */
  void close() {
    owner = nullptr;
    if (uv_is_closing(base())) return;
    uv_close(base(), [](uv_handle_t* closed) {
      const std::unique_ptr<Watch> watch(of(closed));
      napi_remove_async_cleanup_hook(watch->hook);
    });
  }

  static void on_environment_end(napi_async_cleanup_hook_handle, void* data) {
    Watch* watch = static_cast<Watch*>(data);
    Readable* owner = std::exchange(watch->owner, nullptr);
    watch->close();
    if (owner == nullptr) return;
    owner->watch_ = nullptr;
    owner->ended_();
  }
};

Readable::Readable(Napi::Env env, int descriptor, std::function<void()> ready, std::function<void()> ended)
    : ready_(std::move(ready)), ended_(std::move(ended)) {
  uv_loop_t* loop;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) throw Napi::Error::New(env);
  auto watch = std::make_unique<Watch>(this);
  const int failure = uv_poll_init(loop, &watch->handle, descriptor);
  if (failure != 0) throw SystemError("epoll_ctl", -failure);
  watch->handle.data = watch.get();
  if (napi_add_async_cleanup_hook(env, Watch::on_environment_end, watch.get(), &watch->hook) != napi_ok) {
    watch.release()->close();
    throw Napi::Error::New(env);
  }
  watch_ = watch.release();
}

Readable::~Readable() {
  if (watch_ != nullptr) watch_->close();
}

void Readable::start() {
  if (watch_ == nullptr) return;
  // A socket's pending error is reported like one of the poll; whoever reads the socket finds it there.
  const int failure = uv_poll_start(&watch_->handle, UV_READABLE, [](uv_poll_t* handle, int, int) {
    const Readable* owner = Watch::of(handle)->owner;
    if (owner == nullptr) return;
    // What it runs may be the end of the owner.
    const std::function<void()> ready = owner->ready_;
    ready();
  });
  if (failure != 0) throw SystemError("epoll_ctl", -failure);
}

void Readable::stop() {
  if (watch_ != nullptr) uv_poll_stop(&watch_->handle);
}

void Readable::hold(bool holds) {
  if (watch_ == nullptr) return;
  if (holds) {
    uv_ref(watch_->base());
  } else {
    uv_unref(watch_->base());
  }
}

}  // namespace nftjs
